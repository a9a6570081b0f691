//! CPU time of `drift` on a mix of 90 % read-only records, against 100,000 resources, and of the start.
//!
//! `cargo bench -p tfdrift-drift`
#![allow(clippy::expect_used, reason = "a bench may")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tfdrift_cloudtrail::Record;
use tfdrift_drift::{DriftSettings, Mappings, drift};
use tfdrift_tfstate::{Snapshot, StateMeta, read_state};

const RESOURCES: usize = 100_000;
const RECORDS: usize = 100_000;
const ACCOUNT: &str = "111122223333";

fn state() -> String {
    let instance = |attributes: serde_json::Value, key: usize| json!({"index_key": key, "schema_version": 0, "attributes": attributes});
    let quarter = RESOURCES / 4;
    let of = |rtype: &str, name: &str, attributes: &dyn Fn(usize) -> serde_json::Value| {
        let instances: Vec<_> = (0..quarter).map(|i| instance(attributes(i), i)).collect();
        json!({"mode": "managed", "type": rtype, "name": name, "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": instances})
    };
    let resources = [
        of("aws_instance", "web", &|i| {
            json!({"id": format!("i-{i:017x}"), "arn": format!("arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-{i:017x}"), "instance_type": "t3.micro",
                "tags": {"Name": "web"}, "tags_all": {"Name": "web", "Env": "prod"}, "ami": "ami-1", "ebs_block_device": [], "vpc_security_group_ids": ["sg-1"]})
        }),
        of("aws_security_group", "sg", &|i| {
            json!({"id": format!("sg-{i:017x}"), "arn": format!("arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/sg-{i:017x}"), "name": format!("sg-{i}"),
                "ingress": [{"cidr_blocks": ["10.0.0.0/8"], "description": "", "from_port": 443, "ipv6_cidr_blocks": [], "prefix_list_ids": [], "protocol": "tcp", "security_groups": [], "self": false, "to_port": 443}], "egress": []})
        }),
        of("aws_iam_role", "role", &|i| {
            json!({"id": format!("role-{i}"), "name": format!("role-{i}"), "arn": format!("arn:aws:iam::{ACCOUNT}:role/role-{i}"),
                "assume_role_policy": "{\"Version\":\"2012-10-17\",\"Statement\":[]}", "inline_policy": [], "managed_policy_arns": []})
        }),
        of(
            "aws_s3_bucket",
            "bucket",
            &|i| json!({"id": format!("bucket-{i}"), "bucket": format!("bucket-{i}"), "arn": format!("arn:aws:s3:::bucket-{i}"), "region": "us-east-1", "versioning": [{"enabled": true, "mfa_delete": false}], "tags": {}, "tags_all": {}}),
        ),
    ];
    json!({"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l", "outputs": {}, "resources": resources}).to_string()
}

fn records() -> Vec<String> {
    let padding = "x".repeat(700);
    (0..RECORDS)
        .map(|n| {
            let i = (n * 7919) % (RESOURCES / 4);
            let (source, name, parameters, read_only) = match n % 40 {
                0 => ("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", json!({"groupId": format!("sg-{i:017x}"), "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}), false),
                10 => ("s3.amazonaws.com", "PutObject", json!({"bucketName": format!("bucket-{i}"), "key": "k"}), false),
                20 => ("ec2.amazonaws.com", "CreateTags", json!({"resourcesSet": {"items": [{"resourceId": format!("i-{:017x}", i + RESOURCES)}]}, "tagSet": {"items": [{"key": "a", "value": "b"}]}}), false),
                30 => ("logs.amazonaws.com", "CreateLogStream", json!({"logGroupName": "/aws/lambda/f", "logStreamName": "s"}), false),
                _ => ("ec2.amazonaws.com", "DescribeInstances", json!({"instancesSet": {}, "filterSet": {}}), true),
            };
            json!({"eventVersion": "1.09", "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/ops/alice"), "accountId": ACCOUNT,
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": format!("arn:aws:iam::{ACCOUNT}:role/ops"), "userName": "ops"}}},
                "eventTime": "2026-11-02T19:30:22Z", "eventSource": source, "eventName": name, "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.7",
                "userAgent": "aws-cli/2.15.0", "requestParameters": parameters, "responseElements": null, "additionalEventData": {"padding": padding},
                "requestID": "r", "eventID": format!("e{n}"), "readOnly": read_only, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": ACCOUNT}).to_string()
        })
        .collect()
}

fn main() {
    let start = Instant::now();
    let mappings = Mappings::builtin();
    println!(
        "start: mappings decoded in {:.1} ms ({} operations)",
        start.elapsed().as_secs_f64() * 1e3,
        mappings.operations().len()
    );
    let text = state();
    let start = Instant::now();
    let state = read_state(text.as_bytes(), StateMeta::named("s"), &mappings.index_plan())
        .expect("the state made above is one");
    println!(
        "index: {} resources, {:.0} MB of state in {:.2} s",
        state.len(),
        text.len() as f64 / 1e6,
        start.elapsed().as_secs_f64()
    );
    let snapshot = Snapshot::new(vec![Arc::new(state)]);
    let rules = DriftSettings::default().check().expect("the shipped rules are valid");
    let records = records();
    let bytes: usize = records.iter().map(String::len).sum();
    for round in 0..3 {
        let start = Instant::now();
        let mut hits = 0;
        for text in &records {
            let record = Record::parse(text.as_bytes()).expect("the records made above are such");
            hits += usize::from(black_box(drift(&record, &snapshot, mappings, &rules)).is_some());
        }
        let each = start.elapsed().as_secs_f64() * 1e6 / RECORDS as f64;
        println!(
            "round {round}: {each:.2} µs a record ({} bytes each, 10 % change something, {hits} findings), parse included",
            bytes / RECORDS
        );
    }
}
