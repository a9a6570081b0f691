//! Rounds over the places: what changed is fetched and read, everything else stays as it is.

mod configured;
mod loaded;
mod place;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tfdrift_tfstate::{ConfiguredMap, IndexPlan, State, StateMeta};
use tokio::time::Instant;

use crate::config::StateConfig;
use crate::error::ConfigError;
use crate::source::{Source, Versions};
use crate::status::{LoadStatus, PlaceStatus};
use crate::watch::Watch;
use configured::FromConfiguration;
use place::PlaceState;
pub(crate) use place::{CONCURRENT_FETCHES, FETCH_TIMEOUT_SECS, LIST_TIMEOUT_SECS};

/// All places.
pub(crate) struct Loader {
    places: Vec<PlaceState>,
    shared: Shared,
    /// What each place had when it was last looked at.
    view: Vec<(Vec<Current>, PlaceStatus)>,
    counts: (u64, u64, u64),
    configuration: FromConfiguration,
}

/// A state of a place, as it was last read.
#[derive(Clone)]
pub(crate) struct Current {
    /// That of its item.
    pub(crate) key: String,
    /// None: it was there, and is gone.
    pub(crate) state: Option<Arc<State>>,
    /// Version of these bytes; see [`crate::fetch::Item::version`].
    version: Option<String>,
    /// What reads older versions, where the place may keep them.
    pub(crate) versions: Option<Arc<Versions>>,
    /// Of a state that is gone: what was known of it.
    gone: Option<Arc<Gone>>,
}

/// What is left of a state that vanished from its place.
#[derive(Default)]
struct Gone {
    meta: StateMeta,
    /// When that was seen.
    seen_ns: u64,
}

impl Current {
    /// The ETag; none for a state that is gone.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.version.as_deref().filter(|_| self.state.is_some())
    }

    /// When it was written, or seen to be gone.
    pub(crate) fn written_at_ns(&self) -> Option<u64> {
        match &self.state {
            Some(state) => state.written_at_ns(),
            None => self.gone.as_ref().map(|gone| gone.seen_ns),
        }
    }

    /// What is known of it besides its bytes. None of a state that nobody has.
    pub(crate) fn meta(&self) -> Option<&StateMeta> {
        match &self.state {
            Some(state) => Some(state.meta()),
            None => self.gone.as_ref().map(|gone| &gone.meta),
        }
    }
}

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
            .map(|(n, place)| async move {
                let counts = place.refresh(shared).await;
                place.looked = true;
                (n, counts, place.states(), place.status())
            })
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

    /// Lets the folders of local places be watched; what is watched is polled less often. A place with a folder that was not
    /// watched before is looked at once more. Only the trees of places that were just looked at are walked.
    pub(crate) fn watch(&mut self, watch: &mut Watch) {
        let mut fresh = BTreeSet::new();
        let mut looked = false;
        for place in self.places.iter_mut().filter(|place| place.source.is_local() && place.looked) {
            (place.folders, place.looked, looked) = (place.source.folders(), false, true);
            fresh.extend(place.folders.iter().cloned());
        }
        if !looked {
            return;
        }
        let wanted = self.places.iter().flat_map(|place| &place.folders).cloned().collect();
        let (watched, new) = watch.follow(wanted, &fresh);
        for place in &mut self.places {
            let all = !place.folders.is_empty() && place.folders.is_subset(&watched);
            let before = std::mem::replace(&mut place.watched, all);
            if place.watched != before && place.due.is_some() {
                place.due = Some(Instant::now() + place.pause(self.shared.poll));
            }
        }
        if new {
            self.hurry_local();
        }
    }

    /// Makes the local places due.
    pub(crate) fn hurry_local(&mut self) {
        self.places.iter_mut().filter(|p| p.source.is_local()).for_each(|p| p.due = None);
    }

    /// Makes every place due.
    pub(crate) fn hurry(&mut self) {
        self.places.iter_mut().for_each(|p| p.due = None);
        self.configuration.due = None;
    }
}

/// What is loaded of all places at one moment.
pub(crate) struct View<'l> {
    view: &'l [(Vec<Current>, PlaceStatus)],
    counts: (u64, u64, u64),
    configuration: &'l FromConfiguration,
}

impl View<'_> {
    /// What the configuration says.
    pub(crate) fn configuration(&self) -> &Arc<ConfiguredMap> {
        &self.configuration.map
    }

    /// All states, in the order of the places; a state that two places reach counts once. Those that are gone are
    /// between them, once they may have a past.
    pub(crate) fn states(&self) -> Vec<Current> {
        let mut seen = HashSet::new();
        let all = self.view.iter().flat_map(|(states, _)| states);
        all.filter(|state| seen.insert(&state.key)).cloned().collect()
    }

    /// Whether every place was tried.
    pub(crate) fn complete(&self) -> bool {
        self.view.iter().all(|(_, status)| status.tried)
    }

    /// Whether any state is known, or any place is known to have none. A place whose every state is broken says nothing.
    pub(crate) fn usable(&self) -> bool {
        let none = |status: &PlaceStatus| {
            status.tried && status.error.is_none() && status.states.iter().all(|state| state.error.is_none())
        };
        self.view.iter().any(|(states, status)| !states.is_empty() || none(status))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{Place, PlaceKind};

    #[tokio::test]
    async fn only_places_that_were_looked_at_are_walked() {
        let dir = tempfile::tempdir().unwrap();
        let trees = ["a", "b"].map(|name| dir.path().join(name));
        for tree in &trees {
            std::fs::create_dir(tree).unwrap();
        }
        let places = trees.iter().map(|tree| Place::new(PlaceKind::Dir, tree.to_str().unwrap())).collect();
        let config = StateConfig { places, poll_interval_secs: 3600, ..StateConfig::default() };
        let mut loader = Loader::new(&config, IndexPlan::new()).unwrap();
        let mut watch = Watch::new();
        let round = async |loader: &mut Loader, watch: &mut Watch| {
            loader.round(Instant::now(), |_| {}).await;
            loader.watch(watch);
            loader.places.iter().map(|place| (place.folders.len(), place.watched)).collect::<Vec<_>>()
        };
        assert_eq!(round(&mut loader, &mut watch).await, [(1, true), (1, true)]);
        // Both are looked at once more, now that they are watched.
        assert_eq!(round(&mut loader, &mut watch).await, [(1, true), (1, true)]);
        for tree in &trees {
            std::fs::create_dir(tree.join("new")).unwrap();
        }
        assert_eq!(round(&mut loader, &mut watch).await, [(1, true), (1, true)], "none was due");
        loader.places[0].due = None;
        assert_eq!(round(&mut loader, &mut watch).await, [(2, true), (1, true)]);
    }
}
