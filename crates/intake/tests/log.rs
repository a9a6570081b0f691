//! What the log says of trouble: once when it begins, once when it is over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod support;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use support::*;
use tfdrift_intake::Intake;
use tfdrift_intake::store::memory::{Call, Fault, MemoryStore};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps every line.
struct Log;

struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tfdrift_intake") && *metadata.level() <= tracing::Level::INFO
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = String::new();
        event.record(&mut Message(&mut line));
        LINES.lock().unwrap().push(line);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// One test at a time: the log is the process's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = tracing::subscriber::set_global_default(Log);
    LINES.lock().unwrap().clear();
    guard
}

fn lines(part: &str) -> usize {
    LINES.lock().unwrap().iter().filter(|line| line.contains(part)).count()
}

#[test]
fn every_other_call_throttled_is_one_trouble() {
    let _alone = alone();
    let (dir, clock, store) =
        (tempfile::tempdir().unwrap(), TestClock::at(NOON_SECS), Arc::new(MemoryStore::default()));
    for n in 0..600 {
        store.put(key("", ACCOUNT, "us-east-1", NOON_SECS, &format!("r{n}")), object_of(&format!("o{n}"), 1));
    }
    let calls = AtomicU32::new(0);
    store.fail_by(move |_| calls.fetch_add(1, SeqCst).is_multiple_of(2).then_some(Fault::SlowDown));
    let mut intake = Intake::open(s3("", "?once"), &config(dir.path()), parts(&store, &clock)).unwrap();
    assert_eq!(drain(&mut intake).len(), 600);
    assert!(intake.counters().values().retries > 500);
    // Listing and fetching, once each.
    let told = LINES.lock().unwrap().clone();
    assert!(lines("fails, trying again") <= 2 && lines("works again") == 0, "{told:?}");
    assert!(lines("fetching objects fails, trying again") == 1, "{told:?}");
}

#[test]
fn a_refused_region_is_told_once_and_when_it_works_again() {
    let _alone = alone();
    let (dir, clock, store) =
        (tempfile::tempdir().unwrap(), TestClock::at(NOON_SECS), Arc::new(MemoryStore::default()));
    for region in ["eu-west-1", "us-east-1", "us-west-2"] {
        store.put(key("", ACCOUNT, region, NOON_SECS, "x"), object_of(region, 1));
    }
    store.fail_by(|call| match call {
        Call::List(prefix) if prefix.contains("eu-west-1/") => Some(Fault::Denied),
        Call::Get(key, _) if key.contains("us-west-2") => Some(Fault::Denied),
        _ => None,
    });
    let mut intake = Intake::open(s3("", "?since=1h"), &config(dir.path()), parts(&store, &clock)).unwrap();
    assert_eq!(take(&mut intake, 1), ["us-east-1-0"]);
    // Many looks at all of them, and many fetches in vain.
    while intake.counters().values().retries < 40 || store.calls().1 < 10 {
        assert_eq!(take_for(&mut intake, Duration::from_millis(10)), Vec::<String>::new());
    }
    let told = LINES.lock().unwrap().clone();
    assert_eq!((lines("listing the bucket fails"), lines("fetching objects fails")), (1, 1), "{told:?}");
    assert_eq!((lines("AccessDenied"), lines("works again")), (2, 0), "{told:?}");
    store.heal();
    assert_eq!(sorted(take(&mut intake, 2)), ["eu-west-1-0", "us-west-2-0"]);
    let start = std::time::Instant::now();
    while lines("works again") < 2 && start.elapsed() < Duration::from_secs(20) {
        take_for(&mut intake, Duration::from_millis(10));
    }
    let told = LINES.lock().unwrap().clone();
    assert_eq!(
        (lines("listing the bucket works again"), lines("fetching objects works again")),
        (1, 1),
        "{told:?}"
    );
}
