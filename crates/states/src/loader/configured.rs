//! What the folders of `state.config` say, kept current.

use std::sync::Arc;
use std::time::Duration;

use tfdrift_tfstate::ConfiguredMap;
use tokio::time::Instant;

use crate::configuration::read_configuration;

/// What the folders of `state.config` say.
#[derive(Default)]
pub(super) struct FromConfiguration {
    pub(super) folders: Vec<String>,
    pub(super) map: Arc<ConfiguredMap>,
    pub(super) errors: Vec<String>,
    pub(super) due: Option<Instant>,
}

impl FromConfiguration {
    pub(super) fn new(folders: Vec<String>) -> Self {
        Self { folders, ..Self::default() }
    }

    /// Reads the folders when they are due. A map that did not change stays the same one.
    pub(super) fn refresh(&mut self, now: Instant, poll: Duration) {
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
