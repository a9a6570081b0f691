//! Fields about who made the call.

use std::borrow::Cow;

use super::{Compat, plain};
use crate::head::Identity;
use crate::json::{Json, Kind};
use crate::{Member, Record};

/// How the Go plugin finds a user for a type of identity.
enum UserRule {
    /// The text of this member.
    At(Identity),
    /// The same, else the word.
    AtOr(Identity, &'static str),
    /// Always the word.
    Word(&'static str),
}

fn user_rule(identity_type: &str) -> Option<UserRule> {
    Some(match identity_type {
        "Root" | "IAMUser" => UserRule::At(Identity::UserName),
        "AWSService" => UserRule::At(Identity::InvokedBy),
        "AssumedRole" => UserRule::AtOr(Identity::IssuerUserName, "AssumedRole"),
        "AWSAccount" => UserRule::Word("AWSAccount"),
        "FederatedUser" => UserRule::Word("FederatedUser"),
        _ => return None,
    })
}

/// `ct.user`.
pub(super) fn user<'a>(record: &Record<'a>, compat: Compat) -> Option<Cow<'a, str>> {
    match user_rule(&record.identity(Identity::Type)?.text()?)? {
        UserRule::At(member) => plain(record.identity(member)?, compat),
        UserRule::AtOr(member, word) => {
            record.identity(member).and_then(|name| plain(name, compat)).or(Some(word.into()))
        }
        UserRule::Word(word) => Some(word.into()),
    }
}

/// Where `ct.user` stands, unless it is a word of ours.
pub(super) fn user_json<'a>(record: &Record<'a>) -> Option<Json<'a>> {
    match user_rule(&record.identity(Identity::Type)?.text()?)? {
        UserRule::At(member) | UserRule::AtOr(member, _) => record.identity(member),
        UserRule::Word(_) => None,
    }
}

/// What `userIdentity.type` says about `ct.user`, for the event text.
pub(super) fn user_type_known(record: &Record<'_>) -> Option<bool> {
    Some(user_rule(&record.identity(Identity::Type)?.text()?).is_some())
}

/// `ct.originaluser`: for a role the name of the session, else `userIdentity.userName`.
pub(super) fn original_user<'a>(record: &Record<'a>, compat: Compat) -> Option<Cow<'a, str>> {
    let text = |member| record.identity(member).and_then(Json::text);
    if text(Identity::Type).as_deref() != Some("AssumedRole") {
        return plain(record.identity(Identity::UserName)?, compat);
    }
    if let Some(session) = text(Identity::Arn).and_then(|arn| last_of(arn, '/', 3)) {
        return Some(session);
    }
    last_of(text(Identity::PrincipalId)?, ':', 2)
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
    record.identity(Identity::AccountId).or_else(|| record.member(Member::RecipientAccountId))
}

/// `ct.session.name`: the name of a role's session, from `arn`
/// (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`), else from `principalId` (`ID:SESSION`).
pub(crate) fn session_name<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    let text = |member| record.identity(member).and_then(Json::text);
    if let Some(arn) = text(Identity::Arn).filter(|arn| arn.contains(":assumed-role/")) {
        return last_of(arn, '/', 3).filter(|name| !name.is_empty());
    }
    if text(Identity::Type).as_deref() != Some("AssumedRole") {
        return None;
    }
    last_of(text(Identity::PrincipalId)?, ':', 2).filter(|name| !name.is_empty())
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
    let session = record.identity(Identity::SessionContext)?;
    crate::record::boolean(session.path(&["attributes", "mfaAuthenticated"])?)
}
