//! What `plugin_get_metrics` tells. Falco asks on another thread than the one that reads: atomics only.
//!
//! Falco rewrites names that hold `_sec _ns _ts _kb _mb _bytes _perc _ratio _total`; none of ours does.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use tfdrift_intake::Counters;
use tfdrift_intake::counters::CounterValues;
use tfdrift_states::StateStore;

/// What one instance of the plugin counts.
#[derive(Debug, Default)]
pub struct Shared {
    /// Counters of the open intake.
    pub intake: ArcSwapOption<Counters>,
    /// The states, if a place is configured.
    pub states: ArcSwapOption<StateStore>,
    /// Events of which a `ct.*` field was asked for that were no CloudTrail record.
    pub unreadable: AtomicU64,
    /// Events for which drift was computed.
    pub evaluated: AtomicU64,
    /// Of these, those that are drift.
    pub drifted: AtomicU64,
    /// Resources and attributes that an ignore rule silenced.
    pub ignored: AtomicU64,
}

/// Panics that were stopped in this process.
pub(crate) fn panics() -> &'static AtomicU64 {
    static PANICS: AtomicU64 = AtomicU64::new(0);
    &PANICS
}

/// Instances by the address that Falco knows them by. The lock is taken at init, destroy and by metrics alone.
static INSTANCES: Mutex<BTreeMap<usize, Arc<Shared>>> = Mutex::new(BTreeMap::new());

thread_local!(static CREATED: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) });

/// Called by `new`, which does not know the address yet.
pub(crate) fn created(shared: Arc<Shared>) {
    CREATED.set(Some(shared));
}

/// What `new` made on this thread, for the entry that knows the address.
pub(crate) fn take_created() -> Option<Arc<Shared>> {
    CREATED.take()
}

pub(crate) fn attach(plugin: usize, shared: Arc<Shared>) {
    INSTANCES.lock().unwrap_or_else(PoisonError::into_inner).insert(plugin, shared);
}

pub(crate) fn detach(plugin: usize) {
    INSTANCES.lock().unwrap_or_else(PoisonError::into_inner).remove(&plugin);
}

/// Name, whether it only grows, and value of each metric of that instance.
pub(crate) fn collect(plugin: usize, mut each: impl FnMut(&'static CStr, bool, u64)) {
    let shared = INSTANCES.lock().unwrap_or_else(PoisonError::into_inner).get(&plugin).map(Arc::clone);
    each(c"panics", true, panics().load(Relaxed));
    let Some(shared) = shared else { return };
    each(c"events_unreadable", true, shared.unreadable.load(Relaxed));
    each(c"drift_evaluated", true, shared.evaluated.load(Relaxed));
    each(c"drift_found", true, shared.drifted.load(Relaxed));
    each(c"drift_ignored", true, shared.ignored.load(Relaxed));
    if let Some(states) = shared.states.load().as_ref() {
        let status = states.status();
        each(c"states_loaded", false, status.loaded() as u64);
        each(c"states_failed", false, status.errors().count() as u64);
        each(c"states_resources", false, status.resources() as u64);
        each(c"states_load_failures", true, status.failures);
        let history = states.history();
        each(c"states_history_loads", true, history.get_calls);
        each(c"states_history_failures", true, history.failures);
        each(c"states_history_missed", true, history.missed);
        each(c"states_history_failed", false, history.errors.len() as u64);
        each(c"states_history_size", false, history.bytes);
    }
    let values = shared.intake.load().as_ref().map(|c| c.values()).unwrap_or_default();
    for (name, monotonic, value) in INTAKE {
        each(name, *monotonic, value(&values));
    }
}

type IntakeMetric = (&'static CStr, bool, fn(&CounterValues) -> u64);

/// The intake's counters under names that Falco leaves alone.
const INTAKE: &[IntakeMetric] = &[
    (c"records_emitted", true, |v| v.emitted),
    (c"records_duplicate", true, |v| v.duplicate),
    (c"records_filtered", true, |v| v.filtered),
    (c"records_malformed", true, |v| v.malformed_record),
    (c"records_too_large", true, |v| v.too_large),
    (c"records_failed", true, |v| v.failed_record),
    (c"objects_done", true, |v| v.objects_done),
    (c"objects_filtered", true, |v| v.objects_filtered),
    (c"objects_malformed", true, |v| v.malformed_object),
    (c"objects_not_found", true, |v| v.not_found),
    (c"objects_too_large", true, |v| v.object_too_large),
    (c"objects_refused", true, |v| v.object_refused),
    (c"folders_refused", false, |v| v.folders_refused),
    (c"objects_in_flight", false, |v| v.objects_in_flight),
    (c"fetched_size", true, |v| v.fetched_bytes),
    (c"inflated_size", true, |v| v.inflated_bytes),
    (c"retries", true, |v| v.retries),
    (c"list_calls", true, |v| v.list_calls),
    (c"get_calls", true, |v| v.get_calls),
    (c"lag_millis", false, |v| v.lag_millis),
    (c"lag_aws_millis", false, |v| v.lag_aws_millis),
    (c"lag_own_millis", false, |v| v.lag_own_millis),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_left_alone_by_falco() {
        attach(7, Arc::default());
        let mut names = Vec::new();
        collect(7, |name, _, _| names.push(name.to_str().unwrap()));
        detach(7);
        assert!(names.len() > 20);
        for unit in ["_sec", "_ns", "_ts", "_kb", "_mb", "_bytes", "_perc", "_ratio", "_total"] {
            assert!(!names.iter().any(|n| n.contains(unit)), "{unit}: {names:?}");
        }
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len());
    }

    #[test]
    fn an_unknown_instance_has_the_processs_metrics_alone() {
        let mut n = 0;
        collect(usize::MAX, |_, _, _| n += 1);
        assert_eq!(n, 1);
    }
}
