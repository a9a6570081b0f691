//! `ct.info` and the text of an event (`evt.plugininfo`).

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Compat, identity, is_set, plain, s3, short_source};
use crate::json::{Json, Kind};
use crate::record::boolean;
use crate::{Member, Record, actor};

/// `ct.info`: `alice via 203.0.113.7 → PutObject URI=s3://bucket/key`.
pub(super) fn info(record: &Record<'_>, compat: Compat) -> String {
    let text = |member| record.member(member).and_then(|value| plain(value, compat));
    let Some(user) = info_user(record, compat) else {
        return "<invalid cloudtrail event: userIdentity field missing>".into();
    };
    let Some(address) = text(Member::SourceIpAddress) else {
        // The Go plugin names the wrong member.
        let missing = if compat == Compat::Strict { "eventSource" } else { "sourceIPAddress" };
        return format!("<invalid cloudtrail event: {missing} field missing>");
    };
    let Some(name) = text(Member::EventName) else {
        return "<invalid cloudtrail event: eventName field missing>".into();
    };
    let mut out = String::with_capacity(96);
    out.push_str(&user);
    if user != address {
        out.push_str(" via ");
        out.push_str(&address);
    }
    out.push(' ');
    if text(Member::ErrorCode).is_some() {
        out.push('!');
    }
    let changes = record.member(Member::ReadOnly).and_then(|value| is_set(value, compat)) == Some(false);
    out.push_str(if changes { "→ " } else { "← " });
    out.push_str(&name);
    add_subject(record, &name, compat, &mut out);
    out
}

/// `ct.user`; where the Go plugin has none (root, federated identities), the actor.
fn info_user<'a>(record: &Record<'a>, compat: Compat) -> Option<Cow<'a, str>> {
    let user = identity::user(record, compat);
    if compat == Compat::Strict { user } else { user.or_else(|| actor::actor(record).map(Cow::Owned)) }
}

/// What the call was about.
fn add_subject(record: &Record<'_>, name: &str, compat: Compat, out: &mut String) {
    if name == "PutBucketPublicAccessBlock" {
        let block = record.request("PublicAccessBlockConfiguration");
        if let Some(block) = block.filter(|block| block.kind() == Kind::Object) {
            add_access_block(record, block, compat, out);
        }
        return;
    }
    if let Some(size) = s3::bytes(record, compat) {
        // Writing to a String cannot fail.
        let _ = write!(out, " Size={size}");
    }
    if let Some(uri) = s3::uri(record) {
        out.push_str(" URI=");
        out.push_str(&uri);
        return;
    }
    for (label, key) in [(" Bucket=", "bucketName"), (" Key=", "key"), (" Host=", "Host")] {
        if let Some(value) = record.request(key).and_then(|value| plain(value, compat)) {
            out.push_str(label);
            out.push_str(&value);
            return;
        }
    }
}

/// The four switches. The Go plugin looks for them at the top of the record, where they never are.
fn add_access_block(record: &Record<'_>, block: Json<'_>, compat: Compat, out: &mut String) {
    for key in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        let set = match compat {
            Compat::Strict => record.get(key).is_some_and(|value| value.kind() == Kind::True),
            Compat::Normal => block.get(key).and_then(boolean) == Some(true),
        };
        let _ = write!(out, " {key}={set}");
    }
    if compat == Compat::Strict {
        out.push(' ');
    }
}

/// The text of an event, as `evt.plugininfo` shows it: `us-east-1 alice s3 PutObject` and `ct.info`. For bytes that
/// are not a record it says why.
pub fn event_text(bytes: &[u8], compat: Compat) -> String {
    let text = match Record::parse(bytes) {
        Ok(record) => record_text(&record, compat),
        Err(error) => format!("<invalid JSON: {error}>"),
    };
    super::until_nul(text.into()).into_owned()
}

fn record_text(record: &Record<'_>, compat: Compat) -> String {
    let Some(source) = record.event_source() else {
        return "<invalid JSON: event did not contain a source>".into();
    };
    let Some(region) = record.aws_region() else {
        return "<invalid JSON: event did not contain an awsRegion>".into();
    };
    let Some(name) = record.event_name() else {
        return "<invalid JSON: event did not contain an eventName>".into();
    };
    let user = match (info_user(record, compat), identity::user_type_known(record), compat) {
        (Some(user), ..) if user.is_empty() => String::new(),
        (Some(user), ..) => format!(" {user}"),
        (None, Some(true), Compat::Strict) => "<NA>".into(),
        (None, Some(false), Compat::Strict) => "<unknown user type>".into(),
        (None, ..) => String::new(),
    };
    format!("{region}{user} {} {name} {}", short_source(source), info(record, compat))
}
