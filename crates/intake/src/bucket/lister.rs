//! Listing: which objects are there that nobody has read.

mod back;

use super::discover::{Discovery, Places};
use super::stream::Stream;
use super::{Shared, absent, failing};
use crate::dedup::{Dedup, mark};
use crate::filter::Filter;
use crate::layout::{self, MINUTE_NS, day_folder, day_of};
use crate::ledger::Want;
use crate::object::Object;
use crate::retry::Tries;
use crate::store::{ListRequest, ObjectMeta, ObjectStore, StoreError, StoreErrorKind};
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

/// One page of one lane.
struct Page {
    lane: Arc<str>,
    result: Result<crate::store::ListPage, StoreError>,
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
        let open = self.streams.values().filter(|s| s.has_more() && s.fails == 0 && !s.flat && !s.held);
        open.map(|s| s.cursor_minute).min().unwrap_or(u64::MAX)
    }

    fn next_due(&self) -> Instant {
        let discover = self.known_since.map_or_else(Instant::now, |at| at + self.shared.pace.discover);
        let listed = self.streams.values().filter(|s| self.goes_on(s));
        let looks = listed.map(|s| s.due);
        let back = self.streams.values().filter(|s| !self.once && !s.flat).map(Stream::next_back);
        looks.chain(back).chain((!self.once).then_some(discover)).min().unwrap_or(discover)
    }

    async fn discover_when_due(&mut self) {
        let due = match self.known_since {
            None => true,
            Some(at) => !self.once && at.elapsed() >= self.shared.pace.discover,
        };
        if !due {
            return;
        }
        let mut tries = Tries::default();
        let place = format!("{}{}", self.home, self.prefix);
        loop {
            let (counters, filter, store) = (&self.shared.counters, &self.filter, self.store.as_ref());
            let discovery = Discovery { store, counters, filter, pace: self.shared.pace };
            let answer =
                tokio::time::timeout(self.shared.pace.request * 10, discovery.run(&self.prefix)).await;
            let error = match answer {
                Ok(Ok(places)) => {
                    self.shared.worked();
                    self.shared.listing.works(&place);
                    self.adopt(places);
                    self.known_since = Some(Instant::now());
                    return;
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    let (kind, target) = (StoreErrorKind::Transient, self.prefix.clone());
                    StoreError::new(kind, "ListObjectsV2", target, "no answer in time")
                }
            };
            self.shared.listing.fails(failing(&error, &place, &error.to_string()));
            // Finding accounts and regions is many calls: nothing has worked since it began.
            let since = tries.since;
            tries.failed(error.kind);
            tries.since = since;
            self.shared.counters.retries.add(1);
            if self.shared.gives_up(error.kind, &tries) {
                self.shared.counters.lanes_given_up.add(1);
                self.shared.give_up(place, &error);
                self.known_since = Some(Instant::now());
                return;
            }
            if self.known_since.is_some() {
                // The lanes that are known go on; new ones wait.
                self.known_since = Some(Instant::now());
                return;
            }
            tokio::time::sleep(self.shared.pace.wait(tries.fails)).await;
        }
    }

    fn adopt(&mut self, places: Places) {
        if self.known_since.is_none() {
            for note in absent::notes(&self.home, &self.prefix, &self.filter, &places) {
                tracing::warn!("{note}");
            }
        }
        if !places.unseen.is_empty() && !std::mem::replace(&mut self.unseen_told, true) {
            tracing::warn!("{}", absent::unseen(&self.home, &places.unseen));
        }
        let Places { lanes, flat, refused, .. } = places;
        self.shared.counters.folders_refused.set(refused.len() as u64);
        let now_refused: BTreeSet<String> = refused.iter().map(|error| error.target.clone()).collect();
        self.refused.difference(&now_refused).for_each(|target| self.shared.listing.works(target));
        for error in &refused {
            let message = format!("left out until it may be listed: {error}");
            self.shared.listing.fails(failing(error, &error.target, &message));
            if self.once {
                self.shared.counters.lanes_given_up.add(1);
                self.shared.give_up(error.target.clone(), error);
            }
        }
        self.refused = now_refused;
        let wanted: BTreeMap<String, bool> =
            lanes.into_iter().map(|lane| (lane, false)).chain(flat.map(|flat| (flat, true))).collect();
        self.streams.retain(|lane, stream| !stream.flat || wanted.contains_key(&**lane));
        for (lane, flat) in wanted {
            if self.streams.contains_key(lane.as_str()) {
                continue;
            }
            if self.known_since.is_some() {
                tracing::info!("new account or region: {}{lane}", self.home);
            }
            let lane: Arc<str> = lane.into();
            let mut stream = Stream::new(Arc::clone(&lane), flat);
            if !flat {
                self.prepare(&mut stream);
            }
            self.streams.insert(lane, stream);
        }
    }

    /// The floor below which nothing is wanted.
    fn start_floor(&self) -> u64 {
        let minute = self.window.start_ns / MINUTE_NS;
        if self.window.by_key { minute } else { minute.saturating_sub(self.window.late_minutes) }
    }

    fn prepare(&self, stream: &mut Stream) {
        let floor = self.start_floor();
        let now = self.shared.clock.now_ns() / MINUTE_NS;
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = ledger.lane(&stream.lane, floor);
        lane.raise(floor);
        let since_back = Duration::from_secs(now.saturating_sub(lane.look_back_from(now)) * 60);
        stream.back_due = Instant::now() + self.shared.pace.look_back.saturating_sub(since_back);
        if !self.newest_first {
            return;
        }
        let today = day_of(now) * 1440;
        stream.live_from = today.min(now.saturating_sub(self.window.late_minutes));
        let first = day_of(lane.state().floor);
        stream.backlog = (first..day_of(now)).filter(|day| !lane.state().days.contains(day)).collect();
        if !stream.backlog.is_empty() {
            lane.hold(Some(lane.state().floor));
        }
    }

    /// Lists a page of each lane that is due.
    async fn list_due(&mut self, ready: &mut Ready) {
        let now = Instant::now();
        self.hold_full(now);
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
    fn hold_full(&mut self, now: Instant) {
        for stream in self.streams.values_mut().filter(|s| s.due <= now) {
            stream.held = self.shared.waiting.is_full(if stream.flat { "" } else { &stream.lane });
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
                book.settle(self.window.late_minutes, now);
                let from =
                    book.state().floor.max(book.state().newest.saturating_sub(self.window.late_minutes));
                layout::before_minute(lane, from.max(stream.live_from))
            }
        };
        let prefix = lane.to_string();
        Some(ListRequest { prefix, start_after, by_folder: false, continuation: None, max_keys })
    }

    /// Lists all at once.
    async fn pages(&self, requests: Vec<(Arc<str>, ListRequest)>) -> Vec<Page> {
        let mut tasks = tokio::task::JoinSet::new();
        for (lane, request) in requests {
            let (store, pace) = (Arc::clone(&self.store), self.shared.pace);
            self.shared.counters.list_calls.add(1);
            tasks.spawn(async move {
                let target = request.prefix.clone();
                let answer = tokio::time::timeout(pace.request, store.list(request)).await;
                let result = answer.unwrap_or_else(|_| {
                    let message = format!("no answer within {:?}", pace.request);
                    Err(StoreError::new(StoreErrorKind::Transient, "ListObjectsV2", target, message))
                });
                Page { lane, result }
            });
        }
        let mut pages = Vec::new();
        while let Some(page) = tasks.join_next().await {
            pages.extend(page.ok());
        }
        pages
    }

    /// Takes note of a page of a live listing.
    fn paged(&mut self, page: Page, ready: &mut Ready) {
        let poll = self.poll;
        let listed = match page.result {
            Ok(listed) => listed,
            Err(error) => return self.list_failed(&page.lane, &error),
        };
        self.shared.worked();
        self.shared.listing.works(&page.lane);
        let Some(flat) = self.streams.get(&page.lane).map(|s| s.flat) else { return };
        let more = listed.next.is_some();
        let last = listed.objects.last().map(|o| o.key.clone());
        let kind = if flat { Look::Whole { complete: !more } } else { Look::Live };
        let (fresh, lanes) = (self.take(listed.objects, ready, kind), self.streams.len());
        let Some(stream) = self.streams.get_mut(&page.lane) else { return };
        stream.looked = true;
        let next = last.filter(|_| more).map(|key| {
            let minute = layout::minute(&key).unwrap_or(stream.cursor_minute);
            (key, minute)
        });
        stream.paged(next, fresh, poll, lanes);
    }

    fn list_failed(&mut self, lane: &Arc<str>, error: &StoreError) {
        self.shared.listing.fails(failing(error, lane, &error.to_string()));
        self.shared.counters.retries.add(1);
        let Some(stream) = self.streams.get_mut(lane) else { return };
        stream.looked = true;
        stream.tries.failed(error.kind);
        stream.failed(self.shared.pace.wait(stream.fails + 1));
        if self.shared.gives_up(error.kind, &stream.tries) {
            stream.give_up();
            self.shared.counters.lanes_given_up.add(1);
            self.shared.give_up(format!("{}{lane}", self.home), error);
        }
    }

    /// Puts what is new and wanted among `objects` into `ready`. True if there was any.
    fn take(&mut self, objects: Vec<ObjectMeta>, ready: &mut Ready, look: Look) -> bool {
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut fresh, floor) = (false, self.start_floor());
        let latest = self.shared.clock.now_ns() / MINUTE_NS + 5;
        let mut newest: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for meta in objects {
            let parts = layout::parse(&meta.key);
            let (lane, name) = parts.map_or(("", meta.key.as_str()), |p| (p.lane, p.name));
            let lane =
                newest.get_key_value(lane).map_or_else(|| Arc::from(lane), |(lane, _)| Arc::clone(lane));
            let minute = layout::minute(name);
            // A key from the future must not make us pass by what comes until then.
            let seen = newest.entry(Arc::clone(&lane)).or_default();
            *seen = (*seen).max(minute.unwrap_or(0).min(latest));
            if !self.wanted(&meta, parts, minute) {
                // It is listed again at the next look.
                if self.filtered.insert(mark(meta.key.as_bytes())) {
                    self.shared.counters.objects_filtered.add(1);
                }
                continue;
            }
            let (stamp, written) = (stamp(&meta), meta.modified_ns / MINUTE_NS);
            let book = ledger.lane(&lane, if parts.is_some() { floor } else { 0 });
            let want = match look {
                Look::Back => book.list_late(name, stamp, written, self.window.late_minutes),
                Look::Whole { .. } if lane.is_empty() => book.list_whole(name, stamp, written),
                Look::Live | Look::Whole { .. } => book.list(name, stamp),
            };
            let Want::From(resume) = want else { continue };
            let mut object = Object::new(&self.home, &lane, name.to_owned());
            object.size_bytes = meta.size_bytes;
            object.stamp = stamp;
            object.modified_ns = meta.modified_ns;
            object.filter_records = parts.is_none();
            object.set_resume(resume);
            fresh = true;
            self.shared.counters.objects_known.add(1);
            ready.insert((minute.unwrap_or(meta.modified_ns / MINUTE_NS), meta.key), Arc::new(object));
        }
        if matches!(look, Look::Live | Look::Whole { complete: true }) {
            for (lane, newest) in newest.into_iter().filter(|(lane, _)| !lane.is_empty()) {
                ledger.lane(&lane, floor).listed_to(newest);
            }
        }
        if look == (Look::Whole { complete: true }) {
            ledger.lane(&"".into(), 0).end_whole(self.window.late_minutes);
        }
        fresh
    }

    fn wanted(&self, meta: &ObjectMeta, parts: Option<layout::Parts<'_>>, minute: Option<u64>) -> bool {
        if layout::is_other_product(&meta.key) || !layout::is_log_name(&meta.key) {
            return false;
        }
        if parts.is_some_and(|p| !self.filter.account(p.account) || !self.filter.region(p.region)) {
            return false;
        }
        if let (Some(end), Some(minute)) = (self.window.interval_end, minute)
            && minute > end
        {
            return false;
        }
        let start = self.window.start_ns / MINUTE_NS;
        match minute {
            Some(minute) if minute >= start => true,
            Some(_) if self.window.by_key => false,
            // Late, or without a time in its key: it counts when it was written after the start.
            _ => meta.modified_ns >= self.window.start_ns,
        }
    }

    /// Lists the newest day of the backlog, of all lanes that have it.
    async fn list_backlog_day(&mut self, ready: &mut Ready) {
        let Some(day) = self.streams.values().filter_map(|s| s.backlog.last().copied()).max() else { return };
        let lanes: Vec<Arc<str>> = self
            .streams
            .values()
            .filter(|s| s.backlog.last() == Some(&day) && s.due_backlog())
            .take(LISTS_AT_ONCE * 8)
            .map(|s| Arc::clone(&s.lane))
            .collect();
        let mut open: BTreeMap<Arc<str>, Option<String>> =
            lanes.into_iter().map(|lane| (lane, None)).collect();
        while !open.is_empty() {
            let group = open.iter().take(LISTS_AT_ONCE);
            let requests = group.map(|(lane, cursor)| {
                let prefix = format!("{lane}{}/", day_folder(day));
                let start_after = cursor.clone();
                let request =
                    ListRequest { prefix, start_after, by_folder: false, continuation: None, max_keys: 1000 };
                (Arc::clone(lane), request)
            });
            for page in self.pages(requests.collect()).await {
                match page.result {
                    Err(error) => {
                        self.list_failed(&page.lane, &error);
                        open.remove(&page.lane);
                    }
                    Ok(listed) => {
                        self.shared.worked();
                        self.shared.listing.works(&page.lane);
                        let last = listed.objects.last().map(|o| o.key.clone());
                        let more = listed.next.is_some();
                        self.take(listed.objects, ready, Look::Live);
                        if more && last.is_some() {
                            open.insert(page.lane, last);
                        } else {
                            open.remove(&page.lane);
                            self.day_listed(&page.lane, day);
                        }
                    }
                }
            }
        }
    }

    fn day_listed(&mut self, lane: &Arc<str>, day: u64) {
        let Some(stream) = self.streams.get_mut(lane) else { return };
        stream.backlog.pop();
        stream.works();
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let book = ledger.lane(lane, 0);
        book.listed_day(day);
        if stream.backlog.is_empty() {
            book.hold(None);
        }
    }
}

/// What changes when the content does. Not every server lists etags.
fn stamp(meta: &ObjectMeta) -> u64 {
    let etag = if meta.etag.is_empty() { meta.modified_ns } else { mark(meta.etag.as_bytes()) };
    etag ^ meta.size_bytes
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
