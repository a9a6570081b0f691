//! `--config`, `--state` and `--events`: what the commands work on.

use std::path::Path;
use std::sync::Arc;

use tfdrift_drift::{DriftConfig, Mappings};
use tfdrift_plugin::config::Config;
use tfdrift_states::{Place, StateStore};
use tfdrift_tfstate::Snapshot;

use crate::Failure;
use crate::doctor::read_file;

/// A plugin configuration with what the command line adds.
pub struct Settings {
    /// The configuration.
    pub config: Config,
    /// Open parameters: those of the command line, or else the file's.
    pub events: Vec<String>,
}

impl Settings {
    /// Reads `--config` and lays the arguments over it.
    ///
    /// # Errors
    /// If the file or an argument cannot be used.
    pub fn read(config: Option<&Path>, states: &[String], events: &[String]) -> Result<Settings, Failure> {
        let (init, open) = match config {
            Some(path) => read_file(path).map_err(|step| Failure::Config(step.what))?,
            None => Default::default(),
        };
        let mut config = Config::from_value(&init).map_err(|e| Failure::Config(e.to_string()))?;
        for place in states {
            let place = Place::parse(place)
                .map_err(|e| Failure::State { place: place.clone(), what: e.to_string() })?;
            config.state.places.push(place);
        }
        let events = if events.is_empty() { open.into_iter().collect() } else { events.to_vec() };
        Ok(Settings { config, events })
    }

    /// The mappings: built in, and the user's own.
    ///
    /// # Errors
    /// If the folder of own ones cannot be used.
    pub fn mappings(&self) -> Result<Mappings, Failure> {
        match self.config.mappings.as_str() {
            "" => Ok(Mappings::builtin().clone()),
            folder => Mappings::with_folder(Path::new(folder)).map_err(|e| Failure::Config(e.to_string())),
        }
    }

    /// Roles and ignore rules.
    ///
    /// # Errors
    /// If a rule cannot be used.
    pub fn rules(&self) -> Result<DriftConfig, Failure> {
        self.config.drift_rules().map_err(|e| Failure::Config(e.to_string()))
    }

    /// All states, loaded, and the store that has them: it knows the past of those in versioned buckets. A place that fails is named on standard error by the store, the others count.
    ///
    /// # Errors
    /// If there is none, or none can be read.
    pub fn states(&self, mappings: &Mappings) -> Result<(StateStore, Arc<Snapshot>), Failure> {
        let none = |what: &str| Failure::State { place: "(none)".into(), what: what.into() };
        if self.config.state.places.is_empty() {
            return Err(none("give --state FILE, or --config FILE with state.places"));
        }
        let store = StateStore::new(self.config.state.clone(), mappings.index_plan())
            .map_err(|e| Failure::Config(e.to_string()))?;
        let status = store.load_now();
        match store.snapshot() {
            Some(snapshot) if !snapshot.states().is_empty() => Ok((store, snapshot)),
            _ if status.errors().next().is_none() => Err(none("the places given hold no state")),
            _ => Err(Failure::NoState),
        }
    }
}
