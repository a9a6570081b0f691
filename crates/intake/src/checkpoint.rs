//! What outlives the process: one folder for each origin below `checkpoint_dir`.
//!
//! | file | what |
//! |---|---|
//! | `lock` | held while an intake is open |
//! | `checkpoint.json` | the [`Document`], replaced as a whole |
//! | `journal-N` | what was taken since: event ids and steps, appended batch by batch |
//! | `quarantine.jsonl` | what was left out, and why |

mod folder;
mod inspect;
mod journal;
mod probe;

pub use folder::{CheckpointError, Folder, Restored};
pub use inspect::{Checkpoint, LaneReport};
pub use journal::{Journal, Position};
pub use probe::Usable;

use crate::ledger::LaneState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the files written here. A later one is refused, not misread.
pub const VERSION: u32 = 1;

/// `checkpoint.json`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// [`VERSION`]
    pub version: u32,
    /// The open parameters, without options.
    pub origin: String,
    /// When it was written, RFC 3339.
    pub written_at: String,
    /// Where reading began the first time, nanoseconds since 1970.
    pub start_ns: u64,
    /// Steps in the journal after this are newer than the document.
    pub journal: Position,
    /// Lanes by the beginning of their keys.
    pub lanes: BTreeMap<String, LaneState>,
}
