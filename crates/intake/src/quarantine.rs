//! What could not be handed out, with its reason: one JSON line each, and one line in the log an object.

mod file;

use self::file::Lines;
use crate::clock::Clock;
use crate::layout::rfc3339;
use crate::object::Object;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// File names in the folder of a checkpoint.
const NAMES: [&str; 2] = ["quarantine.jsonl", "quarantine.1.jsonl"];
/// Of a record, this much is kept.
const RECORD_BYTES: usize = 64 << 10;

/// Why something lies in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not what CloudTrail writes.
    MalformedObject,
    /// Over `max_object_bytes` or `max_inflated_bytes`.
    ObjectTooLarge,
    /// AccessDenied, or no right to decrypt: in quarantines of earlier versions only. What is refused now waits, or is
    /// named by [`crate::Intake::unread`].
    Refused,
    /// Listed, and gone.
    NotFound,
    /// A record that is not JSON or has no time.
    MalformedRecord,
    /// A record over `max_record_bytes`.
    TooLarge,
    /// A record that could not be passed on to Falco: a bug of ours.
    FailedRecord,
}

/// One line of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was put there, RFC 3339.
    pub at: String,
    /// `s3://BUCKET/KEY` or a path.
    pub object: String,
    /// Why, in one word.
    pub reason: Reason,
    /// Why, in a sentence.
    pub why: String,
    /// Inflated bytes of the object before the record; only for records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_bytes: Option<u64>,
    /// The record, its first 64 KiB; only for records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

/// The quarantine of one intake.
pub struct Quarantine {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    /// `None`: entries are logged only.
    lines: Option<Lines>,
    last_logged: String,
}

impl Quarantine {
    /// A quarantine that writes below `folder`, or only logs.
    pub fn new(folder: Option<&Path>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = State { lines: folder.map(Lines::new), last_logged: String::new() };
        Arc::new(Self { clock, state: Mutex::new(state) })
    }

    /// An object that is given up.
    pub fn object(&self, object: &Object, reason: Reason, why: &str) {
        tracing::warn!(object = %object, reason = ?reason, "object left out: {why}");
        self.put(object, reason, why, None, None);
    }

    /// A record that is left out; it begins after `offset_bytes` of the object.
    pub fn record(&self, object: &Object, reason: Reason, offset_bytes: u64, record: &[u8], why: &str) {
        let name = object.to_string();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last_logged != name {
            tracing::warn!(object = %name, reason = ?reason, "record at byte {offset_bytes} left out: {why} (further ones of this object are counted only)");
            state.last_logged = name;
        }
        drop(state);
        let kept = record.get(..record.len().min(RECORD_BYTES)).unwrap_or_default();
        self.put(object, reason, why, Some(offset_bytes), Some(String::from_utf8_lossy(kept).into_owned()));
    }

    fn put(
        &self,
        object: &Object,
        reason: Reason,
        why: &str,
        offset_bytes: Option<u64>,
        record: Option<String>,
    ) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lines) = &mut state.lines else { return };
        let at = rfc3339(self.clock.now_ns());
        let entry = Entry { at, object: object.to_string(), reason, why: why.into(), offset_bytes, record };
        // An entry is text and numbers: it has a form in JSON.
        if let Ok(mut line) = serde_json::to_vec(&entry) {
            line.push(b'\n');
            lines.add(line);
        }
    }

    /// Writes what waits because the file could not be written, when it is time to try.
    pub fn flush(&self) {
        if let Some(lines) = &mut self.state.lock().unwrap_or_else(PoisonError::into_inner).lines {
            lines.flush();
        }
    }

    /// Entries that could not be written for so long that they were let go.
    pub fn lost(&self) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lines.as_ref().map_or(0, Lines::lost)
    }

    /// The entries below `folder`, oldest first. Lines that are not whole are passed by.
    pub fn read(folder: &Path) -> Vec<Entry> {
        let texts = NAMES.iter().rev().filter_map(|name| std::fs::read_to_string(folder.join(name)).ok());
        texts
            .flat_map(|text| text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect::<Vec<_>>())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::file::FILE_BYTES;
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn entries_are_kept_and_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::new(Some(dir.path()), Arc::new(SystemClock));
        let object = Object::new(&"s3://b/".into(), &"p/".into(), "k.json".into());
        quarantine.object(&object, Reason::MalformedObject, "truncated gzip");
        let big = vec![b'x'; 10 << 20];
        for n in 0..600 {
            quarantine.record(&object, Reason::TooLarge, n, &big, "over max_record_bytes");
        }
        let entries = Quarantine::read(dir.path());
        assert_eq!(entries.last().unwrap().offset_bytes, Some(599));
        assert_eq!(entries.last().unwrap().object, "s3://b/p/k.json");
        assert_eq!(entries.last().unwrap().record.as_ref().unwrap().len(), RECORD_BYTES);
        let on_disk: u64 =
            NAMES.iter().map(|name| std::fs::metadata(dir.path().join(name)).unwrap().len()).sum();
        assert!(on_disk < 3 * FILE_BYTES);
    }
}
