//! Reads the records that `--events` names, to their end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tfdrift_intake::counters::CounterValues;
use tfdrift_intake::s3::AwsConnect;
use tfdrift_intake::survey::Wanted;
use tfdrift_intake::{Clock, Intake, Next, OnOpenError, OpenError, Origin, Pace, Parts, SystemClock};
use tfdrift_plugin::config::Config;
use tfdrift_tfstate::{IndexPlan, StateMeta, read_state};

use crate::Failure;

const BATCH_RECORDS: usize = 512;
const WAIT: Duration = Duration::from_millis(200);
/// A bigger file is not looked into, to say that it is a state.
const MAX_STATE_BYTES: u64 = 64 << 20;

/// Calls `each` for every record's bytes, in the order in which they are read; says what became of the others.
/// What cannot be had is given up by the intake, named in the log and counted; `pace` says after how long.
///
/// # Errors
/// If the source cannot be opened, has nothing to read, or never ends.
pub fn each(
    params: &str,
    config: &Config,
    pace: Pace,
    each: &mut dyn FnMut(&[u8]),
) -> Result<CounterValues, Failure> {
    let failure = |what: String| Failure::Events { params: params.to_owned(), what };
    let origin = Origin::parse(params).map_err(|e| failure(e.to_string()))?;
    let mut settings = config.intake();
    let wanted = Wanted::of(&origin, &settings, SystemClock.now_ns()).map_err(|e| failure(e.to_string()))?;
    if !wanted.ends() {
        return Err(failure(endless(params, &origin)));
    }
    // At once, with the whole story: nobody would see it heal.
    settings.source.on_open_error = OnOpenError::Fail;
    let limited = is_limited(&origin, &settings.source.since, &settings.s3_interval);
    let parts = Parts { pace, ..Parts::default() }.with_connect(AwsConnect::new(config.aws.clone()));
    let file = match &origin {
        Origin::Files { path, .. } => path.clone(),
        Origin::S3 { .. } => PathBuf::new(),
    };
    let mut intake = Intake::open(origin, &settings, parts).map_err(|e| failure(whole_story(&e)))?;
    let counters = intake.counters();
    loop {
        match intake.next_batch(BATCH_RECORDS, WAIT) {
            Next::Batch(records) => records.iter().for_each(|r| each(r.bytes())),
            Next::Idle => {}
            Next::End => break,
        }
    }
    let counters = counters.values();
    intake.close();
    if counters.emitted == 0 && counters.malformed_record + counters.malformed_object > 0 && is_state(&file) {
        return Err(failure(
            "is a Terraform state; give it with --state, and CloudTrail's files here".into(),
        ));
    }
    match nothing(&counters) {
        Some(what) if limited => tracing::warn!("{params}: in the time asked for, {what}"),
        Some(what) => return Err(failure(what)),
        None => {}
    }
    Ok(counters)
}

fn endless(params: &str, origin: &Origin) -> String {
    match origin {
        Origin::Files { path, .. } => {
            format!("never ends: write {} without ?follow", path.display())
        }
        Origin::S3 { .. } => {
            let (place, options) = params.split_once('?').unwrap_or((params, ""));
            let more = if options.is_empty() { String::new() } else { format!("&{options}") };
            format!(
                "never ends: write '{place}?once{more}' (in quotes, since the shell takes ? and & itself)"
            )
        }
    }
}

/// Whether only a part of the past was asked for: then finding nothing is no fault.
fn is_limited(origin: &Origin, since: &str, interval: &str) -> bool {
    let asked = matches!(origin, Origin::S3 { since: Some(_), .. });
    asked || !interval.is_empty() || since != "now"
}

fn whole_story(error: &OpenError) -> String {
    match error {
        OpenError::Bucket { origin, story, .. } if !story.is_empty() => {
            format!("cannot read {origin}: {story}")
        }
        _ => error.to_string(),
    }
}

/// Whether a file is a Terraform state: a slip that is made easily.
pub fn is_state(path: &Path) -> bool {
    let small = std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_STATE_BYTES);
    let meta = StateMeta::named(String::new());
    // An empty file is none, whatever the reader of states makes of it.
    let state = |bytes: Vec<u8>| {
        !bytes.trim_ascii().is_empty() && read_state(&bytes, meta, &IndexPlan::new()).is_ok()
    };
    small && std::fs::read(path).is_ok_and(state)
}

/// What it means when there was no object to read at all.
fn nothing(values: &CounterValues) -> Option<String> {
    if values.objects_known + values.folders_refused + values.lanes_given_up > 0 {
        return None;
    }
    Some(match values.objects_filtered {
        0 => {
            "there is no object of CloudTrail that is wanted; `tfdrift doctor` says what is there".to_owned()
        }
        n => format!(
            "none of the {n} objects there is wanted: they are digests or Insights, or left out by s3AccountList, \
             source.accounts, source.regions or their time"
        ),
    })
}

#[cfg(test)]
#[path = "../../aws/tests/support/http.rs"]
#[allow(dead_code)]
mod http;

#[cfg(test)]
mod tests {
    use super::http::{Request, Response, Server};
    use super::*;

    const LIST: &str = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/b.json</Key>\
        <LastModified>2026-01-01T00:00:00Z</LastModified><Size>2</Size></Contents></ListBucketResult>";

    #[test]
    fn a_bucket_that_never_gives_anything_is_given_up() {
        let server = Server::start(|request: &Request| match request.path.contains("list-type=2") {
            true => Response::new(200, LIST),
            false if request.method == "HEAD" => Response::new(200, ""),
            false => Response::new(500, "<Error><Code>InternalError</Code></Error>"),
        });
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("credentials");
        std::fs::write(&keys, "[t]\naws_access_key_id = AKIATEST\naws_secret_access_key = s\n").unwrap();
        let config = serde_json::json!({"aws": {
            "profile": "t", "region": "us-east-1", "chain": ["profile"], "credentials": keys,
            "config": keys, "endpoint_url": server.url(), "path_style": true,
        }});
        let config = Config::from_value(&config).unwrap();
        let pace = Pace { give_up: Duration::ZERO, ..Pace::default() };
        let read = each("s3://my-trail/a/?once", &config, pace, &mut |_| {}).unwrap();
        assert_eq!((read.emitted, read.objects_known, read.object_given_up), (0, 1, 1));
    }
}
