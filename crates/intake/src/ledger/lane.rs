//! What is known of the objects whose keys begin alike.

mod late;
mod whole;

use self::late::Late;
use self::whole::Look;
use super::{Step, WaitingObject};
use crate::layout::{day_of, minute};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One account and region of a trail; or everything, where keys say nothing.
///
/// Objects of a minute before `floor` are through or too late; of the others each is known by name.
#[derive(Debug, Default)]
pub struct Lane {
    pub(super) state: LaneState,
    /// Listed and not yet through: minute and name.
    pub(super) pending: BTreeSet<(u64, String)>,
    /// The floor stays below this minute, until everything before it was listed.
    hold: Option<u64>,
    /// Days of which all objects were listed.
    listed: BTreeSet<u64>,
    late: Late,
    look: Look,
}

/// The part of a lane that is kept on disk.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneState {
    /// Minutes since 1970.
    pub floor: u64,
    /// Newest minute that was listed.
    pub newest: u64,
    /// Days (since 1970) after the floor's that are through.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub days: BTreeSet<u64>,
    /// Names of objects that are through, with their stamps and, for growing files, the bytes read.
    #[serde(default)]
    pub done: BTreeMap<String, (u64, u64)>,
    /// Names of objects of which a part was taken, with their stamps and the inflated bytes taken.
    #[serde(default)]
    pub open: BTreeMap<String, (u64, u64)>,
    /// Without times in the names: objects written before this minute (since 1970) are through, and not known by name.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub written_before: u64,
    /// In this minute (since 1970) it was last looked back for objects later than the window.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub looked_back: u64,
    /// Names of objects before the floor that are through: they were found by looking back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub late: BTreeSet<String>,
    /// Names of objects that wait for a permission, of whatever time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waiting: BTreeMap<String, WaitingObject>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What to do with an object that was listed.
#[derive(Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing.
    No,
    /// Read it, after so many inflated bytes.
    From(u64),
}

impl Lane {
    /// A lane of which nothing is known; objects of a minute before `floor` are not wanted.
    pub fn new(floor: u64) -> Self {
        Self::restored(LaneState { floor, newest: floor, ..LaneState::default() })
    }

    /// A lane as it was left. What was listed by then and not read is known by no name any more: all from the floor on
    /// is to be listed again.
    pub fn restored(mut state: LaneState) -> Self {
        state.newest = state.floor;
        Self { state, ..Self::default() }
    }

    /// The part that is kept on disk.
    pub fn state(&self) -> &LaneState {
        &self.state
    }

    /// Objects listed and not yet through.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Notes an object that was listed; says whether it is to be read.
    pub fn list(&mut self, name: &str, stamp: u64) -> Want {
        let pending = pending_key(name);
        if self.is_through(name)
            || self.state.waiting.contains_key(name)
            || self.state.done.get(name).is_some_and(|&(known, _)| known == stamp)
            || self.pending.contains(&pending)
        {
            return Want::No;
        }
        self.pending.insert(pending);
        Want::From(self.resume(name, stamp))
    }

    /// True for an object of a time that is through. Names without a time never are.
    fn is_through(&self, name: &str) -> bool {
        minute(name).is_some_and(|at| at < self.state.floor || self.state.days.contains(&day_of(at)))
    }

    /// Moves the floor up to where reading began, if nothing better is known.
    pub fn raise(&mut self, floor: u64) {
        self.state.floor = self.state.floor.max(floor);
        self.state.newest = self.state.newest.max(floor);
    }

    /// Notes that everything up to this minute was listed.
    pub fn listed_to(&mut self, minute: u64) {
        self.state.newest = self.state.newest.max(minute);
    }

    /// Notes that everything of this day was listed, as far as it was there.
    pub fn listed_day(&mut self, day: u64) {
        self.listed.insert(day);
    }

    /// Keeps the floor where it is (`Some`), or lets it go.
    pub fn hold(&mut self, minute: Option<u64>) {
        self.hold = minute;
    }

    /// Takes note of a step.
    pub fn apply(&mut self, step: &Step) {
        if !step.done {
            self.state.open.insert(step.name.clone(), (step.stamp, step.upto));
            return;
        }
        self.state.open.remove(&step.name);
        self.state.waiting.remove(&step.name);
        self.pending.remove(&pending_key(&step.name));
        if !self.is_through(&step.name) {
            self.state.done.insert(step.name.clone(), (step.stamp, step.upto));
        } else if minute(&step.name).is_some_and(|at| at < self.state.floor) {
            self.state.late.insert(step.name.clone());
        }
    }

    /// Moves the floor up as far as it may, and forgets names below it. `window` in minutes, `now` in minutes since
    /// 1970.
    pub fn settle(&mut self, window: u64, now: u64) {
        let through: Vec<u64> = self
            .listed
            .iter()
            .copied()
            // Shortly after midnight objects of the day before are still to come.
            .filter(|&day| (day + 1) * 1440 + window <= now)
            .filter(|&day| !self.pending.iter().any(|&(minute, _)| day_of(minute) == day))
            .collect();
        for day in through {
            self.listed.remove(&day);
            self.state.days.insert(day);
            self.state.done.retain(|name, _| minute(name).is_none_or(|m| day_of(m) != day));
        }
        let mut floor = self.state.newest.saturating_sub(window);
        if let Some(&(oldest, _)) = self.pending.first() {
            floor = floor.min(oldest);
        }
        if let Some(hold) = self.hold {
            floor = floor.min(hold);
        }
        self.settle_late();
        if floor <= self.state.floor {
            return;
        }
        self.state.floor = floor;
        let after = |name: &String| minute(name).is_none_or(|m| m >= floor);
        let (waiting, looks_back) = (&self.state.waiting, self.state.looked_back > 0);
        self.state.done.retain(|name, _| after(name) || (looks_back && self.late.passed(name)));
        self.state.open.retain(|name, _| waiting.contains_key(name) || after(name));
        self.state.days.retain(|&day| day >= day_of(floor));
        self.listed.retain(|&day| day >= day_of(floor));
    }
}

/// Names without a time sort last, so that they hold no floor.
pub(super) fn pending_key(name: &str) -> (u64, String) {
    (minute(name).unwrap_or(u64::MAX), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn name(minute: u64, random: &str) -> String {
        let lane = "AWSLogs/111122223333/CloudTrail/us-east-1/";
        let key = crate::layout::before_minute(lane, minute).unwrap();
        format!("{}Z_{random}.json.gz", key.strip_prefix(lane).unwrap())
    }

    fn done(name: &str) -> Step {
        Step { lane: Arc::from(""), name: name.into(), stamp: 1, upto: 10, done: true }
    }

    #[test]
    fn an_object_is_read_once() {
        let now = 1_790_000_000 / 60;
        let mut lane = Lane::new(now - 60);
        let (a, b) = (name(now, "a"), name(now + 5, "b"));
        assert_eq!(lane.list(&a, 1), Want::From(0));
        assert_eq!(lane.list(&a, 1), Want::No);
        assert_eq!(lane.list(&b, 1), Want::From(0));
        lane.listed_to(now + 5);
        lane.apply(&Step { done: false, upto: 7, ..done(&a) });
        lane.settle(2, now + 60);
        assert_eq!(lane.state().floor, now, "the floor waits for what is pending");
        let mut again = Lane::restored(lane.state().clone());
        assert_eq!(again.list(&a, 1), Want::From(7), "an open one goes on");
        lane.apply(&done(&a));
        lane.settle(2, now + 60);
        assert_eq!(lane.state().floor, now + 3);
        assert_eq!(lane.list(&a, 1), Want::No);
        assert_eq!(lane.list(&name(now + 2, "late"), 1), Want::No, "later than the window");
        assert_eq!(lane.list(&name(now + 3, "late"), 1), Want::From(0));
    }

    #[test]
    fn days_that_are_through_become_one_number() {
        let day = 20_000;
        let mut lane = Lane::new(day * 1440);
        lane.hold(Some(day * 1440));
        let names: Vec<_> = (0..50).map(|n| name((day + 2) * 1440 + n, "x")).collect();
        for name in &names {
            assert_eq!(lane.list(name, 1), Want::From(0));
        }
        lane.listed_to((day + 2) * 1440 + 50);
        lane.listed_day(day + 2);
        for name in &names {
            lane.settle(60, (day + 3) * 1440 + 60);
            assert!(lane.state().days.is_empty());
            lane.apply(&done(name));
        }
        lane.settle(60, (day + 3) * 1440 + 59);
        assert!(lane.state().days.is_empty(), "objects of that day may still come");
        lane.settle(60, (day + 3) * 1440 + 60);
        assert_eq!(lane.state().days, [day + 2].into());
        assert!(lane.state().done.is_empty());
        assert_eq!(lane.state().floor, day * 1440);
        assert_eq!(lane.list(&names[3], 1), Want::No);
        lane.hold(None);
        lane.settle(60, (day + 3) * 1440 + 60);
        assert_eq!(lane.state().floor, (day + 2) * 1440 - 10);
    }

    #[test]
    fn names_without_a_time_are_never_forgotten() {
        let mut lane = Lane::new(0);
        assert_eq!(lane.list("a.json", 1), Want::From(0));
        lane.apply(&done("a.json"));
        lane.settle(60, 1_000_000);
        assert_eq!(lane.list("a.json", 1), Want::No);
        assert_eq!(lane.list("a.json", 2), Want::From(0), "changed");
    }
}
