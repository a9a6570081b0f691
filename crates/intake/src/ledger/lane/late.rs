//! Objects that come later than the window: found by looking back at the days that the floor has passed.

use super::{Lane, Want, pending_key};
use crate::dedup::mark;
use crate::layout::minute;
use std::collections::HashSet;

/// By so many minutes the bucket's clock may differ from ours, or an object's time from when it can be seen.
const SLACK: u64 = 15;
/// Where every look is a look back, one in so many minutes counts: what the floor passed since the one before the last
/// is known by its mark, so that the time of writing is only asked of what lies further back than [`SLACK`].
const APART: u64 = 60;
/// Names of late objects are kept until the floor is so many minutes after them: they are listed no longer.
const KEPT: u64 = 3 * 1440;

/// What is known in memory of objects that the floor has passed.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// When the last look back began, in minutes since 1970, while what it found is not through.
    began: Option<u64>,
    /// Marks of the names that the floor passed since the last look back, and between it and the one before.
    passed: [HashSet<u64>; 2],
}

impl Late {
    /// Remembers a name that the floor passes. Always false: it need not be known by name any longer.
    pub(super) fn passed(&mut self, name: &str) -> bool {
        self.passed[0].insert(mark(name.as_bytes()));
        false
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.passed.iter().map(HashSet::len).sum()
    }

    fn has_passed(&self, name: &str) -> bool {
        let mark = mark(name.as_bytes());
        self.passed.iter().any(|marks| marks.contains(&mark))
    }
}

impl Lane {
    /// Looking back begins with what is written from `now` on (minutes since 1970), unless an earlier run began it.
    /// Returns the minute of the last look back.
    pub fn look_back_from(&mut self, now: u64) -> u64 {
        if self.state.looked_back == 0 {
            self.state.looked_back = now;
        }
        self.state.looked_back
    }

    /// As [`Lane::list`], of an object found by looking back. `written`: minute of its last change; `window` in
    /// minutes.
    pub fn list_late(&mut self, name: &str, stamp: u64, written: u64, window: u64) -> Want {
        let Some(at) = minute(name).filter(|&at| at < self.state.floor) else {
            return self.list(name, stamp);
        };
        // What was written in time was listed in time: a look lists all from `window` before the newest key on.
        let in_time = written + SLACK < at + window || written + SLACK < self.state.looked_back;
        let pending = pending_key(name);
        if in_time
            || self.late.has_passed(name)
            || self.state.late.contains(name)
            || self.state.waiting.contains_key(name)
            || self.pending.contains(&pending)
        {
            return Want::No;
        }
        self.pending.insert(pending);
        let before = self.state.open.get(name).filter(|(known, _)| *known == stamp);
        Want::From(before.map_or(0, |&(_, upto)| upto))
    }

    /// How many objects are known by a mark alone.
    #[cfg(test)]
    pub fn passed(&self) -> usize {
        self.late.len()
    }

    /// Notes that a look back, begun in this minute, is complete.
    pub fn looked_back(&mut self, began: u64) {
        self.late.began = Some(began);
    }

    /// Notes that a look at all objects, from the first on, is complete: it was a look back too.
    pub fn looked_at_all(&mut self, began: u64) {
        if self.state.looked_back > 0 && began >= self.state.looked_back + APART {
            self.looked_back(began);
        }
    }

    /// A look back counts when what it found is through: a kill before that repeats it.
    pub(super) fn settle_late(&mut self) {
        let floor = self.state.floor;
        if self.pending.first().is_some_and(|&(oldest, _)| oldest < floor) {
            return;
        }
        let Some(began) = self.late.began.take() else { return };
        self.state.looked_back = began;
        let [newer, older] = &mut self.late.passed;
        *older = std::mem::take(newer);
        self.state.late.retain(|name| minute(name).is_some_and(|at| at + KEPT >= floor));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;

    const LANE: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/";

    fn name(minute: u64, random: &str) -> String {
        let key = crate::layout::before_minute(LANE, minute).unwrap();
        format!("{}Z_{random}.json.gz", key.strip_prefix(LANE).unwrap())
    }

    fn done(name: &str) -> Step {
        Step { lane: LANE.into(), name: name.into(), stamp: 1, upto: 10, done: true }
    }

    #[test]
    fn only_what_came_late_is_read_and_once() {
        let now = 20_000 * 1440 + 700;
        let mut lane = Lane::new(now - 60);
        assert_eq!(lane.look_back_from(now), now);
        let normal = name(now, "normal");
        assert_eq!(lane.list(&normal, 1), Want::From(0));
        lane.apply(&done(&normal));
        lane.listed_to(now + 200);
        lane.settle(60, now + 200);
        assert_eq!(lane.state().floor, now + 140);
        let late = name(now + 10, "late");
        assert_eq!(lane.list(&late, 1), Want::No, "the live look knows no better");
        assert_eq!(
            lane.list_late(&name(now, "copied"), 1, now - 500, 60),
            Want::No,
            "written before we began"
        );
        assert_eq!(lane.list_late(&name(now, "early"), 1, now + 20, 60), Want::No, "in time");
        assert_eq!(lane.list_late(&normal, 1, now + 150, 60), Want::No, "known, however late it came");
        assert_eq!(lane.list_late(&late, 1, now + 190, 60), Want::From(0));
        assert_eq!(lane.list_late(&late, 1, now + 190, 60), Want::No);
        lane.looked_back(now + 200);
        lane.listed_to(now + 300);
        lane.settle(60, now + 300);
        assert_eq!((lane.state().looked_back, lane.state().floor), (now, now + 140), "it is not through yet");
        let mut killed = Lane::restored(lane.state().clone());
        assert_eq!(killed.list_late(&late, 1, now + 190, 60), Want::From(0));
        lane.apply(&done(&late));
        assert_eq!(lane.list_late(&late, 1, now + 190, 60), Want::No);
        lane.settle(60, now + 300);
        assert_eq!((lane.state().looked_back, lane.state().floor), (now + 200, now + 240));
        let mut again = Lane::restored(lane.state().clone());
        assert_eq!(again.list_late(&late, 1, now + 190, 60), Want::No);
        lane.listed_to(now + 10_000);
        lane.looked_back(now + 10_000);
        lane.settle(60, now + 10_000);
        lane.looked_back(now + 10_010);
        lane.settle(60, now + 10_010);
        assert!(lane.state().late.is_empty(), "not remembered for ever");
    }

    /// Each look lists all: some are written late, some long after, and some are copies of what is days old.
    #[test]
    fn looks_at_all_read_each_object_once_and_remember_little() {
        let start = 20_000 * 1440;
        let (mut lane, mut objects, mut most) = (Lane::new(start), Vec::new(), 0);
        for now in start..start + 5 * 1440 {
            if now < start + 600 {
                let late = [0, 5, 44, 59, 61, 200, 400][(now % 7) as usize];
                objects.push((name((now - late).max(start), &now.to_string()), now, 0));
            }
            if now > start + 600 && now % 20 != 0 {
                continue;
            }
            lane.look_back_from(start);
            for (name, written, read) in &mut objects {
                if lane.list_late(name, 1, *written, 60) != Want::No {
                    *read += 1;
                    lane.apply(&done(name));
                }
            }
            lane.listed_to(now);
            lane.settle(60, now);
            lane.looked_at_all(now);
            most = most.max(lane.passed() + lane.state().late.len() + lane.state().done.len());
        }
        assert!(objects.iter().all(|(_, _, read)| *read == 1), "{objects:?}");
        assert!(most < 600, "{most}");
        assert_eq!((lane.passed(), lane.state().late.len(), lane.state().done.len()), (0, 0, 0));
    }

    #[test]
    fn a_key_in_the_wrong_days_folder_is_read_as_any_other() {
        let now = 20_000 * 1440 + 700;
        let mut lane = Lane::new(now - 60);
        let wrong = name(now, "w").replace("/04/", "/03/");
        assert_eq!(lane.list_late(&wrong, 1, now, 60), Want::From(0));
        lane.apply(&done(&wrong));
        assert_eq!(lane.list_late(&wrong, 1, now, 60), Want::No);
    }
}
