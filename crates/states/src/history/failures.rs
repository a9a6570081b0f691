//! What could not be read of the past, said once and not tried again for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::error::PlaceError;
use crate::status::HistoryError;

/// What failed is not tried again for so long.
pub(crate) const RETRY: Duration = Duration::from_secs(300);
/// And what may pass by itself, for so long.
pub(crate) const RETRY_SOON: Duration = Duration::from_secs(30);
/// Failures kept, at most: one a place, and one a version that cannot be read.
const MAX: usize = 1000;

/// Failures by what they belong to: a place's name, or an item and a version.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    open: BTreeMap<String, (PlaceError, Instant)>,
    said: BTreeSet<String>,
    /// Since the start.
    pub(crate) count: u64,
}

impl Failures {
    /// Until when it is not to be tried again.
    pub(crate) fn blocked(&self, of: &str, now: Instant) -> Option<Instant> {
        self.open.get(of).map(|(_, retry)| *retry).filter(|retry| *retry > now)
    }

    /// Notes a failure, and when to try again; gives that back.
    pub(crate) fn note(&mut self, of: &str, error: PlaceError, retry: Instant) -> Instant {
        self.count += 1;
        if self.open.len() >= MAX {
            self.open.pop_first();
        }
        if self.said.len() < MAX && self.said.insert(error.to_string()) {
            tracing::warn!(%error, "events of the past are judged by the newest state");
            if let Some(detail) = error.detail() {
                tracing::info!("{detail}");
            }
        }
        self.open.insert(of.to_owned(), (error, retry));
        retry
    }

    /// Notes that it went well.
    pub(crate) fn clear(&mut self, of: &str) {
        if let Some((error, _)) = self.open.remove(of) {
            self.said.remove(&error.to_string());
            tracing::info!(of, "older versions can be read again");
        }
    }

    /// What is wrong at present.
    pub(crate) fn errors(&self) -> Vec<HistoryError> {
        let error = |(error, _): &(PlaceError, Instant)| HistoryError {
            error: error.to_string(),
            detail: error.detail().map(str::to_owned),
        };
        self.open.values().map(error).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_blocks_for_a_while_and_is_cleared_by_success() {
        let mut failures = Failures::default();
        let now = Instant::now();
        let retry = failures.note("s3://b/", PlaceError::remote("s3://b/", "denied"), now + RETRY);
        assert_eq!(failures.blocked("s3://b/", now), Some(retry));
        assert!(failures.blocked("s3://c/", now).is_none());
        assert!(failures.blocked("s3://b/", retry).is_none());
        assert_eq!(failures.errors().len(), 1, "still the last word");
        failures.clear("s3://b/");
        assert!(failures.errors().is_empty());
    }

    #[test]
    fn there_are_never_too_many() {
        let mut failures = Failures::default();
        for n in 0..MAX * 2 {
            failures.note(&n.to_string(), PlaceError::remote(n.to_string(), "gone"), Instant::now());
        }
        assert!(failures.open.len() <= MAX && failures.said.len() <= MAX);
    }
}
