//! A bucket that fails in every way: what passes and what somebody may allow is waited for, what is broken is
//! quarantined, and nothing is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use support::*;
use tfdrift_intake::counters::CounterValues;
use tfdrift_intake::quarantine::{Quarantine, Reason};
use tfdrift_intake::store::memory::{Call, Fault, MemoryStore};
use tfdrift_intake::store::{BoxFuture, Connect, ConnectError, ObjectStore, StoreErrorKind};
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
        // ?once waits neither for credentials nor for a clock to be set.
        let options = if matches!(fault, Fault::Expired | Fault::ClockSkew) { "?since=1h" } else { "?once" };
        let parts = parts(&bench.store, &bench.clock);
        let mut intake = Intake::open(s3("", options), &config(bench.dir.path()), parts).unwrap();
        assert_eq!(sorted(take(&mut intake, all().len())), all(), "{fault:?}");
        let values = intake.counters().values();
        assert!(values.retries >= 5 * OBJECTS, "{values:?}");
        assert_eq!(
            (values.malformed_object, values.object_given_up, values.duplicate),
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

/// Waits until the counters are as wanted.
fn until(intake: &mut Intake, wanted: impl Fn(&CounterValues) -> bool) -> Vec<String> {
    let (mut found, start) = (Vec::new(), std::time::Instant::now());
    while !wanted(&intake.counters().values()) {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", intake.counters().values());
        found.extend(take_for(intake, Duration::from_millis(10)));
    }
    found
}

#[test]
fn what_is_broken_is_quarantined_and_what_is_refused_waits() {
    let bench = bench();
    bench.store.fail_by(|call| match call {
        Call::Get(key, _) if key.contains("r1.") => Some(Fault::Denied),
        Call::Get(key, _) if key.contains("r2.") => Some(Fault::Decrypt),
        Call::Get(key, _) if key.contains("r3.") => Some(Fault::Empty),
        Call::Get(key, _) if key.contains("r4.") => Some(Fault::CutOff),
        // Refused twice.
        Call::Get(key, before) if key.contains("r5.") && *before < 2 => Some(Fault::Denied),
        _ => None,
    });
    let good = object_of("o6", RECORDS);
    bench.store.put(name(6), good[..good.len() / 2].to_vec());
    bench.store.put(name(7), Vec::new());
    let config = config(bench.dir.path());
    // Not ?once, so that there is a folder for the quarantine.
    let mut intake = Intake::open(s3("", "?since=1h"), &config, parts(&bench.store, &bench.clock)).unwrap();
    let missing = [1, 2, 3, 4, 6, 7];
    let expected =
        all().into_iter().filter(|id| !missing.iter().any(|n| id.starts_with(&format!("o{n}-")))).collect();
    let mut found = until(&mut intake, |v| v.objects_done == OBJECTS - 2);
    found.retain(|id| !id.starts_with("o6-"));
    assert_eq!(sorted(found), sorted(expected));
    let values = intake.counters().values();
    assert_eq!((values.object_given_up, values.malformed_object), (0, 4), "{values:?}");
    bench.store.heal();
    let mut late = take(&mut intake, 2 * RECORDS);
    late.extend(until(&mut intake, |v| v.objects_done == OBJECTS));
    assert_eq!(sorted(late), sorted([ids("o1", RECORDS), ids("o2", RECORDS)].concat()), "nothing is lost");
    assert_eq!(intake.counters().values().objects_waiting, 0);
    intake.close();
    let folder = std::fs::read_dir(bench.dir.path()).unwrap().next().unwrap().unwrap().path();
    let entries = Quarantine::read(&folder);
    let of = |n: u64| entries.iter().find(|e| e.object.contains(&format!("_r{n}."))).unwrap();
    assert_eq!(of(6).reason, Reason::MalformedObject);
    assert!(of(6).why.contains("truncated gzip"), "{}", of(6).why);
    assert!(of(7).why.contains("empty"), "{}", of(7).why);
    assert_eq!(entries.len(), 4);
}

/// A trail whose key nobody may use, for longer than the process lives and than the window of late objects.
#[test]
fn refused_objects_wait_over_restarts_and_cost_few_calls() {
    let bench = bench();
    for n in 0..400 {
        bench.store.put(name(OBJECTS + n), object_of(&format!("m{n}"), 1));
    }
    let mut expected = all();
    expected.extend((0..400).map(|n| format!("m{n}-0")));
    let wanted = OBJECTS + 400;
    bench.store.fail_by(|call| matches!(call, Call::Get(..)).then_some(Fault::Decrypt));
    let mut config = config(bench.dir.path());
    config.source.late_window_secs = 600;
    config.s3_download_concurrency = 4;
    bench.clock.advance(wanted * 60);
    // Asked again about once in six minutes at most, so that the calls can be counted.
    let slow = || {
        let mut parts = parts(&bench.store, &bench.clock);
        (parts.pace.first, parts.pace.most) = (Duration::from_secs(3600), Duration::from_secs(3600));
        parts
    };
    let mut intake = Intake::open(s3("", "?since=9h"), &config, slow()).unwrap();
    // One of them is asked for again at any time.
    assert_eq!(until(&mut intake, |v| v.objects_waiting >= wanted - 1), Vec::<String>::new());
    assert!(bench.store.calls().1 < 30, "{} calls for {wanted} objects", bench.store.calls().1);
    assert_eq!(intake.counters().values().objects_done, 0);
    intake.close();
    let report = &tfdrift_intake::Checkpoint::inspect(bench.dir.path(), 0).unwrap()[0];
    let lane = &report.lanes[0];
    assert_eq!((lane.waiting as u64, lane.done), (wanted, 0));
    // A life in which nothing has changed.
    let mut intake = Intake::open(s3("", ""), &config, slow()).unwrap();
    assert_eq!(until(&mut intake, |v| v.objects_waiting >= wanted - 1), Vec::<String>::new());
    intake.close();
    bench.store.heal();
    let mut intake = Intake::open(s3("", ""), &config, parts(&bench.store, &bench.clock)).unwrap();
    let mut found = take(&mut intake, expected.len());
    found.extend(until(&mut intake, |v| v.objects_done == wanted));
    found.extend(take_for(&mut intake, Duration::from_millis(50)));
    assert_eq!(sorted(found), sorted(expected), "each once");
    assert_eq!(intake.counters().values().objects_waiting, 0);
    intake.close();
    let report = &tfdrift_intake::Checkpoint::inspect(bench.dir.path(), 0).unwrap()[0];
    assert_eq!(report.lanes[0].waiting, 0);
}

/// Where one key of several may not be used, objects under the others come.
#[test]
fn a_region_with_some_refused_objects_goes_on() {
    let bench = bench();
    bench.store.fail_by(|call| match call {
        Call::Get(key, _) => (1..20).any(|n| key.contains(&format!("_r{n}."))).then_some(Fault::Decrypt),
        Call::List(_) => None,
    });
    let parts = parts(&bench.store, &bench.clock);
    let mut intake = Intake::open(s3("", "?since=1h"), &config(bench.dir.path()), parts).unwrap();
    let expected: Vec<String> =
        [0].into_iter().chain(20..OBJECTS).flat_map(|n| ids(&format!("o{n}"), RECORDS)).collect();
    assert_eq!(sorted(take(&mut intake, expected.len())), sorted(expected));
    bench.store.put(name(OBJECTS), object_of("new", 1));
    assert_eq!(take(&mut intake, 1), ["new-0"]);
}

fn ends(bench: &Bench, config: &IntakeConfig, connect: Option<Arc<dyn Connect>>) -> (Vec<String>, Intake) {
    let mut parts = parts(&bench.store, &bench.clock);
    parts.pace.give_up = Duration::from_millis(200);
    parts.connect = connect.or(parts.connect);
    let mut intake = Intake::open(s3("", "?once"), config, parts).unwrap();
    (sorted(drain(&mut intake)), intake)
}

#[test]
fn once_reads_what_can_be_read_says_what_cannot_and_ends() {
    let bench = bench();
    let config = config(bench.dir.path());
    bench.store.put(key("", ACCOUNT, "eu-west-1", NOON_SECS, "x"), object_of("eu", 1));
    let everything = sorted([all(), ids("eu", 1)].concat());
    for fault in
        [Fault::Denied, Fault::SlowDown, Fault::Reset, Fault::Expired, Fault::ClockSkew, Fault::Stall]
    {
        // One region cannot be listed.
        bench.store.fail_by(move |call| match call {
            Call::List(prefix) if prefix.contains("eu-west-1/") => Some(fault),
            _ => None,
        });
        let (found, intake) = ends(&bench, &config, None);
        assert_eq!(found, all(), "{fault:?}");
        let (unread, values) = (intake.unread(), intake.counters().values());
        assert_eq!((unread.len(), values.lanes_given_up, values.object_given_up), (1, 1, 0), "{unread:?}");
        assert_eq!((unread[0].call, unread[0].count), ("ListObjectsV2", 1));
        assert!(unread[0].targets[0].ends_with("CloudTrail/eu-west-1/"), "{unread:?}");
        // Some objects cannot be fetched.
        bench.store.fail_by(move |call| match call {
            Call::Get(key, _) if key.contains("_r7.") || key.contains("_r8.") => Some(fault),
            _ => None,
        });
        let (found, intake) = ends(&bench, &config, None);
        let expected: Vec<String> =
            everything.iter().filter(|id| !id.starts_with("o7") && !id.starts_with("o8")).cloned().collect();
        assert_eq!(found, expected, "{fault:?}");
        let (unread, values) = (intake.unread(), intake.counters().values());
        assert_eq!((values.lanes_given_up, values.object_given_up, values.malformed_object), (0, 2, 0));
        assert_eq!((unread.len(), unread[0].call, unread[0].count), (1, "GetObject", 2), "{unread:?}");
        // Nothing works at all.
        bench.store.fail_by(move |_| Some(fault));
        if fault != Fault::Stall {
            let (found, intake) = ends(&bench, &config, None);
            assert_eq!(
                (found.len(), intake.unread().len(), intake.unread()[0].count),
                (0, 1, 1),
                "{fault:?}"
            );
        }
    }
    bench.store.heal();
    let never = Arc::new(Flaky(Arc::clone(&bench.store), Default::default(), false, u32::MAX));
    let (found, intake) = ends(&bench, &config, Some(never));
    assert_eq!((found.len(), intake.unread()[0].call), (0, "connect"));
    assert!(intake.unread()[0].to_string().contains("profile nope is missing"));
    let (found, intake) = ends(&bench, &config, None);
    assert_eq!((found, intake.unread()), (everything, Vec::new()));
}

/// Refused after its first blocks: what came before is handed out, and it is given up once.
#[test]
fn once_gives_an_object_up_once_in_the_middle_of_it_too() {
    for (fault, retries) in
        [(Fault::Denied, 0), (Fault::Denied, 2), (Fault::Expired, 2), (Fault::SlowDown, 2)]
    {
        let bench = bench();
        let records: Vec<String> =
            (0..1000).map(|n| record(&format!("big-{n}")).replace("Root", &format!("{n:0500}"))).collect();
        let big = format!("{{\"Records\":[{}]}}", records.join(","));
        assert!(big.len() > 500_000);
        bench.store.put(name(OBJECTS), big.into_bytes());
        bench.store.fail_by(move |call| match call {
            Call::Get(key, before) if *key == name(OBJECTS) && *before >= 2 => Some(fault),
            _ => None,
        });
        let mut config = config(bench.dir.path());
        config.source.object_retries = retries;
        // Blocks of 85 KiB.
        config.source.max_buffer_bytes = 1 << 20;
        let (found, intake) = ends(&bench, &config, None);
        let before = found.iter().filter(|id| id.starts_with("big-")).count();
        assert!((100..1000).contains(&before), "{before}");
        assert_eq!(found.len(), before + all().len());
        let (unread, values) = (intake.unread(), intake.counters().values());
        assert_eq!((values.object_given_up, values.malformed_object), (1, 0), "{fault:?} {values:?}");
        assert_eq!((unread.len(), unread[0].count), (1, 1), "{fault:?} {unread:?}");
        assert_eq!((values.objects_done, values.objects_read), (OBJECTS + 1, OBJECTS), "{values:?}");
    }
}

#[test]
fn lag_is_split_into_awss_share_and_ours() {
    let clock = TestClock::at(NOON_SECS + 22 + 100);
    let store = Arc::new(MemoryStore::new(clock.clone(), Duration::ZERO));
    // Of 19:30:22, written 100 s later, read 60 s after that.
    store.put(key("", ACCOUNT, "us-east-1", NOON_SECS, "a"), object_of("a", 1));
    clock.advance(60);
    let dir = tempfile::tempdir().unwrap();
    let mut intake = Intake::open(s3("", "?once"), &config(dir.path()), parts(&store, &clock)).unwrap();
    assert_eq!(drain(&mut intake), ["a-0"]);
    let values = intake.counters().values();
    assert_eq!((values.lag_millis, values.lag_aws_millis, values.lag_own_millis), (160_000, 100_000, 60_000));
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

#[test]
fn a_region_that_may_not_be_listed_keeps_no_other_ones_backlog_waiting() {
    let bench = bench();
    let (mut us, mut eu) = (all(), Vec::new());
    for day in 1..4 {
        let at = NOON_SECS - day * 86_400;
        for (region, ids) in [("us-east-1", &mut us), ("eu-west-1", &mut eu)] {
            let id = format!("{region}-{day}");
            bench.store.put(key("", ACCOUNT, region, at, "x"), object_of(&id, 1));
            ids.push(format!("{id}-0"));
        }
    }
    bench.store.fail_by(|call| match call {
        Call::List(prefix) if prefix.contains("eu-west-1/") => Some(Fault::Denied),
        _ => None,
    });
    let mut config = config(bench.dir.path());
    config.source.order = tfdrift_intake::Order::NewestFirst;
    let mut intake = Intake::open(s3("", "?since=5d"), &config, parts(&bench.store, &bench.clock)).unwrap();
    assert_eq!(sorted(take(&mut intake, us.len())), sorted(us));
    bench.store.heal();
    assert_eq!(sorted(take(&mut intake, eu.len())), sorted(eu), "found as soon as it may be listed");
}

/// With a key that nobody may use, the past is not listed on for ever.
#[test]
fn a_backlog_that_may_not_be_read_is_not_listed_to_its_end() {
    let bench =
        Bench { store: Arc::default(), clock: TestClock::at(NOON_SECS), dir: tempfile::tempdir().unwrap() };
    for n in 0..40_000 {
        let at = NOON_SECS - (n / 1000 + 1) * 86_400;
        bench.store.put(key("", ACCOUNT, "us-east-1", at, &n.to_string()), object_of("x", 1));
    }
    bench.store.fail_by(|call| matches!(call, Call::Get(..)).then_some(Fault::Decrypt));
    let mut config = config(bench.dir.path());
    config.source.order = tfdrift_intake::Order::NewestFirst;
    let mut parts = parts(&bench.store, &bench.clock);
    (parts.pace.first, parts.pace.most) = (Duration::from_secs(3600), Duration::from_secs(3600));
    let mut intake = Intake::open(s3("", "?since=60d"), &config, parts).unwrap();
    until(&mut intake, |v| v.objects_waiting >= 20_000);
    // What was listed by then comes too, and no more.
    until(&mut intake, |v| v.objects_in_flight == 0 && v.objects_waiting == v.objects_known);
    let calls = bench.store.calls().0;
    let discoveries = 10 * bench.store.listed_prefixes().len() as u64;
    until(&mut intake, |v| v.list_calls > calls + discoveries);
    assert!(intake.counters().values().objects_known < 25_000, "{:?}", intake.counters().values());
}

/// Fails to connect a few times.
struct Flaky(Arc<MemoryStore>, std::sync::atomic::AtomicU32, bool, u32);

impl Connect for Flaky {
    fn connect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Arc<dyn ObjectStore>, ConnectError>> {
        let attempt = self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let store: Arc<dyn ObjectStore> = self.0.clone();
        let result = if attempt < self.3 {
            Err(ConnectError {
                message: "no credentials: profile nope is missing".into(),
                story: String::new(),
                kind: StoreErrorKind::Credentials,
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
        connect: Some(Arc::new(Flaky(Arc::clone(&bench.store), Default::default(), fatal, 3))),
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
