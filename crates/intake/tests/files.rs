//! Files and folders, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod support;

use std::fs;
use std::io::Write;
use std::time::Duration;
use support::*;
use tfdrift_intake::counters::CounterValues;
use tfdrift_intake::{Intake, IntakeConfig, Next, OpenError, Origin, Parts};

fn read(path: &std::path::Path, config: &IntakeConfig) -> (Vec<String>, CounterValues) {
    let origin = Origin::parse(path.to_str().unwrap()).unwrap();
    let mut intake = Intake::open(origin, config, Parts::default()).unwrap();
    let found = drain(&mut intake);
    let values = intake.counters().values();
    intake.close();
    (found, values)
}

#[test]
fn a_folder_of_every_kind_of_file() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("deep/er")).unwrap();
    fs::write(at("a.json.gz"), object_of("a", 3)).unwrap();
    fs::write(at("b.json"), format!("[{},{}]", record("b-0"), record("b-1"))).unwrap();
    fs::write(at("c.jsonl"), format!("{}\n{}\n", record("c-0"), record("c-1"))).unwrap();
    fs::write(at("d.ndjson.gz"), gzip(format!("{}\n", record("d-0")).as_bytes())).unwrap();
    fs::write(at("deep/er/e.json"), record("e-0")).unwrap();
    fs::write(at("f.json.gz"), [object_of("f", 2), gzip(b"\n"), object_of("g", 2)].concat()).unwrap();
    fs::write(at("plain-named.json.gz"), format!("{{\"Records\":[{}]}}", record("h-0"))).unwrap();
    fs::write(at("gzip-named.json"), object_of("i", 1)).unwrap();
    fs::write(at("notes.txt"), "no log").unwrap();
    fs::write(at("x.gz"), "no log").unwrap();
    let (found, values) = read(dir.path(), &IntakeConfig::default());
    let expected: Vec<String> = [
        "a-0", "a-1", "a-2", "b-0", "b-1", "c-0", "c-1", "d-0", "e-0", "f-0", "f-1", "g-0", "g-1", "i-0",
        "h-0",
    ]
    .map(Into::into)
    .to_vec();
    assert_eq!(found, expected, "in order of names");
    assert_eq!((values.emitted, values.objects_done, values.malformed_object), (15, 8, 0));
}

#[test]
fn payload_and_time_are_the_records_own() {
    let dir = tempfile::tempdir().unwrap();
    let text = "{ \"eventTime\" : \"2026-11-02T19:30:22.5Z\",\n \"eventID\":\"x\", \"n\": 1.50 }";
    fs::write(dir.path().join("a.json"), format!("{{\"Records\": [ {text} ]}}")).unwrap();
    let origin = Origin::parse(dir.path().to_str().unwrap()).unwrap();
    let mut intake = Intake::open(origin, &IntakeConfig::default(), Parts::default()).unwrap();
    let batch = loop {
        match intake.next_batch(10, Duration::from_millis(100)) {
            Next::Batch(batch) => break batch,
            Next::Idle => continue,
            Next::End => panic!("nothing came"),
        }
    };
    assert_eq!(batch[0].bytes(), text.as_bytes());
    assert_eq!(batch[0].time_ns(), (NOON_SECS + 22) * 1_000_000_000 + 500_000_000);
}

#[test]
fn bad_input_costs_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let good = object_of("good", 50);
    fs::write(at("a-not-gzip.json.gz"), "this is not gzip").unwrap();
    fs::write(at("b-truncated.json.gz"), &good[..good.len() - 20]).unwrap();
    let mut wrong = object_of("crc", 5);
    let end = wrong.len() - 6;
    wrong[end] ^= 0xff;
    fs::write(at("c-checksum.json.gz"), wrong).unwrap();
    fs::write(at("d-empty.json.gz"), "").unwrap();
    fs::write(
        at("e-one-broken.json"),
        format!("{{\"Records\":[{},{{\"eventVersion\":\"1\",}},{}]}}", record("e-0"), record("e-1")),
    )
    .unwrap();
    fs::write(at("f-no-time.json"), format!("[{{\"eventID\":\"f\"}},{}]", record("f-1"))).unwrap();
    fs::write(at("g-bad-time.json"), format!("[{{\"eventTime\":\"today\"}},{}]", record("g-1"))).unwrap();
    fs::write(
        at("h-utf8.json"),
        [
            b"[{\"eventTime\":\"2026-11-02T19:30:22Z\",\"x\":\"\xff\"},".as_slice(),
            record("h-1").as_bytes(),
            b"]",
        ]
        .concat(),
    )
    .unwrap();
    let huge = format!("{{\"eventTime\":\"2026-11-02T19:30:22Z\",\"x\":\"{}\"}}", "y".repeat(10 << 20));
    fs::write(at("i-10mb.json"), format!("{{\"Records\":[{},{huge},{}]}}", record("i-0"), record("i-1")))
        .unwrap();
    fs::write(
        at("j-10mb.json.gz"),
        gzip(format!("{{\"Records\":[{},{huge},{}]}}", record("j-0"), record("j-1")).as_bytes()),
    )
    .unwrap();
    let insight = record("k").replace("AwsApiCall", "AwsCloudTrailInsight");
    fs::write(at("k-insight.json"), format!("[{insight}]")).unwrap();
    fs::write(at("l-twice.json"), format!("[{},{}]", record("l-0"), record("l-0"))).unwrap();
    fs::write(at("m-none.json"), "{\"Records\":[]}").unwrap();
    fs::write(at("n-nothing.json.gz"), gzip(b"")).unwrap();
    fs::write(at("o-more.json.gz"), [object_of("more", 2), b"behind the end".to_vec()].concat()).unwrap();
    let (found, values) = read(dir.path(), &IntakeConfig::default());
    let mut expected: Vec<String> =
        ["e-0", "e-1", "f-1", "g-1", "h-1", "i-0", "i-1", "j-0", "j-1", "l-0"].map(Into::into).to_vec();
    expected.extend(ids("crc", 5));
    expected.extend(ids("more", 2));
    // Of the truncated one, what was whole.
    let truncated = found.iter().filter(|id| id.starts_with("good-")).count();
    expected.extend(ids("good", truncated));
    assert_eq!(sorted(found), sorted(expected));
    assert!(values.emitted as usize == 17 + truncated);
    assert_eq!(values.malformed_object, 5, "not gzip, truncated, checksum, empty, more: {values:?}");
    assert_eq!(values.malformed_record, 4, "broken, no time, bad time, not UTF-8: {values:?}");
    assert_eq!((values.too_large, values.filtered, values.duplicate), (2, 1, 1));
    assert_eq!(
        (values.objects_done, values.objects_read),
        (15, 10),
        "every object in one counter: {values:?}"
    );
}

#[test]
fn a_bomb_ends_at_the_cap() {
    let dir = tempfile::tempdir().unwrap();
    let bomb = gzip(format!("{{\"Records\":[{}{}", record("a"), " ".repeat(30 << 20)).as_bytes());
    fs::write(dir.path().join("bomb.json.gz"), bomb).unwrap();
    fs::write(dir.path().join("good.json.gz"), object_of("good", 1)).unwrap();
    let mut config = IntakeConfig::default();
    config.source.max_inflated_bytes = 20 << 20;
    config.source.max_buffer_bytes = 4 << 20;
    let (found, values) = read(dir.path(), &config);
    assert_eq!(found, ["a", "good-0"]);
    assert_eq!((values.object_too_large, values.malformed_object), (1, 0));
    assert!(values.inflated_bytes < 23 << 20);
    config.source.max_object_bytes = 10;
    let (found, values) = read(dir.path(), &config);
    assert_eq!((found.len(), values.object_too_large), (0, 2));
}

#[test]
fn folders_that_cannot_be_read_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = Origin::parse(dir.path().join("none").to_str().unwrap()).unwrap_err().to_string();
    assert!(error.contains("not a file or folder here"), "{error}");
    let origin = Origin::parse(dir.path().to_str().unwrap()).unwrap();
    let Err(error) = Intake::open(origin, &IntakeConfig::default(), Parts::default()) else {
        panic!("opened")
    };
    assert!(matches!(error, OpenError::Path { .. }));
    assert!(error.to_string().contains("no *.json"), "{error}");
}

#[test]
fn aws_layout_in_a_folder_is_filtered_by_its_names() {
    let dir = tempfile::tempdir().unwrap();
    let put = |key: String, bytes: Vec<u8>| {
        let path = dir.path().join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    put(key("", ACCOUNT, "us-east-1", NOON_SECS + 600, "a"), object_of("late", 1));
    put(key("", ACCOUNT, "eu-west-1", NOON_SECS, "b"), object_of("early", 1));
    put(key("", "444455556666", "us-east-1", NOON_SECS, "c"), object_of("other", 1));
    put(
        key("", ACCOUNT, "us-east-1", NOON_SECS, "d").replace("/CloudTrail/", "/CloudTrail-Digest/"),
        gzip(b"{}"),
    );
    let (found, values) = read(dir.path(), &IntakeConfig::default());
    assert_eq!(found, ["early-0", "other-0", "late-0"], "in order of time");
    assert_eq!(values.objects_filtered, 1);
    let mut config = IntakeConfig { s3_account_list: ACCOUNT.into(), ..IntakeConfig::default() };
    assert_eq!(read(dir.path(), &config).0, ["early-0", "late-0"]);
    config.source.regions = vec!["us-east-1".into()];
    assert_eq!(read(dir.path(), &config).0, ["late-0"]);
    config.source.regions = vec!["ap-south-1".into()];
    assert_eq!(read(dir.path(), &config).0, Vec::<String>::new(), "filters never widen");
}

#[test]
fn without_the_layout_records_are_asked() {
    let dir = tempfile::tempdir().unwrap();
    let records = [record_in("a", ACCOUNT, "us-east-1"), record_in("b", "444455556666", "us-east-1")];
    fs::write(dir.path().join("x.json.gz"), object(&records)).unwrap();
    let config = IntakeConfig { s3_account_list: ACCOUNT.into(), ..IntakeConfig::default() };
    let (found, values) = read(dir.path(), &config);
    assert_eq!((found, values.filtered), (vec!["a".to_owned()], 1));
}

#[test]
fn a_growing_file_is_followed() {
    let (dir, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = dir.path().join("log.jsonl");
    fs::write(&path, format!("{}\n", record("a"))).unwrap();
    let open = || {
        let origin = Origin::parse(&format!("{}?follow", dir.path().display())).unwrap();
        let parts = Parts { pace: pace(), ..Parts::default() };
        Intake::open(origin, &config(state.path()), parts).unwrap()
    };
    let append = |text: &str| {
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(text.as_bytes()).unwrap()
    };
    let mut intake = open();
    assert_eq!(take(&mut intake, 1), ["a"]);
    let text = record("b");
    let (half, rest) = text.split_at(60);
    append(half);
    assert_eq!(take_for(&mut intake, Duration::from_millis(200)), Vec::<String>::new());
    append(&format!("{rest}\n{}\n", record("c")));
    assert_eq!(take(&mut intake, 2), ["b", "c"]);
    fs::write(dir.path().join("new.json.gz"), object_of("new", 2)).unwrap();
    assert_eq!(take(&mut intake, 2), ["new-0", "new-1"]);
    let values = intake.counters().values();
    assert_eq!((values.malformed_record, values.malformed_object, values.duplicate), (0, 0, 0));
    assert!(!intake.next_batch(1, Duration::ZERO).is_end());
    intake.close();
    append(&format!("{}\n", record("d")));
    let mut intake = open();
    assert_eq!(take(&mut intake, 1), ["d"], "after a restart only what is new");
    intake.close();
}

trait IsEnd {
    fn is_end(&self) -> bool;
}
impl IsEnd for Next {
    fn is_end(&self) -> bool {
        matches!(self, Next::End)
    }
}

/// Makes a file that its owner may not read. False where that stops nobody: root reads all.
fn refuse(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    let refused = fs::File::open(path).is_err();
    if !refused {
        println!("skipped: this user reads files of mode 000; run it as another than root");
    }
    refused
}

fn allow(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_file_that_may_not_be_read_is_named_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json.gz");
    fs::write(&path, object_of("a", 1)).unwrap();
    fs::write(dir.path().join("b.json.gz"), object_of("b", 1)).unwrap();
    if !refuse(&path) {
        return;
    }
    let origin = Origin::parse(dir.path().to_str().unwrap()).unwrap();
    let mut intake = Intake::open(origin, &IntakeConfig::default(), Parts::default()).unwrap();
    assert_eq!(drain(&mut intake), ["b-0"]);
    let (unread, values) = (intake.unread(), intake.counters().values());
    assert_eq!((unread.len(), unread[0].call, unread[0].count), (1, "open", 1));
    assert_eq!(unread[0].targets, [path.to_str().unwrap()]);
    assert_eq!((values.object_given_up, values.malformed_object, values.objects_read), (1, 0, 1));
}

#[test]
fn a_file_that_may_not_be_read_is_waited_for_by_who_follows() {
    let (dir, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = dir.path().join("a.json.gz");
    fs::write(&path, object_of("a", 1)).unwrap();
    if !refuse(&path) {
        return;
    }
    fs::write(dir.path().join("b.json.gz"), object_of("b", 1)).unwrap();
    let origin = Origin::parse(&format!("{}?follow", dir.path().display())).unwrap();
    let parts = Parts { pace: pace(), ..Parts::default() };
    let mut intake = Intake::open(origin, &config(state.path()), parts).unwrap();
    assert_eq!(take(&mut intake, 1), ["b-0"]);
    assert_eq!(take_for(&mut intake, Duration::from_millis(100)), Vec::<String>::new());
    let values = intake.counters().values();
    assert_eq!((values.objects_waiting, values.object_given_up, values.objects_known), (1, 0, 2));
    allow(&path);
    assert_eq!(take(&mut intake, 1), ["a-0"]);
    assert!(intake.unread().is_empty());
}

#[test]
fn a_second_reader_is_refused() {
    let (dir, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(dir.path().join("a.json.gz"), object_of("a", 1)).unwrap();
    let open = || {
        let origin = Origin::parse(&format!("{}?follow", dir.path().display())).unwrap();
        Intake::open(origin, &config(state.path()), Parts::default())
    };
    let first = open().unwrap();
    let Err(error) = open() else { panic!("opened twice") };
    assert!(error.to_string().contains("in use by another process"), "{error}");
    first.close();
    open().unwrap().close();
}
