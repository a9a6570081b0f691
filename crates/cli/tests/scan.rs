//! `tfdrift scan` as a user runs it: the example's answer to the letter, and the mistakes of a tired person.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

const STATE: &str = "examples/seed/terraform.tfstate";
const EVENTS: &str = "examples/seed";

fn scan(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tfdrift"))
        .arg("scan")
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap()
}

/// Compares with `tests/golden/NAME`; UPDATE_GOLDEN=1 writes it anew.
fn golden(name: &str, text: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let text = std::str::from_utf8(text).unwrap();
    assert_eq!(golden, text, "{} differs; UPDATE_GOLDEN=1 writes it anew", path.display());
}

/// Exit status 1, a message that says `what` just once, and nothing that sounds like an answer.
fn refused(args: &[&str], what: &str) {
    let output = scan(args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    assert_eq!(said.matches(what).count(), 1, "{args:?} says {what:?} once: {said}");
}

#[test]
fn example() {
    for format in ["json", "jsonl", "table"] {
        let output = scan(&["--state", STATE, "--events", EVENTS, "--format", format]);
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        golden(&format!("scan-seed.{format}"), &output.stdout);
    }
}

#[test]
fn example_explained() {
    let output = scan(&["--state", STATE, "--events", EVENTS, "--explain"]);
    assert_eq!(output.status.code(), Some(2));
    golden("scan-seed-explain.txt", &output.stdout);
}

#[test]
fn no_such_state() {
    refused(&["--state", "examples/seed/terraform.tfstat", "--events", EVENTS], "no such file or folder");
}

#[test]
fn not_a_state() {
    refused(&["--state", "examples/seed/main.tf", "--events", EVENTS], "not valid JSON at line 1");
}

#[test]
fn neither_state_nor_events() {
    refused(&["--events", EVENTS], "give --state FILE");
    refused(&["--state", STATE], "give --events PARAMS");
}

#[test]
fn no_such_events() {
    refused(&["--state", STATE, "--events", "examples/sed"], "not a file or folder here");
}

#[test]
fn a_state_given_for_events_and_the_other_way_round() {
    refused(&["--state", STATE, "--events", STATE], "is a Terraform state; give it with --state");
    let empty = tempfile::NamedTempFile::new().unwrap();
    refused(&["--state", STATE, "--events", empty.path().to_str().unwrap()], "the object is empty");
    refused(&["--state", STATE, "--events", empty.path().to_str().unwrap()], "this says nothing about drift");
    let events = "examples/seed/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/03";
    let file = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(events)).unwrap();
    let file = file.map(|entry| entry.unwrap().path()).min().unwrap();
    refused(&["--state", file.to_str().unwrap(), "--events", EVENTS], "looks like a CloudTrail file");
}

#[test]
fn mistakes_of_usage_do_not_look_like_drift() {
    for args in [&["--stat", STATE][..], &["--format", "xml"], &["--state"]] {
        assert_eq!(scan(args).status.code(), Some(1), "{args:?}");
    }
    assert_eq!(scan(&["--help"]).status.code(), Some(0));
}

#[test]
fn windows_line_ends_and_a_folder_without_states() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let state = std::fs::read_to_string(root.join(STATE)).unwrap().replace('\n', "\r\n");
    let path = folder.path().join("windows.tfstate");
    std::fs::write(&path, format!("\u{feff}{state}")).unwrap();
    let output = scan(&["--state", path.to_str().unwrap(), "--events", EVENTS]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_file(&path).unwrap();
    refused(
        &["--state", folder.path().to_str().unwrap(), "--events", EVENTS],
        "there is no state (*.tfstate",
    );
}

#[test]
fn a_folder_for_a_configuration() {
    refused(&["--config", "examples"], "examples: is a folder; give falco.yaml");
    refused(
        &["--state", "S3://b/k", "--events", EVENTS],
        "error: state S3://b/k: S3:// is not a place of states",
    );
}

#[test]
fn nothing_readable_is_not_the_absence_of_drift() {
    refused(&["--state", STATE, "--events", "examples/seed/main.tf"], "this says nothing about drift");
}

#[test]
fn a_state_that_cannot_be_read_leaves_the_others() {
    let output = scan(&["--state", "nowhere.tfstate", "--state", STATE, "--events", EVENTS]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("no such file or folder").count(), 1, "{said}");
}

#[test]
fn no_record_is_no_drift() {
    let folder = tempfile::tempdir().unwrap();
    let params = folder.path().to_str().unwrap();
    refused(&["--state", STATE, "--events", params], "no *.json, *.jsonl, *.ndjson");
    std::fs::write(folder.path().join("quiet.json"), r#"{"Records":[]}"#).unwrap();
    let output = scan(&["--state", STATE, "--events", params]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A state and a record of one's own, in a folder of one's own.
fn scan_of(state: &serde_json::Value, record: &serde_json::Value, args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (states, events) = (folder.path().join("s.tfstate"), folder.path().join("e.json"));
    std::fs::write(&states, state.to_string()).unwrap();
    std::fs::write(&events, serde_json::json!({"Records": [record]}).to_string()).unwrap();
    let places = ["--state", states.to_str().unwrap(), "--events", events.to_str().unwrap()];
    scan(&[&places[..], args].concat())
}

#[test]
fn nothing_in_a_record_reaches_the_terminal_as_a_command() {
    let hostile = "x\n2026 CRITICAL fake\u{1b}[31m\u{202e}";
    let state = serde_json::json!({"version": 4, "resources": [{"mode": "managed", "type": "aws_vpc", "name": hostile,
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"attributes": {"id": "vpc-1",
            "arn": "arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1", "tags": {}, "tags_all": {}}}]}]});
    let record = serde_json::json!({"eventVersion": "1.08", "eventID": hostile, "eventTime": "2026-11-02T19:30:22Z",
        "eventSource": "ec2.amazonaws.com", "eventName": "CreateTags", "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
        "readOnly": false, "userIdentity": {"type": "IAMUser", "userName": hostile, "accountId": "111122223333"},
        "requestParameters": {"resourcesSet": {"items": [{"resourceId": "vpc-1"}]}, "tagSet": {"items": [{"key": hostile, "value": hostile}]}}});
    for args in [&["--format", "table"][..], &["--explain"]] {
        let output = scan_of(&state, &record, args);
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("CRITICAL fake\\u001b[31m\\u202e"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        assert!(!shown.lines().any(|line| line.starts_with("2026 ")), "{shown}");
    }
}

/// A resource that cannot be read is named with its state and the reason, and what was not read is not free of drift.
#[test]
fn a_resource_left_out_is_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (state, events) = (dir.path().join("net.tfstate"), dir.path().join("records.json"));
    let resource = |name: &str, attributes: &str| {
        format!(
            r#"{{"mode":"managed","type":"aws_vpc","name":"{name}","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
               "instances":[{{"attributes":{attributes}}}]}}"#
        )
    };
    let text = format!(
        r#"{{"version":4,"resources":[{},{}]}}"#,
        resource("good", r#"{"id":"vpc-1"}"#),
        resource("odd", "[]")
    );
    std::fs::write(&state, text).unwrap();
    std::fs::write(&events, r#"{"Records":[]}"#).unwrap();
    let args = ["--state", state.to_str().unwrap(), "--events", events.to_str().unwrap(), "--format", "json"];
    let output = scan(&args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "warning: state is odd: aws_vpc.odd: left out: `attributes` is not an object",
        "net.tfstate)",
        "1 resource of a state",
    ] {
        assert_eq!(said.matches(part).count(), 1, "{part:?}: {said}");
    }
    assert!(String::from_utf8(output.stdout).unwrap().contains(r#""unread_resources":1"#));
}
