//! `tfdrift scan` of the past: each event by the state of its time, from a versioned bucket in moto.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../aws/tests/support/moto.rs"]
mod moto;
#[path = "../../aws/tests/support/versioned.rs"]
mod versioned;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use versioned::Versioned;

const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 terraform-provider-aws/5.100.0";

/// A state with VPCs, each with a tag.
fn state(serial: u64, vpcs: &[(&str, &str)]) -> String {
    let vpc = |(id, env): &(&str, &str)| {
        json!({"mode": "managed", "type": "aws_vpc", "name": id, "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"attributes": {"id": id, "tags": {"Env": env}, "tags_all": {"Env": env}}}]})
    };
    let resources: Vec<Value> = vpcs.iter().map(vpc).collect();
    json!({"version": 4, "serial": serial, "lineage": "l", "resources": resources}).to_string()
}

/// Somebody tags a VPC.
fn tag(event: &str, time: &str, vpc: &str, env: &str, agent: &str) -> Value {
    json!({"eventVersion": "1.08", "eventID": event, "eventTime": format!("2026-11-02T{time}Z"), "eventSource": "ec2.amazonaws.com",
        "eventName": "CreateTags", "awsRegion": "us-east-1", "userAgent": agent, "readOnly": false, "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "userName": "alice", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:user/alice"},
        "requestParameters": {"resourcesSet": {"items": [{"resourceId": vpc}]}, "tagSet": {"items": [{"key": "Env", "value": env}]}},
        "responseElements": {"_return": true}})
}

struct World {
    bucket: Versioned,
}

impl World {
    /// Three versions of a state and the events between them.
    fn new() -> Option<World> {
        let mut bucket = Versioned::new()?;
        bucket.put("10:00:00", state(1, &[("vpc-1", "prod")]));
        bucket.put("11:00:00", state(2, &[("vpc-1", "staging"), ("vpc-2", "new")]));
        bucket.put("12:00:00", state(3, &[("vpc-1", "live"), ("vpc-2", "new")]));
        let events = [
            tag("adopted-later", "10:20:00", "vpc-1", "live", "aws-cli/2.0"),
            tag("drift", "10:30:00", "vpc-1", "dev", "aws-cli/2.0"),
            tag("made-by-terraform", "10:59:10", "vpc-2", "new", TERRAFORM),
            tag("before-it-was-written", "10:59:40", "vpc-2", "auto", "aws-cli/2.0"),
            tag("put-back", "11:30:00", "vpc-1", "staging", "aws-cli/2.0"),
            tag("terraform", "11:59:50", "vpc-1", "live", TERRAFORM),
            tag("today", "12:10:00", "vpc-1", "live", "aws-cli/2.0"),
        ];
        let world = World { bucket };
        std::fs::write(world.path("events.json"), json!({"Records": events}).to_string()).unwrap();
        world.configure(134_217_728);
        Some(world)
    }

    fn path(&self, name: &str) -> String {
        self.bucket.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn configure(&self, history_cache_bytes: u64) {
        let config = json!({"aws": self.bucket.aws(),
            "state": {"history_cache_bytes": history_cache_bytes, "places": [{"s3": "s3://states/net.tfstate"}]}});
        std::fs::write(self.path("config.yaml"), config.to_string()).unwrap();
    }

    fn scan(&self, more: &[&str]) -> String {
        self.run("scan", more, 2)
    }

    fn run(&self, command: &str, more: &[&str], code: i32) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_tfdrift"))
            .args([command, "--config", &self.path("config.yaml"), "--events", &self.path("events.json")])
            .args(more)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Event, whether it is drift, and old and new value of what differs.
    fn findings(&self) -> (Vec<String>, Value) {
        let report: Value = serde_json::from_str(&self.scan(&["--format", "json"])).unwrap();
        let line = |finding: &Value| {
            let tags = &finding["resources"][0]["attrs"]["tags"];
            let (old, new) = (&tags["old"]["Env"], &tags["new"]["Env"]);
            format!("{} {} {old} {new}", finding["eventID"].as_str().unwrap(), finding["drift"])
        };
        (report["findings"].as_array().unwrap().iter().map(line).collect(), report["drifts"].clone())
    }
}

#[test]
fn each_event_by_the_state_of_its_time() {
    let Some(world) = World::new() else { return };
    let (findings, drifts) = world.findings();
    assert_eq!(
        findings,
        [
            r#"adopted-later true "prod" "live""#,
            r#"drift true "prod" "dev""#,
            "made-by-terraform false null null",
            r#"before-it-was-written true "new" "auto""#,
            "put-back false null null",
            r#"terraform false "staging" "live""#,
            "today false null null",
        ]
    );
    assert_eq!(drifts.as_array().unwrap().len(), 1, "in the end: {drifts}");
    assert_eq!(drifts[0]["address"], "aws_vpc.vpc-2");
    let explained = world.scan(&["--explain"]);
    assert_eq!(
        explained.matches("judged by the states as they stood at that time").count(),
        4,
        "{explained}"
    );
    assert_eq!(
        explained.matches("judged by the states as they were written soon after").count(),
        2,
        "{explained}"
    );

    let examined = world.run("doctor", &[], 0);
    assert!(examined.contains("✔ history      older versions of states can be read"), "{examined}");

    // without the past, all of them by the newest state
    world.configure(0);
    let (findings, _) = world.findings();
    assert_eq!(findings[0], "adopted-later false null null");
    assert_eq!(findings[4], r#"put-back true "live" "staging""#);
}
