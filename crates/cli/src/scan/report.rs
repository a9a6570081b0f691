//! The document that `tfdrift scan --format json` prints.

use serde::Serialize;
use tfdrift_drift::{Finding, NetDrift};
use tfdrift_intake::counters::CounterValues;

/// What was read.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct Counters {
    /// Records whose `eventID` was seen before.
    pub duplicate: u64,
    /// Records and objects that are not what CloudTrail writes, or over a limit.
    pub malformed: u64,
    /// Objects and folders that may not be read, or could not be had.
    pub refused: u64,
    /// Objects that were listed, and gone when they were to be read.
    pub not_found: u64,
    /// Sources (`--events`) that could not be opened, or not read to their end.
    pub unread_events: u64,
    /// States and places of states that could not be read.
    pub unread_states: u64,
    /// Resources and instances left out of a state because they could not be read.
    pub unread_resources: u64,
}

impl Counters {
    /// Adds what the intake counted of one source.
    pub fn add(&mut self, read: &CounterValues) {
        self.duplicate += read.duplicate;
        self.malformed += read.malformed_record
            + read.failed_record
            + read.malformed_object
            + read.too_large
            + read.object_too_large;
        // A folder of a bucket stands in both.
        self.refused += read.object_given_up + read.folders_refused.max(read.lanes_given_up);
        self.not_found += read.not_found;
    }

    /// What could not be read, for people: `2 objects that may not be read, 1 state`. `None` when all could.
    pub fn unread(&self) -> Option<String> {
        let parts: Vec<String> = [
            (self.unread_events, "source (--events)", "sources (--events)"),
            (
                self.refused,
                "object or folder (refused or not to be had)",
                "objects or folders (refused or not to be had)",
            ),
            (self.not_found, "object (gone)", "objects (gone)"),
            (self.malformed, "record or object (malformed)", "records or objects (malformed)"),
            (self.unread_states, "state", "states"),
            (self.unread_resources, "resource of a state", "resources of a state"),
        ]
        .into_iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, one, more)| format!("{n} {}", if n == 1 { one } else { more }))
        .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// The answer.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// What became of the others.
    pub counters: Counters,
    /// Records that hit a managed resource or create an unmanaged one.
    pub findings: Vec<Finding>,
    /// The net result.
    pub drifts: Vec<NetDrift>,
}

impl Report {
    /// Prints it.
    pub fn print_json(&self) {
        match serde_json::to_string(self) {
            Ok(text) => println!("{text}"),
            Err(e) => eprintln!("error: the result cannot be written as JSON: {e}"),
        }
    }
}

/// Prints one finding as a line of JSON.
pub fn line(finding: &Finding) {
    if let Ok(text) = serde_json::to_string(finding) {
        println!("{text}");
    }
}
