//! What is loaded and what is not, for metrics, `doctor` and the server.

use serde::Serialize;

/// What is known of all places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LoadStatus {
    /// One per configured place, in their order.
    pub places: Vec<PlaceStatus>,
    /// Rounds over the places since the start.
    pub rounds: u64,
    /// States read since the start, repeated ones included.
    pub loads: u64,
    /// Failures since the start, of places and of states.
    pub failures: u64,
    /// Blocks read from the folders of `state.config`.
    pub configured: usize,
    /// What could not be read of them.
    pub configuration_errors: Vec<String>,
}

/// What is known of one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlaceStatus {
    /// Its name, or kind and target.
    pub place: String,
    /// Why the place could not be looked at the last time. Absent when it could.
    pub error: Option<String>,
    /// More about the error, of several lines, where there is more: the permission that is missing.
    pub detail: Option<String>,
    /// Its states.
    pub states: Vec<StateStatus>,
    /// Whether it was tried yet.
    pub tried: bool,
}

/// What is known of one state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StateStatus {
    /// Its name (`tf.state`).
    pub name: String,
    /// Its workspace, where known.
    pub workspace: Option<String>,
    /// Serial of what is loaded.
    pub serial: Option<u64>,
    /// Lineage of what is loaded.
    pub lineage: Option<String>,
    /// Terraform or OpenTofu that wrote it.
    pub terraform_version: Option<String>,
    /// Resource instances loaded, data sources included.
    pub resources: usize,
    /// Managed resource instances loaded.
    pub managed: usize,
    /// Resources and instances of what is loaded that could not be read: no change of them is found; `warnings` names them.
    pub left_out: usize,
    /// Whether anything of it is loaded: an error then means that the last good one is still in use.
    pub loaded: bool,
    /// When it was loaded, in nanoseconds since the epoch.
    pub loaded_at_ns: Option<u64>,
    /// When it was written, in nanoseconds since the epoch, where known.
    pub written_at_ns: Option<u64>,
    /// Why the last try failed. Absent when it did not.
    pub error: Option<String>,
    /// More about the error, of several lines, where there is more.
    pub detail: Option<String>,
    /// What is odd about it: a serial that shrank, a new lineage, repeated addresses.
    pub warnings: Vec<String>,
}

impl LoadStatus {
    /// Everything that failed the last time, as messages: places, states, configuration.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        let places = self.places.iter().filter_map(|p| p.error.as_deref());
        let states = self.states().filter_map(|s| s.error.as_deref());
        places.chain(states).chain(self.configuration_errors.iter().map(String::as_str))
    }

    /// All states.
    pub fn states(&self) -> impl Iterator<Item = &StateStatus> {
        self.places.iter().flat_map(|p| &p.states)
    }

    /// Number of states loaded.
    pub fn loaded(&self) -> usize {
        self.states().filter(|s| s.loaded).count()
    }

    /// Number of resource instances loaded.
    pub fn resources(&self) -> usize {
        self.states().map(|s| s.resources).sum()
    }
}

/// What is known of the past: the states as of the time of events that are older than the newest states.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HistoryStatus {
    /// States of the past in memory.
    pub states: usize,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes that they may take, at most: `state.history_cache_bytes`. 0: the past is not looked at.
    pub limit_bytes: u64,
    /// Lists of versions asked for since the start, one a page.
    pub list_calls: u64,
    /// Versions fetched since the start.
    pub get_calls: u64,
    /// What could not be read since the start.
    pub failures: u64,
    /// Questions about the past that were answered with the newest states, since the start.
    pub missed: u64,
    /// What cannot be read at present.
    pub errors: Vec<HistoryError>,
    /// States of which there is one version alone: the bucket keeps none, or not for long.
    pub unversioned: Vec<String>,
}

/// Something of the past that cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HistoryError {
    /// The cause first, with the place, then what to do.
    pub error: String,
    /// More, of several lines, where there is more: the permission that is missing.
    pub detail: Option<String>,
}
