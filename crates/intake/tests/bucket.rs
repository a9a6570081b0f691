//! Buckets: layouts, time, order, filters; on the twin in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod support;

use std::sync::Arc;
use std::time::Duration;
use support::*;
use tfdrift_intake::store::memory::MemoryStore;
use tfdrift_intake::{Intake, IntakeConfig, OpenError, Order};

const MIN: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;
const OTHER: &str = "444455556666";

struct Bench {
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with_latency(Duration::ZERO)
    }

    /// A bucket whose calls take their time, so that a backlog is not through before the next look.
    fn with_latency(latency: Duration) -> Self {
        let clock = TestClock::at(NOON_SECS);
        let own: Arc<TestClock> = Arc::clone(&clock);
        let store = Arc::new(MemoryStore::new(own, latency));
        Self { store, clock, dir: tempfile::tempdir().unwrap() }
    }

    /// An object of one record, named after `id`, of `secs` in the key.
    fn put(&self, root: &str, account: &str, region: &str, secs: u64, id: &str) {
        self.store.put(key(root, account, region, secs, id), object(&[record_in(id, account, region)]));
    }

    fn config(&self) -> IntakeConfig {
        config(self.dir.path())
    }

    fn open(&self, prefix: &str, options: &str, config: &IntakeConfig) -> Intake {
        self.try_open(prefix, options, config).unwrap()
    }

    fn try_open(&self, prefix: &str, options: &str, config: &IntakeConfig) -> Result<Intake, OpenError> {
        let mut parts = parts(&self.store, &self.clock);
        // However busy the machine is, order is what is tested here.
        parts.pace.patience = Duration::from_secs(60);
        Intake::open(s3(prefix, options), config, parts)
    }

    fn once(&self, prefix: &str, config: &IntakeConfig) -> Vec<String> {
        drain(&mut self.open(prefix, "?once", config))
    }
}

#[test]
fn every_layout_and_prefix_gives_the_same() {
    for (root, org) in [("", ""), ("p/", ""), ("p/q/", "o-abc1234567/"), ("", "o-abc1234567/")] {
        let bench = Bench::new();
        let account = format!("{org}{ACCOUNT}");
        for (n, region) in ["us-east-1", "eu-west-1"].iter().enumerate() {
            for m in 0..3 {
                let key = key(
                    root,
                    ACCOUNT,
                    region,
                    NOON_SECS + (m * 10 + n as u64) * MIN,
                    &format!("{region}{m}"),
                );
                let key = key.replace("AWSLogs/", &format!("AWSLogs/{org}"));
                bench.store.put(key, object(&[record(&format!("{m}{n}"))]));
            }
        }
        let digest = format!("{root}AWSLogs/{account}/CloudTrail-Digest/us-east-1/2026/11/02/d.json.gz");
        bench.store.put(digest, gzip(b"{\"digest\":1}"));
        let expected = ["00", "01", "10", "11", "20", "21"];
        let mut prefixes = vec![
            format!("{root}AWSLogs/"),
            format!("{root}AWSLogs/{account}"),
            format!("{root}AWSLogs/{account}/CloudTrail/"),
        ];
        if root != "p/q/" {
            prefixes.push(String::new());
        }
        for prefix in prefixes {
            let found = bench.once(&prefix, &bench.config());
            assert_eq!(found, expected, "in order of time, over regions: {prefix}");
        }
    }
}

#[test]
fn once_ends_when_all_is_read_and_not_at_the_next_look() {
    let bench = Bench::new();
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS, "a");
    let mut parts = parts(&bench.store, &bench.clock);
    parts.pace.poll = Some(Duration::from_secs(86_400));
    let mut intake = Intake::open(s3("", "?once"), &bench.config(), parts).unwrap();
    assert_eq!(drain(&mut intake), ["a"]);
}

#[test]
fn filters_and_intervals_never_widen() {
    let bench = Bench::new();
    for hour in 0..4 {
        bench.put("", ACCOUNT, "us-east-1", NOON_SECS - 4 * HOUR + hour * HOUR, &format!("a{hour}"));
        bench.put("", OTHER, "us-east-1", NOON_SECS - 4 * HOUR + hour * HOUR, &format!("b{hour}"));
    }
    let with = |list: &str, interval: &str| IntakeConfig {
        s3_account_list: list.into(),
        s3_interval: interval.into(),
        ..bench.config()
    };
    for prefix in ["", "AWSLogs/"] {
        assert_eq!(bench.once(prefix, &with(ACCOUNT, "")), ["a0", "a1", "a2", "a3"]);
        assert_eq!(bench.once(prefix, &with("999999999999", "")), Vec::<String>::new());
        assert_eq!(bench.once(prefix, &with(OTHER, "3h-2h")), ["b1", "b2"], "both ends are in it");
        let fixed = "2026-11-02T16:30:00Z-2026-11-02T16:30:00Z";
        assert_eq!(bench.once(prefix, &with("", fixed)), ["a1", "b1"]);
        assert_eq!(
            drain(&mut bench.open(prefix, "", &with(ACCOUNT, "3h-2h"))),
            ["a1", "a2"],
            "an end implies ?once"
        );
    }
    for (key, config) in [
        ("s3AccountList", with("12", "")),
        ("s3Interval", with("", "1h-2h")),
        ("s3Interval", with("", "soon")),
    ] {
        let Err(error) = bench.try_open("", "?once", &config) else { panic!("opened") };
        assert!(matches!(&error, OpenError::Setting { key: k, .. } if *k == key), "{error}");
    }
}

#[test]
fn since_says_where_to_begin() {
    let bench = Bench::new();
    bench.clock.set(NOON_SECS - 5 * DAY);
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS - 5 * DAY, "old");
    bench.clock.set(NOON_SECS - 2 * HOUR);
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS - 2 * HOUR, "recent");
    bench.clock.set(NOON_SECS);
    assert_eq!(bench.once("", &bench.config()), ["old", "recent"], "now and ?once: all that is there");
    for (options, expected) in [
        ("?once&since=3h", vec!["recent"]),
        ("?once&since=30d", vec!["old", "recent"]),
        ("?once&since=2026-11-02T17:30:00Z", vec!["recent"]),
        ("?once&since=now", vec![]),
    ] {
        assert_eq!(drain(&mut bench.open("", options, &bench.config())), expected, "{options}");
    }
    let mut config = bench.config();
    config.source.since = "3h".into();
    assert_eq!(bench.once("", &config), ["recent"]);
    let mut live = bench.open("", "", &bench.config());
    assert_eq!(take_for(&mut live, Duration::from_millis(200)), Vec::<String>::new(), "now: nothing old");
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS + MIN, "new");
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS - 10 * MIN, "late");
    assert_eq!(
        sorted(take(&mut live, 2)),
        ["late", "new"],
        "what is written from now on, under an earlier time too"
    );
}

#[test]
fn late_objects_new_regions_and_accounts_are_found() {
    let bench = Bench::new();
    let mut live = bench.open("", "?since=1h", &bench.config());
    assert_eq!(
        take_for(&mut live, Duration::from_millis(100)),
        Vec::<String>::new(),
        "an empty bucket is waited for"
    );
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS, "first");
    assert_eq!(take(&mut live, 1), ["first"]);
    for (n, back) in [1u64, 30, 59].into_iter().enumerate() {
        bench.put("", ACCOUNT, "us-east-1", NOON_SECS - back * MIN, &format!("late{n}"));
        assert_eq!(take(&mut live, 1), [format!("late{n}")]);
    }
    bench.put("", ACCOUNT, "eu-west-1", NOON_SECS, "region");
    assert_eq!(take(&mut live, 1), ["region"]);
    bench.put("", OTHER, "eu-west-1", NOON_SECS, "account");
    assert_eq!(take(&mut live, 1), ["account"]);
    bench.put("trail2/", OTHER, "eu-west-1", NOON_SECS, "trail");
    assert_eq!(take(&mut live, 1), ["trail"]);
    assert_eq!(live.counters().values().duplicate, 0);
}

#[test]
fn what_comes_later_than_the_window_is_found_by_looking_back() {
    let bench = Bench::new();
    let mut parts = parts(&bench.store, &bench.clock);
    parts.pace.look_back = Duration::from_millis(50);
    let open = || Intake::open(s3("", "?since=1h"), &bench.config(), parts.clone()).unwrap();
    bench.clock.set(NOON_SECS - 2 * HOUR);
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS - 2 * HOUR, "first");
    let mut live = open();
    assert_eq!(take(&mut live, 1), ["first"]);
    bench.clock.set(NOON_SECS);
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS, "present");
    assert_eq!(take(&mut live, 1), ["present"]);
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS - 70 * MIN, "today");
    assert_eq!(take(&mut live, 1), ["today"]);
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS - 20 * HOUR, "yesterday");
    assert_eq!(take(&mut live, 1), ["yesterday"]);
    let wrong = key("", ACCOUNT, "us-east-1", NOON_SECS, "wrong").replace("/11/02/", "/11/01/");
    bench.store.put(wrong, object_of("wrong", 1));
    assert_eq!(take(&mut live, 1), ["wrong-0"], "a key in the folder of another day");
    assert_eq!(take_for(&mut live, Duration::from_millis(200)), Vec::<String>::new());
    live.close();
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS - 5 * HOUR, "while-away");
    let mut live = open();
    assert_eq!(take(&mut live, 1), ["while-away"], "over a restart too");
    assert_eq!(take_for(&mut live, Duration::from_millis(200)), Vec::<String>::new());
    assert_eq!(live.counters().values().duplicate, 0, "only what is late is fetched again");
}

#[test]
fn what_is_left_out_is_counted_once() {
    let bench = Bench::new();
    for n in 0..5 {
        bench.store.put(format!("x/{n}.txt"), *b"no log");
    }
    bench.store.put("x/a.json.gz", object_of("a", 1));
    let mut live = bench.open("x/", "?since=1h", &bench.config());
    assert_eq!(take(&mut live, 1), ["a-0"]);
    let looks = live.counters().values().list_calls;
    while live.counters().values().list_calls < looks + 6 {
        take_for(&mut live, Duration::from_millis(10));
    }
    assert_eq!(live.counters().values().objects_filtered, 5);
}

/// Objects of the minutes before midnight are still delivered after it, when a start has listed that day.
#[test]
fn the_day_turns_newest_first() {
    let midnight = NOON_SECS - NOON_SECS % DAY + DAY;
    for (start, since) in [(5, "now"), (5, "2d"), (0, "now"), (0, "2d")] {
        let bench = Bench::new();
        let mut config = bench.config();
        config.source.order = Order::NewestFirst;
        for (back, id) in [(60, "y2300"), (10, "y2350")] {
            bench.clock.set(midnight - back * MIN);
            bench.put("", ACCOUNT, "us-east-1", midnight - back * MIN, id);
        }
        bench.clock.set(midnight + start * MIN);
        let open = || bench.open("AWSLogs/", &format!("?since={since}"), &config);
        let mut live = open();
        let before = if since == "now" { vec![] } else { vec!["y2300", "y2350"] };
        assert_eq!(sorted(take_for(&mut live, Duration::from_millis(200))), before);
        bench.put("", ACCOUNT, "us-east-1", midnight - 3 * MIN, "late");
        bench.put("", ACCOUNT, "us-east-1", midnight + MIN, "new");
        assert_eq!(sorted(take(&mut live, 2)), ["late", "new"], "{start} {since}");
        live.next_batch(1, Duration::ZERO);
        live.close();
        bench.put("", ACCOUNT, "us-east-1", midnight - 2 * MIN, "later");
        let mut live = open();
        assert_eq!(take(&mut live, 1), ["later"], "{start} {since}: after a restart");
        assert_eq!(take_for(&mut live, Duration::from_millis(100)), Vec::<String>::new());
    }
}

#[test]
fn the_day_turns() {
    let bench = Bench::new();
    let midnight = NOON_SECS - NOON_SECS % DAY + DAY;
    bench.clock.set(midnight - 10 * MIN);
    let mut live = bench.open("AWSLogs/", "?since=1h", &bench.config());
    for minute in 0..24 {
        let at = midnight - 12 * MIN + minute * MIN;
        bench.clock.set(at);
        bench.put("", ACCOUNT, "us-east-1", at, &format!("m{minute}"));
        assert_eq!(take(&mut live, 1), [format!("m{minute}")]);
    }
    bench.put("", ACCOUNT, "us-east-1", midnight - 2 * MIN, "yesterday");
    assert_eq!(take(&mut live, 1), ["yesterday"]);
    bench.clock.set(midnight + 40 * DAY);
    bench.put("", ACCOUNT, "us-east-1", midnight + 40 * DAY, "month");
    assert_eq!(take(&mut live, 1), ["month"], "days without an object are passed over");
}

#[test]
fn newest_first_brings_the_present_before_the_past() {
    let bench = Bench::with_latency(Duration::from_millis(20));
    let mut config = bench.config();
    config.source.order = Order::NewestFirst;
    config.s3_download_concurrency = 2;
    let days: Vec<String> = (0..6).map(|d| format!("d{d}")).collect();
    for (d, id) in days.iter().enumerate() {
        for n in 0..40u64 {
            bench.put(
                "",
                ACCOUNT,
                "us-east-1",
                NOON_SECS - d as u64 * DAY - n * MIN,
                &format!("{id}n{n:02}"),
            );
        }
    }
    let mut live = bench.open("AWSLogs/", "?since=30d", &config);
    let mut found = take(&mut live, 60);
    let newest: Vec<&str> = found.iter().take(20).map(|id| &id[..2]).collect();
    assert!(newest.iter().all(|day| *day == "d0"), "{found:?}");
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS + MIN, "present");
    found.extend(take(&mut live, 181));
    let present = found.iter().position(|id| id == "present").unwrap();
    assert!(present < 200, "before the oldest days: {present}");
    let order: Vec<String> =
        found.iter().filter(|id| id.starts_with('d')).map(|id| id[..2].to_owned()).collect();
    assert!(order.windows(2).filter(|pair| pair[0] > pair[1]).count() < 20, "newer days first: {order:?}");
    assert_eq!(found.len(), 241);
    live.close();
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS + 2 * MIN, "after");
    let mut live = bench.open("AWSLogs/", "?since=30d", &config);
    assert_eq!(take(&mut live, 1), ["after"]);
    assert_eq!(take_for(&mut live, Duration::from_millis(150)), Vec::<String>::new(), "nothing comes twice");
}

#[test]
fn without_awss_layout_a_prefix_is_read_too() {
    let bench = Bench::new();
    bench.store.put("x/a.json.gz", object_of("a", 2));
    bench.store.put("x/deep/b.jsonl", record("b").into_bytes());
    bench.store.put("x/c.txt", *b"no log");
    assert_eq!(bench.once("x/", &bench.config()), ["a-0", "a-1", "b"]);
    assert_eq!(bench.once("x/d", &bench.config()), ["b"], "a prefix need not end at a slash");
    let mut live = bench.open("x/", "?since=1h", &bench.config());
    assert_eq!(take(&mut live, 3).len(), 3);
    bench.store.put("x/0.json.gz", object_of("z", 1));
    assert_eq!(take(&mut live, 1), ["z-0"], "before all others in the listing");
    bench.store.put("x/0.json.gz", object_of("y", 1));
    assert_eq!(take(&mut live, 1), ["y-0"], "an object that was replaced is read again");
    let config = IntakeConfig { s3_account_list: OTHER.into(), ..bench.config() };
    assert_eq!(bench.once("x/", &config), Vec::<String>::new(), "records of other accounts stay out");
}

#[test]
fn a_restart_goes_on_where_it_ended() {
    let bench = Bench::new();
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS, "a");
    let mut live = bench.open("", "?since=1h", &bench.config());
    assert_eq!(take(&mut live, 1), ["a"]);
    live.next_batch(1, Duration::ZERO);
    live.close();
    bench.clock.advance(3 * DAY);
    bench.put("", ACCOUNT, "us-east-1", NOON_SECS + DAY, "while-away");
    bench.put("", ACCOUNT, "eu-west-1", NOON_SECS + DAY, "new-region");
    let mut live = bench.open("", "?since=now", &bench.config());
    assert_eq!(sorted(take(&mut live, 2)), ["new-region", "while-away"], "a checkpoint beats since");
    assert_eq!(take_for(&mut live, Duration::from_millis(100)), Vec::<String>::new());
    live.close();
    let reports =
        tfdrift_intake::Checkpoint::inspect(bench.dir.path(), (NOON_SECS + 3 * DAY) * 1_000_000_000).unwrap();
    assert_eq!(reports.len(), 1);
    let report = &reports[0];
    assert_eq!((report.origin.as_str(), report.in_use, report.event_ids), ("s3://logs", false, 3));
    assert_eq!(report.lanes.len(), 2);
    assert_eq!(report.lanes[0].newest_done.as_deref(), Some("2026-11-03T19:30:00Z"));
    assert_eq!(report.lanes[0].lag_secs, Some(2 * DAY));
}

#[test]
fn few_calls_are_made_where_nothing_happens() {
    let bench = Bench::new();
    for region in 0..17 {
        bench.put("", ACCOUNT, &format!("region-{region}"), NOON_SECS, &format!("r{region}"));
    }
    let config = bench.config();
    let mut parts = parts(&bench.store, &bench.clock);
    parts.pace.poll = Some(Duration::from_millis(20));
    parts.pace.discover = Duration::from_secs(600);
    let mut live = Intake::open(s3("AWSLogs/", "?since=1h"), &config, parts).unwrap();
    assert_eq!(take(&mut live, 17).len(), 17);
    take_for(&mut live, Duration::from_secs(1));
    let before = live.counters().values().list_calls;
    take_for(&mut live, Duration::from_millis(960));
    let polls = live.counters().values().list_calls - before;
    // At full pace it would be 17 × 48; a quiet region is asked a quarter as often.
    assert!(polls <= 17 * 14, "{polls}");
    assert!(before <= 2 + 17 * 24, "{before}");
}
