//! The open parameters: where records come from, in one line.

use crate::since::{Since, SinceError};
use std::path::{Path, PathBuf};

/// The forms that are accepted, for error messages.
pub const FORMS: &str = "s3://BUCKET[/PREFIX][?once][&since=now|12h|2026-11-02T19:30:22Z], a file, \
     or a folder (*.json, *.jsonl, *.ndjson, each also .gz)[?follow]";

/// Where records come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, or a folder with all below it.
    Files {
        /// The file or folder.
        path: PathBuf,
        /// Keep looking for new and growing files instead of ending.
        follow: bool,
    },
    /// A bucket.
    S3 {
        /// Its name.
        bucket: String,
        /// What all keys begin with; without a leading slash, may be empty.
        prefix: String,
        /// Read what is there, and end.
        once: bool,
        /// `since=` of the open parameters.
        since: Option<Since>,
    },
}

/// Open parameters that say nothing usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Nothing was given.
    #[error("no open parameters; give {FORMS}")]
    Empty,
    /// No such file, and no form that is known.
    #[error("cannot open \"{text}\": {}not a file or folder here; accepted: {FORMS}", guess(.hint))]
    Unknown {
        /// What was given.
        text: String,
        /// What was probably meant.
        hint: Option<String>,
    },
    /// `s3://` without a usable name.
    #[error(
        "cannot open \"{text}\": \"{bucket}\" is no bucket name (3 to 63 of a-z 0-9 . -); accepted: {FORMS}"
    )]
    BucketName {
        /// What was given.
        text: String,
        /// The part that is no name.
        bucket: String,
    },
    /// An option after `?` that is not known for this form.
    #[error("cannot open \"{text}\": unknown option \"{option}\"; {allowed}")]
    Option {
        /// What was given.
        text: String,
        /// The option.
        option: String,
        /// What is allowed there.
        allowed: &'static str,
    },
    /// `?follow&once`
    #[error("cannot open \"{text}\": ?follow goes on for ever, ?once ends; give one of them")]
    Contradiction {
        /// What was given.
        text: String,
    },
    /// `since=` with something that is no time.
    #[error("cannot open \"{text}\": since: {source}")]
    Since {
        /// What was given.
        text: String,
        /// Why it is no time.
        source: SinceError,
    },
    /// A queue: not in this version.
    #[error(
        "cannot open \"{text}\": this version reads no SQS queues yet; read the bucket: s3://BUCKET[/PREFIX]"
    )]
    Queue {
        /// What was given.
        text: String,
    },
}

fn guess(hint: &Option<String>) -> String {
    hint.as_ref().map(|hint| format!("did you mean {hint}? ")).unwrap_or_default()
}

impl Origin {
    /// Reads open parameters. Looks at the file system, to tell a path from a slip of the pen.
    ///
    /// # Errors
    /// When the text is no accepted form; the message names the forms and, where it can, what was meant.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(OriginError::Empty);
        }
        if let Some(rest) = text.strip_prefix("s3://") {
            return bucket(text, rest);
        }
        if Path::new(text).exists() {
            return Ok(Origin::Files { path: text.into(), follow: false });
        }
        if text.starts_with("sqs://") {
            return Err(OriginError::Queue { text: text.into() });
        }
        if let Some((path, options)) = text.rsplit_once('?')
            && Path::new(path).exists()
        {
            let (mut follow, mut once) = (false, false);
            for option in options.split('&').filter(|o| !o.is_empty()) {
                match option {
                    "follow" => follow = true,
                    "once" => once = true,
                    _ => return Err(unknown_option(text, option, "a path takes ?follow")),
                }
            }
            if follow && once {
                return Err(OriginError::Contradiction { text: text.into() });
            }
            return Ok(Origin::Files { path: path.into(), follow });
        }
        Err(OriginError::Unknown { text: text.into(), hint: hint(text) })
    }

    /// True when reading ends by itself.
    pub fn ends(&self) -> bool {
        match self {
            Origin::Files { follow, .. } => !follow,
            Origin::S3 { once, .. } => *once,
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Files { path, .. } => write!(f, "{}", path.display()),
            Origin::S3 { bucket, prefix, .. } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Origin::S3 { bucket, prefix, .. } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

fn bucket(text: &str, rest: &str) -> Result<Origin, OriginError> {
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (bucket, prefix) = match place.strip_prefix("arn:") {
        // An access point: arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME[/PREFIX]
        Some(_) => {
            let mut slashes = place.match_indices('/').map(|(at, _)| at);
            match (slashes.next(), slashes.next()) {
                (Some(_), Some(second)) => (&place[..second], &place[second + 1..]),
                _ => (place, ""),
            }
        }
        None => place.split_once('/').unwrap_or((place, "")),
    };
    if !is_bucket_name(bucket) {
        return Err(OriginError::BucketName { text: text.into(), bucket: bucket.into() });
    }
    let (mut once, mut since) = (false, None);
    for option in options.split('&').filter(|o| !o.is_empty()) {
        match option.split_once('=') {
            None if option == "once" => once = true,
            Some(("since", value)) => {
                let parsed =
                    value.parse().map_err(|source| OriginError::Since { text: text.into(), source })?;
                since = Some(parsed);
            }
            _ => return Err(unknown_option(text, option, "s3:// takes ?once and since=")),
        }
    }
    Ok(Origin::S3 { bucket: bucket.into(), prefix: prefix.trim_start_matches('/').into(), once, since })
}

fn unknown_option(text: &str, option: &str, allowed: &'static str) -> OriginError {
    OriginError::Option { text: text.into(), option: option.into(), allowed }
}

fn is_bucket_name(name: &str) -> bool {
    if name.starts_with("arn:") {
        return name.contains(":s3") && name.contains("accesspoint/");
    }
    // Underscores and capitals stand in buckets of before 2018.
    (3..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// What somebody probably meant who wrote something that is neither a path nor a known scheme.
fn hint(text: &str) -> Option<String> {
    if let Some((key, value)) = text.split_once('=')
        && !key.contains("://")
    {
        let value = value.trim_matches(['"', '\'']).trim_start_matches("s3://");
        let key = key.to_ascii_lowercase();
        if value.is_empty() {
            return None;
        }
        if key.contains("sqs") || key.contains("queue") {
            return Some(format!("sqs://{value}"));
        }
        return Some(format!("s3://{value}"));
    }
    if let Some(place) = web_address(text) {
        return Some(format!("s3://{place}"));
    }
    if let Some((key, value)) = text.split_once(": ")
        && key.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        // A line of falco.yaml.
        let value = value.trim().trim_matches(['"', '\'']).trim_start_matches("s3://");
        let key = key.to_ascii_lowercase();
        return match (key.contains("bucket"), key.contains("sqs") || key.contains("queue")) {
            _ if value.is_empty() => None,
            (true, _) => Some(format!("s3://{value}")),
            (_, true) => Some(format!("sqs://{value}")),
            _ => hint(value),
        };
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let lower = scheme.to_ascii_lowercase();
        let meant = matches!(lower.as_str(), "s3" | "s3a" | "s3n" | "aws" | "arn" | "s3bucket" | "bucket");
        return (meant && !rest.is_empty()).then(|| format!("s3://{rest}"));
    }
    // arn:aws:s3:::BUCKET/PREFIX, also arn:aws-cn and arn:aws-us-gov
    if text.starts_with("arn:aws")
        && let Some((_, name)) = text.split_once(":s3:::")
    {
        return Some(format!("s3://{name}"));
    }
    if let Some(rest) = text.strip_prefix("s3:").or_else(|| text.strip_prefix("s3//")) {
        return Some(format!("s3://{}", rest.trim_start_matches('/')));
    }
    None
}

/// `BUCKET/PREFIX` of S3's web addresses: `https://BUCKET.s3.REGION.amazonaws.com/PREFIX`,
/// `https://s3.REGION.amazonaws.com/BUCKET/PREFIX`. Other hosts are not known to be S3.
fn web_address(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.split('?').next().unwrap_or_default();
    let service = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    if service == "s3" || service.starts_with("s3.") || service.starts_with("s3-") {
        return (!path.is_empty()).then(|| path.to_owned());
    }
    let at = service.rfind(".s3")?;
    let after = service.get(at + 3..)?;
    let bucket = service.get(..at)?;
    let is_service = after.is_empty() || after.starts_with(['.', '-']);
    is_service.then(|| if path.is_empty() { bucket.to_owned() } else { format!("{bucket}/{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(bucket: &str, prefix: &str, once: bool, since: Option<Since>) -> Origin {
        Origin::S3 { bucket: bucket.into(), prefix: prefix.into(), once, since }
    }

    #[test]
    fn buckets() {
        assert_eq!(Origin::parse("s3://logs"), Ok(s3("logs", "", false, None)));
        assert_eq!(Origin::parse("s3://logs/a/AWSLogs/"), Ok(s3("logs", "a/AWSLogs/", false, None)));
        let ago = Some(Since::Ago { secs: 7200 });
        assert_eq!(Origin::parse("s3://logs/p?once&since=2h"), Ok(s3("logs", "p", true, ago)));
        let arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint/trail";
        assert_eq!(Origin::parse(&format!("s3://{arn}/p/q")), Ok(s3(arn, "p/q", false, None)));
    }

    #[test]
    fn the_seeds_mistake_is_told() {
        let error =
            Origin::parse("s3Bucket=tfdrift-cloudtrail-595263720623-us-east-1").unwrap_err().to_string();
        assert!(error.contains("did you mean s3://tfdrift-cloudtrail-595263720623-us-east-1?"), "{error}");
        assert!(error.contains("a folder"), "{error}");
    }

    #[test]
    fn slips_of_the_pen_are_guessed() {
        for (text, meant) in [
            ("S3://logs/p", "s3://logs/p"),
            ("arn:aws:s3:::logs", "s3://logs"),
            ("s3:logs", "s3://logs"),
            ("bucket=s3://logs", "s3://logs"),
            ("sqsQueue=q", "sqs://q"),
            ("s3Bucket: logs", "s3://logs"),
            ("open_params: \"s3Bucket=logs\"", "s3://logs"),
            ("s3//logs", "s3://logs"),
            ("arn:aws-cn:s3:::logs/p", "s3://logs/p"),
            ("https://logs.s3.amazonaws.com/AWSLogs/", "s3://logs/AWSLogs/"),
            ("https://my.logs.s3.eu-west-1.amazonaws.com", "s3://my.logs"),
            ("https://s3.eu-west-1.amazonaws.com/logs/p?x=1", "s3://logs/p"),
        ] {
            let error = Origin::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("did you mean {meant}?")), "{error}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert_eq!(Origin::parse(" "), Err(OriginError::Empty));
        assert!(matches!(Origin::parse("s3://"), Err(OriginError::BucketName { .. })));
        assert!(matches!(Origin::parse("s3://logs?twice"), Err(OriginError::Option { .. })));
        assert!(matches!(Origin::parse("s3://logs?since=x"), Err(OriginError::Since { .. })));
        assert!(matches!(Origin::parse("sqs://q"), Err(OriginError::Queue { .. })));
        assert!(matches!(Origin::parse("/no/such/folder"), Err(OriginError::Unknown { hint: None, .. })));
        let here = Origin::parse(&format!("{}?follow&once", env!("CARGO_MANIFEST_DIR")));
        assert!(matches!(here, Err(OriginError::Contradiction { .. })));
        assert!(matches!(
            Origin::parse("https://example.com/x"),
            Err(OriginError::Unknown { hint: None, .. })
        ));
        assert!(matches!(Origin::parse("gopher://x"), Err(OriginError::Unknown { hint: None, .. })));
    }

    #[test]
    fn paths_may_hold_anything() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["plain", "with=sign", "with?mark"] {
            let path = dir.path().join(name);
            std::fs::create_dir(&path).unwrap();
            let text = path.to_str().unwrap();
            assert_eq!(Origin::parse(text), Ok(Origin::Files { path: path.clone(), follow: false }));
            let follow = Origin::parse(&format!("{text}?follow"));
            assert_eq!(follow, Ok(Origin::Files { path, follow: true }));
        }
    }
}
