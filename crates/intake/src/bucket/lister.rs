//! Listing: which objects are there that nobody has read.

mod back;
mod backlog;
mod lanes;
mod pages;
#[cfg(test)]
mod tests;

use super::Shared;
use super::stream::Stream;
use crate::dedup::Dedup;
use crate::filter::Filter;
use crate::layout::{self, MINUTE_NS};
use crate::object::Object;
use crate::store::{ListRequest, ObjectStore, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Release;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;

/// Keys that one round of listings may bring.
const ROUND_KEYS: usize = 20_000;
/// Of so many keys that are left out it is remembered that they were counted.
const FILTERED_KEYS: usize = 262_144;
/// Listings at once.
const LISTS_AT_ONCE: usize = 16;

/// Which objects are wanted, by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where reading begins, nanoseconds since 1970.
    pub start_ns: u64,
    /// By `s3Interval`: only keys of this time and earlier, in minutes since 1970; and what is written later under an
    /// earlier time does not count.
    pub interval_end: Option<u64>,
    /// True when `s3Interval` gave the start: keys count, not the time they were written.
    pub by_key: bool,
    /// `late_window_secs`, in minutes.
    pub late_minutes: u64,
}

/// The task that lists.
pub struct Lister {
    pub shared: Arc<Shared>,
    pub store: Arc<dyn ObjectStore>,
    pub home: Arc<str>,
    pub prefix: String,
    pub filter: Filter,
    pub window: Window,
    pub once: bool,
    pub newest_first: bool,
    pub poll: Duration,
    pub live: Sender<Arc<Object>>,
    pub backlog: Sender<Arc<Object>>,
    pub streams: BTreeMap<Arc<str>, Stream>,
    pub known_since: Option<Instant>,
    /// Folders that may not be listed.
    pub refused: BTreeSet<String>,
    /// Whether it was told that there are more folders than are looked into.
    pub unseen_told: bool,
    /// Keys that were counted as left out.
    pub filtered: Dedup,
}

/// What remembers the keys that are left out.
pub fn filtered_keys() -> Dedup {
    Dedup::new(FILTERED_KEYS)
}

/// Objects that wait to be handed to the fetcher, in order of time and key.
type Ready = BTreeMap<(u64, String), Arc<Object>>;

/// Why a page was listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// For what is new in a lane.
    Live,
    /// For objects that came later than the window.
    Back,
    /// For everything below a prefix without AWS's layout.
    Whole {
        /// True for the last page of a look.
        complete: bool,
    },
}

impl Lister {
    /// Works for ever; with `once`, until all was listed. Objects go to the fetcher in order.
    pub async fn run(mut self) {
        let (mut live, mut backlog) = (Ready::new(), Ready::new());
        loop {
            self.discover_when_due().await;
            self.list_due(&mut live).await;
            self.look_back(&mut live).await;
            if self.newest_first && backlog.is_empty() && live.is_empty() {
                self.list_backlog_day(&mut backlog).await;
            }
            if self.once && self.known_since.is_some() && self.through(&live, &backlog) {
                self.shared.listed_all.store(true, Release);
                return;
            }
            if !self.hand_on(&mut live, &mut backlog).await {
                return;
            }
        }
    }

    fn through(&self, live: &Ready, backlog: &Ready) -> bool {
        live.is_empty() && backlog.is_empty() && self.streams.values().all(Stream::is_through)
    }

    /// Hands objects on until a lane is due or, for the backlog, until it is empty. False: nobody takes them.
    async fn hand_on(&mut self, live: &mut Ready, backlog: &mut Ready) -> bool {
        let due = self.next_due();
        let limit = self.order_limit();
        loop {
            let next_live = if self.newest_first {
                live.last_key_value().map(|(key, _)| key.clone())
            } else {
                // Pages that are yet to come may hold earlier ones.
                live.first_key_value().map(|(key, _)| key.clone()).filter(|(minute, _)| *minute <= limit)
            };
            if let Some(key) = next_live {
                let Ok(permit) = self.live.reserve().await else { return false };
                if let Some(object) = live.remove(&key) {
                    self.shared.outstanding.fetch_add(1, Release);
                    permit.send(object);
                }
                if self.newest_first && Instant::now() >= due {
                    return true;
                }
                continue;
            }
            if Instant::now() >= due {
                return true;
            }
            let Some((key, _)) = backlog.last_key_value() else {
                let now = Instant::now();
                if self.newest_first && self.streams.values().any(|s| s.backlog_ready(now)) {
                    return true;
                }
                if !(self.once && self.through(live, backlog)) {
                    tokio::time::sleep_until(due.into()).await;
                }
                return true;
            };
            let key = key.clone();
            tokio::select! {
                permit = self.backlog.reserve() => {
                    let Ok(permit) = permit else { return false };
                    if let Some(object) = backlog.remove(&key) {
                        self.shared.outstanding.fetch_add(1, Release);
                        permit.send(object);
                    }
                }
                () = tokio::time::sleep_until(due.into()) => return true,
            }
        }
    }

    /// Up to this minute nothing earlier can be in pages that are yet to come.
    fn order_limit(&self) -> u64 {
        let open = self.streams.values().filter(|s| s.has_more() && !s.fails() && !s.flat && !s.held);
        open.map(|s| s.cursor_minute).min().unwrap_or(u64::MAX)
    }

    fn next_due(&self) -> Instant {
        let discover = self.known_since.map_or_else(Instant::now, |at| at + self.shared.pace.discover);
        let listed = self.streams.values().filter(|s| self.goes_on(s));
        let looks = listed.map(|s| s.due);
        let back = self.streams.values().filter(|s| !self.once && !s.flat).map(Stream::next_back);
        looks.chain(back).chain((!self.once).then_some(discover)).min().unwrap_or(discover)
    }

    /// Lists a page of each lane that is due.
    async fn list_due(&mut self, ready: &mut Ready) {
        let now = Instant::now();
        self.hold_full(now, |stream| stream.due <= now);
        let limit = self.order_limit();
        let held = ready.len();
        let due: Vec<Arc<str>> = self
            .streams
            .values()
            .filter(|s| s.due <= now && !s.held && self.goes_on(s))
            // A lane that is ahead of the others waits for them, so that memory stays bounded.
            .filter(|s| !s.has_more() || s.cursor_minute <= limit || held < ROUND_KEYS / 2)
            .map(|s| Arc::clone(&s.lane))
            .collect();
        let max_keys = (ROUND_KEYS / self.streams.len().max(1)).clamp(100, 1000);
        for group in due.chunks(LISTS_AT_ONCE) {
            let requests =
                group.iter().filter_map(|lane| Some((Arc::clone(lane), self.request(lane, max_keys)?)));
            for page in self.pages(requests.collect()).await {
                self.paged(page, ready);
            }
        }
    }

    /// Whether it is listed again.
    fn goes_on(&self, stream: &Stream) -> bool {
        let over = self.once && stream.is_through();
        !(stream.given_up || over)
    }

    /// Lets accounts and regions rest of which too many objects wait for a permission, so that memory stays bounded.
    /// `asked`: those that are to be listed now.
    fn hold_full(&mut self, now: Instant, asked: impl Fn(&Stream) -> bool) {
        for stream in self.streams.values_mut().filter(|s| asked(s)) {
            let waiting = &self.shared.waiting;
            stream.held = if stream.flat { waiting.is_full_in_all() } else { waiting.is_full(&stream.lane) };
            if stream.held {
                stream.due = now + self.shared.pace.most;
            }
        }
    }

    fn request(&self, lane: &Arc<str>, max_keys: usize) -> Option<ListRequest> {
        let stream = self.streams.get(lane)?;
        let now = self.shared.clock.now_ns() / MINUTE_NS;
        let start_after = match &stream.cursor {
            Some(cursor) => Some(cursor.clone()),
            None if stream.flat => {
                let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
                ledger.lane(&"".into(), 0).begin_whole(now);
                None
            }
            None => {
                let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
                let book = ledger.lane(lane, self.start_floor());
                book.settle(self.settle_window(), now);
                let from =
                    book.state().floor.max(book.state().newest.saturating_sub(self.window.late_minutes));
                layout::before_minute(lane, from.max(stream.live_from))
            }
        };
        let prefix = lane.to_string();
        Some(ListRequest { prefix, start_after, by_folder: false, continuation: None, max_keys })
    }
}

/// The first look at a bucket, for those who want to know at once whether it can be read.
///
/// # Errors
/// When it cannot.
pub async fn probe(store: &dyn ObjectStore, prefix: &str) -> Result<(), StoreError> {
    let request = ListRequest {
        prefix: prefix.into(),
        start_after: None,
        by_folder: false,
        continuation: None,
        max_keys: 1,
    };
    store.list(request).await.map(|_| ())
}
