//! Objects, buckets and clocks of the tests.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tfdrift_intake::store::{Connected, memory::MemoryStore};
use tfdrift_intake::{Clock, Intake, IntakeConfig, Next, Origin, Pace, Parts};

pub const ACCOUNT: &str = "111122223333";
/// 2026-11-02T19:30:00Z
pub const NOON_SECS: u64 = 1_793_647_800;

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn record(id: &str) -> String {
    record_in(id, ACCOUNT, "us-east-1")
}

pub fn record_in(id: &str, account: &str, region: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"Root"}},"eventTime":"2026-11-02T19:30:22Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"{region}","eventID":"{id}","eventType":"AwsApiCall","recipientAccountId":"{account}"}}"#
    )
}

pub fn object(records: &[String]) -> Vec<u8> {
    gzip(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes())
}

/// An object with records `PREFIX-0`, `PREFIX-1` and so on.
pub fn object_of(prefix: &str, count: usize) -> Vec<u8> {
    object(&(0..count).map(|n| record(&format!("{prefix}-{n}"))).collect::<Vec<_>>())
}

pub fn ids(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n}")).collect()
}

/// A key of AWS's layout, of so many seconds since 1970.
pub fn key(root: &str, account: &str, region: &str, secs: u64, random: &str) -> String {
    let days = secs / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute) = (secs % 86_400 / 3600, secs % 3600 / 60);
    format!(
        "{root}AWSLogs/{account}/CloudTrail/{region}/{year:04}/{month:02}/{day:02}/{account}_CloudTrail_{region}_{year:04}{month:02}{day:02}T{hour:02}{minute:02}Z_{random}.json.gz"
    )
}

/// A clock that a test sets.
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn at(secs: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(secs)))
    }
    pub fn set(&self, secs: u64) {
        self.0.store(secs, SeqCst);
    }
    pub fn advance(&self, secs: u64) {
        self.0.fetch_add(secs, SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ns(&self) -> u64 {
        self.0.load(SeqCst) * 1_000_000_000
    }
}

pub fn pace() -> Pace {
    Pace {
        first: Duration::from_millis(2),
        most: Duration::from_millis(20),
        request: Duration::from_millis(500),
        patience: Duration::from_millis(50),
        discover: Duration::from_millis(50),
        poll: Some(Duration::from_millis(10)),
        ..Pace::default()
    }
}

pub fn config(dir: &Path) -> IntakeConfig {
    let mut config = IntakeConfig::default();
    config.source.checkpoint_dir = dir.into();
    config.source.object_retries = 2;
    config
}

pub fn parts(store: &Arc<MemoryStore>, clock: &Arc<TestClock>) -> Parts {
    let store: Arc<MemoryStore> = Arc::clone(store);
    let clock: Arc<TestClock> = Arc::clone(clock);
    Parts { connect: Some(Arc::new(Connected(store))), clock, pace: pace() }
}

pub fn id_of(record: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(record).unwrap();
    value["eventID"].as_str().unwrap_or_default().to_owned()
}

/// Everything up to the end.
pub fn drain(intake: &mut Intake) -> Vec<String> {
    let (mut found, start) = (Vec::new(), Instant::now());
    loop {
        match intake.next_batch(100, Duration::from_millis(10)) {
            Next::Batch(batch) => found.extend(batch.iter().map(|r| id_of(r.bytes()))),
            Next::Idle => assert!(
                start.elapsed() < Duration::from_secs(120),
                "no end; {:?}",
                intake.counters().values()
            ),
            Next::End => return found,
        }
    }
}

/// Records until `count` are there, or nothing came for a while.
pub fn take(intake: &mut Intake, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut last = Instant::now();
    while found.len() < count && last.elapsed() < Duration::from_secs(20) {
        match intake.next_batch(100, Duration::from_millis(10)) {
            Next::Batch(batch) => {
                found.extend(batch.iter().map(|r| id_of(r.bytes())));
                last = Instant::now();
            }
            Next::Idle => {}
            Next::End => break,
        }
    }
    found
}

/// Records that come within a short time; for what must not come.
pub fn take_for(intake: &mut Intake, time: Duration) -> Vec<String> {
    let (mut found, start) = (Vec::new(), Instant::now());
    while start.elapsed() < time {
        if let Next::Batch(batch) = intake.next_batch(100, Duration::from_millis(10)) {
            found.extend(batch.iter().map(|r| id_of(r.bytes())));
        }
    }
    found
}

pub fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

pub fn counts(ids: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id.as_str()).or_default() += 1;
    }
    counts
}

pub fn s3(prefix: &str, options: &str) -> Origin {
    Origin::parse(&format!("s3://logs/{prefix}{options}")).unwrap()
}
