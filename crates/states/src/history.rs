//! The states as of the time of an event that is older than the newest states.
//!
//! Only places that keep versions have a past: buckets with versioning. Nothing is asked for before such an event
//! comes, and then only about the states that were written since. What was read is kept, within
//! `state.history_cache_bytes`: consecutive events find the snapshot as they find the newest one. What cannot be read
//! is said once, and the newest state stands in for it.

mod ask;
mod cache;
mod failures;
mod read;
mod timeline;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tfdrift_tfstate::{IndexPlan, Snapshot, State};

use crate::loader::{CONCURRENT_FETCHES, Current};
use crate::status::HistoryStatus;
use ask::Asker;
pub(crate) use ask::Request;
use cache::{Assembled, Cache, bytes_of};
use failures::Failures;
use timeline::{Span, Timeline};

/// What nobody asked for during this time is dropped.
const IDLE: Duration = Duration::from_secs(1800);

/// The newest snapshot, and what its states come from.
pub(crate) struct Present {
    pub(crate) snapshot: Arc<Snapshot>,
    /// Those of the snapshot in its order, with those that are gone between them.
    pub(crate) states: Vec<Current>,
    /// When the newest of those with a past was written: no event since then needs the past.
    pub(crate) newest_ns: u64,
}

/// The past of all states of a store.
pub(crate) struct History {
    plan: IndexPlan,
    known: Mutex<Known>,
    asker: Mutex<Asker>,
}

/// What was read. Locked only for moments, never over a call.
struct Known {
    cache: Cache,
    /// By item.
    timelines: HashMap<String, Timeline>,
    failures: Failures,
    unversioned: BTreeSet<String>,
    calls: (u64, u64),
    missed: u64,
    /// When it was last asked for.
    used: Instant,
}

/// What stood for one state.
struct Chosen {
    /// None: it did not exist.
    state: Option<Arc<State>>,
    span: Span,
    /// When its newest version was written.
    newest_ns: Option<u64>,
    /// When to try again, where the newest state only stands in.
    retry_at: Option<Instant>,
}

impl Present {
    pub(crate) fn new(snapshot: Arc<Snapshot>, states: Vec<Current>) -> Self {
        let newest = states.iter().filter(|s| s.versions.is_some()).filter_map(Current::written_at_ns).max();
        Self { snapshot, states, newest_ns: newest.unwrap_or(0) }
    }
}

impl History {
    /// Nothing read yet. With a limit of 0 the past is never looked at.
    pub(crate) fn new(limit_bytes: u64, plan: IndexPlan) -> Self {
        let known = Known {
            cache: Cache::new(limit_bytes),
            timelines: HashMap::new(),
            failures: Failures::default(),
            unversioned: BTreeSet::new(),
            calls: (0, 0),
            missed: 0,
            used: Instant::now(),
        };
        Self { plan, known: Mutex::new(known), asker: Mutex::default() }
    }

    /// The snapshot of a time, if it was put together before. Never waits.
    pub(crate) fn find(&self, present: &Present, time_ns: u64) -> Option<Arc<Snapshot>> {
        let (mut known, now) = (self.known(), Instant::now());
        known.used = now;
        known.cache.find(&present.snapshot, time_ns, now)
    }

    /// Called with every look at the places. What was the newest state until now is kept for the events that are still
    /// on their way, and what nobody asked for during half an hour is not.
    pub(crate) fn follow(&self, before: Option<&Present>, present: &Present) {
        let mut known = self.known();
        if known.cache.limit_bytes() == 0 {
            return;
        }
        if known.used.elapsed() > IDLE {
            known.cache.clear();
        }
        known.cache.forget_others(&present.snapshot);
        let Some(before) = before.filter(|before| !Arc::ptr_eq(&before.snapshot, &present.snapshot)) else {
            return;
        };
        let now: HashMap<&str, Option<&Arc<State>>> =
            present.states.iter().map(|current| (&*current.key, current.state.as_ref())).collect();
        for current in before.states.iter().filter(|current| current.versions.is_some()) {
            let same = |state: &Arc<State>| {
                now.get(&*current.key).copied().flatten().is_some_and(|s| Arc::ptr_eq(s, state))
            };
            if let (Some(state), Some(etag)) = (&current.state, current.etag())
                && !same(state)
                && bytes_of(state) <= known.cache.limit_bytes()
            {
                known.cache.keep_state(&current.key, etag, state);
                known.used = Instant::now();
            }
        }
    }

    /// Notes that the newest snapshot was taken instead.
    pub(crate) fn missed(&self) {
        self.known().missed += 1;
    }

    pub(crate) fn status(&self) -> HistoryStatus {
        let known = self.known();
        HistoryStatus {
            states: known.cache.len(),
            bytes: known.cache.bytes(),
            limit_bytes: known.cache.limit_bytes(),
            list_calls: known.calls.0,
            get_calls: known.calls.1,
            failures: known.failures.count,
            missed: known.missed,
            errors: known.failures.errors(),
            unversioned: known.unversioned.iter().cloned().collect(),
        }
    }

    /// Puts the snapshot of a time together and keeps it. What cannot be read is as it is now.
    pub(crate) async fn fill(&self, present: &Present, time_ns: u64) {
        if self.find(present, time_ns).is_some() {
            return;
        }
        let room = AtomicU64::new(self.known().cache.limit_bytes());
        let chosen: Vec<Chosen> = stream::iter(&present.states)
            .map(|current| self.choose(current, time_ns, &room))
            .buffered(CONCURRENT_FETCHES)
            .collect()
            .await;
        let span = chosen.iter().fold(Span::ALWAYS, |span, c| span.and(c.span));
        let mut retry_at = chosen.iter().filter_map(|c| c.retry_at).min();
        let same = |(c, now): (&Chosen, &Current)| match (&c.state, &now.state) {
            (Some(then), Some(now)) => Arc::ptr_eq(then, now),
            (then, now) => then.is_none() && now.is_none(),
        };
        let snapshot = if chosen.iter().zip(&present.states).all(same) {
            present.snapshot.clone()
        } else {
            let there = chosen.iter().filter_map(|c| Some((c.state.clone()?, c.newest_ns)));
            let (states, newest): (Vec<_>, Vec<_>) = there.unzip();
            let snapshot = Snapshot::new(states)
                .with_configuration(present.snapshot.configuration().clone())
                .with_newest_writes(newest);
            match self.room_for_index(&room, snapshot.resident_bytes() as u64) {
                Ok(()) => Arc::new(snapshot),
                Err(retry) => {
                    retry_at = Some(retry);
                    present.snapshot.clone()
                }
            }
        };
        self.known().cache.keep(Assembled { base: present.snapshot.clone(), span, snapshot, retry_at });
    }

    /// Reads the version before the newest one, of one state of each place.
    pub(crate) async fn look_back(&self, present: &Present) {
        let room = AtomicU64::new(self.known().cache.limit_bytes());
        let mut places = BTreeSet::new();
        for current in &present.states {
            if let (Some(versions), Some(written)) = (&current.versions, current.written_at_ns())
                && places.insert(versions.name())
            {
                // what went wrong is noted
                let _ = self.past(current, versions, written.saturating_sub(1), &room).await;
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
