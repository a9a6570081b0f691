//! One record as it is handed out.

use crate::chunk::Chunk;
use crate::object::Object;
use std::ops::Range;
use std::sync::Arc;

/// The bytes of one record, as AWS wrote them, inside a piece of an inflated object that all its records share.
#[derive(Debug, Clone)]
pub struct RecordSlice {
    chunk: Arc<Chunk>,
    start: usize,
    end: usize,
    time_ns: u64,
}

impl RecordSlice {
    pub(crate) fn new(chunk: Arc<Chunk>, range: Range<usize>, time_ns: u64) -> Self {
        Self { chunk, start: range.start, end: range.end, time_ns }
    }

    /// The record's bytes, blanks and all.
    pub fn bytes(&self) -> &[u8] {
        self.chunk.bytes().get(self.start..self.end).unwrap_or_default()
    }

    /// `eventTime`, nanoseconds since 1970-01-01T00:00:00Z.
    pub fn time_ns(&self) -> u64 {
        self.time_ns
    }

    /// The object or file that it stands in: `s3://BUCKET/KEY`, or a path.
    pub fn object(&self) -> String {
        self.source().to_string()
    }

    /// Inflated bytes of the object before the record.
    pub fn offset_bytes(&self) -> u64 {
        self.chunk.base() + self.start as u64
    }

    pub(crate) fn source(&self) -> &Object {
        self.chunk.object()
    }
}
