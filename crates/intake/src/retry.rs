//! Trying again: how long to wait.

use crate::store::StoreErrorKind;
use std::time::Duration;

/// Times between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Wait before the second attempt; doubled with each further one.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
    /// How long one request may take.
    pub request: Duration,
    /// How long the objects behind one wait for it before they go first.
    pub patience: Duration,
    /// Between two looks for new accounts and regions.
    pub discover: Duration,
    /// Between two looks back at the day before, for objects that came later than the window.
    pub look_back: Duration,
    /// Between two looks at an account and region; `None`: `poll_interval_secs`.
    pub poll: Option<Duration>,
    /// A trouble that passes by itself is over when it was not seen for so long.
    pub quiet: Duration,
    /// What ends by itself (`?once`) gives up when nothing has worked for so long.
    pub give_up: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            most: Duration::from_secs(60),
            request: Duration::from_secs(60),
            patience: Duration::from_secs(1),
            discover: Duration::from_secs(600),
            look_back: Duration::from_secs(6 * 3600),
            poll: None,
            quiet: Duration::from_secs(30),
            give_up: Duration::from_secs(60),
        }
    }
}

impl Pace {
    /// The wait before attempt number `attempt` (from 1): between half of and the whole of the doubled first wait, so
    /// that clients which failed together do not come back together.
    pub fn wait(&self, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(1u32 << attempt.saturating_sub(1).min(16)).min(self.most);
        doubled.mul_f64(0.5 + 0.5 * random_share())
    }
}

/// Failures in a row of one thing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tries {
    /// How many.
    pub fails: u32,
    /// Of these, those that waiting alone does not mend.
    pub refusals: u32,
}

impl Tries {
    /// Counts a failure.
    pub fn failed(&mut self, kind: StoreErrorKind) {
        self.fails = self.fails.saturating_add(1);
        if !matches!(kind, StoreErrorKind::Throttled | StoreErrorKind::Transient) {
            self.refusals += 1;
        }
    }
}

/// From 0 to 1. Not for secrets.
fn random_share() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(0u8) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_and_differ() {
        let pace = Pace { first: Duration::from_secs(1), most: Duration::from_secs(8), ..Pace::default() };
        for (attempt, whole) in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (1000, 8.0)] {
            let waits: Vec<f64> = (0..50).map(|_| pace.wait(attempt).as_secs_f64()).collect();
            assert!(waits.iter().all(|w| (whole / 2.0..=whole).contains(w)), "{attempt}: {waits:?}");
            assert!(waits.iter().any(|w| (w - waits[0]).abs() > 1e-6));
        }
    }
}
