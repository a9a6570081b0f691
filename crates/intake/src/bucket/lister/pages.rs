//! Pages of listings, and which of their objects are wanted.

use super::{Lister, Ready};
use crate::dedup::mark;
use crate::layout::{self, MINUTE_NS};
use crate::ledger::Want;
use crate::object::Object;
use crate::store::{ListRequest, ObjectMeta, ObjectStore, StoreError, StoreErrorKind};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Keys that one round of listings may bring.
const ROUND_KEYS: usize = 20_000;
/// Listings at once.
pub(super) const LISTS_AT_ONCE: usize = 16;

/// One page of one lane.
pub(super) struct Page {
    pub lane: Arc<str>,
    pub result: Result<crate::store::ListPage, StoreError>,
}

impl Lister {
    /// Lists a page of each lane that is due.
    pub(super) async fn list_due(&mut self, ready: &mut Ready) {
        let now = Instant::now();
        let limit = self.order_limit();
        let held = ready.len();
        let due: Vec<Arc<str>> = self
            .streams
            .values()
            .filter(|s| s.due <= now)
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

    fn request(&self, lane: &Arc<str>, max_keys: usize) -> Option<ListRequest> {
        let stream = self.streams.get(lane)?;
        let start_after = match &stream.cursor {
            Some(cursor) => Some(cursor.clone()),
            None if stream.flat => None,
            None => {
                let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
                let book = ledger.lane(lane, self.start_floor());
                book.settle(self.window.late_minutes);
                let from =
                    book.state().floor.max(book.state().newest.saturating_sub(self.window.late_minutes));
                layout::before_minute(lane, from.max(stream.live_from))
            }
        };
        let prefix = lane.to_string();
        Some(ListRequest { prefix, start_after, by_folder: false, continuation: None, max_keys })
    }

    /// Lists all at once.
    pub(super) async fn pages(&self, requests: Vec<(Arc<str>, ListRequest)>) -> Vec<Page> {
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
        self.shared.listing.works();
        let Some(flat) = self.streams.get(&page.lane).map(|s| s.flat) else { return };
        let more = listed.next.is_some();
        let last = listed.objects.last().map(|o| o.key.clone());
        let fresh = self.take(listed.objects, ready, flat, !more);
        let Some(stream) = self.streams.get_mut(&page.lane) else { return };
        stream.looked = true;
        let next = last.filter(|_| more).map(|key| {
            let minute = layout::minute(&key).unwrap_or(stream.cursor_minute);
            (key, minute)
        });
        stream.paged(next, fresh, poll);
    }

    pub(super) fn list_failed(&mut self, lane: &Arc<str>, error: &StoreError) {
        self.shared.listing.fails(&format!("{:?}", error.kind), &error.to_string(), &error.story);
        self.shared.counters.retries.add(1);
        if let Some(stream) = self.streams.get_mut(lane) {
            let wait = self.shared.pace.wait(stream.fails + 1);
            stream.looked = true;
            stream.failed(wait);
        }
    }

    /// Puts what is new and wanted among `objects` into `ready`. True if there was any.
    pub(super) fn take(
        &self,
        objects: Vec<ObjectMeta>,
        ready: &mut Ready,
        flat: bool,
        complete: bool,
    ) -> bool {
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
                self.shared.counters.objects_filtered.add(1);
                continue;
            }
            let stamp = stamp(&meta);
            let book = ledger.lane(&lane, if parts.is_some() { floor } else { 0 });
            let Want::From(resume) = book.list(name, stamp) else { continue };
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
        if !flat || complete {
            for (lane, newest) in newest {
                if !lane.is_empty() {
                    ledger.lane(&lane, floor).listed_to(newest);
                }
            }
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
