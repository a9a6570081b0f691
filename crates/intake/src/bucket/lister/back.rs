//! Looking back: now and then the day before is listed again, for objects that came later than the window.

use super::{LISTS_AT_ONCE, Lister, Look, Ready};
use crate::layout::{self, MINUTE_NS, day_of};
use crate::store::ListRequest;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// How one lane is looked back at.
struct Range {
    lane: Arc<str>,
    /// Last key listed.
    after: String,
    /// Keys from here on are the live look's.
    until: String,
}

impl Lister {
    /// Looks back at the lanes that are due. Costs a call for each 1,000 objects since the beginning of yesterday.
    pub(super) async fn look_back(&mut self, ready: &mut Ready) {
        if self.once {
            return;
        }
        let (now, began) = (Instant::now(), self.shared.clock.now_ns() / MINUTE_NS);
        let due =
            self.streams.values().filter(|s| !s.flat && s.looked && !s.fails() && !s.held && !s.has_more());
        let due = due.filter(|s| s.back_due <= now).take(LISTS_AT_ONCE).map(|s| Arc::clone(&s.lane));
        let mut ranges = Vec::new();
        for lane in due.collect::<Vec<_>>() {
            match self.range(&lane, began) {
                Some(range) => ranges.push(range),
                None => self.looked_back(&lane, None),
            }
        }
        while !ranges.is_empty() {
            let requests = ranges.iter().map(|range| {
                let (prefix, start_after) = (range.lane.to_string(), Some(range.after.clone()));
                let request =
                    ListRequest { prefix, start_after, by_folder: false, continuation: None, max_keys: 1000 };
                (Arc::clone(&range.lane), request)
            });
            for page in self.pages(requests.collect()).await {
                let Some(at) = ranges.iter().position(|range| range.lane == page.lane) else { continue };
                let listed = match page.result {
                    Ok(listed) => listed,
                    Err(error) => {
                        ranges.swap_remove(at);
                        self.list_failed(&page.lane, &error);
                        // Not before the lane can be listed again.
                        self.back_due_with_lane(&page.lane);
                        continue;
                    }
                };
                let last = listed.objects.last().map(|object| object.key.clone());
                self.take(listed.objects, ready, Look::Back);
                let range = ranges.get_mut(at).zip(last).filter(|_| listed.next.is_some());
                match range.filter(|(range, last)| *last < range.until) {
                    Some((range, last)) => range.after = last,
                    None => {
                        ranges.swap_remove(at);
                        self.looked_back(&page.lane, Some(began));
                    }
                }
            }
        }
    }

    /// `None` where the live look reaches that far back by itself.
    fn range(&self, lane: &Arc<str>, now: u64) -> Option<Range> {
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let floor = ledger.lane(lane, self.start_floor()).state().floor;
        let first = day_of(now).saturating_sub(1) * 1440;
        let (after, until) = (layout::before_minute(lane, first)?, layout::before_minute(lane, floor)?);
        (floor > first).then(|| Range { lane: Arc::clone(lane), after, until })
    }

    /// The next look back is due after a while. `began`: minute in which one was made.
    fn looked_back(&mut self, lane: &Arc<str>, began: Option<u64>) {
        if let Some(stream) = self.streams.get_mut(lane) {
            stream.back_due = Instant::now() + self.shared.pace.look_back;
        }
        if let Some(began) = began {
            let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            ledger.lane(lane, self.start_floor()).looked_back(began);
            ledger.changed = true;
        }
    }

    fn back_due_with_lane(&mut self, lane: &Arc<str>) {
        if let Some(stream) = self.streams.get_mut(lane) {
            stream.back_due = stream.due;
        }
    }
}
