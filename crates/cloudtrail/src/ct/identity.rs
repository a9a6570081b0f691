//! Fields about who made the call.

use std::borrow::Cow;

use super::{Compat, plain};
use crate::json::{Json, Kind};
use crate::{Member, Record};

/// How the Go plugin finds a user for a type of identity.
enum UserRule {
    /// The text at this path below `userIdentity`.
    At(&'static [&'static str]),
    /// The same, else the word.
    AtOr(&'static [&'static str], &'static str),
    /// Always the word.
    Word(&'static str),
}

fn user_rule(identity_type: &str) -> Option<UserRule> {
    Some(match identity_type {
        "Root" | "IAMUser" => UserRule::At(&["userName"]),
        "AWSService" => UserRule::At(&["invokedBy"]),
        "AssumedRole" => UserRule::AtOr(&["sessionContext", "sessionIssuer", "userName"], "AssumedRole"),
        "AWSAccount" => UserRule::Word("AWSAccount"),
        "FederatedUser" => UserRule::Word("FederatedUser"),
        _ => return None,
    })
}

/// `ct.user`.
pub(super) fn user<'a>(record: &Record<'a>, compat: Compat) -> Option<Cow<'a, str>> {
    let identity = record.member(Member::UserIdentity)?;
    match user_rule(&identity.get("type")?.text()?)? {
        UserRule::At(path) => plain(identity.path(path)?, compat),
        UserRule::AtOr(path, word) => {
            identity.path(path).and_then(|name| plain(name, compat)).or(Some(word.into()))
        }
        UserRule::Word(word) => Some(word.into()),
    }
}

/// Where `ct.user` stands, unless it is a word of ours.
pub(super) fn user_json<'a>(record: &Record<'a>) -> Option<Json<'a>> {
    let identity = record.member(Member::UserIdentity)?;
    match user_rule(&identity.get("type")?.text()?)? {
        UserRule::At(path) | UserRule::AtOr(path, _) => identity.path(path),
        UserRule::Word(_) => None,
    }
}

/// What `userIdentity.type` says about `ct.user`, for the event text.
pub(super) fn user_type_known(record: &Record<'_>) -> Option<bool> {
    let identity_type = record.member(Member::UserIdentity)?.get("type")?.text()?;
    Some(user_rule(&identity_type).is_some())
}

/// `ct.originaluser`: for a role the name of the session, else `userIdentity.userName`.
pub(super) fn original_user<'a>(record: &Record<'a>, compat: Compat) -> Option<Cow<'a, str>> {
    let identity = record.member(Member::UserIdentity)?;
    if identity.get("type").and_then(Json::text).as_deref() != Some("AssumedRole") {
        return plain(identity.get("userName")?, compat);
    }
    let arn = identity.get("arn").and_then(Json::text);
    if let Some(session) = arn.and_then(|arn| last_of(arn, '/', 3)) {
        return Some(session);
    }
    last_of(identity.get("principalId")?.text()?, ':', 2)
}

/// The last part of `text` if `separator` cuts it into exactly `count` parts.
fn last_of(text: Cow<'_, str>, separator: char, count: usize) -> Option<Cow<'_, str>> {
    if text.split(separator).count() != count {
        return None;
    }
    match text {
        Cow::Borrowed(text) => text.rsplit(separator).next().map(Cow::Borrowed),
        Cow::Owned(text) => text.rsplit(separator).next().map(|part| part.to_owned().into()),
    }
}

/// `ct.user.accountid`.
pub(super) fn account_id<'a>(record: &Record<'a>, compat: Compat) -> Option<Cow<'a, str>> {
    plain(account_id_json(record)?, compat)
}

pub(super) fn account_id_json<'a>(record: &Record<'a>) -> Option<Json<'a>> {
    let of_identity = record.member(Member::UserIdentity).and_then(|identity| identity.get("accountId"));
    of_identity.or_else(|| record.member(Member::RecipientAccountId))
}

/// `ct.session.name`: the name of a role's session, from `arn`
/// (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`), else from `principalId` (`ID:SESSION`).
pub(crate) fn session_name<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    let identity = record.member(Member::UserIdentity)?;
    let text = |key: &str| identity.get(key).and_then(Json::text);
    if let Some(arn) = text("arn").filter(|arn| arn.contains(":assumed-role/")) {
        return last_of(arn, '/', 3).filter(|name| !name.is_empty());
    }
    if text("type").as_deref() != Some("AssumedRole") {
        return None;
    }
    last_of(text("principalId")?, ':', 2).filter(|name| !name.is_empty())
}

/// `ct.mfa`: of a sign-in `additionalEventData.MFAUsed`, else of the session `mfaAuthenticated`.
pub(super) fn mfa(record: &Record<'_>) -> Option<bool> {
    let used = record.member(Member::AdditionalEventData).and_then(|data| data.get("MFAUsed"));
    if let Some(used) = used.filter(|value| value.kind() == Kind::String) {
        match used.text()?.as_ref() {
            "Yes" => return Some(true),
            "No" => return Some(false),
            _ => {}
        }
    }
    let identity = record.member(Member::UserIdentity)?;
    crate::record::boolean(identity.path(&["sessionContext", "attributes", "mfaAuthenticated"])?)
}
