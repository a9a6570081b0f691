//! The configuration as the program uses it. Every value is there: the table filled in the defaults.

use serde::Deserialize;
use serde_json::Value;
use tfdrift_intake::{IntakeConfig, SourceConfig};

use super::error::ConfigError;

/// All settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// Whether the Go plugin's oddities are repeated.
    pub compat: Compat,
    /// How much is logged.
    pub log_level: LogLevel,
    /// Folder of TOML mappings; empty without one.
    pub mappings: String,
    /// Objects fetched at once.
    #[serde(rename = "s3DownloadConcurrency")]
    pub s3_download_concurrency: usize,
    /// Interval of object names, as written; empty without one. See [`time::interval`].
    #[serde(rename = "s3Interval")]
    pub s3_interval: String,
    /// Accounts of an organisation trail, with commas between; empty: all.
    #[serde(rename = "s3AccountList")]
    pub s3_account_list: String,
    /// Whether messages are deleted after hand-out.
    #[serde(rename = "sqsDelete")]
    pub sqs_delete: bool,
    /// Without effect.
    #[serde(rename = "useS3SNS")]
    pub use_s3_sns: bool,
    /// Owner of the queue; empty: the caller.
    #[serde(rename = "sqsOwnerAccount")]
    pub sqs_owner_account: String,
    /// Without effect.
    #[serde(rename = "useAsync")]
    pub use_async: bool,
    /// How AWS is reached.
    pub aws: Aws,
    /// How records are read.
    pub source: SourceConfig,
    /// Where the states live.
    pub state: State,
    /// What counts as drift.
    pub drift: Drift,
}

/// `compat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compat {
    /// Values as a record's reader expects them.
    Normal,
    /// Values as the Go plugin gives them, mistakes included.
    Strict,
}

/// `log_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The section `aws`; texts are empty where nothing was set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct Aws {
    pub profile: String,
    pub region: String,
    pub config: String,
    pub credentials: String,
    pub chain: Vec<String>,
    pub assume_role: Vec<Role>,
    pub endpoint_url: String,
    pub path_style: bool,
    pub fips: bool,
    pub dual_stack: bool,
    pub proxy_url: String,
    pub ca_bundle: String,
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct Role {
    pub role_arn: String,
    pub external_id: String,
    pub session_name: String,
}

/// The section `state`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs)]
pub struct State {
    pub places: Vec<Place>,
    pub poll_interval_secs: u64,
    pub first_load_timeout_secs: u64,
    pub config: Vec<String>,
    pub mask_names: Vec<String>,
}

/// One place where states live.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "serde_json::Map<String, Value>")]
pub struct Place {
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// Where it is: text, or a map of a backend block's keys.
    pub target: Value,
    /// What `tf.state` shows; empty: made from the place.
    pub name: String,
    /// Account of its resources; empty: from the state.
    pub account: String,
    /// Region of its resources; empty: from the state.
    pub region: String,
    /// Workspace; empty: all.
    pub workspace: String,
    /// How AWS is reached for this place.
    pub aws: Aws,
}

/// Kinds of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum PlaceKind {
    File,
    Dir,
    S3,
    Gcs,
    Azurerm,
    Http,
    Hcp,
    Auto,
}

/// The section `drift`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct Drift {
    pub roles: Vec<String>,
    pub ignore_defaults: bool,
    pub ignore: Vec<Ignore>,
}

/// A change that is no drift; empty texts match everything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct Ignore {
    pub address: String,
    pub attribute: String,
    pub actor: String,
    pub operation: String,
    pub until: String,
    pub reason: String,
}

pub(super) fn read(filled: Value) -> Result<Config, ConfigError> {
    // cannot fail after the check, as a test shows: but a mistake of ours must not take Falco down
    serde_json::from_value(filled).map_err(|e| ConfigError::NotJson { reason: e.to_string() })
}

impl Config {
    /// What the intake takes from it.
    pub fn intake(&self) -> IntakeConfig {
        IntakeConfig {
            source: self.source.clone(),
            s3_download_concurrency: self.s3_download_concurrency,
            s3_interval: self.s3_interval.clone(),
            s3_account_list: self.s3_account_list.clone(),
        }
    }
}

impl TryFrom<serde_json::Map<String, Value>> for Place {
    type Error = serde_json::Error;

    fn try_from(mut map: serde_json::Map<String, Value>) -> Result<Self, Self::Error> {
        let mut found = None;
        for kind in super::table::PLACE_KINDS {
            if let Some(target) = map.remove(*kind) {
                found = Some((serde_json::from_value(Value::String((*kind).into()))?, target));
            }
        }
        let (kind, target) = found.ok_or_else(|| serde::de::Error::custom("a place without a kind"))?;
        let rest: Rest = serde_json::from_value(Value::Object(map))?;
        let Rest { name, account, region, workspace, aws } = rest;
        Ok(Place { kind, target, name, account, region, workspace, aws })
    }
}

#[derive(Deserialize)]
struct Rest {
    name: String,
    account: String,
    region: String,
    workspace: String,
    aws: Aws,
}
