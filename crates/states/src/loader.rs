//! Rounds over the places: what changed is fetched and read, everything else stays as it is.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};
use tfdrift_tfstate::{ConfiguredMap, IndexPlan, State, StateMeta, read_state};
use tokio::time::{Instant, timeout};

use crate::config::StateConfig;
use crate::configuration::read_configuration;
use crate::error::{ConfigError, PlaceError};
use crate::fetch::{Item, epoch_ns};
use crate::inflate::inflate;
use crate::place::Place;
use crate::source::Source;
use crate::status::{LoadStatus, PlaceStatus, StateStatus};
use crate::watch::Watch;

/// Fetches of one place that run at a time. A bucket of 200 states takes seconds so, and no server minds.
const CONCURRENT_FETCHES: usize = 8;
const LIST_TIMEOUT_SECS: u64 = 60;
/// 200 MB over a slow line.
const FETCH_TIMEOUT_SECS: u64 = 300;
/// Local files that cannot be watched are looked at this often.
const LOCAL_POLL_SECS: u64 = 2;

/// All places.
pub(crate) struct Loader {
    places: Vec<PlaceState>,
    shared: Shared,
    /// What each place had when it was last looked at.
    view: Vec<(Vec<Keyed>, PlaceStatus)>,
    counts: (u64, u64, u64),
    configuration: FromConfiguration,
}

/// What the folders of `state.config` say.
struct FromConfiguration {
    folders: Vec<String>,
    map: Arc<ConfiguredMap>,
    errors: Vec<String>,
    due: Option<Instant>,
}

impl FromConfiguration {
    /// Reads the folders when they are due. A map that did not change stays the same one.
    fn refresh(&mut self, now: Instant, poll: Duration) {
        if self.folders.is_empty() || self.due.is_some_and(|due| due > now) {
            return;
        }
        self.due = Some(now + poll);
        let (map, errors) = read_configuration(&self.folders);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        for error in errors.iter().filter(|error| !self.errors.contains(error)) {
            tracing::warn!(%error, "configuration cannot be read");
        }
        self.errors = errors;
        if *self.map != map {
            tracing::info!(blocks = map.len(), "configuration read");
            self.map = Arc::new(map);
        }
    }
}

/// A state with the key of its item.
type Keyed = (String, Arc<State>);

/// What all places need.
struct Shared {
    plan: IndexPlan,
    mask_names: Vec<String>,
    poll: Duration,
}

/// One place and what is loaded of it.
struct PlaceState {
    place: Place,
    source: Source,
    items: BTreeMap<String, Loaded>,
    error: Option<PlaceError>,
    tried: bool,
    /// Failed rounds in a row.
    failed: u32,
    due: Option<Instant>,
    /// Whether all its folders are watched.
    watched: bool,
}

/// One state.
#[derive(Default)]
struct Loaded {
    name: String,
    workspace: Option<String>,
    state: Option<Arc<State>>,
    version: Option<String>,
    digest: Option<u64>,
    loaded_at_ns: Option<u64>,
    warnings: Vec<String>,
    /// The last failure, and the version that failed.
    error: Option<(PlaceError, Option<String>)>,
}

/// What a fetch came to.
enum Outcome {
    Unchanged(Option<String>),
    Read { state: Box<State>, version: Option<String>, digest: u64 },
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
                Ok(PlaceState {
                    place: place.clone(),
                    source,
                    items: BTreeMap::new(),
                    error: None,
                    tried: false,
                    failed: 0,
                    due: None,
                    watched: false,
                })
            })
            .collect::<Result<Vec<_>, ConfigError>>()?;
        let view = places.iter().map(|p| (Vec::new(), p.status())).collect();
        let poll = Duration::from_secs(config.poll_interval_secs.max(1));
        let shared = Shared { plan, mask_names: config.mask_names.clone(), poll };
        let configuration = FromConfiguration {
            folders: config.config.clone(),
            map: Arc::default(),
            errors: Vec::new(),
            due: None,
        };
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
            .filter(|(_, p)| p.due.is_none_or(|due| due <= now) && !(p.source.is_once() && p.tried))
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
        let waiting = self.places.iter().filter(|p| !(p.source.is_once() && p.tried));
        let places = waiting.map(|p| p.due.unwrap_or_else(Instant::now));
        places.chain(self.configuration.due).min()
    }

    /// Lets the folders of local places be watched; what is watched is polled less often. A place with a folder that was not
    /// watched before is looked at once more.
    pub(crate) fn watch(&mut self, watch: &mut Watch) {
        let folders: Vec<_> = self.places.iter().map(|p| p.source.folders()).collect();
        let (watched, new) = watch.follow(folders.iter().flatten().cloned().collect());
        for (place, folders) in self.places.iter_mut().zip(folders) {
            let before =
                std::mem::replace(&mut place.watched, !folders.is_empty() && folders.is_subset(&watched));
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

impl PlaceState {
    /// One look. Gives the numbers of states read and of failures.
    async fn refresh(&mut self, shared: &Shared) -> (u64, u64) {
        let listed = timeout(Duration::from_secs(LIST_TIMEOUT_SECS), self.source.list()).await;
        let label = self.place.label();
        let listed =
            listed.unwrap_or(Err(PlaceError::Timeout { name: label.clone(), secs: LIST_TIMEOUT_SECS }));
        self.tried = true;
        let (loads, failures) = match listed {
            Ok(items) => {
                if self.error.take().is_some() {
                    tracing::info!(place = %label, "place of states can be read again");
                }
                self.refresh_items(items, shared).await
            }
            Err(error) => {
                if self.error.as_ref() != Some(&error) {
                    let kept = self.items.len();
                    tracing::warn!(place = %label, %error, kept, "place of states cannot be read");
                    if let Some(detail) = error.detail() {
                        tracing::info!("{detail}");
                    }
                }
                self.error = Some(error);
                (0, 1)
            }
        };
        self.failed = if failures == 0 { 0 } else { self.failed.saturating_add(1) };
        self.due = Some(Instant::now() + self.pause(shared.poll));
        (loads, failures)
    }

    /// Until the next look: local files often, a failed place soon and then less and less often.
    fn pause(&self, poll: Duration) -> Duration {
        if self.source.is_local() && !self.watched {
            return poll.min(Duration::from_secs(LOCAL_POLL_SECS));
        }
        match self.failed {
            0 => poll,
            n => poll.min(Duration::from_secs(1 << n.min(6))),
        }
    }

    async fn refresh_items(&mut self, listed: Vec<Item>, shared: &Shared) -> (u64, u64) {
        let Self { place, source, items, .. } = self;
        let wanted = |item: &Item| {
            place.workspace.is_empty() || item.workspace.as_ref().is_none_or(|w| *w == place.workspace)
        };
        let listed: Vec<Item> = listed.into_iter().filter(wanted).collect();
        let keys: HashSet<&str> = listed.iter().map(|item| &*item.key).collect();
        items.retain(|key, loaded| {
            let kept = keys.contains(&**key);
            if !kept {
                tracing::warn!(state = %loaded.name, "state is gone; its resources are no longer known");
            }
            kept
        });
        let single = source.is_single();
        let source = &*source;
        let todo: Vec<(Item, StateMeta, Known)> = listed
            .into_iter()
            .filter_map(|item| {
                let loaded = items.get(&item.key);
                if loaded.is_some_and(|l| l.is_current(item.version.as_deref())) {
                    return None;
                }
                let known = loaded.map(Loaded::known).unwrap_or_default();
                Some((item.clone(), meta(place, &item, single, shared), known))
            })
            .collect();
        let mut work = stream::iter(todo)
            .map(|(item, meta, known)| async move {
                let name = meta.name.clone();
                let fetched = timeout(
                    Duration::from_secs(FETCH_TIMEOUT_SECS),
                    load(source, &item, meta, known, shared),
                );
                let outcome = fetched
                    .await
                    .unwrap_or(Err(PlaceError::Timeout { name: name.clone(), secs: FETCH_TIMEOUT_SECS }));
                (item, name, outcome)
            })
            .buffer_unordered(CONCURRENT_FETCHES);
        let (mut loads, mut failures) = (0, 0);
        while let Some((item, name, outcome)) = work.next().await {
            let loaded = items.entry(item.key.clone()).or_default();
            loaded.name = name;
            loaded.workspace = item.workspace.clone();
            match outcome {
                Ok(Outcome::Unchanged(version)) => loaded.settle(version.or(item.version)),
                Ok(Outcome::Read { state, version, digest }) => {
                    loaded.replace(*state, digest);
                    loaded.settle(version.or(item.version));
                    loads += 1;
                }
                Err(error) => {
                    loaded.fail(error, item.version);
                    failures += 1;
                }
            }
        }
        // A broken state that did not change is not read again, but is still broken.
        let broken = items.values().filter(|l| l.error.is_some()).count() as u64;
        (loads, failures.max(broken))
    }

    fn states(&self) -> Vec<Keyed> {
        self.items.iter().filter_map(|(key, loaded)| Some((key.clone(), loaded.state.clone()?))).collect()
    }

    fn status(&self) -> PlaceStatus {
        PlaceStatus {
            place: self.place.label(),
            error: self.error.as_ref().map(ToString::to_string),
            detail: self.error.as_ref().and_then(PlaceError::detail).map(str::to_owned),
            states: self.items.values().map(Loaded::status).collect(),
            tried: self.tried,
        }
    }
}

/// What is known of an item before it is fetched.
#[derive(Default)]
struct Known {
    version: Option<String>,
    digest: Option<u64>,
    /// Whether it has resources.
    filled: bool,
}

async fn load(
    source: &Source,
    item: &Item,
    mut meta: StateMeta,
    known: Known,
    shared: &Shared,
) -> Result<Outcome, PlaceError> {
    let Some(fetched) = source.fetch(item, known.version.as_deref()).await? else {
        return Ok(Outcome::Unchanged(None));
    };
    let mut hasher = DefaultHasher::new();
    fetched.bytes.hash(&mut hasher);
    let digest = hasher.finish();
    if known.digest == Some(digest) {
        return Ok(Outcome::Unchanged(fetched.version));
    }
    // Terraform writes local states in place: for a moment they are empty.
    if known.filled && fetched.bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(PlaceError::Emptied { name: meta.name });
    }
    meta.written_at_ns = fetched.written_at_ns.or(item.written_at_ns);
    let text = inflate(&fetched.bytes, &meta.name)?;
    let state = read_state(&text, meta, &shared.plan)?;
    Ok(Outcome::Read { state: Box::new(state), version: fetched.version, digest })
}

fn meta(place: &Place, item: &Item, single: bool, shared: &Shared) -> StateMeta {
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    let name = match (place.name.is_empty(), single) {
        (true, _) => item.name.clone(),
        (false, single) if single || item.part.is_empty() => place.name.clone(),
        (false, _) => format!("{}/{}", place.name, item.part),
    };
    StateMeta {
        name,
        account: given(&place.account),
        region: given(&place.region),
        workspace: item.workspace.clone().or_else(|| given(&place.workspace)),
        written_at_ns: item.written_at_ns,
        mask_names: shared.mask_names.clone(),
    }
}

impl Loaded {
    /// Whether a version that is listed needs no fetch.
    fn is_current(&self, listed: Option<&str>) -> bool {
        let Some(listed) = listed else { return false };
        match &self.error {
            Some((error, version)) => error.is_of_content() && version.as_deref() == Some(listed),
            None => self.state.is_some() && self.version.as_deref() == Some(listed),
        }
    }

    fn known(&self) -> Known {
        // After a failure the bytes are wanted whatever they are.
        let filled = self.state.as_ref().is_some_and(|state| !state.is_empty());
        match self.error {
            Some(_) => Known { filled, ..Known::default() },
            None => Known { version: self.version.clone(), digest: self.digest, filled },
        }
    }

    fn settle(&mut self, version: Option<String>) {
        if self.error.take().is_some() {
            tracing::info!(state = %self.name, "state can be read again");
        }
        self.version = version;
    }

    fn replace(&mut self, state: State, digest: u64) {
        let mut warnings = state.warnings().to_vec();
        if let Some(old) = &self.state {
            if let (Some(before), Some(now)) = (old.lineage(), state.lineage())
                && before != now
            {
                warnings
                    .push(format!("lineage changed from {before} to {now}: another state stands there now"));
            } else if let (Some(before), Some(now)) = (old.serial(), state.serial())
                && now < before
            {
                warnings
                    .push(format!("serial went back from {before} to {now}: an older state was put there"));
            }
        }
        for warning in &warnings {
            tracing::warn!(state = %self.name, warning, "state is odd");
        }
        tracing::info!(
            state = %self.name, serial = state.serial(), resources = state.len(),
            terraform = state.terraform_version(), "state loaded"
        );
        self.warnings = warnings;
        self.digest = Some(digest);
        self.loaded_at_ns = epoch_ns(SystemTime::now());
        self.state = Some(Arc::new(state));
    }

    fn fail(&mut self, error: PlaceError, version: Option<String>) {
        if self.error.as_ref().is_none_or(|(before, _)| *before != error) {
            let kept = self.state.is_some();
            tracing::warn!(state = %self.name, %error, last_good_kept = kept, "state cannot be read");
            if let Some(detail) = error.detail() {
                tracing::info!("{detail}");
            }
        }
        self.error = Some((error, version));
    }

    fn status(&self) -> StateStatus {
        let state = self.state.as_deref();
        StateStatus {
            name: self.name.clone(),
            workspace: state.and_then(State::workspace).map(str::to_owned).or_else(|| self.workspace.clone()),
            serial: state.and_then(State::serial),
            lineage: state.and_then(State::lineage).map(str::to_owned),
            terraform_version: state.and_then(State::terraform_version).map(str::to_owned),
            resources: state.map_or(0, State::len),
            managed: state.map_or(0, State::managed_len),
            loaded: state.is_some(),
            loaded_at_ns: self.loaded_at_ns,
            written_at_ns: state.and_then(State::written_at_ns),
            error: self.error.as_ref().map(|(error, _)| error.to_string()),
            detail: self.error.as_ref().and_then(|(error, _)| error.detail()).map(str::to_owned),
            warnings: self.warnings.clone(),
        }
    }
}
