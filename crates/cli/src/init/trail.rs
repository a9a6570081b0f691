//! The trail: from the argument, or from a state that manages it.

use super::InitError;
use super::findings::{Findings, Trail};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tfdrift_intake::{Origin, OriginError};
use tfdrift_tfstate::{IndexPlan, Snapshot, StateMeta, read_state};

/// `[PREFIX/]AWSLogs/` of a trail's `s3_key_prefix`.
pub fn prefix(s3_key_prefix: &str) -> String {
    match s3_key_prefix.trim_matches('/') {
        "" => "AWSLogs/".to_owned(),
        prefix => format!("{prefix}/AWSLogs/"),
    }
}

/// `--trail`; the KMS key is taken from what else was found.
pub fn of_argument(text: &str, kms_key: Option<String>) -> Result<Trail, InitError> {
    let wrong = |problem: String| InitError::Trail { text: text.to_owned(), problem };
    let no_bucket = |error: OriginError| {
        let hint = match &error {
            OriginError::Unknown { hint: Some(hint), .. } => hint.clone(),
            OriginError::Unknown { .. } if !text.contains(['/', ':', '=']) => format!("s3://{text}"),
            OriginError::Unknown { .. } => {
                return wrong("is no bucket; give s3://BUCKET[/PREFIX]".to_owned());
            }
            other => return wrong(other.to_string()),
        };
        wrong(format!("is no bucket: did you mean {hint}? give s3://BUCKET[/PREFIX]"))
    };
    match Origin::parse(text).map_err(no_bucket)? {
        Origin::S3 { bucket, prefix, .. } => {
            let prefix = match prefix.contains("AWSLogs") {
                true => prefix,
                false => self::prefix(&prefix),
            };
            Ok(Trail { bucket, prefix, kms_key, organisation: false, from: "--trail".to_owned() })
        }
        Origin::Files { .. } => Err(wrong("is a file or folder; give s3://BUCKET[/PREFIX]".to_owned())),
    }
}

/// An `aws_cloudtrail` managed by a state: it knows the bucket even where the configuration has an expression.
pub fn of_state(bytes: &[u8], path: &Path, findings: &mut Findings) {
    let state = match read_state(bytes, StateMeta::named(path.display().to_string()), &IndexPlan::new()) {
        Ok(state) => state,
        Err(error) => {
            findings.remarks.push(format!("{}: {error}", path.display()));
            return;
        }
    };
    let snapshot = Snapshot::new(vec![Arc::new(state)]);
    let found =
        snapshot.resources().filter_map(|id| snapshot.resource(id)).find(|r| r.rtype() == "aws_cloudtrail");
    let Some(resource) = found else { return };
    let Ok(attributes) = serde_json::from_str::<Value>(resource.attributes_json()) else { return };
    let text = |key: &str| attributes.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let bucket = text("s3_bucket_name");
    if bucket.is_empty() {
        return;
    }
    findings.trail = Some(Trail {
        bucket,
        prefix: prefix(&text("s3_key_prefix")),
        kms_key: Some(text("kms_key_id")).filter(|key| key.starts_with("arn:")),
        organisation: attributes.get("is_organization_trail").and_then(Value::as_bool).unwrap_or(false),
        from: format!("{} in {}", resource.address(), path.display()),
    });
}
