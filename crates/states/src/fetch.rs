//! What sources hand to the loader.

use std::time::{SystemTime, UNIX_EPOCH};

/// A state that stands in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Tells it from all others of the process: canonical path, `s3://bucket/key`.
    pub(crate) key: String,
    /// What people call it when the place has no name.
    pub(crate) name: String,
    /// What is added to the place's name when the place has several states. Empty for the default workspace of one
    /// configuration, which goes by the place's name alone.
    pub(crate) part: String,
    /// Changes when the bytes do: ETag, generation, or time, length and inode. Absent where nothing says so; then the
    /// bytes are fetched every time.
    pub(crate) version: Option<String>,
    /// Terraform workspace, where the place says so.
    pub(crate) workspace: Option<String>,
    /// When it was written, in nanoseconds since the epoch.
    pub(crate) written_at_ns: Option<u64>,
}

/// The bytes of an item.
pub(crate) struct Fetched {
    pub(crate) bytes: Vec<u8>,
    /// Version of exactly these bytes, where known better than at listing.
    pub(crate) version: Option<String>,
    pub(crate) written_at_ns: Option<u64>,
}

/// Whether a file or object has a state's name. Not those of backups and locks: `terraform.tfstate.backup`,
/// `.terraform.tfstate.lock.info`.
pub(crate) fn is_state(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.ends_with(".tfstate") || name.ends_with(".tfstate.json")
}

/// Nanoseconds since the epoch.
pub(crate) fn epoch_ns(time: SystemTime) -> Option<u64> {
    time.duration_since(UNIX_EPOCH).ok().and_then(|d| u64::try_from(d.as_nanos()).ok())
}
