//! A checkpoint as a person wants to see it.

use super::folder::{Stored, read_document};
use super::{CheckpointError, Journal, Position};
use crate::layout::{MINUTE_NS, rfc3339};
use crate::ledger::{Lane, Ledger};
use crate::quarantine::{Entry, Quarantine};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

/// What `tfdrift checkpoint` shows of one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// Its folder.
    pub folder: String,
    /// `s3://BUCKET/PREFIX` or a path.
    pub origin: String,
    /// When the document was written, RFC 3339; the journal may be newer. Empty: only a journal is there.
    pub written_at: String,
    /// True while a process holds it.
    pub in_use: bool,
    /// Event ids remembered in the journal.
    pub event_ids: u64,
    /// Lanes, each an account and region or, without AWS's layout, everything.
    pub lanes: Vec<LaneReport>,
    /// What was left out, newest last.
    pub quarantine: Vec<Entry>,
}

/// How far one lane is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaneReport {
    /// What its keys begin with.
    pub lane: String,
    /// Everything delivered before this time is through, RFC 3339; absent without AWS's layout.
    pub done_before: Option<String>,
    /// Time of the newest object that is through, RFC 3339.
    pub newest_done: Option<String>,
    /// Seconds from that object's time to now.
    pub lag_secs: Option<u64>,
    /// Objects remembered by name.
    pub done: usize,
    /// Objects of which a part was taken: name and inflated bytes.
    pub open: BTreeMap<String, u64>,
}

impl Checkpoint {
    /// All checkpoints below `dir` (a `checkpoint_dir`, or the folder of one origin), seen at `now_ns`. Takes no lock
    /// and changes nothing.
    ///
    /// # Errors
    /// When the folder cannot be read or is of a later version.
    pub fn inspect(dir: &Path, now_ns: u64) -> Result<Vec<Checkpoint>, CheckpointError> {
        let io = |source| CheckpointError::Read { path: dir.display().to_string(), source };
        if dir.join("lock").exists() {
            return Ok(vec![inspect_one(dir, now_ns)?]);
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.join("lock").exists() {
                found.push(inspect_one(&path, now_ns)?);
            }
        }
        found.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(found)
    }
}

/// The same failure, told to somebody who only looks.
fn for_reading(error: CheckpointError) -> CheckpointError {
    match error {
        CheckpointError::Io { path, source } => CheckpointError::Read { path, source },
        other => other,
    }
}

fn inspect_one(folder: &Path, now_ns: u64) -> Result<Checkpoint, CheckpointError> {
    let document = match read_document(folder).map_err(for_reading)? {
        Stored::Read(document) => Some(*document),
        Stored::Absent | Stored::Broken { .. } => None,
    };
    let (origin, written_at) =
        document.as_ref().map_or_else(Default::default, |d| (d.origin.clone(), d.written_at.clone()));
    let covered = document.as_ref().map_or(Position::default(), |d| d.journal);
    let lanes = document.into_iter().flat_map(|d| d.lanes);
    let lanes = lanes.map(|(lane, state)| (Arc::from(lane), Lane::restored(state))).collect();
    let mut ledger = Ledger::new(lanes, None, 0);
    let mut event_ids = 0;
    let read = Journal::read(folder, |at, taken| {
        event_ids += taken.ids.len() as u64;
        if at > covered {
            taken.steps.iter().for_each(|step| ledger.apply(step));
        }
    });
    read.map_err(|source| CheckpointError::Read { path: folder.display().to_string(), source })?;
    let in_use = File::open(folder.join("lock")).is_ok_and(|lock| lock.try_lock().is_err());
    let lanes = ledger.lanes().iter().map(|(lane, state)| report(lane, state, now_ns)).collect();
    let quarantine = Quarantine::read(folder);
    let folder = folder.display().to_string();
    Ok(Checkpoint { folder, origin, written_at, in_use, event_ids, lanes, quarantine })
}

fn report(name: &str, lane: &Lane, now_ns: u64) -> LaneReport {
    let state = lane.state();
    let timed = crate::layout::parse(name).is_some();
    let newest = state.done.keys().filter_map(|name| crate::layout::minute(name)).max();
    let newest_ns = newest.map(|minute| minute * MINUTE_NS);
    LaneReport {
        lane: name.into(),
        done_before: timed.then(|| rfc3339(state.floor * MINUTE_NS)),
        newest_done: newest_ns.map(rfc3339),
        lag_secs: newest_ns.map(|ns| now_ns.saturating_sub(ns) / 1_000_000_000),
        done: state.done.len(),
        open: state.open.iter().map(|(name, (_, upto))| (name.clone(), *upto)).collect(),
    }
}
