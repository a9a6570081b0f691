//! `tfdrift scan` of buckets that do not give everything: what was not read is not free of drift.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../aws/tests/support/http.rs"]
#[allow(dead_code)]
mod http;
#[path = "support/s3.rs"]
#[allow(dead_code)]
mod s3;

use http::closed_port;
use s3::{Bucket, denied, golden, is_get, is_list, key, object, refused};
use serde_json::Value;

const STATE: &str = "examples/seed/terraform.tfstate";
/// Objects are tried once only, so that tests end soon.
const ONCE: &str = "source: {object_retries: 0}\n";

/// Exit status, standard output, standard error.
fn scan(bucket: &Bucket, more: &str, args: &[&str]) -> (Option<i32>, String, String) {
    scan_with(bucket, bucket.config(more).to_str().unwrap(), args)
}

fn scan_with(bucket: &Bucket, config: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let mut all = vec!["scan", "--config", config, "--state", STATE];
    all.extend(args);
    let output = bucket.run(&all);
    let text = |bytes: Vec<u8>| bucket.plain(&String::from_utf8(bytes).unwrap());
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn counters(json: &str) -> Value {
    serde_json::from_str::<Value>(json).unwrap()["counters"].clone()
}

#[test]
fn an_object_that_is_refused_is_not_free_of_drift() {
    let bucket = Bucket::with(|request| is_get(request).then(denied));
    bucket.put(&key("CloudTrail", "us-east-1", 5), &object("e1"), 5);
    let (code, out, err) = scan(&bucket, ONCE, &["--events", "s3://my-trail?once", "--format", "json"]);
    assert_eq!((code, &counters(&out)["refused"]), (Some(1), &Value::from(1)), "{out}{err}");
    assert!(err.contains("access denied: s3:GetObject"), "{err}");
    assert!(err.contains("error: not read, for the reasons above: 1 object or folder (refused)"), "{err}");
    let (code, out, _) = scan(&bucket, ONCE, &["--events", "s3://my-trail?once"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("As far as could be read no resource differs"), "{out}");
}

#[test]
fn an_object_that_is_gone_and_one_that_is_broken_are_counted() {
    let bucket = Bucket::with(|request| {
        (is_get(request) && request.path.contains("eu-west-1"))
            .then(|| refused(404, "NoSuchKey", "The specified key does not exist."))
    });
    bucket.put(&key("CloudTrail", "eu-west-1", 5), &object("e1"), 5);
    bucket.put(&key("CloudTrail", "us-east-1", 5), "this is no JSON", 5);
    let (code, out, err) = scan(&bucket, ONCE, &["--events", "s3://my-trail?once", "--format", "json"]);
    let found = counters(&out);
    assert_eq!(
        (code, &found["not_found"], &found["malformed"]),
        (Some(1), &1.into(), &1.into()),
        "{out}{err}"
    );
}

#[test]
fn drift_beside_what_is_refused_is_drift() {
    let bucket = Bucket::with(|request| is_get(request).then(denied));
    bucket.put(&key("CloudTrail", "us-east-1", 5), &object("e1"), 5);
    let (code, _, err) = scan(
        &bucket,
        ONCE,
        &["--events", "examples/seed", "--events", "s3://my-trail?once", "--format", "jsonl"],
    );
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("warning: not read, for the reasons above: 1 object or folder (refused)"), "{err}");
}

#[test]
fn a_source_that_cannot_be_opened_leaves_the_findings_of_the_others() {
    let bucket = Bucket::with(|request| is_list(request).then(denied));
    let (code, out, err) = scan(
        &bucket,
        "",
        &["--events", "s3://my-trail?once", "--events", "examples/seed", "--format", "json"],
    );
    assert_eq!((code, &counters(&out)["unread_events"]), (Some(2), &Value::from(1)), "{err}");
}

#[test]
fn a_list_that_is_refused_ends_with_the_whole_story() {
    let bucket = Bucket::with(|request| is_list(request).then(denied));
    let (code, out, err) = scan(&bucket, "", &["--events", "s3://my-trail/AWSLogs/?once"]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    golden("scan_list_denied.txt", &err);
}

#[test]
fn an_endpoint_where_nobody_answers_ends() {
    let bucket = Bucket::start();
    let port = closed_port();
    let config = bucket.config_at(&format!("http://127.0.0.1:{port}"), "");
    let (code, _, err) =
        scan_with(&bucket, config.to_str().unwrap(), &["--events", "s3://my-trail/AWSLogs/?once"]);
    assert_eq!(code, Some(1), "{err}");
    golden("scan_no_endpoint.txt", &err.replace(&port.to_string(), "PORT"));
}

#[test]
fn a_bucket_with_nothing_in_it_is_no_answer() {
    let bucket = Bucket::start();
    let (code, _, err) = scan(&bucket, "", &["--events", "s3://my-trail?once"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("there is no object of CloudTrail that is wanted"), "{err}");
    bucket.put(&key("CloudTrail", "us-east-1", 5), &object("e1"), 5);
    let (code, _, err) =
        scan(&bucket, "s3AccountList: '999999999999'\n", &["--events", "s3://my-trail?once"]);
    assert_eq!(code, Some(1), "{err}");
    // A quiet hour is an answer.
    bucket.put(&key("CloudTrail", "us-east-1", 5), &object("e1"), 5);
    let (code, _, err) = scan(&bucket, "", &["--events", "s3://my-trail?once&since=1m"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("in the time asked for"), "{err}");
}

#[test]
fn what_never_ends_is_refused_with_what_to_write() {
    let bucket = Bucket::start();
    let (code, _, err) = scan(&bucket, "", &["--events", "s3://my-trail/AWSLogs/?since=2h"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("write 's3://my-trail/AWSLogs/?once&since=2h'"), "{err}");
    let (code, _, err) = scan(&bucket, "", &["--events", "examples/seed?follow"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("write examples/seed without ?follow"), "{err}");
}
