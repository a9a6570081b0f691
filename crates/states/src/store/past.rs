//! What a store says of the past.

use std::sync::Arc;
use std::time::Duration;

use tfdrift_tfstate::Snapshot;

use super::{Inner, StateStore, lock};
use crate::status::HistoryStatus;

/// What Terraform makes is in its state within this time: it writes one every 20 seconds while it applies.
const SETTLE_NS: u64 = 15 * 60 * 1_000_000_000;

/// Which states a judgement is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// As they stood at the time.
    Then,
    /// As they were written soon after.
    Settled,
}

impl StateStore {
    /// The snapshot as of a time, in nanoseconds since the epoch: each state of a versioned bucket as it stood then,
    /// all others as they are now. A version written in the very second of the event stood.
    ///
    /// The newest snapshot, at no cost, for a time since the newest of those states was written. For one before, what
    /// was asked before is found in less than a microsecond; else the versions are read, and this waits for them: at
    /// most `first_load_timeout_secs` while the store is open, for as long as it takes otherwise. What is not there
    /// by then, or cannot be read, is as it is now; [`StateStore::history`] says why.
    ///
    /// `None` until the first snapshot is loaded, and with no places.
    ///
    /// # Panics
    /// Not within an async runtime: it may block.
    pub fn snapshot_at(&self, time_ns: u64) -> Option<Arc<Snapshot>> {
        let Inner { present, history, config, worker, .. } = &*self.inner;
        let present = present.load();
        let present = present.as_ref()?;
        if time_ns >= present.newest_ns || config.history_cache_bytes == 0 {
            return Some(present.snapshot.clone());
        }
        if let Some(snapshot) = history.find(present, time_ns) {
            return Some(snapshot);
        }
        let wait = Duration::from_secs(config.first_load_timeout_secs);
        if !history.ask(present, time_ns, wait)
            && let Some(runtime) = lock(worker).runtime()
        {
            // nobody polls: the connections are ours
            runtime.block_on(history.fill(present, time_ns));
        }
        let found = history.find(present, time_ns);
        if found.is_none() {
            history.missed();
        }
        Some(found.unwrap_or_else(|| present.snapshot.clone()))
    }

    /// The states as they were written within the next quarter of an hour, for what the snapshot `then` of that time
    /// does not know: Terraform writes a state some time after it made what stands in it. `None` where that is `then`.
    ///
    /// # Panics
    /// As [`StateStore::snapshot_at`].
    pub fn snapshot_settled(&self, time_ns: u64, then: &Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        let settled = self.snapshot_at(time_ns.saturating_add(SETTLE_NS))?;
        Some(settled).filter(|settled| !Arc::ptr_eq(settled, then))
    }

    /// Judges by the states as of a time and, where nothing is found in them, by those that were written soon after: they
    /// may hold what the event is about. The later judgement counts only if it is about something managed. With it the
    /// snapshot that it comes from. `None` until the first snapshot is loaded.
    ///
    /// `managed` says of a judgement whether it is about something managed; `None` if nothing was found.
    ///
    /// # Panics
    /// As [`StateStore::snapshot_at`].
    pub fn judged_at<J>(
        &self,
        time_ns: u64,
        mut judge: impl FnMut(&Arc<Snapshot>, AsOf) -> J,
        managed: impl Fn(&J) -> Option<bool>,
    ) -> Option<(Arc<Snapshot>, J)> {
        let then = self.snapshot_at(time_ns)?;
        let judgement = judge(&then, AsOf::Then);
        if managed(&judgement).is_none()
            && let Some(settled) = self.snapshot_settled(time_ns, &then)
        {
            let later = judge(&settled, AsOf::Settled);
            if managed(&later) == Some(true) {
                return Some((settled, later));
            }
        }
        Some((then, judgement))
    }

    /// Reads the version before the newest one, of one state of each place that may keep versions, so that
    /// [`StateStore::history`] says whether that can be done. Does nothing while the store is open.
    ///
    /// # Panics
    /// Not within an async runtime: it blocks.
    pub fn try_history(&self) -> HistoryStatus {
        let Inner { present, history, config, worker, .. } = &*self.inner;
        if let Some(present) = &*present.load()
            && config.history_cache_bytes > 0
            && !history.is_served()
            && let Some(runtime) = lock(worker).runtime()
        {
            runtime.block_on(history.look_back(present));
        }
        self.history()
    }

    /// What is known of the past.
    pub fn history(&self) -> HistoryStatus {
        self.inner.history.status()
    }
}
