//! Cause, hints and next step of each kind of failure.

use super::{Asked, Call, Kind, policy};
use crate::failure::Failure;
use crate::identity::Identity;

pub(super) struct Advice {
    pub cause: String,
    pub hints: Vec<String>,
    pub next: String,
}

fn plain(cause: impl Into<String>, next: impl Into<String>) -> Advice {
    Advice { cause: cause.into(), hints: Vec::new(), next: next.into() }
}

pub(super) fn advice(kind: Kind, failure: &Failure, asked: &Asked, identity: Option<&Identity>) -> Advice {
    let bucket = &asked.bucket;
    match kind {
        Kind::AccessDeniedList | Kind::AccessDeniedGet | Kind::AccessDenied | Kind::AccessDeniedDecrypt => {
            denied(kind, failure, asked, identity)
        }
        Kind::KmsKeyUnusable => plain(
            format!("the KMS key of {} cannot be used (disabled, pending deletion or gone)", asked.resource()),
            "enable the key in KMS; the objects cannot be read without it",
        ),
        Kind::NoSuchBucket => Advice {
            cause: format!("bucket {bucket} does not exist"),
            hints: vec![
                "a bucket's name is its whole name: no s3://, no region, no ARN".to_owned(),
                "in another partition (China, GovCloud) a bucket is invisible: set aws.region to a region there"
                    .to_owned(),
            ],
            next: "copy the name from `aws cloudtrail describe-trails --query 'trailList[].S3BucketName'`".to_owned(),
        },
        Kind::NoSuchKey => plain(
            format!("object {} does not exist (any more)", asked.resource()),
            "check the key; a lifecycle rule may have deleted it",
        ),
        Kind::WrongRegion => wrong_region(failure, asked),
        Kind::InvalidAccessKeyId => plain(
            "AWS does not know this access key",
            "check that the key still exists (IAM, Security credentials) and that it belongs to this partition or \
             endpoint; a key of ~/.aws that was deleted must be replaced",
        ),
        Kind::SignatureDoesNotMatch => plain(
            "the secret key does not match the access key",
            "copy AWS_SECRET_ACCESS_KEY (or aws_secret_access_key of the profile) again, without blanks, quotes or a \
             missing end",
        ),
        Kind::ExpiredToken => plain(
            "the session token has expired",
            "renew the session (`aws sso login`, a new AWS_SESSION_TOKEN); a rewritten file is picked up without a \
             restart, variables need one",
        ),
        Kind::InvalidToken => plain(
            "the session token is not valid for this access key",
            "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from one and the same session; unset \
             AWS_SESSION_TOKEN for a long-lived key",
        ),
        Kind::ClockSkew => clock_skew(failure),
        Kind::NoRegion => plain("no region is set", "set aws.region, AWS_REGION or `region` of the profile"),
        Kind::NoCredentials => plain(
            failure.no_credentials.clone().unwrap_or_default().lines().next().unwrap_or("no AWS credentials"),
            "run `tfdrift doctor` in the same place: it names every link and its reason",
        ),
        Kind::Dns | Kind::ConnectionRefused | Kind::Timeout if !asked.proxy.is_empty() => proxy(kind, asked),
        Kind::Dns => Advice {
            cause: format!("host name {} not found", host(asked)),
            hints: match bucket.is_empty() {
                true => Vec::new(),
                false => vec!["a bucket name with dots or capitals needs aws.path_style: true".to_owned()],
            },
            next: "check DNS of this machine or container, aws.region and aws.endpoint_url; behind a proxy set \
                   aws.proxy_url"
                .to_owned(),
        },
        Kind::ConnectionRefused => plain(
            format!("nothing answers at {} (connection refused or reset)", host(asked)),
            "check aws.endpoint_url, aws.proxy_url and the firewall",
        ),
        Kind::Timeout => plain(
            format!("no answer from {} in time", host(asked)),
            "check the route to AWS: NAT gateway or S3 VPC endpoint, security group, aws.proxy_url",
        ),
        Kind::Tls => tls(failure, asked),
        Kind::Throttled => plain(format!("AWS asks to slow down at {}", asked.resource()), "nothing: it is retried"),
        Kind::Archived => plain(
            format!("object {} is in an archive class (Glacier) and must be restored first", asked.resource()),
            "restore it, or start later with ?since=",
        ),
        Kind::Server => plain("AWS had a fault of its own", "nothing: it is retried"),
        Kind::Other => plain(
            format!("{} failed: {}", asked.call.operation(), super::answer(failure).unwrap_or_default()),
            "see the answer above",
        ),
    }
}

/// The connection goes to the proxy: what fails is that one, not AWS.
fn proxy(kind: Kind, asked: &Asked) -> Advice {
    let at = host_of(&asked.proxy);
    let cause = match kind {
        Kind::Dns => format!("host name {at} of the proxy not found"),
        Kind::Timeout => format!("no answer from {} through the proxy {at} in time", host(asked)),
        _ => format!("nothing answers at the proxy {at} (connection refused or reset)"),
    };
    Advice {
        cause,
        hints: vec![format!(
            "the call was to go to {}; a host in NO_PROXY is asked without the proxy",
            host(asked)
        )],
        next:
            "check aws.proxy_url, or HTTPS_PROXY and HTTP_PROXY where it is empty, and whether the proxy runs"
                .to_owned(),
    }
}

fn denied(kind: Kind, failure: &Failure, asked: &Asked, identity: Option<&Identity>) -> Advice {
    let decrypt = kind == Kind::AccessDeniedDecrypt;
    let action = if decrypt { "kms:Decrypt" } else { asked.call.action() };
    let cause = match decrypt {
        true => format!("access denied: {action} for {}", asked.resource()),
        false => format!("access denied: {action} on {}", asked.resource()),
    };
    let message = failure.message.as_deref().unwrap_or_default();
    let who = identity.map_or_else(|| "the caller".to_owned(), Identity::principal);
    let mut hints = Vec::new();
    // IAM names the policy that decided; then nothing else needs to be guessed.
    let next = if message.contains("explicit deny") {
        let by = blamed(message).unwrap_or("a policy");
        hints.push(format!("{by} denies it explicitly: no Allow helps against that"));
        if by.contains("service control") {
            "ask the organisation's administrators to except the role in that SCP".to_owned()
        } else {
            format!("find the Deny for {action} there and except {who}")
        }
    } else if message.contains("no VPC endpoint policy") {
        format!("allow {action} for this bucket in the policy of the S3 VPC endpoint")
    } else if message.contains("no permissions boundary") {
        format!("allow {action} in the permissions boundary of {who}")
    } else if message.contains("no session policy") {
        "give the session a policy that allows it, or none".to_owned()
    } else if message.contains("no service control policy") {
        "ask the organisation's administrators to allow it in an SCP: attaching the statement is not enough"
            .to_owned()
    } else if message.contains("no resource-based policy") && !decrypt {
        format!(
            "add the statement, with \"Principal\": {{\"AWS\": \"{who}\"}}, to the policy of bucket {}",
            asked.bucket
        )
    } else if decrypt {
        format!("add the statement to {who}, and allow {who} in the key's policy")
    } else {
        format!("add the statement to {who}")
    };
    hints.extend(standing_hints(kind, failure, asked));
    Advice { cause, hints, next }
}

/// The kind of policy that a message of IAM blames.
fn blamed(message: &str) -> Option<&'static str> {
    [
        ("service control policy", "a service control policy (SCP)"),
        ("resource control policy", "a resource control policy (RCP)"),
        ("VPC endpoint policy", "the VPC endpoint's policy"),
        ("permissions boundary", "the permissions boundary"),
        ("session policy", "the session policy"),
        ("resource-based policy", "the bucket's policy"),
        ("identity-based policy", "an identity-based policy"),
    ]
    .into_iter()
    .find_map(|(word, name)| message.contains(word).then_some(name))
}

fn standing_hints(kind: Kind, failure: &Failure, asked: &Asked) -> Vec<String> {
    let mut hints = Vec::new();
    match kind {
        Kind::AccessDeniedDecrypt => {
            if policy::kms_key(failure).is_none() {
                hints.push(
                    "the key's ARN: `aws cloudtrail describe-trails --query 'trailList[].KmsKeyId'`"
                        .to_owned(),
                );
            }
            hints.push("a key of another account must allow this account in its own policy too".to_owned());
        }
        Kind::AccessDeniedGet => {
            hints.push(
                "without s3:ListBucket, S3 also answers 403 for an object that does not exist".to_owned(),
            );
            hints.push("an object encrypted with KMS needs kms:Decrypt on its key as well".to_owned());
        }
        _ => {}
    }
    let told = failure.message.as_deref().is_some_and(|message| blamed(message).is_some());
    if asked.call != Call::CallerIdentity && kind != Kind::AccessDeniedDecrypt && !told {
        hints.push(
            "a bucket of another account must allow it in the bucket's policy too; an SCP or a VPC endpoint policy \
             can forbid it in spite of the statement"
                .to_owned(),
        );
    }
    hints
}

fn wrong_region(failure: &Failure, asked: &Asked) -> Advice {
    match &failure.region {
        Some(region) => plain(
            format!("bucket {} is in region {region}", asked.bucket),
            format!(
                "leave aws.region empty (the bucket is asked) or set it to {region}; check aws.endpoint_url"
            ),
        ),
        None => plain(
            format!("bucket {} is in another region, which S3 does not name", asked.bucket),
            format!("ask `aws s3api get-bucket-location --bucket {}` and set aws.region", asked.bucket),
        ),
    }
}

fn clock_skew(failure: &Failure) -> Advice {
    let times = match (&failure.request_time, &failure.server_time) {
        (Some(ours), Some(theirs)) => format!(": {ours} here, {theirs} at AWS"),
        (None, Some(theirs)) => format!(": AWS has {theirs}"),
        _ => String::new(),
    };
    let wrong = match crate::clock::apart_by(failure) {
        Some(apart) => format!("{apart} AWS's"),
        None => "wrong".to_owned(),
    };
    plain(
        format!("the clock of this machine is {wrong}{times}"),
        "start time synchronisation (chrony, systemd-timesyncd); a virtual machine that slept needs it too",
    )
}

fn tls(failure: &Failure, asked: &Asked) -> Advice {
    let reason = failure.transport.as_ref().map(ToString::to_string).unwrap_or_default();
    Advice {
        cause: format!("the TLS connection to {} failed ({reason})", host(asked)),
        hints: vec![
            "UnknownIssuer: a proxy or a private endpoint signs with an authority of its own".to_owned(),
            "NotValidForName with a dotted bucket name: set aws.path_style: true".to_owned(),
        ],
        next: "set aws.ca_bundle (or AWS_CA_BUNDLE) to the PEM file of that authority".to_owned(),
    }
}

fn host(asked: &Asked) -> &str {
    host_of(&asked.endpoint)
}

fn host_of(url: &str) -> &str {
    let rest = url.split("://").nth(1).unwrap_or(url);
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() { "AWS" } else { host }
}
