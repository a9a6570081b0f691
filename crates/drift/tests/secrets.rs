//! What a state holds that is secret, odd or hostile: the drift of everything else is found, and what is secret is not shown.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};
use tfdrift_cloudtrail::Record;
use tfdrift_drift::{DriftConfig, Finding, Mappings, drift};
use tfdrift_tfstate::{Snapshot, StateMeta, read_state};

/// A state with one security group, as its text.
fn state(tags: &Value, marked: &Value) -> String {
    json!({"version": 4, "resources": [{"mode": "managed", "type": "aws_security_group", "name": "web",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"sensitive_attributes": marked, "attributes": {
            "id": "sg-1", "arn": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1", "name": "web", "description": "ODD",
            "ingress": [], "egress": [], "tags": tags, "tags_all": tags}}]}]})
    .to_string()
}

fn record(name: &str, parameters: Value) -> String {
    json!({"eventVersion": "1.08", "eventID": "e1", "eventTime": "2026-11-02T19:30:22Z", "eventSource": "ec2.amazonaws.com",
        "eventName": name, "awsRegion": "us-east-1", "recipientAccountId": "111122223333", "readOnly": false,
        "userIdentity": {"type": "IAMUser", "userName": "alice", "accountId": "111122223333"}, "responseElements": {"_return": true},
        "requestParameters": parameters})
    .to_string()
}

fn tag(key: &str, value: &str) -> String {
    let parameters = json!({"resourcesSet": {"items": [{"resourceId": "sg-1"}]}, "tagSet": {"items": [{"key": key, "value": value}]}});
    record("CreateTags", parameters)
}

fn find(state: &str, record: &str) -> Option<Finding> {
    let mappings = Mappings::builtin();
    let state = read_state(state.as_bytes(), StateMeta::named("s"), &mappings.index_plan()).unwrap();
    let snapshot = Snapshot::new(vec![Arc::new(state)]);
    drift(&Record::parse(record.as_bytes()).unwrap(), &snapshot, mappings, &DriftConfig::default())
}

#[test]
fn a_value_that_cannot_be_read_does_not_hide_the_drift_of_others() {
    let opened = record(
        "AuthorizeSecurityGroupIngress",
        json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
            "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}),
    );
    let plain = state(&json!({"Env": "TAG"}), &json!([]));
    for odd in [
        plain.replace("\"ODD\"", "1e999"),
        plain.replace("\"ODD\"", "\"\\ud800\""),
        plain.replace("\"description\"", "\"\\ud800\""),
        plain.replace("TAG", "\\ud83d"),
    ] {
        let finding = find(&odd, &opened).unwrap();
        assert!(finding.drift);
        assert_eq!(finding.diff_of("ingress").unwrap(), "ingress: + tcp/22 from 0.0.0.0/0");
    }
}

#[test]
fn a_changed_secret_is_known_and_not_shown() {
    let step = |name: &str| json!({"type": "get_attr", "value": name});
    let key = json!({"type": "index", "value": {"value": "a.b", "type": "string"}});
    let marked = json!([[step("tags"), key], [step("tags_all"), key]]);
    for (tags, key, marked) in [
        (json!({"DB_PASS": "hunter2", "A": "1"}), "DB_PASS", json!([])),
        (json!({"a.b": "hunter2", "A": "1"}), "a.b", marked),
        (json!({"N": "postgres://u:hunter2@h/d", "A": "1"}), "N", json!([])),
    ] {
        let state = state(&tags, &marked);
        let new = if key == "N" { "postgres://u:hunter3@h/d" } else { "hunter3" };
        let finding = find(&state, &tag(key, new)).unwrap();
        assert!(finding.drift);
        let path = format!("tags.{key}");
        assert_eq!(finding.diff_of(&path).unwrap(), format!("{path}: changed (sensitive)"));
        assert_eq!(finding.diff_of("tags").unwrap(), "tags: changed (sensitive)");
        assert_eq!(finding.diff_of("tags.A"), None);
        assert_eq!(finding.first().unwrap().diff, "tags: changed (sensitive)");
        assert!(!serde_json::to_string(&finding).unwrap().contains("hunter"));
        // Set to what it was.
        let old = tags[key].as_str().unwrap();
        let same = find(&state, &tag(key, old)).unwrap();
        assert!(!same.drift && same.resources[0].same == ["tags"], "{same:?}");
    }
}

#[test]
fn a_changed_secret_beside_a_change_that_shows() {
    let state = state(&json!({"DB_PASS": "hunter2", "A": "1"}), &json!([]));
    let parameters = json!({"resourcesSet": {"items": [{"resourceId": "sg-1"}]},
        "tagSet": {"items": [{"key": "DB_PASS", "value": "hunter3"}, {"key": "A", "value": "2"}]}});
    let finding = find(&state, &record("CreateTags", parameters)).unwrap();
    assert_eq!(finding.first().unwrap().diff, "tags.A: \"1\" -> \"2\"; tags.DB_PASS: changed (sensitive)");
}

#[test]
fn a_key_cannot_end_the_line() {
    let state = state(&json!({}), &json!([]));
    let finding = find(&state, &tag("x\n2026 CRITICAL fake\u{1b}[31m\u{202e}\u{2028}", "v\nw")).unwrap();
    let line = &finding.first().unwrap().diff;
    assert_eq!(line, "tags.x\\n2026 CRITICAL fake\\u001b[31m\\u202e\\u2028: + \"v\\nw\"");
    assert_eq!(&finding.diff_of("tags").unwrap(), line);
}

/// Where the provider takes a map, people choose the names, and `use_token` may hold one.
#[test]
fn names_in_every_map_of_the_provider_are_masked_on_the_safe_side() {
    fn walk(name: &str, kind: &Value, out: &mut Vec<String>) {
        match kind {
            Value::String(kind) if kind.starts_with('m') => out.push(name.to_owned()),
            Value::Object(members) => {
                members
                    .iter()
                    .filter(|(name, _)| *name != "*")
                    .for_each(|(name, kind)| walk(name, kind, out));
            }
            _ => {}
        }
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings/schema/aws.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut maps = Vec::new();
    for (_, resource) in schema.as_object().unwrap() {
        walk("", resource, &mut maps);
    }
    maps.sort();
    maps.dedup();
    assert!(maps.len() > 100);
    // AWS's own names and numbers
    let fixed = [
        "compaction",
        "instance_arns",
        "label_set",
        "log_destination",
        "orphan_file_deletion",
        "region_database_cluster_arns",
    ];
    let open = maps.iter().filter(|name| !fixed.contains(&name.as_str())).filter(|name| {
        let masker = tfdrift_tfstate::Masker::new("aws_x", &[]);
        masker.mask(&json!({"use_token": "hunter2"}), name) != json!({"use_token": "***"})
    });
    assert_eq!(open.collect::<Vec<_>>(), Vec::<&String>::new());
}
