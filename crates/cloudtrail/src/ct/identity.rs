//! Fields about who made the call.

use std::borrow::Cow;

use super::{Compat, Piece, plain};
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

fn user_rule(identity_type: &[u8]) -> Option<UserRule> {
    Some(match identity_type {
        b"Root" | b"IAMUser" => UserRule::At(Identity::UserName),
        b"AWSService" => UserRule::At(Identity::InvokedBy),
        b"AssumedRole" => UserRule::AtOr(Identity::IssuerUserName, "AssumedRole"),
        b"AWSAccount" => UserRule::Word("AWSAccount"),
        b"FederatedUser" => UserRule::Word("FederatedUser"),
        _ => return None,
    })
}

/// The rule for the record's own type.
fn rule_of(record: &Record<'_>) -> Option<UserRule> {
    let of = record.identity(Identity::Type)?;
    match record.head().plain(of) {
        Some(plain) => user_rule(plain),
        None => user_rule(of.text()?.as_bytes()),
    }
}

/// `ct.user`, where it is a piece of the record or one of our words.
pub(super) fn user_piece<'a>(record: &Record<'a>) -> Piece<'a> {
    let (found, word) = match rule_of(record) {
        None => return Piece::Absent,
        Some(UserRule::At(member)) => (record.identity(member), None),
        Some(UserRule::AtOr(member, word)) => (record.identity(member), Some(word)),
        Some(UserRule::Word(word)) => (None, Some(word)),
    };
    match (found, word) {
        (Some(found), _) => record.head().plain(found).map_or(Piece::Unknown, Piece::Text),
        (None, Some(word)) => Piece::Text(word.as_bytes()),
        (None, None) => Piece::Absent,
    }
}

/// `ct.user`.
pub(super) fn user<'a>(record: &Record<'a>, compat: Compat) -> Option<Cow<'a, str>> {
    match rule_of(record)? {
        UserRule::At(member) => plain(record.identity(member)?, compat),
        UserRule::AtOr(member, word) => {
            record.identity(member).and_then(|name| plain(name, compat)).or(Some(word.into()))
        }
        UserRule::Word(word) => Some(word.into()),
    }
}

/// Where `ct.user` stands, unless it is a word of ours.
pub(super) fn user_json<'a>(record: &Record<'a>) -> Option<Json<'a>> {
    match rule_of(record)? {
        UserRule::At(member) | UserRule::AtOr(member, _) => record.identity(member),
        UserRule::Word(_) => None,
    }
}

/// What `userIdentity.type` says about `ct.user`, for the event text.
pub(super) fn user_type_known(record: &Record<'_>) -> Option<bool> {
    // none if there is no type at all
    record.identity(Identity::Type)?.text()?;
    Some(rule_of(record).is_some())
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
