//! Objects without a time in their names: listed as a whole each time, and yet not remembered for ever.

use super::{Lane, Want};
use crate::dedup::mark;
use std::collections::{BTreeMap, HashSet};

/// Up to so many names are kept; when there are more, the time of writing stands for the older ones.
const NAMES: usize = 20_000;

/// What one look at the whole has shown so far.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// The minute (since 1970) in which it began.
    began: u64,
    /// Marks of the names that were listed.
    seen: HashSet<u64>,
    /// How many objects were written in which hour since 1970.
    hours: BTreeMap<u64, usize>,
    /// Minute in which the oldest object was written that is not through.
    oldest_open: Option<u64>,
}

impl Lane {
    /// Notes that a look at the whole begins in this minute.
    pub fn begin_whole(&mut self, now: u64) {
        self.look = Look { began: now, ..Look::default() };
    }

    /// As [`Lane::list`], of an object written in this minute, in a look at the whole.
    pub fn list_whole(&mut self, name: &str, stamp: u64, written: u64) -> Want {
        if written < self.state.written_before {
            self.state.done.remove(name);
            self.state.open.remove(name);
            return Want::No;
        }
        self.look.seen.insert(mark(name.as_bytes()));
        *self.look.hours.entry(written / 60).or_default() += 1;
        let through = self.state.done.get(name).is_some_and(|&(known, _)| known == stamp);
        if !through {
            self.look.oldest_open = Some(self.look.oldest_open.map_or(written, |oldest| oldest.min(written)));
        }
        self.list(name, stamp)
    }

    /// Notes that a look at the whole is complete: forgets names that are gone, and, where the rest is too many, lets
    /// the time of writing stand for the oldest. What was written within `window` minutes is always known by name.
    /// Returns the minute in which the look began.
    pub fn end_whole(&mut self, window: u64) -> u64 {
        let look = std::mem::take(&mut self.look);
        let seen = |name: &str| look.seen.contains(&mark(name.as_bytes()));
        self.state.done.retain(|name, _| seen(name));
        self.state.open.retain(|name, _| seen(name) || self.pending.contains(&super::pending_key(name)));
        if self.state.done.len() <= NAMES {
            return look.began;
        }
        let mut kept = 0;
        let full = look.hours.iter().rev().find(|(_, count)| {
            kept += **count;
            kept > NAMES / 2
        });
        let Some((hour, _)) = full else { return look.began };
        let before = ((hour + 1) * 60)
            .min(look.began.saturating_sub(window))
            .min(look.oldest_open.unwrap_or(u64::MAX));
        self.state.written_before = self.state.written_before.max(before);
        look.began
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LaneState, Step};
    use super::*;

    fn done(name: &str) -> Step {
        Step { lane: "".into(), name: name.into(), stamp: 1, upto: 10, done: true }
    }

    /// Lists all, and returns the names that are to be read.
    fn look<'n>(lane: &mut Lane, objects: &'n [(String, u64)], now: u64) -> Vec<&'n str> {
        lane.begin_whole(now);
        let wanted =
            objects.iter().filter(|(name, written)| lane.list_whole(name, 1, *written) == Want::From(0));
        let wanted = wanted.map(|(name, _)| name.as_str()).collect();
        lane.end_whole(60);
        wanted
    }

    #[test]
    fn names_are_bounded_and_nothing_is_lost_or_read_twice() {
        let mut lane = Lane::default();
        let mut objects = Vec::new();
        let (mut now, mut largest) = (1_000_000, 0);
        for round in 0..40 {
            now += 30;
            // Names in no order of time.
            objects
                .extend((0..1500).map(|n| {
                    (format!("{:08x}.json", mark(format!("{round}-{n}").as_bytes())), now - n % 30)
                }));
            objects.sort();
            let wanted = look(&mut lane, &objects, now);
            assert_eq!(wanted.len(), 1500, "{round}");
            // Every tenth round one object takes its time.
            let slow = round % 10;
            for name in wanted.iter().skip(usize::from(slow == 0)) {
                lane.apply(&done(name));
            }
            let mut again = Lane::restored(lane.state().clone());
            let left = look(&mut again, &objects, now);
            assert_eq!(left.len(), usize::from(slow == 0), "{round}: {left:?}");
            if slow == 0 {
                lane.apply(&done(wanted[0]));
            }
            largest = largest.max(lane.state().done.len());
        }
        assert_eq!(objects.len(), 60_000);
        assert!(largest <= NAMES + 2 * 1500, "{largest}");
        assert!(lane.state().written_before > 1_000_000);
        let late = [("late.json".to_owned(), now - 59)];
        assert_eq!(look(&mut lane, &late, now), ["late.json"], "within the window by name");
    }

    #[test]
    fn what_is_not_through_is_not_passed() {
        let mut lane = Lane::default();
        let objects: Vec<(String, u64)> =
            (0..30_000).map(|n| (format!("{n}.json"), 1_000 + n / 10)).collect();
        assert_eq!(look(&mut lane, &objects, 10_000).len(), 30_000);
        objects.iter().filter(|(name, _)| name != "50.json").for_each(|(name, _)| lane.apply(&done(name)));
        look(&mut lane, &objects, 10_000);
        assert_eq!(lane.state().written_before, 1_005);
        let mut killed = Lane::restored(lane.state().clone());
        assert_eq!(look(&mut killed, &objects, 10_000), ["50.json"]);
    }

    #[test]
    fn names_that_are_gone_are_forgotten() {
        let mut lane = Lane::default();
        let objects = [("a.json".to_owned(), 5), ("b.json".to_owned(), 6)];
        look(&mut lane, &objects, 10);
        objects.iter().for_each(|(name, _)| lane.apply(&done(name)));
        look(&mut lane, &objects[1..], 20);
        assert_eq!(lane.state().done.keys().collect::<Vec<_>>(), ["b.json"]);
        assert_eq!(lane.state(), &LaneState { done: lane.state().done.clone(), ..LaneState::default() });
    }
}
