//! Every field of made-up records: whatever stands in a record, a field is absent or has a value that stands there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::Value;
use tfdrift_cloudtrail::ct::{self, Compat, CtField, CtValue, Piece};
use tfdrift_cloudtrail::json::Json;
use tfdrift_cloudtrail::{Head, Record, event_time_ns};

const MEMBERS: [&str; 20] = [
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "eventID",
    "readOnly",
    "managementEvent",
    "eventType",
    "recipientAccountId",
    "sessionCredentialFromConsole",
    "serviceEventDetails",
    "resources",
    "addendum",
    "event\\u004eame",
    "tlsDetails",
    "somethingNew",
];

const PARAMETERS: [&str; 14] = [
    "bucketName",
    "key",
    "Host",
    "name",
    "policy",
    "imageId",
    "launchSpecification",
    "documentName",
    "roleName",
    "user\\u004eame",
    "tagSpecificationSet",
    "PublicAccessBlockConfiguration",
    "subnetId",
    "é",
];

const IDENTITY_TYPES: [&str; 13] = [
    "Root",
    "IAMUser",
    "AssumedRole",
    "AWSService",
    "AWSAccount",
    "FederatedUser",
    "WebIdentityUser",
    "SAMLUser",
    "IdentityCenterUser",
    "Role",
    "Directory",
    "Unknown",
    "",
];

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9 /:.,{}\\[\\]é😀-]{0,40}",
        2 => prop::sample::select(vec![
            "true", "false", "GetObject", "PutBucketPublicAccessBlock", "s3.amazonaws.com", ".amazonaws.com",
            "2026-11-02T19:30:22Z", "instance", "Name", "AROAX:session", "arn:aws:sts::1:assumed-role/r/s",
            "AWS Internal", "signin.amazonaws.com",
        ]).prop_map(str::to_owned),
        1 => prop::sample::select(vec![
            r"\u0000", r"a\u0000b", r"\ud83d\ude00", r"\ud800", r"\ud800x\u0041", r"\n\t\/\\", r#"\""#, r"\u00e9",
        ]).prop_map(str::to_owned),
    ]
    .prop_map(|text| format!("\"{text}\""))
}

fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => string(),
        1 => Just("null".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
        2 => prop::sample::select(vec![
            "0", "-1", "1.5", "18446744073709551615", "18446744073709551616", "123456789012345678901234567890", "1e400",
            "-0.0", "1E+2",
        ]).prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 16, 4, |inner| {
        let key = prop::sample::select(vec![
            "items",
            "imageId",
            "instancesSet",
            "resourceType",
            "tags",
            "key",
            "value",
            "ARN",
            "reason",
            "tlsVersion",
            "subnetId",
            "x",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key, inner), 0..4).prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &[(impl AsRef<str>, String)]) -> String {
    let members: Vec<_> =
        members.iter().map(|(key, value)| format!("\"{}\" :{value}", key.as_ref())).collect();
    format!("{{{}}}", members.join(", "))
}

fn identity() -> impl Strategy<Value = String> {
    let keys =
        vec!["principalId", "arn", "accountId", "accessKeyId", "userName", "invokedBy", "type", "\\u0061rn"];
    let issuer = prop::collection::vec((prop::sample::select(vec!["arn", "userName", "type"]), leaf()), 0..4);
    let session = (issuer, leaf()).prop_map(|(issuer, mfa)| {
        format!(r#"{{"sessionIssuer":{},"attributes":{{"mfaAuthenticated":{mfa}}}}}"#, object(&issuer))
    });
    let session = prop_oneof![3 => session, 1 => value()];
    (
        prop::sample::select(IDENTITY_TYPES.to_vec()),
        prop::collection::vec((prop::sample::select(keys), leaf()), 0..8),
        session,
    )
        .prop_map(|(kind, mut members, session)| {
            members.push(("sessionContext", session));
            members.insert(0, ("type", format!("\"{kind}\"")));
            object(&members)
        })
}

fn record() -> impl Strategy<Value = String> {
    let parameters = prop::collection::vec((prop::sample::select(PARAMETERS.to_vec()), value()), 0..24);
    let data = prop::collection::vec(
        (
            prop::sample::select(vec!["bytesTransferredIn", "bytesTransferredOut", "MFAUsed", "UserName"]),
            leaf(),
        ),
        0..4,
    );
    let members = prop::collection::vec((prop::sample::select(MEMBERS.to_vec()), value()), 0..16);
    (
        members,
        prop_oneof![4 => identity(), 1 => value()],
        prop_oneof![4 => parameters.prop_map(|p| object(&p)), 1 => value()],
        value(),
        data.prop_map(|data| object(&data)),
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(mut members, identity, request, response, data, turn, tight)| {
            members.extend([
                ("userIdentity", identity),
                ("requestParameters", request),
                ("responseElements", response),
                ("additionalEventData", data),
            ]);
            let by = turn.index(members.len());
            members.rotate_left(by);
            let spaced = object(&members);
            // AWS writes no blanks: labels are told at once only there
            if tight { Json::new(spaced.as_bytes()).compact().into_owned() } else { spaced }
        })
}

const ARGS: [Option<&str>; 6] =
    [None, Some("0"), Some("1"), Some("/items/0"), Some("items.0.imageId"), Some("é.~\u{0}")];

/// Every field of a record, with every argument, in both modes; whatever it is, nothing panics.
fn all(record: &Record<'_>) {
    for &field in CtField::ALL {
        for arg in ARGS {
            for compat in [Compat::Normal, Compat::Strict] {
                match ct::value(record, field, arg, compat) {
                    Some(CtValue::Text(text)) => assert!(!text.contains('\0'), "{}", field.name()),
                    Some(CtValue::List(items)) => {
                        assert!(!items.is_empty() && items.iter().all(|item| !item.contains('\0')));
                    }
                    Some(CtValue::Number(_)) | None => {}
                }
            }
            if let Some(range) = ct::range(record, field, arg) {
                assert!(record.bytes().get(range).is_some_and(|bytes| !bytes.is_empty()), "{}", field.name());
            }
        }
    }
    let _ = (record.actor(), record.via(), record.principal_arn(), record.account_id(), record.read_only());
    let _ = (record.operation(), record.time_ns());
}

/// What needs no work is what the work would give, in both modes.
fn pieces(record: &Record<'_>) {
    for &field in CtField::ALL {
        let values = [Compat::Normal, Compat::Strict].map(|compat| ct::value(record, field, None, compat));
        let name = field.name();
        match ct::piece(record, field) {
            Piece::Absent => assert_eq!(values, [None, None], "{name}"),
            Piece::Text(text) => {
                let text = Some(CtValue::Text(std::str::from_utf8(text).unwrap().into()));
                assert_eq!(values, [text.clone(), text], "{name}");
            }
            Piece::Unknown => {}
        }
    }
}

/// Fields that are more than the text at one place of the record.
fn is_made_up(field: CtField) -> bool {
    let prefixes =
        ["ct.info", "s3.bytes", "ct.request.documentname", "ct.user", "ec2.imageid", "ct.shortsrc"];
    prefixes.iter().any(|prefix| field.name().starts_with(prefix))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_plain_field_is_the_text_that_stands_in_the_record(json in record()) {
        let record = Record::parse(json.as_bytes()).unwrap();
        all(&record);
        pieces(&record);
        for &field in CtField::ALL {
            let normal = ct::value(&record, field, None, Compat::Normal);
            let strict = ct::value(&record, field, None, Compat::Strict);
            let at = ct::range(&record, field, None).map(|range| &json[range]);
            let string = at.and_then(|at| serde_json::from_str::<String>(at).ok());
            if let Some(text) = &string {
                let text = text.split('\0').next().unwrap_or_default().to_owned();
                if matches!(field.name(), "ct.id" | "ct.src" | "ct.name" | "ct.user.arn" | "s3.bucket" | "iam.role") {
                    prop_assert_eq!(&normal, &Some(CtValue::Text(text.clone().into())), "{}", field.name());
                }
            }
            // The modes differ only for values that are no strings, and for the texts "true" of booleans.
            if normal != strict && !is_made_up(field) {
                let at = at.unwrap_or_default();
                prop_assert!(!at.starts_with('"') || at == "\"true\"", "{} {at}: {normal:?} {strict:?}", field.name());
                if at == "null" {
                    prop_assert_eq!(normal, None);
                }
            }
        }
    }

    #[test]
    fn members_are_those_that_serde_json_sees_first(json in record()) {
        let record = Record::parse(json.as_bytes()).unwrap();
        // serde_json keeps the last of equal keys, so compare where there are no others.
        let keys: Vec<String> = serde_json::from_str::<Keys>(&json).unwrap().0;
        let tree: Value = match serde_json::from_str(&json) {
            Ok(tree) => tree,
            // A surrogate alone, or a number too large: not for serde_json.
            Err(_) => return Ok(()),
        };
        for (key, value) in tree.as_object().unwrap() {
            if keys.iter().filter(|k| *k == key).count() == 1 {
                let raw = record.raw(key).unwrap().get();
                prop_assert_eq!(&serde_json::from_str::<Value>(raw).unwrap(), value);
            }
        }
    }

    #[test]
    fn a_head_used_again_is_a_head_made_anew(first in record(), second in record()) {
        let mut head = Head::default();
        head.scan(first.as_bytes()).unwrap();
        head.scan(second.as_bytes()).unwrap();
        let (again, anew) = (Record::with_head(second.as_bytes(), &head), Record::parse(second.as_bytes()).unwrap());
        for &field in CtField::ALL {
            prop_assert_eq!(
                ct::value(&again, field, None, Compat::Normal),
                ct::value(&anew, field, None, Compat::Normal),
                "{}", field.name()
            );
        }
        // With other bytes than those scanned: absent or wrong, but no panic.
        all(&Record::with_head(first.as_bytes(), &head));
        all(&Record::with_head(b"", &head));
    }

    #[test]
    fn damage_never_panics(json in record(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = json.into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(record) = Record::parse(&bytes) {
            all(&record);
            pieces(&record);
        }
        let cut = bytes.len() / 2;
        if let Ok(record) = Record::parse(&bytes[..cut]) {
            all(&record);
        }
        let _ = (ct::event_text(&bytes, Compat::Normal), ct::event_text(&bytes, Compat::Strict), event_time_ns(&bytes));
    }
}

/// The top-level keys with their duplicates.
struct Keys(Vec<String>);

impl<'de> serde::Deserialize<'de> for Keys {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Keys;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = map.next_key()? {
                    keys.push(key);
                    map.next_value::<&serde_json::value::RawValue>()?;
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[test]
fn parts_of_a_request_by_path() {
    let json = br#"{"requestParameters":{"ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22}]},"a.b":{"c/d":null,"e":[]}},
        "responseElements":{"credentials":{"accessKeyId":"ASIAX"}},"resources":[{"ARN":"arn:a"},{"x":1},{"ARN":""},{"ARN":"arn:b"}],
        "userIdentity":{"type":"AssumedRole","accessKeyId":"ASIAY","arn":"arn:aws:sts::1:assumed-role/r/alice",
        "sessionContext":{"attributes":{"mfaAuthenticated":"true"}}}}"#;
    let record = Record::parse(json).unwrap();
    for (field, arg, want) in [
        (CtField::Request, Some("ipPermissions.items.0.ipProtocol"), Some("tcp")),
        (CtField::Request, Some("ipPermissions.items.0"), Some(r#"{"ipProtocol":"tcp","fromPort":22}"#)),
        (CtField::Request, Some("/a.b/e"), Some("[]")),
        (CtField::Request, Some("/a.b/c~1d"), None),
        (CtField::Request, Some("ipPermissions.items.1"), None),
        (CtField::Response, Some("credentials.accessKeyId"), Some("ASIAX")),
        (CtField::AccessKeyId, None, Some("ASIAY")),
        (CtField::SessionName, None, Some("alice")),
        (CtField::Mfa, None, Some("true")),
    ] {
        let value = ct::value(&record, field, arg, Compat::Normal);
        assert_eq!(value, want.map(|want| CtValue::Text(want.into())), "{} {arg:?}", field.name());
    }
    let arns = CtValue::List(vec!["arn:a".into(), "arn:b".into()]);
    assert_eq!(ct::value(&record, CtField::ResourcesArns, None, Compat::Normal), Some(arns));
    let at = ct::range(&record, CtField::Request, Some("ipPermissions.items.0.ipProtocol")).unwrap();
    assert_eq!(&json[at], b"\"tcp\"");
}

#[test]
fn what_stands_in_a_record_as_it_is_needs_no_work() {
    let json = r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","arn":"arn:x","sessionContext":
        {"sessionIssuer":{"userName":"r\u00f4le"}}},"eventTime":"2026-01-01T00:00:00Z","eventSource":"ec2.amazonaws.com",
        "eventName":"RunInstances","userAgent":"a \"b\"","requestParameters":{"name":"é"},"responseElements":{"a":"b c"},
        "readOnly":false,"managementEvent":"true","recipientAccountId":"1"}"#;
    let record = Record::parse(json.as_bytes()).unwrap();
    for (field, want) in [
        (CtField::Name, Piece::Text(b"RunInstances")),
        (CtField::ShortSrc, Piece::Text(b"ec2")),
        (CtField::UserArn, Piece::Text(b"arn:x")),
        (CtField::UserAccountId, Piece::Text(b"1")),
        (CtField::RequestName, Piece::Text("é".as_bytes())),
        (CtField::Request, Piece::Text(r#"{"name":"é"}"#.as_bytes())),
        (CtField::ReadOnly, Piece::Text(b"false")),
        (CtField::Error, Piece::Absent),
        (CtField::S3Bucket, Piece::Absent),
        (CtField::TlsVersion, Piece::Absent),
        // an escape, a blank, no boolean of JSON, made of several
        (CtField::UserAgent, Piece::Unknown),
        (CtField::User, Piece::Unknown),
        (CtField::Response, Piece::Unknown),
        (CtField::ManagementEvent, Piece::Unknown),
        (CtField::Info, Piece::Unknown),
    ] {
        assert_eq!(ct::piece(&record, field), want, "{}", field.name());
    }
    pieces(&record);
    // one byte that is no UTF-8, or a NUL, and nothing is taken as it stands
    for byte in [0xff, 0] {
        let mut bytes = json.as_bytes().to_vec();
        bytes[20] = byte;
        let record = Record::parse(&bytes).unwrap();
        assert_eq!(ct::piece(&record, CtField::Name), Piece::Unknown);
        pieces(&record);
    }
}
