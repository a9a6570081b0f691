//! Opening: settings checked, threads started.

use super::keep::Kept;
use super::{Intake, Keeper, OpenError, Parts};
use crate::bucket::{BucketFeed, BucketSettings, Refused, Shared, Window};
use crate::budget::Budget;
use crate::checkpoint::Folder;
use crate::config::{IntakeConfig, OnOpenError, Order};
use crate::counters::Counters;
use crate::dedup::Dedup;
use crate::files::{FileFeed, FileSettings, Known};
use crate::filter::Filter;
use crate::handout::Handout;
use crate::health::{Failing, Health};
use crate::inflate::Inflater;
use crate::interval;
use crate::layout::MINUTE_NS;
use crate::ledger::Ledger;
use crate::origin::Origin;
use crate::quarantine::Quarantine;
use crate::since::Since;
use crate::threads;
use crate::unread::UnreadList;
use crate::worker::{Feed, Limits, Worker};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Items that may wait between worker and hand-out, beside the bound in bytes.
const WAITING_ITEMS: usize = 1024;
/// The checkpoint is written so often when something was taken; the journal says the rest.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// What is the same for files and buckets.
struct Base {
    counters: Arc<Counters>,
    unread: Arc<UnreadList>,
    budget: Arc<Budget>,
    stop: Arc<AtomicBool>,
    ledger: Arc<Mutex<Ledger>>,
    dedup: Dedup,
    filter: Filter,
    folder: Option<Arc<Folder>>,
    late_minutes: u64,
    /// True when an earlier run left something to go on from.
    goes_on: bool,
}

pub(super) fn open(origin: Origin, config: &IntakeConfig, parts: Parts) -> Result<Intake, OpenError> {
    let filter = filter(config)?;
    match origin.clone() {
        Origin::Files { path, follow } => {
            let base = base(&origin, config, &parts, filter, follow, 0)?;
            files(&path, follow, config, &parts, base)
        }
        Origin::S3 { bucket, prefix, once, since } => {
            let now_ns = parts.clock.now_ns();
            let (once, window) = window(config, once, since, now_ns)?;
            // Before anything is written: only a wrong configuration is fatal, and it is told at once.
            if let Some(Err(error)) = parts.connect.as_ref().map(|connect| connect.check()) {
                let (reason, story) = (error.message, error.story);
                return Err(OpenError::Bucket { origin: origin.to_string(), reason, story });
            }
            let base = base(&origin, config, &parts, filter, !once, window.start_ns)?;
            let settings = BucketSettings {
                bucket,
                prefix,
                once,
                window,
                newest_first: config.source.order == Order::NewestFirst,
                poll: parts.pace.poll.unwrap_or(Duration::from_secs(config.source.poll_interval_secs.max(1))),
                concurrency: config.s3_download_concurrency,
                // bodies wait for less than inflated records do: for the worker alone, not for Falco
                room_bytes: config.source.max_buffer_bytes / 4,
                fail_at_open: config.source.on_open_error == OnOpenError::Fail,
            };
            bucket_intake(&origin, settings, config, &parts, base)
        }
    }
}

/// Checks the settings that say what is wanted, and when; also says whether reading ends.
pub(crate) fn checked(
    origin: &Origin,
    config: &IntakeConfig,
    now_ns: u64,
) -> Result<(Filter, bool), OpenError> {
    let filter = filter(config)?;
    let ends = match origin {
        Origin::S3 { once, since, .. } => window(config, *once, *since, now_ns)?.0,
        Origin::Files { follow, .. } => !follow,
    };
    Ok((filter, ends))
}

fn setting(key: &'static str, reason: impl Into<String>) -> OpenError {
    OpenError::Setting { key, reason: reason.into() }
}

fn filter(config: &IntakeConfig) -> Result<Filter, OpenError> {
    let source = &config.source;
    let key = if config.s3_account_list.is_empty() { "source.accounts" } else { "s3AccountList" };
    let accounts = interval::accounts(&config.s3_account_list, &source.accounts);
    let accounts = accounts.map_err(|reason| setting(key, reason))?;
    let regions = source.regions.iter().map(|region| region.trim().to_owned()).collect();
    if config.s3_download_concurrency == 0 {
        return Err(setting("s3DownloadConcurrency", "0 objects at once; write 1 or more"));
    }
    for (key, value, least) in [
        ("source.max_buffer_bytes", source.max_buffer_bytes, 1 << 20),
        ("source.max_object_bytes", source.max_object_bytes, 1),
        ("source.max_inflated_bytes", source.max_inflated_bytes, 1),
        ("source.max_record_bytes", source.max_record_bytes, 1),
    ] {
        if value < least {
            return Err(setting(key, format!("{value} is too little; write {least} or more")));
        }
    }
    Ok(Filter::new(accounts, regions))
}

/// Where in time to read, and whether to end.
fn window(
    config: &IntakeConfig,
    once: bool,
    since: Option<Since>,
    now_ns: u64,
) -> Result<(bool, Window), OpenError> {
    let interval = interval::interval(&config.s3_interval).map_err(|reason| setting("s3Interval", reason))?;
    let configured: Since = config
        .source
        .since
        .parse()
        .map_err(|error: crate::since::SinceError| setting("source.since", error.to_string()))?;
    let end = interval.and_then(|interval| interval.end);
    let once = once || end.is_some();
    let late_minutes = config.source.late_window_secs.div_ceil(60);
    let (start_ns, by_key) = match (since, interval) {
        (Some(since), _) => (since.resolve(now_ns), false),
        (None, Some(interval)) => (interval.start.resolve(now_ns), true),
        (None, None) if once && configured == Since::Now => (0, false),
        (None, None) => (configured.resolve(now_ns), false),
    };
    let interval_end = end.map(|end| end.resolve(now_ns) / MINUTE_NS);
    if interval_end.is_some_and(|end| end < start_ns / MINUTE_NS) {
        return Err(setting("s3Interval", "its end lies before its start; write START-END"));
    }
    Ok((once, Window { start_ns, interval_end, by_key, late_minutes }))
}

/// `remember`: keep a checkpoint. What ends by itself keeps none: it reads the same each time.
fn base(
    origin: &Origin,
    config: &IntakeConfig,
    parts: &Parts,
    filter: Filter,
    remember: bool,
    start_ns: u64,
) -> Result<Base, OpenError> {
    let source = &config.source;
    let late_minutes = source.late_window_secs.div_ceil(60);
    let (folder, ledger, dedup, goes_on) = if remember {
        let folder = Folder::open(&source.checkpoint_dir, origin)?;
        let restored = folder.restore(start_ns, source.dedup_entries)?;
        (Some(Arc::new(folder)), restored.ledger, restored.dedup, restored.found)
    } else {
        let ledger = Ledger::new(Default::default(), None, start_ns);
        (None, ledger, Dedup::new(source.dedup_entries), false)
    };
    let ledger = Arc::new(Mutex::new(ledger));
    if let Some(folder) = &folder {
        // At once: where reading begins must outlive a kill right after.
        let saved = folder.save(&ledger, late_minutes, parts.clock.now_ns());
        saved.map_err(|source| crate::checkpoint::CheckpointError::io(folder.path(), source))?;
    }
    Ok(Base {
        counters: Arc::default(),
        unread: Arc::default(),
        budget: Budget::new(source.max_buffer_bytes / 2),
        stop: Arc::default(),
        ledger,
        dedup,
        filter,
        folder,
        late_minutes,
        goes_on,
    })
}

fn files(
    path: &Path,
    follow: bool,
    config: &IntakeConfig,
    parts: &Parts,
    base: Base,
) -> Result<Intake, OpenError> {
    let refused = |reason: String| OpenError::Path { path: path.display().to_string(), reason };
    let known: Known = {
        let ledger = base.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = ledger.lanes().get("");
        lane.map(|lane| lane.state().done.iter().map(|(name, read)| (name.clone(), *read)).collect())
            .unwrap_or_default()
    };
    let settings = FileSettings {
        follow,
        poll: parts.pace.poll.unwrap_or(Duration::from_secs(config.source.poll_interval_secs.clamp(1, 2))),
        newest_first: config.source.order == Order::NewestFirst,
        max_object_bytes: config.source.max_object_bytes,
    };
    let mut feed = FileFeed::new(path, settings, base.filter.clone(), Arc::clone(&base.counters), known);
    feed.look()
        .map_err(|error| refused(format!("{error}; give a file or folder that this user may read")))?;
    if !follow && feed.found() == 0 && base.counters.objects_filtered.get() == 0 {
        return Err(refused("no *.json, *.jsonl, *.ndjson (or .gz of these) in it or below".into()));
    }
    start(Box::new(feed), config, parts, base, None)
}

fn bucket_intake(
    origin: &Origin,
    settings: BucketSettings,
    config: &IntakeConfig,
    parts: &Parts,
    base: Base,
) -> Result<Intake, OpenError> {
    let Some(connect) = parts.connect.clone() else {
        let reason = "this program was built without a client for buckets".into();
        return Err(OpenError::Bucket { origin: origin.to_string(), reason, story: String::new() });
    };
    if base.goes_on {
        tracing::info!("{origin}: going on from the checkpoint");
    }
    let mut window = settings.window;
    if !settings.once {
        let ledger = base.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        window.start_ns = ledger.start_ns;
        window.by_key &= ledger.start_ns == settings.window.start_ns;
    }
    let settings = BucketSettings { window, ..settings };
    let runtime = threads::quiet(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(8)
            .thread_name("tfdrift-net")
            .enable_all()
            .build()
    });
    let runtime = runtime.map_err(|error| OpenError::Thread(error.to_string()))?;
    let shared = Arc::new(Shared {
        counters: Arc::clone(&base.counters),
        ledger: Arc::clone(&base.ledger),
        clock: Arc::clone(&parts.clock),
        pace: parts.pace,
        outstanding: AtomicU64::new(0),
        listed_all: AtomicBool::new(false),
        listing: Health::new("listing the bucket", parts.pace.quiet),
        fetching: Health::new("fetching objects", parts.pace.quiet),
        waiting: Default::default(),
        once: settings.once,
        unread: Arc::clone(&base.unread),
        failing_since: Mutex::new(None),
        object_retries: config.source.object_retries,
        max_object_bytes: config.source.max_object_bytes,
    });
    let (order, slots) = mpsc::channel();
    let (again, to_fetch_again) = tokio::sync::mpsc::unbounded_channel();
    let feed = BucketFeed::new(Arc::clone(&shared), slots, again);
    let started = settings.start(&runtime, shared, connect, base.filter.clone(), order, to_fetch_again);
    if let Err(Refused { reason, story }) = started {
        runtime.shutdown_timeout(Duration::from_secs(5));
        return Err(OpenError::Bucket { origin: origin.to_string(), reason, story });
    }
    start(Box::new(feed), config, parts, base, Some(runtime))
}

/// Starts the threads.
fn start(
    feed: Box<dyn Feed>,
    config: &IntakeConfig,
    parts: &Parts,
    base: Base,
    runtime: Option<tokio::runtime::Runtime>,
) -> Result<Intake, OpenError> {
    let (out, items) = mpsc::sync_channel(WAITING_ITEMS);
    let limits = Limits {
        inflated_bytes: config.source.max_inflated_bytes,
        record_bytes: usize::try_from(config.source.max_record_bytes).unwrap_or(usize::MAX),
    };
    let quarantine =
        Quarantine::new(base.folder.as_ref().map(|folder| folder.path()), Arc::clone(&parts.clock));
    let worker = Worker {
        out,
        budget: Arc::clone(&base.budget),
        counters: Arc::clone(&base.counters),
        unread: Arc::clone(&base.unread),
        dedup: base.dedup,
        filter: base.filter,
        limits,
        quarantine: Arc::clone(&quarantine),
        stop: Arc::clone(&base.stop),
        inflater: Inflater::default(),
    };
    let worker = threads::spawn("tfdrift-intake", move || worker.run(feed))?;
    let keeper = match base.folder {
        Some(folder) => {
            let kept = Kept {
                folder,
                ledger: Arc::clone(&base.ledger),
                quarantine: Arc::clone(&quarantine),
                counters: Arc::clone(&base.counters),
                clock: Arc::clone(&parts.clock),
                late_minutes: base.late_minutes,
            };
            Some(keeper(Arc::new(kept))?)
        }
        None => None,
    };
    let handout = Handout::new(items, base.ledger, Arc::clone(&base.counters), Arc::clone(&parts.clock));
    Ok(Intake {
        handout: Some(handout),
        counters: base.counters,
        unread: base.unread,
        budget: base.budget,
        quarantine,
        stop: base.stop,
        worker: Some(worker),
        runtime,
        keeper,
    })
}

fn keeper(kept: Arc<Kept>) -> Result<Keeper, OpenError> {
    let (stop, stopped) = mpsc::channel::<()>();
    let own = Arc::clone(&kept);
    let thread = threads::spawn("tfdrift-keeper", move || {
        let writing = Health::new("writing the checkpoint", Duration::ZERO);
        let mut saved = Instant::now();
        while stopped.recv_timeout(Duration::from_millis(500)) == Err(mpsc::RecvTimeoutError::Timeout) {
            own.flush();
            let changed = own.ledger.lock().unwrap_or_else(PoisonError::into_inner).changed;
            if !changed || saved.elapsed() < SAVE_EVERY {
                continue;
            }
            match own.save() {
                Ok(()) => writing.works(""),
                Err(error) => {
                    let message = error.to_string();
                    let failing =
                        Failing { kind: "write", place: "", passes: false, message: &message, story: "" };
                    writing.fails(failing);
                }
            }
            saved = Instant::now();
        }
    })?;
    Ok(Keeper { thread, stop, kept })
}
