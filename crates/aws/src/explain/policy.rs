//! The smallest IAM statement for a refused call.

use super::{Asked, Call, Kind};
use crate::failure::Failure;
use crate::identity::Identity;
use serde_json::{Value, json};

/// `arn:aws:s3:::bucket`.
pub fn bucket_arn(partition: &str, bucket: &str) -> String {
    if bucket.starts_with("arn:") { bucket.to_owned() } else { format!("arn:{partition}:s3:::{bucket}") }
}

/// `arn:aws:s3:::bucket/prefix*`.
pub fn object_arn(partition: &str, bucket: &str, prefix: &str) -> String {
    if bucket.starts_with("arn:") {
        return format!("{bucket}/object/{prefix}*");
    }
    format!("arn:{partition}:s3:::{bucket}/{prefix}*")
}

pub(super) fn statement(
    kind: Kind,
    failure: &Failure,
    asked: &Asked,
    identity: Option<&Identity>,
) -> Option<Value> {
    // Against an explicit Deny no statement helps.
    if failure.message.as_deref().is_some_and(|message| message.contains("explicit deny")) {
        return None;
    }
    let partition = identity.map_or("aws", Identity::partition);
    match kind {
        Kind::AccessDeniedList | Kind::AccessDenied if asked.call != Call::GetObject => {
            let resource = bucket_arn(partition, &asked.bucket);
            let mut statement =
                json!({"Effect": "Allow", "Action": asked.call.action(), "Resource": resource});
            if !asked.prefix.is_empty() && asked.call.action().starts_with("s3:ListBucket") {
                statement["Condition"] = json!({"StringLike": {"s3:prefix": format!("{}*", asked.prefix)}});
            }
            Some(statement)
        }
        Kind::AccessDeniedGet => Some(json!({
            "Effect": "Allow",
            "Action": asked.call.action(),
            "Resource": object_arn(partition, &asked.bucket, &asked.prefix),
        })),
        Kind::AccessDeniedDecrypt => Some(json!({
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": kms_key(failure).unwrap_or_else(|| format!("arn:{partition}:kms:REGION:ACCOUNT:key/KEY-ID")),
        })),
        _ => None,
    }
}

/// The key's ARN, where AWS's message names it.
pub(super) fn kms_key(failure: &Failure) -> Option<String> {
    let message = failure.message.as_deref()?;
    let start = message.find("arn:")?;
    // The first ARN of a message is the caller's.
    let at = message
        .match_indices("arn:")
        .map(|(at, _)| at)
        .find(|at| message.get(*at..).is_some_and(|rest| rest.split(':').nth(2) == Some("kms")));
    let rest = message.get(at.filter(|at| *at >= start)?..)?;
    let end = rest.find(|c: char| c.is_whitespace() || "\"'),".contains(c)).unwrap_or(rest.len());
    Some(rest.get(..end)?.trim_end_matches('.').to_owned())
}
