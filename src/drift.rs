//! The plugin's side of drift: mappings, rules and states of one configuration, and what a record means for them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tfdrift_cloudtrail::Record;
use tfdrift_drift::{DriftConfig, Finding, Mappings, drift};
use tfdrift_states::{Lease, StateStore};
use tfdrift_tfstate::Snapshot;

use crate::config::Config;
use crate::metrics::Shared;

/// What a record means for Terraform, and the states that say so.
pub(crate) struct Judgement {
    pub(crate) snapshot: Arc<Snapshot>,
    /// None if no managed resource is hit and none was created.
    pub(crate) finding: Option<Finding>,
    /// Whether Terraform itself did it, as far as can be told.
    pub(crate) expected: bool,
}

/// Mappings, rules and states.
pub(crate) struct Drift {
    rules: DriftConfig,
    /// Ignore rules whose last day is over, as lines of the log.
    expired: Vec<String>,
    /// Those of `mappings` with the built-in ones; none if that is not set.
    own: Option<Box<Mappings>>,
    /// None if no place is configured: then no `tf.*` field that needs a state has a value.
    store: Option<Arc<StateStore>>,
    /// Keeps the states current from `open`, or from the first question, to `close`.
    lease: Option<Lease>,
    first_load_timeout: Duration,
}

impl Drift {
    /// Takes the process's store for this configuration; loads nothing.
    ///
    /// # Errors
    /// A setting that can never work, as text.
    pub(crate) fn new(config: &Config, shared: &Shared) -> Result<Self, String> {
        let rules = config.drift_rules().map_err(|e| e.to_string())?;
        let own = match config.mappings.as_str() {
            "" => None,
            folder => {
                let own = Mappings::with_folder(Path::new(folder)).map_err(|e| e.to_string())?;
                Some(Box::new(own))
            }
        };
        let store = match config.state.places.as_slice() {
            [] => None,
            _ => {
                let plan = own.as_deref().unwrap_or_else(|| Mappings::builtin()).index_plan();
                let store = tfdrift_states::shared(&config.state, &plan);
                Some(store.map_err(|e| e.to_string())?)
            }
        };
        shared.states.store(store.clone());
        let first_load_timeout = Duration::from_secs(config.state.first_load_timeout_secs);
        let today = tfdrift_intake::layout::today();
        let line = |(index, rule): (usize, &tfdrift_drift::IgnoreRule)| {
            format!("drift.ignore[{index}] ended on {}: take it out ({})", rule.until, rule.reason)
        };
        let expired = config.drift.expired(&today).into_iter().map(line).collect();
        Ok(Self { rules, expired, own, store, lease: None, first_load_timeout })
    }

    /// Starts loading, if that was not done yet. Returns at once.
    pub(crate) fn start(&mut self) {
        for line in &self.expired {
            tracing::warn!("{line}");
        }
        if let (Some(store), None) = (&self.store, &self.lease) {
            self.lease = Some(open(store));
        }
    }

    /// Stops loading and waits for the thread. What was loaded stays.
    pub(crate) fn stop(&mut self) {
        self.lease = None;
    }

    /// What a record means for Terraform; none while no state is known.
    pub(crate) fn judge(&mut self, record: &Record<'_>, shared: &Shared) -> Option<Judgement> {
        let store = self.store.as_ref()?;
        if self.lease.is_none() {
            // a replay, or another plugin's events: nobody opened us, and nothing held the events back
            self.lease = Some(open(store));
            if !store.wait_first(self.first_load_timeout) {
                tracing::warn!(
                    "states: not all loaded after {:?}; tf.* fields may be absent",
                    self.first_load_timeout
                );
            }
        }
        // A record that changes nothing needs no past; one without a time has none.
        let time = record.time_ns().ok().filter(|_| record.read_only() != Some(true));
        let time = time.unwrap_or(u64::MAX);
        let mappings = self.own.as_deref().unwrap_or_else(|| Mappings::builtin());
        let judge = |snapshot: &Arc<Snapshot>, _| drift(record, snapshot, mappings, &self.rules);
        let managed = |finding: &Option<Finding>| finding.as_ref().map(|finding| finding.managed);
        let (snapshot, finding) = store.judged_at(time, judge, managed)?;
        shared.evaluated.fetch_add(1, Relaxed);
        if finding.as_ref().is_some_and(|f| f.drift) {
            shared.drifted.fetch_add(1, Relaxed);
        }
        if let Some(finding) = &finding {
            shared.ignored.fetch_add(u64::from(finding.ignored), Relaxed);
        }
        let expected = match &finding {
            Some(finding) => finding.expected,
            None => self.rules.is_expected(record.via(), record.principal_arn().as_deref()),
        };
        Some(Judgement { snapshot, finding, expected })
    }

    /// How long events have to be held back from now on; none if there is nothing to wait for.
    pub(crate) fn hold(&self) -> Option<Hold> {
        let store = self.store.clone()?;
        let until = Instant::now() + self.first_load_timeout;
        tracing::info!(
            "holding events back until the states are loaded, at most {} s",
            self.first_load_timeout.as_secs()
        );
        Some(Hold { store, until })
    }
}

/// Starts the thread that loads; Falco's signals are for Falco's own threads.
fn open(store: &Arc<StateStore>) -> Lease {
    tfdrift_intake::quiet(|| store.open())
}

/// Events wait for the first look at every place: before that, everything would seem unmanaged.
pub(crate) struct Hold {
    store: Arc<StateStore>,
    until: Instant,
}

impl Hold {
    /// Waits at most `wait`; true once the events may go.
    pub(crate) fn is_over(&self, wait: Duration) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        let tried = self.store.wait_first(wait.min(left));
        if !tried && !left.is_zero() {
            return false;
        }
        let status = self.store.status();
        let errors = status.errors().count();
        match (tried, errors) {
            (true, 0) => {
                tracing::info!("states: {} loaded with {} resources", status.loaded(), status.resources());
            }
            (true, _) => tracing::warn!(
                "states: {} loaded with {} resources, {errors} not; events go on",
                status.loaded(),
                status.resources()
            ),
            (false, _) => tracing::warn!(
                "states: not all loaded in time ({} loaded, {errors} failed); events go on, tf.* fields may be absent",
                status.loaded()
            ),
        }
        true
    }
}
