//! One lane as it is listed: where to go on, and when.

use crate::retry::{Pace, Tries};
use crate::store::StoreErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A quiet lane is asked up to so many times less often than a busy one.
const QUIET: u32 = 4;
/// Where lanes are many, calls cost more than it is worth to see the first event of a quiet one sooner.
const QUIET_OF_MANY: u32 = 8;
/// More lanes are many.
const MANY: usize = 100;

/// So late, at most, is the first object after a quiet time found, where the poll interval is not longer itself.
const QUIET_MOST: Duration = Duration::from_secs(240);

/// A lane that is listed again and again.
#[derive(Debug)]
pub struct Stream {
    /// The lane's name: what its keys begin with.
    pub lane: Arc<str>,
    /// Without AWS's layout: listed as a whole, each time.
    pub flat: bool,
    /// Last key listed, when there are more pages.
    pub cursor: Option<String>,
    /// Minute of that key.
    pub cursor_minute: u64,
    /// The next look.
    pub due: Instant,
    /// Looks in a row without anything new.
    quiet: u32,
    /// Failures in a row.
    pub tries: Tries,
    /// Not listed any more: it could not be, and reading is to end.
    pub given_up: bool,
    /// Not listed on for now: too many of its objects wait for a permission.
    pub held: bool,
    /// Live listing begins here, in minutes since 1970; days before are the backlog's.
    pub live_from: u64,
    /// Days that are yet to be listed, in ascending order; the last one is next.
    pub backlog: Vec<u64>,
    /// Pages of the last whole listing.
    pages: u32,
    /// True when it was listed at least once.
    pub looked: bool,
    /// The next look back for objects that came later than the window.
    pub back_due: Instant,
    /// Something new was in the pages listed since the last look began.
    fresh: bool,
}

impl Stream {
    /// A lane that is due now.
    pub fn new(lane: Arc<str>, flat: bool) -> Self {
        Self {
            lane,
            flat,
            cursor: None,
            cursor_minute: 0,
            due: Instant::now(),
            quiet: 0,
            tries: Tries::default(),
            given_up: false,
            held: false,
            live_from: 0,
            backlog: Vec::new(),
            pages: 0,
            looked: false,
            back_due: Instant::now(),
            fresh: false,
        }
    }

    /// True when pages of this look are yet to come.
    pub fn has_more(&self) -> bool {
        self.cursor.is_some()
    }

    /// Notes a page; `next`: the last key of it, when there are more; `lanes`: how many lanes there are.
    pub fn paged(&mut self, next: Option<(String, u64)>, fresh: bool, poll: Duration, lanes: usize) {
        self.works();
        self.pages += 1;
        self.fresh |= fresh;
        match next {
            Some((cursor, minute)) => {
                (self.cursor, self.cursor_minute) = (Some(cursor), minute);
                self.due = Instant::now();
            }
            None => {
                self.cursor = None;
                self.quiet = if self.fresh { 0 } else { self.quiet + 1 };
                // Three looks at full pace, then half of it, a quarter, an eighth. A flat prefix is listed as a
                // whole each time: a second a page keeps that cheap.
                let most = if lanes > MANY { QUIET_OF_MANY } else { QUIET };
                let slower = 1 << self.quiet.saturating_sub(3).min(most.trailing_zeros());
                let interval = (poll * slower).min(QUIET_MOST.max(poll));
                let pages =
                    if self.flat { Duration::from_secs(u64::from(self.pages - 1)) } else { Duration::ZERO };
                self.due = Instant::now() + interval.max(pages);
                (self.pages, self.fresh) = (0, false);
            }
        }
    }

    /// When to look back: not before the lane was listed, and not while that fails or rests.
    pub fn next_back(&self) -> Instant {
        if self.looked && !self.fails() && !self.held { self.back_due } else { self.back_due.max(self.due) }
    }

    /// True when a day of the backlog can be listed now: not while that fails or rests.
    pub fn backlog_ready(&self, now: Instant) -> bool {
        let rests = self.held || self.given_up || (self.fails() && self.due > now);
        !(self.backlog.is_empty() || rests)
    }

    /// Notes that a listing worked.
    pub fn works(&mut self) {
        self.tries = Tries::default();
    }

    /// True while listing fails.
    pub fn fails(&self) -> bool {
        self.tries.fails > 0
    }

    /// Notes that it is not listed any more.
    pub fn give_up(&mut self) {
        self.given_up = true;
        self.cursor = None;
        self.backlog.clear();
    }

    /// True when nothing of it is left to list.
    pub fn is_through(&self) -> bool {
        self.given_up || (self.looked && !self.fails() && !self.has_more() && self.backlog.is_empty())
    }

    /// Notes a failure; the next attempt is due after a while.
    pub fn failed(&mut self, kind: StoreErrorKind, pace: &Pace) {
        self.looked = true;
        self.tries.failed(kind);
        self.due = Instant::now() + pace.wait(self.tries.fails);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_lanes_are_asked_less_often() {
        let poll = Duration::from_secs(30);
        let mut stream = Stream::new("l/".into(), false);
        for (lanes, expected) in
            [(17, [30, 30, 30, 60, 120, 120, 120]), (101, [30, 30, 30, 60, 120, 240, 240])]
        {
            let mut waits = Vec::new();
            for _ in 0..7 {
                stream.paged(None, false, poll, lanes);
                waits.push((stream.due - Instant::now()).as_secs_f64().round() as u64);
            }
            assert_eq!(waits, expected);
            stream.paged(None, true, poll, lanes);
        }
        assert!(stream.due - Instant::now() <= poll);
        for (poll_secs, wanted) in [(1, 4), (60, 240), (120, 240), (600, 600)] {
            let mut stream = Stream::new("l/".into(), false);
            for _ in 0..7 {
                stream.paged(None, false, Duration::from_secs(poll_secs), 17);
            }
            assert_eq!((stream.due - Instant::now()).as_secs_f64().round() as u64, wanted, "{poll_secs}");
        }
    }

    #[test]
    fn a_backlog_that_cannot_be_listed_now_is_not_ready() {
        let (pace, now) = (Pace::default(), Instant::now());
        let mut stream = Stream::new("l/".into(), false);
        assert!(!stream.backlog_ready(now), "nothing in it");
        stream.backlog = vec![1, 2];
        assert!(stream.backlog_ready(now));
        stream.failed(StoreErrorKind::Denied, &pace);
        assert!(!stream.backlog_ready(now) && stream.backlog_ready(stream.due), "after the wait");
        stream.works();
        stream.held = true;
        assert!(!stream.backlog_ready(now));
        stream.held = false;
        stream.give_up();
        assert!(!stream.backlog_ready(now));
    }

    #[test]
    fn pages_follow_at_once() {
        let mut stream = Stream::new("l/".into(), false);
        stream.paged(Some(("k".into(), 7)), true, Duration::from_secs(30), 1);
        assert!(stream.has_more() && stream.due <= Instant::now());
    }
}
