//! Who made the call: `tf.actor`, and the ARN under which rights were given.
//!
//! The members are those of CloudTrail's `userIdentity` element; which of them AWS fills depends on the type.

use std::borrow::Cow;

use crate::ct::session_name;
use crate::head::Identity;
use crate::json::Json;
use crate::{Member, Record};

/// The best name that the record has for the person or machine: `root`; the service that acts on its own; the source
/// identity or the name of a role session (for SSO the person); the user's name, also that of
/// Identity Center; the end of the ARN; the end of the principal's id; the account. `None` if there is no identity at all.
pub(crate) fn actor(record: &Record<'_>) -> Option<String> {
    let text = |member| filled(record.identity(member));
    let kind = text(Identity::Type);
    let special = match kind.as_deref() {
        Some("Root") => Some("root".into()),
        Some("AWSService") => text(Identity::InvokedBy),
        Some("IdentityCenterUser") => text(Identity::UserName).or_else(|| identity_center_user(record)),
        _ => None,
    };
    special
        .or_else(|| filled(record.identity(Identity::SessionContext)?.get("sourceIdentity")))
        .or_else(|| session_name(record))
        .or_else(|| text(Identity::UserName))
        .or_else(|| text(Identity::Arn).and_then(|arn| after_last(arn, '/')))
        .or_else(|| {
            let id = text(Identity::PrincipalId)?;
            if id.contains(':') { after_last(id, ':') } else { Some(id) }
        })
        .or_else(|| text(Identity::InvokedBy))
        .or_else(|| text(Identity::AccountId))
        .map(Cow::into_owned)
}

/// The ARN of the session's issuer (a role), else `userIdentity.arn`.
pub(crate) fn principal_arn(record: &Record<'_>) -> Option<String> {
    filled(record.identity(Identity::IssuerArn))
        .or_else(|| filled(record.identity(Identity::Arn)))
        .map(Cow::into_owned)
}

/// A user of Identity Center: sign-ins name it beside the identity, other calls only by its id.
fn identity_center_user<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    let beside = record.member(Member::AdditionalEventData);
    let name = filled(beside.and_then(|data| data.get("UserName")));
    name.or_else(|| filled(record.member(Member::UserIdentity)?.path(&["onBehalfOf", "userId"])))
}

/// The text of a string that is not empty.
fn filled(value: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    value?.text().filter(|text| !text.is_empty())
}

/// What stands after the last separator, if something does.
fn after_last(text: Cow<'_, str>, separator: char) -> Option<Cow<'_, str>> {
    let (_, part) = text.rsplit_once(separator)?;
    (!part.is_empty()).then(|| Cow::Owned(part.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::Record;

    fn of(identity: &str) -> (Option<String>, Option<String>) {
        let json = format!(r#"{{"userIdentity":{identity},"additionalEventData":{{"UserName":"beside"}}}}"#);
        let record = Record::parse(json.as_bytes()).unwrap();
        (record.actor(), record.principal_arn())
    }

    #[test]
    fn every_type_of_identity_has_an_actor() {
        for (identity, actor) in [
            (
                r#"{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root"}"#,
                "root",
            ),
            (
                r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/team/alice","userName":"alice"}"#,
                "alice",
            ),
            (r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/team/alice"}"#, "alice"),
            (
                r#"{"type":"AssumedRole","principalId":"AROAX:i-0abc","arn":"arn:aws:sts::111122223333:assumed-role/web/i-0abc"}"#,
                "i-0abc",
            ),
            (
                r#"{"type":"AssumedRole","principalId":"AROAX:alice@example.com","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/alice@example.com"}"#,
                "alice@example.com",
            ),
            (r#"{"type":"AssumedRole","principalId":"AROAX:alice"}"#, "alice"),
            (
                r#"{"type":"AssumedRole","principalId":"AROAX:s","arn":"arn:aws:sts::1:assumed-role/r/s","sessionContext":{"sourceIdentity":"bob"}}"#,
                "bob",
            ),
            (r#"{"type":"AssumedRole","userName":"r"}"#, "r"),
            (
                r#"{"type":"FederatedUser","principalId":"111122223333:carol","arn":"arn:aws:sts::111122223333:federated-user/carol"}"#,
                "carol",
            ),
            (r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#, "lambda.amazonaws.com"),
            (r#"{"type":"AWSAccount","principalId":"AIDAX:robot","accountId":"444455556666"}"#, "robot"),
            (r#"{"type":"AWSAccount","accountId":"444455556666"}"#, "444455556666"),
            (
                r#"{"type":"SAMLUser","principalId":"q:dave@example.com","userName":"dave@example.com"}"#,
                "dave@example.com",
            ),
            (
                r#"{"type":"WebIdentityUser","principalId":"accounts.google.com:app:12345","userName":"12345"}"#,
                "12345",
            ),
            (
                r#"{"type":"IdentityCenterUser","accountId":"1","onBehalfOf":{"userId":"u-1"},"credentialId":"c"}"#,
                "beside",
            ),
            (
                r#"{"type":"Unknown","principalId":"AROAX:eve","arn":"arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_0/eve"}"#,
                "eve",
            ),
            (r#"{"userName":"x"}"#, "x"),
        ] {
            assert_eq!(of(identity).0.as_deref(), Some(actor), "{identity}");
        }
        let json = br#"{"userIdentity":{"type":"IdentityCenterUser","accountId":"1","onBehalfOf":{"userId":"u-1"}}}"#;
        assert_eq!(Record::parse(json).unwrap().actor().as_deref(), Some("u-1"));
        for none in ["null", "{}", "\"x\"", r#"{"type":5}"#] {
            let json = format!(r#"{{"userIdentity":{none}}}"#);
            assert_eq!(Record::parse(json.as_bytes()).unwrap().actor(), None, "{none}");
        }
    }

    #[test]
    fn rights_come_from_the_role() {
        let session = r#"{"arn":"arn:aws:sts::1:assumed-role/r/s","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/p/r"}}}"#;
        assert_eq!(of(session).1.as_deref(), Some("arn:aws:iam::1:role/p/r"));
        let user = r#"{"arn":"arn:aws:iam::1:user/a","sessionContext":{"sessionIssuer":{}}}"#;
        assert_eq!(of(user).1.as_deref(), Some("arn:aws:iam::1:user/a"));
    }
}
