//! Why a record cannot be read.

/// A record that cannot be used. Offsets are bytes from the first byte of the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes are not one JSON object: another kind of value, or nothing at all.
    #[error("a CloudTrail record must be a JSON object; found something else at byte {offset}")]
    NotAnObject {
        /// Where the first unexpected byte stands.
        offset: usize,
    },
    /// The JSON is broken at the top level of the record, or ends too early.
    #[error("broken JSON at byte {offset} of the record: {what}")]
    Broken {
        /// Where reading had to stop.
        offset: usize,
        /// What was expected there.
        what: &'static str,
    },
    /// The record is larger than offsets can say (4 GiB).
    #[error("the record has {bytes} bytes, more than can be handled")]
    TooLarge {
        /// Size of the record.
        bytes: usize,
    },
    /// `eventTime` is missing or not a string.
    #[error("the record has no eventTime")]
    NoEventTime,
    /// `eventTime` is not a time as RFC 3339 writes it, or before 1970.
    #[error("eventTime is not a time such as 2026-11-02T19:30:22Z: {text:?}")]
    BadEventTime {
        /// The text found, cut to 64 characters.
        text: String,
    },
}
