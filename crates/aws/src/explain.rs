//! What a refused call means, and the next step.

mod advice;
mod kind;
mod policy;

pub use kind::Kind;
pub use policy::{bucket_arn, object_arn};

use crate::failure::Failure;
use crate::identity::Identity;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// A call, by what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `ListObjectsV2`, which needs `s3:ListBucket`.
    ListObjects,
    /// `GetObject`, which needs `s3:GetObject`, and `kms:Decrypt` for an encrypted object.
    GetObject,
    /// `HeadBucket`, which needs `s3:ListBucket`.
    HeadBucket,
    /// `ListObjectVersions`, which needs `s3:ListBucketVersions`.
    ListVersions,
    /// `GetObject` of an older version, which needs `s3:GetObjectVersion`, and `kms:Decrypt` for an encrypted one.
    GetVersion,
    /// `GetCallerIdentity`, which needs nothing.
    CallerIdentity,
    /// `ReceiveMessage` and friends of SQS.
    ReceiveMessage,
    /// `DeleteMessageBatch`.
    DeleteMessage,
}

impl Call {
    /// The operation as CloudTrail would name it.
    pub fn operation(self) -> &'static str {
        match self {
            Call::ListObjects => "ListObjectsV2",
            Call::GetObject | Call::GetVersion => "GetObject",
            Call::HeadBucket => "HeadBucket",
            Call::ListVersions => "ListObjectVersions",
            Call::CallerIdentity => "GetCallerIdentity",
            Call::ReceiveMessage => "ReceiveMessage",
            Call::DeleteMessage => "DeleteMessageBatch",
        }
    }

    /// The IAM action that allows it.
    pub fn action(self) -> &'static str {
        match self {
            Call::ListObjects | Call::HeadBucket => "s3:ListBucket",
            Call::GetObject => "s3:GetObject",
            Call::GetVersion => "s3:GetObjectVersion",
            Call::ListVersions => "s3:ListBucketVersions",
            Call::CallerIdentity => "sts:GetCallerIdentity",
            Call::ReceiveMessage => "sqs:ReceiveMessage",
            Call::DeleteMessage => "sqs:DeleteMessage",
        }
    }
}

/// What was asked for when a call failed. Empty strings where a part does not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The call.
    pub call: Call,
    /// The bucket, or the queue's ARN.
    pub bucket: String,
    /// The object of a `GetObject`, the prefix of a list.
    pub key: String,
    /// Folder under which all objects to be read lie, `AWSLogs/111122223333/`: what a statement should allow.
    /// Empty takes the whole bucket.
    pub prefix: String,
    /// The host or URL asked, for faults of the connection.
    pub endpoint: String,
}

impl Asked {
    fn new(call: Call, bucket: &str, key: &str, prefix: &str) -> Asked {
        Asked { call, bucket: bucket.into(), key: key.into(), prefix: prefix.into(), endpoint: String::new() }
    }

    /// A list of `prefix`.
    pub fn list(bucket: &str, prefix: &str) -> Asked {
        Asked::new(Call::ListObjects, bucket, prefix, prefix)
    }

    /// A download; `prefix` is the folder that the configuration names.
    pub fn get(bucket: &str, key: &str, prefix: &str) -> Asked {
        Asked::new(Call::GetObject, bucket, key, prefix)
    }

    /// A question about the bucket itself.
    pub fn head(bucket: &str) -> Asked {
        Asked::new(Call::HeadBucket, bucket, "", "")
    }

    /// A list of versions.
    pub fn versions(bucket: &str, prefix: &str) -> Asked {
        Asked::new(Call::ListVersions, bucket, prefix, prefix)
    }

    /// A download of an older version; `prefix` as for [`Asked::get`].
    pub fn get_version(bucket: &str, key: &str, prefix: &str) -> Asked {
        Asked::new(Call::GetVersion, bucket, key, prefix)
    }

    /// The question who we are.
    pub fn identity() -> Asked {
        Asked::new(Call::CallerIdentity, "", "", "")
    }

    /// `s3://bucket/key`, or the endpoint.
    pub fn resource(&self) -> String {
        match (self.bucket.as_str(), self.key.as_str()) {
            ("", _) => self.endpoint.clone(),
            (bucket, _) if bucket.starts_with("arn:") => bucket.to_owned(),
            (bucket, key) => format!("s3://{bucket}/{key}"),
        }
    }
}

/// A failure with its cause and its remedy. `Display` is the full text, [`Explanation::short`] one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The kind of fault.
    pub kind: Kind,
    /// The cause in one clause.
    pub cause: String,
    /// The operation refused.
    pub call: &'static str,
    /// Bucket and key.
    pub resource: String,
    /// Who asked; `None` where it is not known.
    pub identity: Option<String>,
    /// AWS's own words: code and message.
    pub answer: Option<String>,
    /// The smallest IAM statement that would allow the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<Value>,
    /// What else may be behind it, most likely first.
    pub hints: Vec<String>,
    /// The next step.
    pub next: String,
}

impl Explanation {
    /// Explains a failure.
    pub fn of(failure: &Failure, asked: &Asked, identity: Option<&Identity>) -> Explanation {
        let kind = Kind::of(failure, asked.call);
        let advice = advice::advice(kind, failure, asked, identity);
        Explanation {
            kind,
            cause: advice.cause,
            call: asked.call.operation(),
            resource: asked.resource(),
            identity: identity.map(|i| i.arn.clone()),
            answer: answer(failure),
            statement: policy::statement(kind, failure, asked, identity),
            hints: advice.hints,
            next: advice.next,
        }
    }

    /// One line under 255 bytes, cause first.
    pub fn short(&self) -> String {
        crate::text::short(&format!("{}; {}", self.cause, self.next))
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.cause)?;
        writeln!(f, "  call      {}", self.call)?;
        if !self.resource.is_empty() {
            writeln!(f, "  resource  {}", self.resource)?;
        }
        if let Some(identity) = &self.identity {
            writeln!(f, "  identity  {identity}")?;
        }
        if let Some(answer) = &self.answer {
            writeln!(f, "  answer    {answer}")?;
        }
        if let Some(statement) = &self.statement {
            writeln!(f, "  the smallest IAM statement that allows it:")?;
            let json = serde_json::to_string_pretty(statement).map_err(|_| fmt::Error)?;
            for line in json.lines() {
                writeln!(f, "    {line}")?;
            }
        }
        for hint in &self.hints {
            writeln!(f, "  hint      {hint}")?;
        }
        write!(f, "  next      {}", self.next)
    }
}

impl std::error::Error for Explanation {}

fn answer(failure: &Failure) -> Option<String> {
    let said = match (&failure.code, &failure.message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.clone(),
        (None, Some(message)) => message.clone(),
        (None, None) if failure.no_credentials.is_some() => return None,
        (None, None) => match failure.status {
            Some(status) => format!("HTTP {status} without a body"),
            None => failure.text.clone(),
        },
    };
    Some(match &failure.request_id {
        Some(id) => format!("{said} (request {id})"),
        None => said,
    })
}
