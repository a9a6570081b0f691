//! The accounts and regions that are listed, and where in each reading begins.

use super::Lister;
use crate::bucket::discover::{Discovery, Places};
use crate::bucket::stream::Stream;
use crate::layout::{MINUTE_NS, day_of};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

impl Lister {
    pub(super) async fn discover_when_due(&mut self) {
        let due = match self.known_since {
            None => true,
            Some(at) => !self.once && at.elapsed() >= self.shared.pace.discover,
        };
        if !due {
            return;
        }
        let mut fails = 0;
        loop {
            let (counters, filter, store) = (&self.shared.counters, &self.filter, self.store.as_ref());
            let discovery = Discovery { store, counters, filter, pace: self.shared.pace };
            let answer =
                tokio::time::timeout(self.shared.pace.request * 10, discovery.run(&self.prefix)).await;
            match answer {
                Ok(Ok(places)) => {
                    self.shared.listing.works();
                    self.adopt(places);
                    self.known_since = Some(Instant::now());
                    return;
                }
                Ok(Err(error)) => {
                    self.shared.listing.fails(&format!("{:?}", error.kind), &error.to_string(), &error.story)
                }
                Err(_) => self.shared.listing.fails("timeout", "no answer in time", ""),
            }
            fails += 1;
            self.shared.counters.retries.add(1);
            if self.known_since.is_some() {
                // The lanes that are known go on; new ones wait.
                self.known_since = Some(Instant::now());
                return;
            }
            tokio::time::sleep(self.shared.pace.wait(fails)).await;
        }
    }

    fn adopt(&mut self, places: Places) {
        let Places { lanes, flat, refused, other_accounts } = places;
        for error in refused.iter().filter(|error| self.refused.insert(error.target.clone())) {
            tracing::warn!("left out until it may be listed: {error}");
        }
        if lanes.is_empty() && flat.is_none() && self.known_since.is_none() {
            let others: Vec<&str> = other_accounts.iter().map(String::as_str).take(20).collect();
            tracing::warn!(
                "nothing to read below {}{} yet{}{}",
                self.home,
                self.prefix,
                if others.is_empty() { "" } else { ": none of the accounts asked for; there are " },
                others.join(", ")
            );
        }
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
    pub(super) fn start_floor(&self) -> u64 {
        let minute = self.window.start_ns / MINUTE_NS;
        if self.window.by_key { minute } else { minute.saturating_sub(self.window.late_minutes) }
    }

    fn prepare(&self, stream: &mut Stream) {
        let floor = self.start_floor();
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = ledger.lane(&stream.lane, floor);
        lane.raise(floor);
        if !self.newest_first {
            return;
        }
        let now = self.shared.clock.now_ns() / MINUTE_NS;
        let today = day_of(now) * 1440;
        stream.live_from = today.min(now.saturating_sub(self.window.late_minutes));
        let first = day_of(lane.state().floor);
        stream.backlog = (first..day_of(now)).filter(|day| !lane.state().days.contains(day)).collect();
        if !stream.backlog.is_empty() {
            lane.hold(Some(lane.state().floor));
        }
    }
}
