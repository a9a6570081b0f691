//! Objects that wait until somebody allows them to be read.
//!
//! They are asked for again one at a time and ever more slowly, an account and region each, so that thousands of them
//! cost a few calls a minute. When one that was refused can be read, all of its account and region are asked for.
//! Where several in a row were refused, new ones are not even tried: they wait with the others, and the newest of them
//! are asked for in turn with the oldest.

use crate::object::Object;
use crate::retry::Pace;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// After so many refusals in a row, new objects of the same account and region are not tried.
const CLOSED_AFTER: u32 = 3;
/// So many calls at least are made in the longest wait, however many accounts and regions wait.
const CALLS: u32 = 10;
/// When so many objects wait in all, accounts and regions with [`LANE_FULL`] of them are not listed on.
const FULL: usize = 20_000;
/// See [`FULL`].
const LANE_FULL: usize = 100;

/// Those that wait.
#[derive(Default)]
pub struct Waiting {
    state: Mutex<State>,
    any: AtomicBool,
    waiting: AtomicUsize,
    /// Told when it may be time for another call.
    pub changed: Notify,
}

#[derive(Default)]
struct State {
    groups: BTreeMap<Arc<str>, Group>,
    /// No call before.
    next: Option<Instant>,
    /// So many calls need not wait for `next`: something was allowed a moment ago, perhaps more was.
    hurry: usize,
}

/// Of one account and region.
#[derive(Default)]
struct Group {
    refused: BTreeMap<String, Arc<Object>>,
    untried: BTreeMap<String, Arc<Object>>,
    /// Asked for again at this moment.
    out: BTreeSet<String>,
    /// Refusals in a row.
    row: u32,
    /// Calls in vain.
    fails: u32,
    due: Option<Instant>,
    last: String,
    newest: bool,
}

/// What became possible because an object could be read, or ended.
#[derive(Default)]
pub struct Freed {
    /// To be asked for now, in order.
    pub objects: Vec<Arc<Object>>,
    /// Nothing of that account and region waits any more.
    pub over: bool,
}

impl Waiting {
    /// True where new objects wait with those that were refused; this one then does.
    pub fn takes(&self, object: &Arc<Object>) -> bool {
        if !self.any.load(Relaxed) {
            return false;
        }
        let mut state = self.lock();
        let Some(group) = state.groups.get_mut(&object.lane).filter(|group| group.row >= CLOSED_AFTER) else {
            return false;
        };
        group.untried.insert(object.name.clone(), Arc::clone(object));
        self.waiting.fetch_add(1, Relaxed);
        true
    }

    /// Takes an object that was refused.
    pub fn refused(&self, object: &Arc<Object>, pace: &Pace) {
        object.set_refused();
        let mut state = self.lock();
        self.any.store(true, Relaxed);
        let group = state.groups.entry(Arc::clone(&object.lane)).or_default();
        group.row = group.row.saturating_add(1);
        if group.out.remove(&object.name) || group.due.is_none() {
            group.fails = group.fails.saturating_add(1);
            group.due = Some(Instant::now() + pace.wait(group.fails));
        }
        if group.refused.insert(object.name.clone(), Arc::clone(object)).is_none() {
            self.waiting.fetch_add(1, Relaxed);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Notes that an object could be read.
    pub fn worked(&self, object: &Object) -> Freed {
        self.decided(object, true)
    }

    /// Notes that an object ended in another way.
    pub fn ended(&self, object: &Object) -> Freed {
        self.decided(object, false)
    }

    fn decided(&self, object: &Object, worked: bool) -> Freed {
        let mut freed = Freed::default();
        if !self.any.load(Relaxed) {
            return freed;
        }
        let mut state = self.lock();
        let Some(group) = state.groups.get_mut(&object.lane) else { return freed };
        group.out.remove(&object.name);
        if worked {
            group.row = 0;
            let mut free = std::mem::take(&mut group.untried);
            if object.was_refused() {
                group.fails = 0;
                free.append(&mut group.refused);
            }
            group.out.extend(free.keys().cloned());
            freed.objects = free.into_values().collect();
        }
        freed.over = group.refused.is_empty() && group.untried.is_empty() && group.out.is_empty();
        if freed.over {
            state.groups.remove(&object.lane);
        }
        if worked && object.was_refused() {
            let now = Instant::now();
            state.groups.values_mut().for_each(|group| group.due = Some(now));
            state.hurry = state.groups.len();
        }
        self.waiting.fetch_sub(freed.objects.len(), Relaxed);
        self.any.store(!state.groups.is_empty(), Relaxed);
        drop(state);
        self.changed.notify_one();
        freed
    }

    /// The next one to ask for again, or when there may be one.
    pub fn next(&self, pace: &Pace) -> Result<Arc<Object>, Option<Instant>> {
        let mut state = self.lock();
        let now = Instant::now();
        let idle = state.groups.iter().filter(|(_, group)| group.out.is_empty());
        let first = idle.filter_map(|(lane, group)| Some((group.due?, lane))).min();
        let Some((due, lane)) = first.map(|(due, lane)| (due, Arc::clone(lane))) else { return Err(None) };
        let due = if state.hurry > 0 { due } else { state.next.map_or(due, |next| due.max(next)) };
        if due > now {
            return Err(Some(due));
        }
        let object = state.groups.get_mut(&lane).and_then(Group::pick);
        if object.is_some() {
            self.waiting.fetch_sub(1, Relaxed);
        }
        state.hurry = state.hurry.saturating_sub(1);
        state.next = Some(now + pace.most / CALLS);
        object.ok_or(Some(now + pace.most))
    }

    /// Objects that wait.
    pub fn len(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// True when so many wait that no more of this account and region should be listed.
    pub fn is_full(&self, lane: &str) -> bool {
        self.len() >= FULL
            && self.lock().groups.get(lane).is_some_and(|g| g.refused.len() + g.untried.len() >= LANE_FULL)
    }

    /// True when so many wait that nothing should be listed where accounts and regions are not told apart.
    pub fn is_full_in_all(&self) -> bool {
        self.len() >= FULL
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    /// Takes the next one to ask for: each refused one in turn, and every other time the newest untried one.
    fn pick(&mut self) -> Option<Arc<Object>> {
        self.newest = !self.newest;
        let untried = if self.newest || self.refused.is_empty() { self.untried.pop_last() } else { None };
        let (name, object) = match untried {
            Some(picked) => picked,
            None => {
                let after = self.refused.range::<str, _>((Excluded(self.last.as_str()), Unbounded)).next();
                let name = after.or_else(|| self.refused.first_key_value()).map(|(name, _)| name.clone())?;
                self.refused.remove_entry(&name)?
            }
        };
        self.last.clone_from(&name);
        self.out.insert(name);
        Some(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn object(lane: &str, name: &str) -> Arc<Object> {
        Arc::new(Object::new(&"s3://b/".into(), &lane.into(), name.into()))
    }

    fn pace() -> Pace {
        Pace { first: Duration::ZERO, most: Duration::ZERO, ..Pace::default() }
    }

    fn names(objects: &[Arc<Object>]) -> Vec<&str> {
        objects.iter().map(|object| object.name.as_str()).collect()
    }

    #[test]
    fn one_refused_object_lets_the_others_go() {
        let (waiting, pace) = (Waiting::default(), pace());
        let (a, b) = (object("l/", "a"), object("l/", "b"));
        assert!(!waiting.takes(&a));
        waiting.refused(&a, &pace);
        assert!(!waiting.takes(&b));
        assert!(waiting.worked(&b).objects.is_empty(), "a may still be refused");
        assert_eq!(waiting.next(&pace).unwrap().name, "a");
        assert!(waiting.next(&pace).is_err(), "asked for already");
        waiting.refused(&a, &pace);
        assert_eq!(waiting.next(&pace).unwrap().name, "a");
        assert!(waiting.worked(&a).over);
        assert_eq!(waiting.len(), 0);
    }

    #[test]
    fn where_all_are_refused_new_ones_wait_and_all_go_when_one_can_be_read() {
        let (waiting, pace) = (Waiting::default(), pace());
        for name in ["a", "b", "c"] {
            waiting.refused(&object("l/", name), &pace);
        }
        let other = object("other/", "x");
        assert!(!waiting.takes(&other), "another region has its own permissions");
        waiting.refused(&other, &pace);
        for name in ["d", "e"] {
            assert!(waiting.takes(&object("l/", name)));
        }
        assert_eq!(waiting.len(), 6);
        let mut asked = Vec::new();
        for _ in 0..5 {
            let next = waiting.next(&pace).unwrap();
            waiting.refused(&next, &pace);
            if &*next.lane == "l/" {
                asked.push(next.name.clone());
            }
        }
        assert!(asked.contains(&"e".to_owned()) && asked.contains(&"a".to_owned()), "{asked:?}");
        let probe = loop {
            match waiting.next(&pace).unwrap() {
                next if &*next.lane == "l/" && next.was_refused() => break next,
                next => waiting.refused(&next, &pace),
            }
        };
        let freed = waiting.worked(&probe);
        assert_eq!((freed.objects.len(), freed.over), (4, false), "{:?}", names(&freed.objects));
        let last = freed.objects.iter().map(|object| waiting.worked(object).over).collect::<Vec<_>>();
        assert_eq!(last, [false, false, false, true]);
    }

    #[test]
    fn however_many_regions_wait_calls_are_few() {
        let waiting = Waiting::default();
        let pace = Pace { first: Duration::ZERO, most: Duration::from_secs(3600), ..Pace::default() };
        for n in 0..850 {
            waiting.refused(&object(&format!("{n}/"), "a"), &pace);
        }
        assert!(waiting.next(&pace).is_ok());
        let then = waiting.next(&pace).unwrap_err().unwrap();
        assert!(then - Instant::now() > Duration::from_secs(300));
    }

    #[test]
    fn a_region_full_of_refused_objects_is_not_listed_on() {
        let (waiting, pace) = (Waiting::default(), pace());
        for n in 0..FULL {
            assert!(!waiting.is_full_in_all());
            waiting.refused(&object("l/", &n.to_string()), &pace);
        }
        assert!(waiting.is_full_in_all());
        waiting.refused(&object("other/", "x"), &pace);
        assert!(waiting.is_full("l/") && !waiting.is_full("other/") && !waiting.is_full("none/"));
    }
}
