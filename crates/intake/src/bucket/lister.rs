//! Listing: which objects are there that nobody has read. When to list what, and in which order objects go on, is here;
//! which accounts and regions there are in `lanes`, the newest pages of each in `pages`, the days before in `backlog`.

mod backlog;
mod lanes;
mod pages;

pub use pages::probe;

use super::Shared;
use super::stream::Stream;
use crate::filter::Filter;
use crate::object::Object;
use crate::store::ObjectStore;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Release;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;

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
    /// Folders that may not be listed and were told of.
    pub refused: BTreeSet<String>,
}

/// Objects that wait to be handed to the fetcher, in order of time and key.
type Ready = BTreeMap<(u64, String), Arc<Object>>;

impl Lister {
    /// Works for ever; with `once`, until all was listed. Objects go to the fetcher in order.
    pub async fn run(mut self) {
        let (mut live, mut backlog) = (Ready::new(), Ready::new());
        loop {
            self.discover_when_due().await;
            self.list_due(&mut live).await;
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
        live.is_empty()
            && backlog.is_empty()
            && self
                .streams
                .values()
                .all(|s| s.looked && s.fails == 0 && !s.has_more() && s.backlog.is_empty())
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
                if self.newest_first && self.streams.values().any(|s| !s.backlog.is_empty()) {
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
        let open = self.streams.values().filter(|s| s.has_more() && s.fails == 0 && !s.flat);
        open.map(|s| s.cursor_minute).min().unwrap_or(u64::MAX)
    }

    fn next_due(&self) -> Instant {
        let discover = self.known_since.map_or_else(Instant::now, |at| at + self.shared.pace.discover);
        self.streams.values().map(|s| s.due).chain((!self.once).then_some(discover)).min().unwrap_or(discover)
    }
}
