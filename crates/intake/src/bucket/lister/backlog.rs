//! With `order: newest_first`, days of the past: one at a time, the newest first.

use super::{LISTS_AT_ONCE, Lister, Look, Ready};
use crate::layout::{MINUTE_NS, day_folder};
use crate::store::ListRequest;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

impl Lister {
    /// Lists the newest day of the backlog, of all lanes that have it. Lanes that may not be listed, or rest, keep no
    /// other one waiting.
    pub(super) async fn list_backlog_day(&mut self, ready: &mut Ready) {
        let now = Instant::now();
        self.hold_full(now, |stream| !stream.backlog.is_empty());
        let open = self.streams.values().filter(|s| s.backlog_ready(now));
        let Some(day) = open.filter_map(|s| s.backlog.last().copied()).max() else { return };
        let lanes: Vec<Arc<str>> = self
            .streams
            .values()
            .filter(|s| s.backlog.last() == Some(&day) && s.backlog_ready(now))
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

    pub(super) fn day_listed(&mut self, lane: &Arc<str>, day: u64) {
        let Some(stream) = self.streams.get_mut(lane) else { return };
        stream.backlog.pop();
        stream.works();
        let last = stream.backlog.is_empty();
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let book = ledger.lane(lane, 0);
        book.listed_day(day);
        if last {
            book.hold(None);
        }
        // The days before, which are through by now, become a number each.
        book.settle(self.settle_window(), self.shared.clock.now_ns() / MINUTE_NS);
    }
}
