//! The document that `tfdrift scan --format json` prints.

use serde::Serialize;
use tfdrift_drift::{Finding, NetDrift};

/// What was read.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct Counters {
    /// Records whose `eventID` was seen before.
    pub duplicate: u64,
    /// Records and objects that could not be read.
    pub malformed: u64,
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
