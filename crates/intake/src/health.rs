//! Whether something works, told in the log once per change of state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Of the places that one trouble touches, so many are told each in a line of its own.
const NAMED: usize = 10;

/// Whether something works. It may fail at many places (accounts and regions, objects) and in several ways at once: each
/// way is one trouble, told when it begins, with its story, and when it is over.
///
/// A trouble that passes by itself is over when each place that had it worked and none had it for a quiet time: a
/// bucket that answers every other call with 503 is one trouble, not hundreds. Any other is over as soon as each
/// place that had it works.
#[derive(Debug)]
pub struct Health {
    what: &'static str,
    quiet: Duration,
    any: AtomicBool,
    troubles: Mutex<BTreeMap<String, Trouble>>,
}

#[derive(Debug)]
struct Trouble {
    passes: bool,
    places: BTreeSet<String>,
    named: usize,
    last: Instant,
}

/// One failure.
#[derive(Debug, Clone, Copy)]
pub struct Failing<'a> {
    /// The way in which it failed; each is a trouble of its own.
    pub kind: &'a str,
    /// Where it failed: what must work again.
    pub place: &'a str,
    /// True for what passes by itself.
    pub passes: bool,
    /// One line, cause first.
    pub message: &'a str,
    /// What a person may want to know beside the message.
    pub story: &'a str,
}

impl Health {
    /// Of `what`, as a log line names it.
    pub fn new(what: &'static str, quiet: Duration) -> Self {
        Self { what, quiet, any: AtomicBool::new(false), troubles: Mutex::default() }
    }

    /// It failed. True when that is news.
    pub fn fails(&self, failing: Failing<'_>) -> bool {
        let mut troubles = self.lock();
        self.any.store(true, Relaxed);
        let now = Instant::now();
        let Some(trouble) = troubles.get_mut(failing.kind) else {
            let places = BTreeSet::from([failing.place.to_owned()]);
            let trouble = Trouble { passes: failing.passes, places, named: 1, last: now };
            troubles.insert(failing.kind.to_owned(), trouble);
            tracing::warn!("{} fails, trying again: {}", self.what, failing.message);
            failing.story.lines().for_each(|line| tracing::warn!("  {line}"));
            return true;
        };
        trouble.last = now;
        let new = trouble.places.insert(failing.place.to_owned());
        // What passes is the same everywhere; a refusal may be another one elsewhere.
        if !new || trouble.passes || trouble.named > NAMED {
            return false;
        }
        trouble.named += 1;
        match trouble.named {
            named if named > NAMED => tracing::warn!("{} fails in the same way for more", self.what),
            _ => tracing::warn!("{} fails too: {}", self.what, failing.message),
        }
        true
    }

    /// It worked at that place.
    pub fn works(&self, place: &str) {
        self.over(place, true);
    }

    /// That place is no more.
    pub fn gone(&self, place: &str) {
        self.over(place, false);
    }

    fn over(&self, place: &str, works: bool) {
        if !self.any.load(Relaxed) {
            return;
        }
        let mut troubles = self.lock();
        troubles.retain(|_, trouble| {
            let had = trouble.places.remove(place);
            let over = trouble.places.is_empty()
                && if trouble.passes { works && trouble.last.elapsed() >= self.quiet } else { had };
            if over && works {
                tracing::info!("{} works again", self.what);
            }
            !over
        });
        self.any.store(!troubles.is_empty(), Relaxed);
    }

    /// The kinds of trouble there are now.
    #[cfg(test)]
    pub fn troubles(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Trouble>> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing<'a>(kind: &'a str, place: &'a str, passes: bool) -> Failing<'a> {
        Failing { kind, place, passes, message: "", story: "" }
    }

    #[test]
    fn what_fails_now_and_then_is_one_trouble() {
        let health = Health::new("fetching", Duration::from_secs(3600));
        assert!(health.fails(failing("throttled", "a", true)));
        for place in ["a", "b", "c"].repeat(100) {
            assert!(!health.fails(failing("throttled", place, true)));
            health.works(place);
        }
        assert_eq!(health.troubles(), ["throttled"], "not over before the quiet time");
        let health = Health::new("fetching", Duration::ZERO);
        health.fails(failing("throttled", "a", true));
        health.works("b");
        assert_eq!(health.troubles(), ["throttled"], "a has not worked yet");
        health.works("a");
        assert!(health.troubles().is_empty());
        assert!(health.fails(failing("throttled", "a", true)), "news again");
    }

    #[test]
    fn a_refusal_ends_where_it_was() {
        let health = Health::new("listing", Duration::from_secs(3600));
        assert!(health.fails(failing("denied", "eu", false)));
        for _ in 0..10 {
            health.works("us");
            assert!(!health.fails(failing("denied", "eu", false)));
        }
        assert!(health.fails(failing("denied", "ap", false)), "another place is news");
        assert!(health.fails(failing("throttled", "ap", true)), "another kind is news");
        health.works("eu");
        assert_eq!(health.troubles(), ["denied", "throttled"]);
        health.gone("ap");
        assert_eq!(health.troubles(), ["throttled"]);
        let places: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let told = places.iter().filter(|place| health.fails(failing("denied", place, false))).count();
        assert_eq!(told, NAMED + 1);
    }
}
