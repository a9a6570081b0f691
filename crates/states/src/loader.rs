//! Rounds over the places: what changed is fetched and read, everything else stays as it is.

mod configured;
mod loaded;
mod place;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tfdrift_tfstate::{ConfiguredMap, IndexPlan, State};
use tokio::time::Instant;

use crate::config::StateConfig;
use crate::error::ConfigError;
use crate::source::Source;
use crate::status::{LoadStatus, PlaceStatus};
use configured::FromConfiguration;
use place::PlaceState;

/// All places.
pub(crate) struct Loader {
    places: Vec<PlaceState>,
    shared: Shared,
    /// What each place had when it was last looked at.
    view: Vec<(Vec<Keyed>, PlaceStatus)>,
    counts: (u64, u64, u64),
    configuration: FromConfiguration,
}

/// A state with the key of its item.
type Keyed = (String, Arc<State>);

/// What all places need.
struct Shared {
    plan: IndexPlan,
    mask_names: Vec<String>,
    poll: Duration,
}

impl Loader {
    pub(crate) fn new(config: &StateConfig, plan: IndexPlan) -> Result<Self, ConfigError> {
        let places = config
            .places
            .iter()
            .enumerate()
            .map(|(n, place)| {
                let source = Source::new(place, config)
                    .map_err(|e| ConfigError::new(format!("places[{n}].{}", e.key), e.problem))?;
                Ok(PlaceState::new(place.clone(), source))
            })
            .collect::<Result<Vec<_>, ConfigError>>()?;
        let view = places.iter().map(|p| (Vec::new(), p.status())).collect();
        let poll = Duration::from_secs(config.poll_interval_secs.max(1));
        let shared = Shared { plan, mask_names: config.mask_names.clone(), poll };
        let configuration = FromConfiguration::new(config.config.clone());
        Ok(Self { places, shared, view, counts: (0, 0, 0), configuration })
    }

    /// Looks at every place that is due, all at once, and calls `done` whenever one is finished, and at `deadline`.
    pub(crate) async fn round(&mut self, deadline: Instant, mut done: impl FnMut(View<'_>)) {
        let Self { places, shared, view, counts, configuration } = self;
        let shared = &*shared;
        let now = Instant::now();
        configuration.refresh(now, shared.poll);
        let configuration = &*configuration;
        let mut running: FuturesUnordered<_> = places
            .iter_mut()
            .enumerate()
            .filter(|(_, p)| p.due.is_none_or(|due| due <= now) && p.is_waiting())
            .map(|(n, place)| async move { (n, place.refresh(shared).await, place.states(), place.status()) })
            .collect();
        let count = running.len();
        counts.0 += 1;
        let late = tokio::time::sleep_until(deadline);
        tokio::pin!(late);
        loop {
            let finished = tokio::select! {
                biased;
                finished = running.next() => finished,
                () = &mut late, if !late.is_elapsed() => {
                    done(View { view, counts: *counts, configuration });
                    continue;
                }
            };
            let Some((n, (loads, failures), states, status)) = finished else { break };
            counts.1 += loads;
            counts.2 += failures;
            if let Some(slot) = view.get_mut(n) {
                *slot = (states, status);
            }
            done(View { view, counts: *counts, configuration });
        }
        if count == 0 {
            done(View { view, counts: *counts, configuration });
        }
    }

    /// When the next place is due. `None` when nothing will ever change.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let waiting = self.places.iter().filter(|p| p.is_waiting());
        let places = waiting.map(|p| p.due.unwrap_or_else(Instant::now));
        places.chain(self.configuration.due).min()
    }

    /// Makes every place due.
    pub(crate) fn hurry(&mut self) {
        self.places.iter_mut().for_each(|p| p.due = None);
        self.configuration.due = None;
    }
}

/// What is loaded of all places at one moment.
pub(crate) struct View<'l> {
    view: &'l [(Vec<Keyed>, PlaceStatus)],
    counts: (u64, u64, u64),
    configuration: &'l FromConfiguration,
}

impl View<'_> {
    /// What the configuration says.
    pub(crate) fn configuration(&self) -> &Arc<ConfiguredMap> {
        &self.configuration.map
    }

    /// All states, in the order of the places; a state that two places reach counts once.
    pub(crate) fn states(&self) -> Vec<Arc<State>> {
        let mut seen = HashSet::new();
        let all = self.view.iter().flat_map(|(states, _)| states);
        all.filter(|(key, _)| seen.insert(key)).map(|(_, state)| state.clone()).collect()
    }

    /// Whether every place was tried.
    pub(crate) fn complete(&self) -> bool {
        self.view.iter().all(|(_, status)| status.tried)
    }

    /// Whether any place could be looked at.
    pub(crate) fn usable(&self) -> bool {
        self.view
            .iter()
            .any(|(states, status)| !states.is_empty() || (status.tried && status.error.is_none()))
    }

    pub(crate) fn status(&self) -> LoadStatus {
        let (rounds, loads, failures) = self.counts;
        LoadStatus {
            places: self.view.iter().map(|(_, s)| s.clone()).collect(),
            rounds,
            loads,
            failures,
            configured: self.configuration.map.len(),
            configuration_errors: self.configuration.errors.clone(),
        }
    }
}
