//! Kills and restarts. A kill is a copy of the checkpoint's files as they are at that moment, gone on from in their
//! place: what the process would have written later is not in them. The real thing is `kill.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod support;

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::*;
use tfdrift_intake::store::memory::{Call, Fault, MemoryStore};
use tfdrift_intake::{Intake, IntakeConfig, Next, Order, Origin, Parts};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Lives one after the other, each killed after so many calls; returns what each was given, batch by batch.
fn lives(
    open: &dyn Fn(&Path) -> Intake,
    root: &Path,
    kills: &[(usize, usize)],
    expected: usize,
) -> Vec<Vec<Vec<String>>> {
    let mut lives = Vec::new();
    let mut given = BTreeSet::new();
    for (n, &(calls, max)) in kills.iter().chain([&(usize::MAX, 64)]).enumerate() {
        let (here, next) = (root.join(n.to_string()), root.join((n + 1).to_string()));
        let mut intake = open(&here);
        let (mut batches, mut left, mut last) = (Vec::new(), calls, Instant::now());
        while left > 0 && last.elapsed() < Duration::from_secs(10) {
            if let Next::Batch(batch) = intake.next_batch(max, Duration::from_millis(5)) {
                let ids: Vec<String> = batch.iter().map(|r| id_of(r.bytes())).collect();
                given.extend(ids.iter().cloned());
                batches.push(ids);
                left -= 1;
                last = Instant::now();
            }
            if given.len() >= expected && last.elapsed() > Duration::from_millis(150) {
                break;
            }
        }
        copy(&here, &next);
        drop(intake);
        lives.push(batches);
    }
    lives
}

/// Nothing lost; what came again was in hand when the life that had it was killed.
fn check(lives: &[Vec<Vec<String>>], expected: &BTreeSet<String>) -> Result<(), TestCaseError> {
    let given: BTreeSet<String> = lives.iter().flatten().flatten().cloned().collect();
    prop_assert_eq!(&given, expected, "nothing is lost");
    let mut seen: BTreeMap<&String, (usize, usize)> = BTreeMap::new();
    for (life, batches) in lives.iter().enumerate() {
        for (at, batch) in batches.iter().enumerate() {
            for id in batch {
                if let Some((before, in_batch)) = seen.insert(id, (life, at)) {
                    prop_assert!(before < life, "{id} came twice in one life");
                    let in_hand = lives[before].len() - 1 == in_batch;
                    prop_assert!(in_hand, "{id} came again and was not in hand");
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_bucket(
        kills in prop::collection::vec((0usize..6, 1usize..40), 1..5),
        newest_first: bool,
        faulty: bool,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::at(NOON_SECS);
        let store = Arc::new(MemoryStore::default());
        let mut expected = BTreeSet::new();
        for n in 0..25u64 {
            // Each object holds some records of the one before, as AWS's deliveries do, and one without an id.
            let mut records: Vec<String> = (0..8).map(|m| record(&format!("{}", n * 6 + m))).collect();
            expected.extend((0..8).map(|m| format!("{}", n * 6 + m)));
            records.insert(3, "{\"eventVersion\":\"1\",\"broken\"}".into());
            let secs = NOON_SECS - (n % 3) * 86_400 - n * 60;
            store.put(key("", ACCOUNT, "us-east-1", secs, &format!("r{n}")), object(&records));
        }
        if faulty {
            store.fail_by(|call| match call {
                Call::Get(key, before) if key.len() % 2 == 0 && *before % 2 == 0 => Some(Fault::Reset),
                Call::Get(key, before) if key.contains("r7.") && *before < 2 => Some(Fault::CutOff),
                _ => None,
            });
        }
        let open = |dir: &Path| {
            let mut config: IntakeConfig = config(dir);
            config.source.order = if newest_first { Order::NewestFirst } else { Order::OldestFirst };
            Intake::open(s3("AWSLogs/", "?since=30d"), &config, parts(&store, &clock)).unwrap()
        };
        check(&lives(&open, dir.path(), &kills, expected.len()), &expected)?;
    }

    #[test]
    fn a_folder_that_is_followed(kills in prop::collection::vec((0usize..6, 1usize..40), 1..5)) {
        let (dir, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut expected = BTreeSet::new();
        for n in 0..10 {
            let records: Vec<String> = (0..10).map(|m| record(&format!("{n}-{m}"))).collect();
            expected.extend((0..10).map(|m| format!("{n}-{m}")));
            match n % 3 {
                0 => std::fs::write(dir.path().join(format!("{n}.json.gz")), object(&records)).unwrap(),
                1 => std::fs::write(dir.path().join(format!("{n}.json")), format!("[{}]", records.join(","))).unwrap(),
                _ => std::fs::write(dir.path().join(format!("{n}.jsonl")), records.join("\n")).unwrap(),
            }
        }
        let open = |state: &Path| {
            let origin = Origin::parse(&format!("{}?follow", dir.path().display())).unwrap();
            Intake::open(origin, &config(state), Parts { pace: pace(), ..Parts::default() }).unwrap()
        };
        check(&lives(&open, state.path(), &kills, expected.len()), &expected)?;
    }
}

/// Records without an `eventID` are told apart by their place alone.
#[test]
fn records_without_an_id_are_not_lost_and_not_repeated() {
    let (state, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOON_SECS));
    let store = Arc::new(MemoryStore::default());
    let records: Vec<String> =
        (0..20).map(|n| record("").replace("RunInstances", &format!("Name{n}"))).collect();
    store.put(key("", ACCOUNT, "us-east-1", NOON_SECS, "a"), object(&records));
    let names = |intake: &mut Intake, max: usize| loop {
        if let Next::Batch(batch) = intake.next_batch(max, Duration::from_millis(5)) {
            return batch.iter().map(|r| String::from_utf8_lossy(r.bytes()).into_owned()).collect::<Vec<_>>();
        }
    };
    let open = |dir: &Path| Intake::open(s3("", "?since=1h"), &config(dir), parts(&store, &clock)).unwrap();
    let mut first = open(&state.path().join("0"));
    assert_eq!(names(&mut first, 5), records[..5]);
    assert_eq!(names(&mut first, 5), records[5..10]);
    copy(&state.path().join("0"), &state.path().join("1"));
    drop(first);
    let mut second = open(&state.path().join("1"));
    assert_eq!(
        names(&mut second, 100),
        records[5..],
        "the batch in hand comes again, the one before does not"
    );
}

/// A process that ends in the middle of a long backlog: what was listed and not handed out comes in the next life,
/// however old it is.
#[test]
fn a_backlog_longer_than_the_window_is_gone_on_with() {
    let (state, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOON_SECS + 10 * 3600));
    let store = Arc::new(MemoryStore::default());
    let mut expected = Vec::new();
    for n in 0..60u64 {
        store.put(
            key("", ACCOUNT, "us-east-1", NOON_SECS + n * 600, &format!("r{n}")),
            object_of(&format!("o{n}"), 1),
        );
        expected.push(format!("o{n}-0"));
    }
    let mut config = config(state.path());
    config.source.late_window_secs = 600;
    let open = || Intake::open(s3("", "?since=12h"), &config, parts(&store, &clock)).unwrap();
    let mut intake = open();
    let mut found = Vec::new();
    while found.len() < 5 {
        if let Next::Batch(batch) = intake.next_batch(1, Duration::from_millis(5)) {
            found.extend(batch.iter().map(|r| id_of(r.bytes())));
        }
    }
    // The fifth was not taken: it comes again.
    intake.close();
    found.pop();
    let mut intake = open();
    found.extend(take(&mut intake, 56));
    assert_eq!(sorted(found), sorted(expected));
}

/// What is remembered is bounded, on disk too.
#[test]
fn the_journal_is_bounded() {
    let (state, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOON_SECS));
    let store = Arc::new(MemoryStore::default());
    for n in 0..60u64 {
        store.put(
            key("", ACCOUNT, "us-east-1", NOON_SECS + n * 60, &format!("r{n}")),
            object_of(&format!("o{n}"), 100),
        );
    }
    let mut config = config(state.path());
    config.source.dedup_entries = 1000;
    let open = || Intake::open(s3("", "?since=1h"), &config, parts(&store, &clock)).unwrap();
    let mut intake = open();
    assert_eq!(take(&mut intake, 6000).len(), 6000);
    intake.next_batch(1, Duration::ZERO);
    intake.close();
    let reports = tfdrift_intake::Checkpoint::inspect(state.path(), 0).unwrap();
    assert!((500..=1500).contains(&reports[0].event_ids), "{}", reports[0].event_ids);
    let mut intake = open();
    assert_eq!(take_for(&mut intake, Duration::from_millis(200)), Vec::<String>::new());
}

#[test]
fn a_damaged_checkpoint_costs_no_record() {
    let (state, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOON_SECS));
    let store = Arc::new(MemoryStore::default());
    store.put(key("", ACCOUNT, "us-east-1", NOON_SECS, "a"), object_of("a", 10));
    let open = || Intake::open(s3("", "?since=1h"), &config(state.path()), parts(&store, &clock)).unwrap();
    let mut intake = open();
    assert_eq!(take(&mut intake, 10).len(), 10);
    intake.next_batch(1, Duration::ZERO);
    intake.close();
    let folder = std::fs::read_dir(state.path()).unwrap().next().unwrap().unwrap().path();
    std::fs::write(folder.join("checkpoint.json"), "{\"version\":1,\"lan").unwrap();
    store.put(key("", ACCOUNT, "us-east-1", NOON_SECS + 60, "b"), object_of("b", 10));
    let mut intake = open();
    assert_eq!(take(&mut intake, 10), ids("b", 10), "ids come from the journal");
    intake.close();
    std::fs::write(folder.join("checkpoint.json"), "{\"version\":99}").unwrap();
    let Err(error) = Intake::open(s3("", ""), &config(state.path()), parts(&store, &clock)) else {
        panic!("opened")
    };
    assert!(error.to_string().contains("version 99"), "{error}");
}

/// Whatever happens to the checkpoint's files, what was listed and not read is read after a restart.
#[test]
fn a_damaged_checkpoint_costs_no_backlog() {
    const HOUR: u64 = 3600;
    for text in ["", "{\"version\":1,\"lan", "\u{0}\u{1}\u{fffd}", "[1,2]"] {
        for (order, damaged) in [
            (Order::OldestFirst, &[][..]),
            (Order::NewestFirst, &[]),
            (Order::OldestFirst, &["checkpoint.json"]),
            (Order::NewestFirst, &["checkpoint.json"]),
            (Order::OldestFirst, &["checkpoint.json", "checkpoint.json.copy"]),
            (Order::OldestFirst, &["checkpoint.json", "checkpoint.json.copy", "began"]),
        ] {
            let (state, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOON_SECS - 48 * HOUR));
            let own: Arc<TestClock> = Arc::clone(&clock);
            let store = Arc::new(MemoryStore::new(own, Duration::ZERO));
            let mut config = config(state.path());
            config.source.order = order;
            let open = || Intake::open(s3("", "?since=now"), &config, parts(&store, &clock)).unwrap();
            store.put(key("", ACCOUNT, "us-east-1", NOON_SECS - 48 * HOUR, "a"), object_of("read", 1));
            let mut intake = open();
            assert_eq!(take(&mut intake, 1), ["read-0"]);
            intake.next_batch(1, Duration::ZERO);
            intake.close();
            for hours in [30u64, 20, 10, 5, 2, 0] {
                clock.set(NOON_SECS - hours * HOUR);
                let key = key("", ACCOUNT, "us-east-1", NOON_SECS - hours * HOUR, "b");
                store.put(key, object_of(&format!("h{hours:02}"), 1));
            }
            // A life that lists all and can fetch nothing; it writes the checkpoint all the same.
            store.fail_by(|call| matches!(call, Call::Get(..)).then_some(Fault::Expired));
            let mut intake = open();
            while intake.counters().values().objects_known < 6 {
                assert_eq!(take_for(&mut intake, Duration::from_millis(10)), Vec::<String>::new());
            }
            intake.close();
            store.heal();
            let folder = std::fs::read_dir(state.path()).unwrap().next().unwrap().unwrap().path();
            for name in damaged {
                assert!(folder.join(name).exists(), "{name}");
                std::fs::write(folder.join(name), text).unwrap();
            }
            let mut intake = open();
            let found = sorted(take(&mut intake, 6));
            assert_eq!(
                found,
                ["h00-0", "h02-0", "h05-0", "h10-0", "h20-0", "h30-0"],
                "{text} {order:?} {damaged:?}"
            );
            intake.next_batch(1, Duration::ZERO);
            intake.close();
            let mut intake = open();
            assert_eq!(take_for(&mut intake, Duration::from_millis(30)), Vec::<String>::new());
        }
    }
}

/// A disk that is full for a while costs neither the place nor the ids.
#[test]
fn what_a_full_disk_refused_is_written_later() {
    let (state, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOON_SECS));
    let store = Arc::new(MemoryStore::default());
    let mut config = config(&state.path().join("0"));
    config.source.dedup_entries = 200;
    let open =
        |config: &IntakeConfig| Intake::open(s3("", "?since=1h"), config, parts(&store, &clock)).unwrap();
    store.put(key("", ACCOUNT, "us-east-1", NOON_SECS, "a"), object_of("a", 90));
    let mut intake = open(&config);
    assert_eq!(take(&mut intake, 90).len(), 90);
    let folder = std::fs::read_dir(state.path().join("0")).unwrap().next().unwrap().unwrap().path();
    // The next segment, begun after 100 ids. Every write to it fails with ENOSPC.
    let full = folder.join("journal-000002");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    for (minute, name) in [(1, "b"), (2, "c")] {
        store.put(key("", ACCOUNT, "us-east-1", NOON_SECS + minute * 60, name), object_of(name, 50));
        assert_eq!(take(&mut intake, 50).len(), 50);
        intake.next_batch(1, Duration::ZERO);
    }
    std::fs::remove_file(&full).unwrap();
    while !std::fs::metadata(&full).is_ok_and(|meta| meta.len() > 400) {
        take_for(&mut intake, Duration::from_millis(10));
    }
    copy(&state.path().join("0"), &state.path().join("1"));
    drop(intake);
    config.source.checkpoint_dir = state.path().join("1");
    store.put(key("", ACCOUNT, "us-east-1", NOON_SECS + 180, "again"), object_of("c", 51));
    let mut intake = open(&config);
    assert_eq!(take(&mut intake, 1), ["c-50"], "the ids of the others are known");
    assert_eq!(intake.counters().values().duplicate, 50);
}

#[test]
fn a_disk_that_is_full_at_open_is_named() {
    let (state, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOON_SECS));
    let store = Arc::new(MemoryStore::default());
    Intake::open(s3("", ""), &config(state.path()), parts(&store, &clock)).unwrap().close();
    let folder = std::fs::read_dir(state.path()).unwrap().next().unwrap().unwrap().path();
    let full = folder.join("checkpoint.json.tmp");
    std::os::unix::fs::symlink("/dev/full", full).unwrap();
    let Err(error) = Intake::open(s3("", ""), &config(state.path()), parts(&store, &clock)) else {
        panic!("opened")
    };
    let text = error.to_string();
    assert!(text.starts_with("no space left for checkpoint_dir ") && text.contains("make room"), "{text}");
}
