//! What `ignore_changes` leaves to others is no drift.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::json;
use tfdrift_cloudtrail::Record;
use tfdrift_drift::{DriftConfig, Mappings, drift};
use tfdrift_tfstate::{Configured, Snapshot, StateMeta, read_state};

/// Whether tagging the VPC is drift under these `ignore_changes`.
fn drifts(ignore_changes: &[&str]) -> bool {
    let state = json!({"version": 4, "resources": [{"mode": "managed", "type": "aws_vpc", "name": "v",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"index_key": 0, "attributes": {
            "id": "vpc-1", "arn": "arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1", "tags": {"Env": "prod"}, "tags_all": {"Env": "prod"}}}]}]});
    let record = json!({"eventVersion": "1.08", "eventID": "e1", "eventTime": "2026-11-02T19:30:22Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "CreateTags", "awsRegion": "us-east-1", "recipientAccountId": "111122223333", "readOnly": false,
        "userIdentity": {"type": "IAMUser", "userName": "alice", "accountId": "111122223333"}, "responseElements": {"_return": true},
        "requestParameters": {"resourcesSet": {"items": [{"resourceId": "vpc-1"}]}, "tagSet": {"items": [{"key": "Env", "value": "dev"}]}}})
    .to_string();
    let mappings = Mappings::builtin();
    let state =
        read_state(state.to_string().as_bytes(), StateMeta::named("s"), &mappings.index_plan()).unwrap();
    let configured = Configured {
        source: "main.tf:1".into(),
        ignore_changes: ignore_changes.iter().map(|path| (*path).to_owned()).collect(),
        ..Configured::default()
    };
    let configuration = Arc::new([("aws_vpc.v".to_owned(), configured)].into_iter().collect());
    let snapshot = Snapshot::new(vec![Arc::new(state)]).with_configuration(configuration);
    let record = Record::parse(record.as_bytes()).unwrap();
    drift(&record, &snapshot, mappings, &DriftConfig::default()).is_some_and(|finding| finding.drift)
}

#[test]
fn attributes_paths_and_all() {
    assert!(drifts(&[]));
    assert!(drifts(&["cidr_block"]));
    assert!(drifts(&["tags.Other", "tags_all.Other"]), "another tag");
    assert!(!drifts(&["tags", "tags_all"]));
    assert!(!drifts(&["tags.Env", "tags_all.Env"]));
    assert!(!drifts(&["*"]));
}
