//! A bucket that fails in every way: what passes is waited for, what does not is quarantined, and nothing else is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use support::*;
use tfdrift_intake::quarantine::{Quarantine, Reason};
use tfdrift_intake::store::memory::{Call, Fault, MemoryStore};
use tfdrift_intake::store::{BoxFuture, Connect, ConnectError, ObjectStore};
use tfdrift_intake::{Intake, IntakeConfig, OnOpenError, Parts};

const OBJECTS: u64 = 40;
const RECORDS: usize = 5;

struct Bench {
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
    dir: tempfile::TempDir,
}

fn bench() -> Bench {
    let clock = TestClock::at(NOON_SECS);
    let store = Arc::new(MemoryStore::default());
    for n in 0..OBJECTS {
        store.put(name(n), object_of(&format!("o{n}"), RECORDS));
    }
    Bench { store, clock, dir: tempfile::tempdir().unwrap() }
}

fn name(n: u64) -> String {
    key("", ACCOUNT, "us-east-1", NOON_SECS + n * 60, &format!("r{n}"))
}

fn all() -> Vec<String> {
    sorted((0..OBJECTS).flat_map(|n| ids(&format!("o{n}"), RECORDS)).collect())
}

impl Bench {
    fn open(&self, config: &IntakeConfig) -> Intake {
        Intake::open(s3("", "?once"), config, parts(&self.store, &self.clock)).unwrap()
    }
}

#[test]
fn what_passes_by_itself_is_tried_again_for_ever() {
    for fault in [
        Fault::SlowDown,
        Fault::Reset,
        Fault::Truncated,
        Fault::WrongLength,
        Fault::Expired,
        Fault::ClockSkew,
    ] {
        let bench = bench();
        // Every object fails five times, more often than object_retries; listings three times each.
        let lists = std::sync::atomic::AtomicU32::new(0);
        bench.store.fail_by(move |call| match call {
            Call::Get(_, before) => (*before < 5).then_some(fault),
            Call::List(_) => {
                (lists.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 4 != 3).then_some(Fault::SlowDown)
            }
        });
        let mut intake = bench.open(&config(bench.dir.path()));
        assert_eq!(sorted(drain(&mut intake)), all(), "{fault:?}");
        let values = intake.counters().values();
        assert!(values.retries >= 5 * OBJECTS, "{values:?}");
        assert_eq!(
            (values.malformed_object, values.object_refused, values.duplicate),
            (0, 0, 0),
            "{fault:?}"
        );
    }
}

#[test]
fn a_stalled_request_is_given_up_and_made_again() {
    let bench = bench();
    bench.store.fail_by(|call| match call {
        Call::Get(key, 0) if key.contains("r3.") || key.contains("r20.") => Some(Fault::Stall),
        _ => None,
    });
    let mut intake = bench.open(&config(bench.dir.path()));
    let found = drain(&mut intake);
    assert_eq!(sorted(found.clone()), all());
    assert!(found.iter().position(|id| id == "o3-0").unwrap() > found.len() / 2, "others went first");
}

#[test]
fn what_does_not_pass_is_quarantined_and_costs_only_itself() {
    let bench = bench();
    bench.store.fail_by(|call| match call {
        Call::Get(key, _) if key.contains("r1.") => Some(Fault::Denied),
        Call::Get(key, _) if key.contains("r2.") => Some(Fault::Decrypt),
        Call::Get(key, _) if key.contains("r3.") => Some(Fault::Empty),
        Call::Get(key, _) if key.contains("r4.") => Some(Fault::CutOff),
        // Refused twice, within the budget.
        Call::Get(key, before) if key.contains("r5.") && *before < 2 => Some(Fault::Denied),
        _ => None,
    });
    let good = object_of("o6", RECORDS);
    bench.store.put(name(6), good[..good.len() / 2].to_vec());
    bench.store.put(name(7), Vec::new());
    let config = config(bench.dir.path());
    // Not ?once, so that there is a folder for the quarantine.
    let mut intake = Intake::open(s3("", "?since=1h"), &config, parts(&bench.store, &bench.clock)).unwrap();
    let lost = [1, 2, 3, 4, 6, 7];
    let expected =
        all().into_iter().filter(|id| !lost.iter().any(|n| id.starts_with(&format!("o{n}-")))).collect();
    let mut found = take(&mut intake, (OBJECTS as usize - lost.len()) * RECORDS);
    found.extend(take_for(&mut intake, Duration::from_millis(500)));
    found.retain(|id| !id.starts_with("o6-"));
    assert_eq!(sorted(found), sorted(expected));
    let values = intake.counters().values();
    assert_eq!((values.object_refused, values.malformed_object), (2, 4), "{values:?}");
    assert_eq!(values.objects_done, OBJECTS);
    intake.close();
    let folder = std::fs::read_dir(bench.dir.path()).unwrap().next().unwrap().unwrap().path();
    let entries = Quarantine::read(&folder);
    let of = |n: u64| entries.iter().find(|e| e.object.contains(&format!("_r{n}."))).unwrap();
    assert_eq!((of(1).reason, of(2).reason), (Reason::Refused, Reason::Refused));
    assert!(of(2).why.contains("kms:Decrypt"), "{}", of(2).why);
    assert_eq!(of(6).reason, Reason::MalformedObject);
    assert!(of(6).why.contains("truncated gzip"), "{}", of(6).why);
    assert!(of(7).why.contains("empty"), "{}", of(7).why);
    assert_eq!(entries.len(), 6);
}

#[test]
fn an_object_that_went_away_is_counted() {
    let bench = bench();
    let removed = Arc::new(AtomicBool::new(false));
    let (flag, gone) = (Arc::clone(&removed), name(9));
    bench.store.fail_by(move |call| match call {
        Call::Get(key, _) if *key == gone && !flag.load(SeqCst) => Some(Fault::SlowDown),
        _ => None,
    });
    let mut intake = bench.open(&config(bench.dir.path()));
    while intake.counters().values().retries == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    bench.store.remove(&name(9));
    removed.store(true, SeqCst);
    let expected: Vec<String> = all().into_iter().filter(|id| !id.starts_with("o9-")).collect();
    assert_eq!(sorted(drain(&mut intake)), expected);
    let values = intake.counters().values();
    assert_eq!((values.not_found, values.malformed_object), (1, 0));
}

#[test]
fn a_listing_that_is_refused_for_one_region_keeps_no_other_waiting() {
    let bench = bench();
    bench.store.put(key("", ACCOUNT, "eu-west-1", NOON_SECS, "x"), object_of("refused", 1));
    bench.store.fail_by(|call| match call {
        Call::List(prefix) if prefix.contains("eu-west-1/") => Some(Fault::Denied),
        _ => None,
    });
    let mut intake =
        Intake::open(s3("", "?since=1h"), &config(bench.dir.path()), parts(&bench.store, &bench.clock))
            .unwrap();
    assert_eq!(sorted(take(&mut intake, all().len())), all());
    bench.store.heal();
    assert_eq!(take(&mut intake, 1), ["refused-0"], "found as soon as it may be listed");
}

/// Fails to connect a few times.
struct Flaky(Arc<MemoryStore>, std::sync::atomic::AtomicU32, bool);

impl Connect for Flaky {
    fn connect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Arc<dyn ObjectStore>, ConnectError>> {
        let attempt = self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let store: Arc<dyn ObjectStore> = self.0.clone();
        let result = if attempt < 3 {
            Err(ConnectError {
                message: "no credentials: profile nope is missing".into(),
                story: String::new(),
                fatal: self.2,
                retry_after: None,
            })
        } else {
            Ok(store)
        };
        Box::pin(async move { result })
    }
}

#[test]
fn missing_credentials_are_waited_for_unless_asked_otherwise() {
    let bench = bench();
    let flaky = |fatal| Parts {
        connect: Some(Arc::new(Flaky(Arc::clone(&bench.store), Default::default(), fatal))),
        ..parts(&bench.store, &bench.clock)
    };
    let mut config = config(bench.dir.path());
    let mut intake = Intake::open(s3("", "?once"), &config, flaky(false)).unwrap();
    assert_eq!(sorted(drain(&mut intake)), all());
    config.source.on_open_error = OnOpenError::Fail;
    let Err(error) = Intake::open(s3("", "?once"), &config, flaky(false)) else { panic!("opened") };
    assert!(error.to_string().contains("profile nope is missing"), "{error}");
    bench.store.fail_by(|_| Some(Fault::Denied));
    let Err(error) = Intake::open(s3("", "?once"), &config, parts(&bench.store, &bench.clock)) else {
        panic!("opened")
    };
    assert!(error.to_string().contains("AccessDenied"), "{error}");
    bench.store.heal();
    let mut intake = Intake::open(s3("", "?once"), &config, parts(&bench.store, &bench.clock)).unwrap();
    assert_eq!(sorted(drain(&mut intake)), all());
}

#[test]
fn closing_works_in_every_state() {
    for fault in [None, Some(Fault::Stall), Some(Fault::SlowDown), Some(Fault::Denied)] {
        for wait in [0, 1, 20] {
            let bench = bench();
            if let Some(fault) = fault {
                bench.store.fail_by(move |_| Some(fault));
            }
            let parts = parts(&bench.store, &bench.clock);
            let mut intake = Intake::open(s3("", "?since=1h"), &config(bench.dir.path()), parts).unwrap();
            intake.next_batch(1, Duration::from_millis(wait));
            intake.close();
        }
    }
}
