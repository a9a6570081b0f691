//! All records of one object that is in memory: for tools that look at a single object, by the same rules as an intake.

use crate::scan::{Found, Scanner};
use std::ops::Range;

/// A part of an object that is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset_bytes}: {why}")]
pub struct NoRecord {
    /// Bytes of the object before it.
    pub offset_bytes: usize,
    /// What is wrong there.
    pub why: &'static str,
}

/// The records of an inflated object in its order, each as the bytes that AWS wrote, and what is broken among them.
/// Records over `max_record_bytes` are passed by, as an intake does.
///
/// ```
/// let object = br#"{"Records":[{"eventVersion":"1.08"},7,{"eventVersion":"1.09"}]}"#;
/// let found: Vec<_> = tfdrift_intake::records(object, 1 << 20).collect();
/// assert_eq!(found[0], Ok(&br#"{"eventVersion":"1.08"}"#[..]));
/// assert_eq!(found[1].as_ref().unwrap_err().to_string(), "byte 36: a record must be a JSON object");
/// assert_eq!(found.len(), 3);
/// ```
pub fn records(object: &[u8], max_record_bytes: usize) -> impl Iterator<Item = Result<&[u8], NoRecord>> + '_ {
    let mut scanner = Scanner::new(max_record_bytes);
    let broken = |range: Range<usize>, why| Some(Err(NoRecord { offset_bytes: range.start, why }));
    std::iter::from_fn(move || match scanner.next(object, true) {
        Found::Record(range, _) => Some(Ok(object.get(range).unwrap_or_default())),
        Found::Broken { range, why } => broken(range, why),
        Found::TooLarge { range } => broken(range, "the record is larger than source.max_record_bytes"),
        Found::More { .. } | Found::End => None,
    })
}
