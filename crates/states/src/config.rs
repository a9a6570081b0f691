//! The section `state` of the configuration.

use serde::{Deserialize, Serialize};
use tfdrift_aws::AwsConfig;

use crate::place::Place;

/// The section `state`, and the section `aws` for places that have none of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StateConfig {
    /// Where the states live.
    pub places: Vec<Place>,
    /// Seconds between two looks at a place. Folders of local files are watched besides; where they cannot be, they are looked at
    /// every two seconds, if that is less: it costs one `stat` each.
    pub poll_interval_secs: u64,
    /// Seconds for which the source holds events back until all places were tried once.
    pub first_load_timeout_secs: u64,
    /// Bytes that states of the past may take in memory: those that stood at the time of events older than the newest
    /// states, where a bucket keeps versions. 0: the past is not looked at.
    pub history_cache_bytes: u64,
    /// Folders of configuration (`*.tf`) from which `ignore_changes`, `default_tags` and places in files are read, or a plan's
    /// JSON, which has `default_tags` and the sources of modules.
    pub config: Vec<String>,
    /// Attributes to mask beyond the known ones; see [`tfdrift_tfstate::Masker`].
    pub mask_names: Vec<String>,
    /// How AWS is reached for places without an `aws` of their own.
    pub aws: AwsConfig,
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            poll_interval_secs: 60,
            first_load_timeout_secs: 30,
            history_cache_bytes: 128 << 20,
            config: Vec::new(),
            mask_names: Vec::new(),
            aws: AwsConfig::default(),
        }
    }
}
