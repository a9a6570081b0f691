//! The configuration as the program uses it. Every value is there: the table filled in the defaults.

use serde::Deserialize;
use serde_json::Value;
use tfdrift_aws::AwsConfig;
use tfdrift_drift::{DriftConfig, DriftSettings};
use tfdrift_intake::{IntakeConfig, SourceConfig};
use tfdrift_states::StateConfig;

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
    /// Interval of object names, as written; empty without one.
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
    pub aws: AwsConfig,
    /// How records are read.
    pub source: SourceConfig,
    /// Where the states live.
    pub state: StateConfig,
    /// What counts as drift.
    pub drift: DriftSettings,
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

pub(super) fn read(filled: Value) -> Result<Config, ConfigError> {
    // cannot fail after the check, as a test shows: but a mistake of ours must not take Falco down
    let mut config: Config =
        serde_json::from_value(filled).map_err(|e| ConfigError::Unread { reason: e.to_string() })?;
    config.state.aws = config.aws.clone();
    config.drift_rules()?;
    Ok(config)
}

impl Config {
    /// The section `drift`, ready for use.
    ///
    /// # Errors
    /// An ignore rule that cannot be used. [`Config::parse`] has checked that already.
    pub fn drift_rules(&self) -> Result<DriftConfig, ConfigError> {
        self.drift.check().map_err(|e| ConfigError::Unread { reason: e.to_string() })
    }

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
