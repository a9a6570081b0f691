//! Pages of listings: asked for, many at once, and what is new and wanted among them.

use super::{Lister, Look, Ready};
use crate::bucket::failing;
use crate::dedup::mark;
use crate::layout::{self, MINUTE_NS};
use crate::ledger::Want;
use crate::object::Object;
use crate::store::{ListPage, ListRequest, ObjectMeta, StoreError, StoreErrorKind};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// Keys of so many minutes around midnight may stand in the folder of the other day. What ends looks once: a page of one
/// day must not pass by what the next page has.
const TURN_MINUTES: u64 = 15;

/// One page of one lane.
pub(super) struct Page {
    pub lane: Arc<str>,
    pub result: Result<ListPage, StoreError>,
}

impl Lister {
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
    pub(super) fn paged(&mut self, page: Page, ready: &mut Ready) {
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

    pub(super) fn list_failed(&mut self, lane: &Arc<str>, error: &StoreError) {
        self.shared.listing.fails(failing(error, lane, &error.to_string()));
        self.shared.counters.retries.add(1);
        let Some(stream) = self.streams.get_mut(lane) else { return };
        stream.failed(error.kind, &self.shared.pace);
        if self.shared.gives_up(error.kind, &stream.tries) {
            stream.give_up();
            self.shared.counters.lanes_given_up.add(1);
            self.shared.give_up(format!("{}{lane}", self.home), error);
        }
    }

    /// Puts what is new and wanted among `objects` into `ready`. True if there was any.
    pub(super) fn take(&mut self, objects: Vec<ObjectMeta>, ready: &mut Ready, look: Look) -> bool {
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut fresh, floor) = (false, self.start_floor());
        let now = self.shared.clock.now_ns() / MINUTE_NS;
        let (latest, whole) = (now + 5, matches!(look, Look::Whole { .. }));
        let mut newest: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for meta in objects {
            let parts = layout::parse(&meta.key);
            let (lane, name) = parts.map_or(("", meta.key.as_str()), |p| (p.lane, p.name));
            let lane =
                newest.get_key_value(lane).map_or_else(|| Arc::from(lane), |(lane, _)| Arc::clone(lane));
            let minute = layout::minute(name);
            // A key from the future must not make us pass by what comes until then.
            let seen = newest.entry(Arc::clone(&lane)).or_insert_with(|| {
                if whole && parts.is_some() && !self.once {
                    ledger.lane(&lane, floor).look_back_from(now);
                }
                0
            });
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
                // Such a look goes back to the beginning each time: it is a look back too.
                Look::Whole { .. } if !self.once => {
                    book.list_late(name, stamp, written, self.window.late_minutes)
                }
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
        if look != Look::Back {
            for (lane, newest) in newest.into_iter().filter(|(lane, _)| !lane.is_empty()) {
                let book = ledger.lane(&lane, floor);
                book.listed_to(newest);
                book.settle(self.settle_window(), now);
            }
        }
        if look == (Look::Whole { complete: true }) {
            let began = ledger.lane(&"".into(), 0).end_whole(self.window.late_minutes);
            if !self.once {
                let seen = ledger.lanes_mut().filter(|(lane, _)| !lane.is_empty());
                seen.for_each(|(_, book)| book.looked_at_all(began));
            }
        }
        fresh
    }

    /// How far the floor stays behind the newest minute that was listed.
    pub(super) fn settle_window(&self) -> u64 {
        let window = self.window.late_minutes;
        if self.once { window.max(TURN_MINUTES) } else { window }
    }

    pub(super) fn wanted(
        &self,
        meta: &ObjectMeta,
        parts: Option<layout::Parts<'_>>,
        minute: Option<u64>,
    ) -> bool {
        if layout::is_other_product(&meta.key) || !layout::is_log_name(&meta.key) {
            return false;
        }
        if !self.filter.key(parts.as_ref()) {
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
