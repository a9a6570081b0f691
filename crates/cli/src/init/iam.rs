//! The smallest IAM policy for what was found.

use super::files::UNKNOWN_BUCKET;
use super::findings::{Backend, Findings, Trail};
use super::trail;
use serde_json::{Value, json};
use tfdrift_aws::{bucket_arn, object_arn};

/// Terraform's folder for the states of workspaces when the backend names none.
const WORKSPACES: &str = "env:";

/// The policy document: list and read the trail, read the states, decrypt both.
pub fn policy(findings: &Findings) -> Value {
    let partition = partition(findings);
    let mut statements = Vec::new();
    // no trail was found: its name is for the reader to fill in
    let unknown = Trail { bucket: UNKNOWN_BUCKET.into(), prefix: trail::prefix(""), ..Trail::default() };
    let trail = findings.trail.as_ref().unwrap_or(&unknown);
    statements.push(json!({
        "Sid": "ListTrail", "Effect": "Allow", "Action": "s3:ListBucket",
        "Resource": bucket_arn(partition, &trail.bucket),
        "Condition": {"StringLike": {"s3:prefix": format!("{}*", trail.prefix)}},
    }));
    statements.push(json!({
        "Sid": "ReadTrail", "Effect": "Allow", "Action": "s3:GetObject",
        "Resource": object_arn(partition, &trail.bucket, &trail.prefix),
    }));
    for backend in &findings.backends {
        if let Backend::Remote { kind: "s3", keys } = backend {
            let part = |key: &str| keys.get(key).and_then(Value::as_str);
            let (Some(bucket), Some(key)) = (part("bucket"), part("key")) else { continue };
            let workspaces = part("workspace_key_prefix").unwrap_or(WORKSPACES);
            let arn = bucket_arn(partition, bucket);
            statements.push(json!({
                "Sid": "ListStates", "Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketVersions"], "Resource": arn,
                "Condition": {"StringLike": {"s3:prefix": [format!("{workspaces}/*"), format!("{key}*")]}},
            }));
            statements.push(json!({
                "Sid": "ReadStates", "Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": [format!("{arn}/{key}"), format!("{arn}/{workspaces}/*/{key}")],
            }));
        }
    }
    let mut keys: Vec<&String> = findings.state_keys.iter().chain(&trail.kms_key).collect();
    keys.sort();
    keys.dedup();
    if !keys.is_empty() {
        statements
            .push(json!({"Sid": "Decrypt", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": keys}));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn partition(findings: &Findings) -> &'static str {
    match findings.regions.iter().next().map(String::as_str) {
        Some(region) if region.starts_with("cn-") => "aws-cn",
        Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
