//! Many objects, big objects, little memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod support;

use std::sync::Arc;
use std::time::Duration;
use support::*;
use tfdrift_intake::store::memory::MemoryStore;
use tfdrift_intake::{Intake, IntakeConfig, Next};

fn once(store: &Arc<MemoryStore>, config: &IntakeConfig) -> Intake {
    let mut parts = parts(store, &TestClock::at(NOON_SECS + 7 * 86_400));
    // However busy the machine is, order is what is tested here.
    parts.pace.patience = Duration::from_secs(60);
    Intake::open(s3("AWSLogs/", "?once"), config, parts).unwrap()
}

#[test]
fn ten_thousand_objects() {
    let (store, dir) = (Arc::new(MemoryStore::default()), tempfile::tempdir().unwrap());
    for n in 0..10_000u64 {
        store.put(
            key("", ACCOUNT, "us-east-1", NOON_SECS + n * 30, &format!("{n:05}")),
            object(&[record(&format!("{n:05}"))]),
        );
    }
    let mut intake = once(&store, &config(dir.path()));
    let found = drain(&mut intake);
    assert_eq!(found, (0..10_000).map(|n| format!("{n:05}")).collect::<Vec<_>>(), "all, in order");
    let values = intake.counters().values();
    assert_eq!((values.objects_done, values.get_calls), (10_000, 10_000));
    // Ten pages, and the folders.
    assert!(values.list_calls <= 14, "{}", values.list_calls);
}

/// A prefix without AWS's layout is listed as a whole for ever: names of what is through must not pile up.
#[test]
fn a_checkpoint_is_bounded_without_awss_layout() {
    let (clock, dir) = (TestClock::at(NOON_SECS), tempfile::tempdir().unwrap());
    let own: Arc<TestClock> = Arc::clone(&clock);
    let store = Arc::new(MemoryStore::new(own, Duration::ZERO));
    let life = || {
        let mut parts = parts(&store, &clock);
        parts.pace.discover = Duration::from_secs(600);
        let mut intake = Intake::open(s3("x/", "?since=30d"), &config(dir.path()), parts).unwrap();
        let found = take_for(&mut intake, Duration::from_millis(100));
        (intake, found)
    };
    for n in 0..21_000u64 {
        clock.set(NOON_SECS + n);
        // In no order of time.
        store.put(format!("x/{:05}.json", n * 7919 % 21_000), record(&format!("{n:05}")).into_bytes());
    }
    clock.advance(7200);
    let (mut intake, mut found) = life();
    found.extend(take(&mut intake, 21_000 - found.len()));
    assert_eq!(sorted(found), (0..21_000).map(|n| format!("{n:05}")).collect::<Vec<_>>());
    intake.next_batch(1, Duration::ZERO);
    intake.close();
    let names = || tfdrift_intake::Checkpoint::inspect(dir.path(), 0).unwrap()[0].lanes[0].done;
    let mut lives = 0;
    while names() > 12_000 {
        let (mut intake, found) = life();
        assert_eq!(found, Vec::<String>::new(), "nothing comes twice");
        // The folders, and each of the 21 pages.
        while intake.counters().values().list_calls < 22 {
            assert_eq!(take_for(&mut intake, Duration::from_millis(10)), Vec::<String>::new());
        }
        assert_eq!(take_for(&mut intake, Duration::from_millis(100)), Vec::<String>::new());
        intake.close();
        lives += 1;
        assert!(lives < 20, "{}", names());
    }
    assert!(names() > 5_000, "{}", names());
    store.put("x/new.json", record("new").into_bytes());
    let (mut intake, mut found) = life();
    found.extend(take(&mut intake, 1 - found.len()));
    assert_eq!(found, ["new"]);
}

/// Where the Go plugin lost up to 4 % in 12 of 30 runs: its listing appends to one slice from many goroutines.
#[test]
fn fifty_one_regions_thirty_times() {
    let (store, dir) = (Arc::new(MemoryStore::default()), tempfile::tempdir().unwrap());
    let mut expected = Vec::new();
    for region in 0..51 {
        for n in 0..60u64 {
            let id = format!("{region:02}-{n:02}");
            store.put(
                key("", ACCOUNT, &format!("region-{region:02}"), NOON_SECS + n * 300, &id),
                object_of(&id, 3),
            );
            expected.extend(ids(&id, 3));
        }
    }
    let expected = sorted(expected);
    let mut first = None;
    for run in 0..30 {
        let found = drain(&mut once(&store, &config(dir.path())));
        assert_eq!(found.len(), 9_180, "run {run}");
        let first = first.get_or_insert_with(|| found.clone());
        assert_eq!(*first, found, "the same order in every run");
    }
    assert_eq!(sorted(first.unwrap()), expected);
}

#[test]
fn memory_is_bounded_when_nobody_reads() {
    let (store, dir) = (Arc::new(MemoryStore::default()), tempfile::tempdir().unwrap());
    let filler = "x".repeat(4000);
    for n in 0..300u64 {
        let records: Vec<String> = (0..50)
            .map(|m| record(&format!("{n}-{m}")).replace("\"Root\"", &format!("\"{filler}\"")))
            .collect();
        store.put(key("", ACCOUNT, "us-east-1", NOON_SECS + n * 60, &format!("{n}")), object(&records));
    }
    let mut config = config(dir.path());
    config.source.max_buffer_bytes = 4 << 20;
    let mut intake = once(&store, &config);
    std::thread::sleep(Duration::from_millis(700));
    let values = intake.counters().values();
    assert!(values.inflated_bytes < 3 << 20, "{values:?}");
    assert!(intake.peak_buffer_bytes() <= 2 << 20);
    assert_eq!(drain(&mut intake).len(), 15_000);
    assert!(intake.peak_buffer_bytes() <= 2 << 20, "60 MB went through {}", intake.peak_buffer_bytes());
}

/// One object of 25 MB in a buffer of 4: it comes in blocks and leaves in pieces.
#[test]
fn an_object_bigger_than_the_buffer() {
    let (store, dir) = (Arc::new(MemoryStore::default()), tempfile::tempdir().unwrap());
    // Little can be squeezed out of these, so that the object is big as stored too.
    let mut state = 1u64;
    let mut filler = || {
        (0..700)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                format!("{:016x}", state)
            })
            .collect::<String>()
    };
    let records: Vec<String> = (0..2_000)
        .map(|n| record(&format!("{n}")).replace("\"Root\"", &format!("\"{}\"", filler())))
        .collect();
    let bytes = object(&records);
    assert!(bytes.len() > 8 << 20, "{}", bytes.len());
    store.put(key("", ACCOUNT, "us-east-1", NOON_SECS, "big"), bytes);
    store.put(key("", ACCOUNT, "us-east-1", NOON_SECS + 60, "small"), object_of("small", 1));
    store.fail_by(|call| match call {
        tfdrift_intake::store::memory::Call::Get(_, before) if before % 5 == 2 => {
            Some(tfdrift_intake::store::memory::Fault::Reset)
        }
        _ => None,
    });
    let mut config = config(dir.path());
    config.source.max_buffer_bytes = 4 << 20;
    let mut intake = once(&store, &config);
    let mut found = Vec::new();
    loop {
        match intake.next_batch(512, Duration::from_millis(10)) {
            Next::Batch(batch) => found.extend(batch.iter().map(|r| id_of(r.bytes()))),
            Next::Idle => {}
            Next::End => break,
        }
    }
    let mut expected: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
    expected.push("small-0".into());
    assert_eq!(found, expected);
    assert!(intake.peak_buffer_bytes() <= 2 << 20);
    assert_eq!(intake.counters().values().malformed_object, 0);
}
