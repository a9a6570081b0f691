//! Splitting an object into its records.

/// A part of an object that is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {kind}")]
pub struct SplitError {
    /// Bytes from the start of the (inflated) object.
    pub offset: u64,
    /// What is wrong there.
    pub kind: SplitErrorKind,
}

/// What is wrong at one place of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitErrorKind {
    /// Something that is not a JSON object stands where a record should.
    #[error("a record must be a JSON object; this is skipped")]
    NotAnObject,
    /// A record whose braces or quotes do not close.
    #[error("a record is broken; it is skipped and reading goes on with the next")]
    Broken,
    /// The object ends in the middle.
    #[error("the object ends in the middle of a record or list: it is truncated")]
    Truncated,
}

/// The records of an object (`{"Records":[…]}`, a bare array, JSON lines, or one record), each as its exact bytes.
pub fn records(object: &[u8]) -> impl Iterator<Item = Result<&[u8], SplitError>> {
    use crate::json::{Json, Kind};
    let object = object.strip_prefix(b"\xef\xbb\xbf").unwrap_or(object);
    let mut found = Vec::new();
    let mut pos = crate::json::scan::skip_ws(object, 0);
    while pos < object.len() {
        let Some(end) = crate::json::scan::skip_value(object, pos) else {
            found.push(Err(SplitError { offset: pos as u64, kind: SplitErrorKind::Truncated }));
            break;
        };
        let value = Json::new(&object[pos..end]);
        let list = if value.kind() == Kind::Array { Some(value) } else { value.get("Records") };
        match list {
            Some(list) => found.extend(list.items().map(|item| Ok(item.bytes()))),
            None => found.push(Ok(value.bytes())),
        }
        pos = crate::json::scan::skip_ws(object, end);
    }
    found.into_iter()
}
