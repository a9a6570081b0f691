//! What the lister remembers, with a reader that takes all at once.

use super::*;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::health::Health;
use crate::ledger::{Lane, Ledger, Step};
use crate::retry::Pace;
use crate::store::memory::MemoryStore;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// 2026-11-02T00:00:00Z, in minutes.
const START: u64 = 20_759 * 1440;
const LANE: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/";

struct Now(AtomicU64);

impl Clock for Now {
    fn now_ns(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::SeqCst) * MINUTE_NS
    }
}

/// A bucket, and what is remembered of it.
struct Bench {
    clock: Arc<Now>,
    store: Arc<MemoryStore>,
    ledger: Arc<Mutex<Ledger>>,
}

/// What one lister gave, and the most that was remembered of one lane meanwhile.
struct Given {
    keys: Vec<String>,
    most_names: usize,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(Now(AtomicU64::new(START)));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>, Duration::ZERO));
        Self { clock, store, ledger: Arc::default() }
    }

    fn set(&self, minute: u64) {
        self.clock.0.store(minute, std::sync::atomic::Ordering::SeqCst);
    }

    fn put(&self, minute: u64, name: &str) -> String {
        let key = format!("{}Z_{name}.json.gz", layout::before_minute(LANE, minute).unwrap());
        self.store.put(key.as_str(), *b"x");
        key
    }

    fn shared(&self, once: bool) -> Arc<Shared> {
        Arc::new(Shared {
            counters: Arc::new(Counters::default()),
            ledger: Arc::clone(&self.ledger),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            pace: Pace::default(),
            outstanding: AtomicU64::new(0),
            listed_all: AtomicBool::new(false),
            listing: Health::new("listing the bucket", Duration::ZERO),
            fetching: Health::new("fetching objects", Duration::ZERO),
            waiting: Default::default(),
            once,
            unread: Arc::default(),
            failing_since: Mutex::new(None),
            object_retries: 0,
            max_object_bytes: u64::MAX,
        })
    }

    /// Lists below `prefix` until all there is was looked at once more after the last object came.
    fn read(&self, prefix: &str, once: bool, newest_first: bool) -> Given {
        let (live, mut live_objects) = tokio::sync::mpsc::channel(8);
        let (backlog, mut backlog_objects) = tokio::sync::mpsc::channel(8);
        let late_minutes = 60;
        let lister = Lister {
            shared: self.shared(once),
            store: Arc::clone(&self.store) as Arc<dyn ObjectStore>,
            home: "s3://logs/".into(),
            prefix: prefix.into(),
            filter: Filter::default(),
            window: Window { start_ns: START * MINUTE_NS, interval_end: None, by_key: false, late_minutes },
            once,
            newest_first,
            poll: Duration::from_millis(1),
            live,
            backlog,
            streams: BTreeMap::new(),
            known_since: None,
            refused: BTreeSet::new(),
            unseen_told: false,
            filtered: filtered_keys(),
        };
        let counters = Arc::clone(&lister.shared.counters);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (ledger, mut given) = (Arc::clone(&self.ledger), Given { keys: Vec::new(), most_names: 0 });
        runtime.block_on(async {
            let task = tokio::spawn(lister.run());
            let mut quiet_calls = 0;
            loop {
                let object = tokio::select! {
                    Some(object) = live_objects.recv() => object,
                    Some(object) = backlog_objects.recv() => object,
                    () = tokio::time::sleep(Duration::from_millis(5)) => {
                        let calls = counters.values().list_calls;
                        // Pages of two whole looks at up to 3,000 keys.
                        let over = if quiet_calls == 0 { quiet_calls = calls; false } else { calls >= quiet_calls + 7 };
                        if task.is_finished() || (!once && over) { break } else { continue }
                    }
                    else => break,
                };
                quiet_calls = 0;
                given.keys.push(object.key());
                let mut ledger = ledger.lock().unwrap();
                ledger.apply(&Step::of(&object, 1, true));
                given.most_names = given.most_names.max(ledger.lanes().values().map(names).max().unwrap());
            }
            task.abort();
        });
        given
    }
}

fn names(lane: &Lane) -> usize {
    lane.state().done.len() + lane.state().late.len() + lane.passed()
}

#[test]
fn what_ends_remembers_no_more_than_a_window_and_what_is_on_its_way() {
    // A page and a window; a day, and the one before of which an object was still on its way.
    for (newest_first, most) in [(false, 1000 + 100), (true, 2 * 1440)] {
        let bench = Bench::new();
        // Four days, ten objects every ten minutes.
        let mut keys: Vec<String> = (0..4 * 144)
            .flat_map(|n| (0..10).map(move |m| (n, m)))
            .map(|(n, m)| bench.put(START + n * 10, &m.to_string()))
            .collect();
        // Of the next day, in the folder of the day before.
        let right = bench.put(START + 1440, "early");
        let early = right.replace("/2026/11/03/", "/2026/11/02/");
        bench.store.put(early.as_str(), *b"x");
        keys.extend([right, early]);
        bench.set(START + 5 * 1440);
        let mut given = bench.read("AWSLogs/", true, newest_first);
        given.keys.sort();
        keys.sort();
        assert_eq!((given.keys.len(), given.keys == keys), (keys.len(), true));
        assert!(given.most_names <= most, "{} names of {} objects", given.most_names, keys.len());
    }
}

/// A trail beyond so many folders that nobody looks for it is listed as a whole, and yet its keys have times.
#[test]
fn a_prefix_listed_as_a_whole_goes_by_the_times_in_its_keys_too() {
    let bench = Bench::new();
    for n in 0..301 {
        bench.store.put(format!("f{n:03}/a.txt"), *b"x");
    }
    let trail = |key: &str| key.replace(LANE, &format!("zzz/{LANE}"));
    let put = |minute: u64, name: &str| {
        let key = bench.put(minute, name);
        bench.store.remove(&key);
        bench.store.put(trail(&key), *b"x");
        trail(&key)
    };
    // So many that they fill a page, and no more keys of that lane on the last one.
    let mut keys: Vec<String> = (0..1000).map(|n| put(START + n / 5, &n.to_string())).collect();
    let other = "zzz/AWSLogs/111122223333/CloudTrail/us-west-2/";
    keys.extend((0..900).map(|n| {
        let key = put(START + n / 5, &n.to_string()).replace("us-east-1", "us-west-2");
        bench.store.put(key.as_str(), *b"x");
        key
    }));
    let lane: Arc<str> = trail(LANE).into();
    let state = |lane: &str| bench.ledger.lock().unwrap().lanes()[lane].state().clone();
    bench.set(START + 200);
    let given = bench.read("", false, false);
    let found: BTreeSet<String> = given.keys.iter().cloned().collect();
    assert_eq!((given.keys.len(), found), (keys.len(), keys.iter().cloned().collect()), "each once");
    assert_eq!(state(&lane).floor, START + 199 - 60, "of a lane on an early page");
    assert_eq!(state(other).floor, START + 179 - 60);
    bench.set(START + 900);
    let late = put(START + 20, "late");
    assert_eq!(bench.read("", false, false).keys, [late], "later than the window");
    bench.set(START + 1000);
    assert_eq!(bench.read("", false, false).keys, Vec::<String>::new(), "once");
    assert!(state(&lane).looked_back >= START + 900);
}
