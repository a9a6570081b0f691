//! One place: listed, and what changed in it fetched.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use futures_util::stream;
use tfdrift_tfstate::StateMeta;
use tokio::time::{Instant, timeout};

use super::loaded::{Known, Loaded, Outcome, load, meta};
use super::{Current, Gone, Shared};
use crate::error::PlaceError;
use crate::fetch::{Item, epoch_ns};
use crate::place::Place;
use crate::source::Source;
use crate::status::PlaceStatus;

/// Fetches of one place that run at a time. A bucket of 200 states takes seconds so, and no server minds.
pub(crate) const CONCURRENT_FETCHES: usize = 8;
pub(crate) const LIST_TIMEOUT_SECS: u64 = 60;
/// 200 MB over a slow line.
pub(crate) const FETCH_TIMEOUT_SECS: u64 = 300;
/// Local files that cannot be watched are looked at this often.
const LOCAL_POLL_SECS: u64 = 2;

/// Vanished states that are remembered, a place.
const MAX_GONE: usize = 1000;

/// One place and what is loaded of it.
pub(super) struct PlaceState {
    pub(super) place: Place,
    pub(super) source: Source,
    items: BTreeMap<String, Loaded>,
    /// States that vanished and may have older versions.
    gone: BTreeMap<String, Arc<Gone>>,
    error: Option<PlaceError>,
    pub(super) tried: bool,
    /// Failed rounds in a row.
    failed: u32,
    pub(super) due: Option<Instant>,
    /// Whether all its folders are watched.
    pub(super) watched: bool,
    /// Its folders, as of the last look.
    pub(super) folders: BTreeSet<PathBuf>,
    /// Whether it was looked at since its folders were taken.
    pub(super) looked: bool,
}

impl PlaceState {
    pub(super) fn new(place: Place, source: Source) -> Self {
        Self {
            place,
            source,
            items: BTreeMap::new(),
            gone: BTreeMap::new(),
            error: None,
            tried: false,
            failed: 0,
            due: None,
            watched: false,
            folders: BTreeSet::new(),
            looked: false,
        }
    }

    /// Whether it is to be looked at some time.
    pub(super) fn is_waiting(&self) -> bool {
        !(self.source.is_once() && self.tried)
    }

    /// One look. Gives the numbers of states read and of failures.
    pub(super) async fn refresh(&mut self, shared: &Shared) -> (u64, u64) {
        let listed = timeout(Duration::from_secs(LIST_TIMEOUT_SECS), self.source.list()).await;
        let label = self.place.label();
        let listed =
            listed.unwrap_or(Err(PlaceError::Timeout { name: label.clone(), secs: LIST_TIMEOUT_SECS }));
        self.tried = true;
        let (loads, failures, broken) = match listed {
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
                (0, 1, 1)
            }
        };
        self.failed = if broken == 0 { 0 } else { self.failed.saturating_add(1) };
        self.due = Some(Instant::now() + self.pause(shared.poll));
        (loads, failures)
    }

    /// Until the next look: local files often, a failed place soon and then less and less often.
    pub(super) fn pause(&self, poll: Duration) -> Duration {
        if self.source.is_local() && !self.watched {
            return poll.min(Duration::from_secs(LOCAL_POLL_SECS));
        }
        match self.failed {
            0 => poll,
            n => poll.min(Duration::from_secs(1 << n.min(6))),
        }
    }

    /// Numbers of states read, of failures, and of states that are broken.
    async fn refresh_items(&mut self, listed: Vec<Item>, shared: &Shared) -> (u64, u64, u64) {
        let Self { place, source, items, gone, .. } = self;
        let wanted = |item: &Item| {
            place.workspace.is_empty() || item.workspace.as_ref().is_none_or(|w| *w == place.workspace)
        };
        let listed: Vec<Item> = listed.into_iter().filter(wanted).collect();
        let keys: HashSet<&str> = listed.iter().map(|item| &*item.key).collect();
        items.retain(|key, loaded| {
            let kept = keys.contains(&**key);
            if !kept {
                tracing::warn!(state = %loaded.name, "state is gone; its resources are no longer known");
                if let (Some(state), Some(_)) = (&loaded.state, source.versions())
                    && gone.len() < MAX_GONE
                {
                    let seen_ns = epoch_ns(SystemTime::now()).unwrap_or(0);
                    gone.insert(key.clone(), Arc::new(Gone { meta: state.meta().clone(), seen_ns }));
                }
            }
            kept
        });
        gone.retain(|key, _| !keys.contains(&**key));
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
        (loads, failures, broken.max(failures))
    }

    pub(super) fn states(&self) -> Vec<Current> {
        let versions = self.source.versions();
        let here =
            self.items.iter().filter(|(_, loaded)| loaded.state.is_some()).map(|(key, loaded)| Current {
                key: key.clone(),
                state: loaded.state.clone(),
                version: loaded.version.clone(),
                versions: versions.clone(),
                gone: None,
            });
        let gone = self.gone.iter().map(|(key, gone)| Current {
            key: key.clone(),
            state: None,
            version: None,
            versions: versions.clone(),
            gone: Some(gone.clone()),
        });
        let mut states: Vec<Current> = here.chain(gone).collect();
        states.sort_by(|a, b| a.key.cmp(&b.key));
        states
    }

    pub(super) fn status(&self) -> PlaceStatus {
        PlaceStatus {
            place: self.place.label(),
            error: self.error.as_ref().map(ToString::to_string),
            detail: self.error.as_ref().and_then(PlaceError::detail).map(str::to_owned),
            states: self.items.values().map(Loaded::status).collect(),
            tried: self.tried,
        }
    }
}
