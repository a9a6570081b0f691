//! What a state holds that is secret, odd or hostile: the drift of everything else is found, and what is secret is not shown.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};
use tfdrift_cloudtrail::Record;
use tfdrift_drift::{DriftConfig, DriftSettings, Finding, Mappings, drift};
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

/// The provider's `default_tags` stand in `tags_all` alone, some with a name that speaks.
#[test]
fn a_sensitive_tag_of_the_provider_is_no_drift_while_it_stays() {
    let of = |tags: Value, all: Value| {
        let state =
            state(&tags, &json!([])).replace(&format!("\"tags_all\":{tags}"), &format!("\"tags_all\":{all}"));
        assert!(state.contains(&format!("\"tags_all\":{all}")), "{state}");
        state
    };
    for key in ["api-token-owner", "plainowner"] {
        let state = of(json!({}), json!({key: "x"}));
        let same = find(&state, &tag(key, "x")).unwrap();
        assert!(!same.drift && same.resources[0].same == ["tags"], "{key}: {same:?}");
        assert!(find(&state, &tag(key, "y")).unwrap().drift, "{key}");
        let gone = |value: &str| {
            let tag = json!({"items": [{"key": key, "value": value}]});
            let parameters = json!({"resourcesSet": {"items": [{"resourceId": "sg-1"}]}, "tagSet": tag});
            find(&of(json!({key: "x"}), json!({key: "x"})), &record("DeleteTags", parameters)).unwrap().drift
        };
        assert!(gone("x") && !gone("y"), "{key}");
    }
}

/// An ignore rule for one tag says nothing of another, whose change does not show.
#[test]
fn an_ignored_tag_does_not_take_a_secret_one_with_it() {
    let rules: DriftSettings =
        serde_json::from_value(json!({"ignore": [{"attribute": "tags.A", "reason": "r"}]})).unwrap();
    let rules = rules.check().unwrap();
    let mappings = Mappings::builtin();
    let state = state(&json!({"DB_PASS": "hunter2", "A": "1"}), &json!([]));
    let state = read_state(state.as_bytes(), StateMeta::named("s"), &mappings.index_plan()).unwrap();
    let snapshot = Snapshot::new(vec![Arc::new(state)]);
    let drifts = |pass: &str| {
        let tags = json!({"items": [{"key": "DB_PASS", "value": pass}, {"key": "A", "value": "2"}]});
        let parameters = json!({"resourcesSet": {"items": [{"resourceId": "sg-1"}]}, "tagSet": tags});
        let record = record("CreateTags", parameters);
        let record = Record::parse(record.as_bytes()).unwrap();
        let mut net = tfdrift_drift::Net::new(&snapshot, mappings, &rules);
        net.add(&record);
        (drift(&record, &snapshot, mappings, &rules).unwrap().drift, !net.drifts().is_empty())
    };
    assert_eq!((drifts("hunter3"), drifts("hunter2")), ((true, true), (false, false)));
}

/// A mapping can neither add to what stands for a secret nor cut a part out of it.
#[test]
fn nothing_is_made_of_what_stands_for_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let made = |function: &str| {
        let mapping = format!(
            "source = \"ec2.amazonaws.com\"\n[[ModifyX]]\nupdate = \"aws_security_group\"\nid = [\"id = GroupId\"]\n\
             set = [\"name = {function}\"]\n"
        );
        std::fs::write(folder.path().join("own.toml"), mapping).unwrap();
        let mappings = Mappings::with_folder(folder.path()).unwrap();
        let state = state(&json!({"DB_PASS": "hunter2"}), &json!([]));
        let state = read_state(state.as_bytes(), StateMeta::named("s"), &mappings.index_plan()).unwrap();
        let snapshot = Snapshot::new(vec![Arc::new(state)]);
        let record = record("ModifyX", json!({"groupId": "sg-1"}));
        let finding =
            drift(&Record::parse(record.as_bytes()).unwrap(), &snapshot, &mappings, &DriftConfig::default());
        serde_json::to_value(&finding.unwrap().resources[0]).unwrap()
    };
    for function in [
        "text('x-', ^tags.DB_PASS)",
        "after(^tags.DB_PASS, ':')",
        "first(split(^tags.DB_PASS, 'secret'))",
        "join(list(^tags.DB_PASS), '-')",
        "sha1(^tags.DB_PASS)",
        "text('x-', json(^tags))",
    ] {
        let said = made(function);
        let change = &said["attrs"]["name"];
        assert_eq!((&change["new"], &change["certain"]), (&Value::Null, &json!(false)), "{function}: {said}");
    }
    for function in ["^tags.DB_PASS", "json(^tags)"] {
        let said = made(function).to_string();
        assert!(said.contains("***") && !said.contains("secret:") && !said.contains("hunter"), "{said}");
    }
}
