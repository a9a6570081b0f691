//! Who made the call.

use crate::{Member, Record};

pub(crate) fn actor(record: &Record<'_>) -> Option<String> {
    let identity = record.member(Member::UserIdentity)?;
    let text = |key: &str| identity.get(key).and_then(|v| v.text()).filter(|t| !t.is_empty());
    let name = match text("type")?.as_ref() {
        "Root" => Some("root".into()),
        "AWSService" => text("invokedBy"),
        "AssumedRole" => text("principalId").and_then(|id| Some(id.split_once(':')?.1.to_owned().into())),
        _ => text("userName"),
    };
    name.or_else(|| text("principalId")).map(Into::into)
}

pub(crate) fn principal_arn(record: &Record<'_>) -> Option<String> {
    let identity = record.member(Member::UserIdentity)?;
    let issuer = identity.path(&["sessionContext", "sessionIssuer", "arn"]).and_then(|v| v.text());
    issuer.filter(|arn| !arn.is_empty()).or_else(|| identity.get("arn")?.text()).map(Into::into)
}
