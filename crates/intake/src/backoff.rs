//! When a write that failed is tried again. Space comes back by itself, or by somebody who makes room.

use std::time::{Duration, Instant};

/// The wait after the first failure; doubled with each further one.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait.
const MOST: Duration = Duration::from_secs(8);

/// Failures in a row of one kind of write.
#[derive(Debug, Default)]
pub struct Backoff {
    fails: u32,
    due: Option<Instant>,
}

impl Backoff {
    /// True when nothing failed, or the wait after it is over.
    pub fn is_due(&self) -> bool {
        self.due.is_none_or(|due| due <= Instant::now())
    }

    /// Notes a failure. True for the first in a row: the one to tell of.
    pub fn failed(&mut self) -> bool {
        self.due = Some(Instant::now() + FIRST.saturating_mul(1 << self.fails.min(16)).min(MOST));
        self.fails += 1;
        self.fails == 1
    }

    /// Notes that it worked. True when it had failed before.
    pub fn worked(&mut self) -> bool {
        std::mem::take(self).fails > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_and_the_first_success_are_told() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_due() && !backoff.worked());
        assert!(backoff.failed() && !backoff.failed());
        assert!(!backoff.is_due());
        for _ in 0..100 {
            backoff.failed();
        }
        assert!(backoff.due.unwrap() <= Instant::now() + MOST);
        assert!(backoff.worked() && backoff.is_due() && !backoff.worked());
    }
}
