//! Which accounts and regions there are, and from where each is listed.

use super::Lister;
use crate::bucket::discover::{Discovery, Places};
use crate::bucket::stream::Stream;
use crate::bucket::{absent, failing};
use crate::layout::{MINUTE_NS, day_of};
use crate::retry::Tries;
use crate::store::{StoreError, StoreErrorKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

impl Lister {
    pub(super) async fn discover_when_due(&mut self) {
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
            tries.failed(error.kind);
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

    pub(super) fn adopt(&mut self, places: Places) {
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
    pub(super) fn start_floor(&self) -> u64 {
        let minute = self.window.start_ns / MINUTE_NS;
        if self.window.by_key { minute } else { minute.saturating_sub(self.window.late_minutes) }
    }

    pub(super) fn prepare(&self, stream: &mut Stream) {
        let floor = self.start_floor();
        let now = self.shared.clock.now_ns() / MINUTE_NS;
        let mut ledger = self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = ledger.lane(&stream.lane, floor);
        lane.raise(floor);
        // What ends never looks back: it need not know what the floor has passed.
        if !self.once {
            let since_back = Duration::from_secs(now.saturating_sub(lane.look_back_from(now)) * 60);
            stream.back_due = Instant::now() + self.shared.pace.look_back.saturating_sub(since_back);
        }
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
}
