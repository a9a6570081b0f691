//! A bound on the bytes that wait between two threads.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that may be held at once. Whoever wants more waits until others give theirs back.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: u64,
    peak: u64,
    closed: bool,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(1), state: Mutex::default(), room: Condvar::new() })
    }

    /// Waits for room for `bytes` more. What is bigger than the whole budget goes through alone.
    /// `None` when the budget was closed.
    pub fn take(self: &Arc<Self>, bytes: u64) -> Option<Held> {
        let want = bytes.min(self.limit);
        let mut state = self.lock();
        while !state.closed && state.held.saturating_add(want) > self.limit {
            let wait = self.room.wait_timeout(state, Duration::from_millis(500));
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.closed {
            return None;
        }
        state.held += want;
        state.peak = state.peak.max(state.held);
        Some(Held { budget: Arc::clone(self), bytes: want })
    }

    /// Lets all who wait go home with nothing.
    pub fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
    }

    /// The most bytes that were ever held.
    pub fn peak(&self) -> u64 {
        self.lock().peak
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of a budget; given back when dropped.
#[derive(Debug)]
pub struct Held {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.held = state.held.saturating_sub(self.bytes);
        drop(state);
        self.budget.room.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_comes_back() {
        let budget = Budget::new(10);
        let first = budget.take(6);
        assert_eq!(budget.lock().held, 6);
        drop(first);
        assert_eq!(budget.lock().held, 0);
        assert_eq!(budget.peak(), 6);
    }

    #[test]
    fn a_waiter_goes_on_when_room_is_made() {
        let budget = Budget::new(10);
        let first = budget.take(8);
        let other = Arc::clone(&budget);
        let waiter = std::thread::spawn(move || other.take(8).is_some());
        drop(first);
        assert!(waiter.join().unwrap());
    }

    #[test]
    fn more_than_all_of_it_goes_through_alone() {
        let budget = Budget::new(10);
        let all = budget.take(1_000);
        assert_eq!(budget.lock().held, 10);
        drop(all);
    }

    #[test]
    fn closing_frees_the_waiters() {
        let budget = Budget::new(1);
        let _held = budget.take(1);
        let other = Arc::clone(&budget);
        let waiter = std::thread::spawn(move || other.take(1).is_none());
        budget.close();
        assert!(waiter.join().unwrap());
    }
}
