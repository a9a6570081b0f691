//! What a user can set about where records come from.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The `source:` section of `init_config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// Where reading a bucket starts when no checkpoint is there: `now`, a duration back (`90s`, `30m`, `12h`, `7d`,
    /// `2w`) or an RFC 3339 time. `?since=` in the open parameters beats it; with `?once` and `now`, everything is read.
    pub since: String,
    /// Which objects of a backlog come first.
    pub order: Order,
    /// Only these 12-digit accounts; empty: all.
    pub accounts: Vec<String>,
    /// Only these regions; empty: all.
    pub regions: Vec<String>,
    /// Seconds between two looks at an account and region where something was new; quiet ones are asked less often.
    pub poll_interval_secs: u64,
    /// Seconds for which an object may turn up late, or out of order, and still be found.
    pub late_window_secs: u64,
    /// What happens when the bucket cannot be read at open.
    pub on_open_error: OnOpenError,
    /// Folder that remembers what was handed out.
    pub checkpoint_dir: PathBuf,
    /// How many event ids are remembered, so that a second delivery is left out.
    pub dedup_entries: usize,
    /// Bytes of fetched and inflated data that may wait for Falco.
    pub max_buffer_bytes: u64,
    /// Bytes of one object as stored; a bigger one is quarantined.
    pub max_object_bytes: u64,
    /// Bytes of one object after inflating; a bigger one is quarantined.
    pub max_inflated_bytes: u64,
    /// Bytes of one record; a bigger one is counted and kept in quarantine.
    pub max_record_bytes: u64,
    /// Records handed to Falco at once.
    pub batch_records: usize,
    /// Seconds for which an SQS message stays hidden while its objects are read.
    pub visibility_timeout_secs: u64,
    /// How often an object that cannot be read is tried again before it is quarantined.
    pub object_retries: u32,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            since: "now".into(),
            order: Order::OldestFirst,
            accounts: Vec::new(),
            regions: Vec::new(),
            poll_interval_secs: 30,
            late_window_secs: 3600,
            on_open_error: OnOpenError::Retry,
            checkpoint_dir: PathBuf::from("/var/lib/tfdrift"),
            dedup_entries: 1_000_000,
            max_buffer_bytes: 64 << 20,
            max_object_bytes: 256 << 20,
            max_inflated_bytes: 2 << 30,
            max_record_bytes: 1 << 20,
            batch_records: 512,
            visibility_timeout_secs: 300,
            object_retries: 5,
        }
    }
}

/// Which objects of a backlog come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// In order of time.
    #[default]
    OldestFirst,
    /// Today's first, and then the days before, so that alarms about the present stay about the present.
    NewestFirst,
}

/// What happens when a bucket cannot be read at open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOpenError {
    /// Say so once and try again, for ever.
    #[default]
    Retry,
    /// Refuse to open.
    Fail,
}

/// All that the intake takes from a configuration: the `source:` section and the Go plugin's keys about S3.
#[derive(Debug, Clone, PartialEq)]
pub struct IntakeConfig {
    /// The `source:` section.
    pub source: SourceConfig,
    /// `s3DownloadConcurrency`: objects fetched at once; at least 1.
    pub s3_download_concurrency: usize,
    /// `s3Interval`: `START` or `START-END`, each a duration back or `2006-01-02T15:04:05Z`, against the time in the
    /// key. With an end it implies `?once`.
    pub s3_interval: String,
    /// `s3AccountList`: 12-digit accounts, separated by commas; joined with `source.accounts`.
    pub s3_account_list: String,
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self {
            source: SourceConfig::default(),
            s3_download_concurrency: 32,
            s3_interval: String::new(),
            s3_account_list: String::new(),
        }
    }
}
