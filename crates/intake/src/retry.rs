//! Trying again: how long to wait, and saying so once.

use std::sync::{Mutex, PoisonError};
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

/// From 0 to 1. Not for secrets.
fn random_share() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(0u8) >> 11) as f64 / (1u64 << 53) as f64
}

/// Whether something works, told in the log at each change only.
#[derive(Debug)]
pub struct Health {
    what: &'static str,
    trouble: Mutex<Option<String>>,
}

impl Health {
    /// Of `what`, as a log line names it.
    pub fn new(what: &'static str) -> Self {
        Self { what, trouble: Mutex::new(None) }
    }

    /// It failed, in a way that `kind` names; `story`: what a person may want to know beside the message.
    pub fn fails(&self, kind: &str, message: &str, story: &str) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.as_deref() != Some(kind) {
            tracing::warn!("{} fails, trying again: {message}", self.what);
            story.lines().for_each(|line| tracing::warn!("  {line}"));
            *trouble = Some(kind.to_owned());
        }
    }

    /// It worked.
    pub fn works(&self) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.take().is_some() {
            tracing::info!("{} works again", self.what);
        }
    }

    /// The kind of trouble there is now.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
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

    #[test]
    fn trouble_is_told_once() {
        let health = Health::new("listing");
        assert_eq!(health.trouble(), None);
        health.fails("throttled", "503", "");
        health.fails("throttled", "503", "");
        assert_eq!(health.trouble().as_deref(), Some("throttled"));
        health.works();
        assert_eq!(health.trouble(), None);
    }
}
