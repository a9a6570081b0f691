//! Splitting an object into its records, each as the exact bytes that AWS wrote.
//!
//! An object may be `{"Records":[…]}` with other members around, a bare list, records one after the other (JSON
//! lines), one record, or an EventBridge event whose `detail` is a record; a byte order mark is passed over. What is
//! broken costs itself only: it is an error with its place, and the records after it go on. For that, the start of
//! the next record is looked for by the first key of the records before it (AWS: `eventVersion`).

mod inside;
mod machine;
mod resync;

use machine::{Machine, Step};

/// Bounds for what comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest record; larger ones are an error and are passed over. AWS truncates records at 256 KiB.
    pub max_record_bytes: usize,
    /// After so many broken records the rest of the object is given up.
    pub max_broken: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_record_bytes: 16 << 20, max_broken: 1_000 }
    }
}

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
    #[error("a record must be a JSON object; this is passed over")]
    NotAnObject,
    /// A record whose brackets or quotes do not close.
    #[error("the record is broken; it is passed over and reading goes on with the next one")]
    Broken,
    /// The object ends in the middle.
    #[error("the object ends in the middle of a record or list: it is truncated")]
    Truncated,
    /// The record is larger than [`Limits::max_record_bytes`].
    #[error("the record is larger than {limit} bytes; it is passed over (source.max_record_bytes)")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// [`Limits::max_broken`] is reached.
    #[error("too much of the object is broken; the rest is given up")]
    GivenUp,
}

/// The records of an object in memory, in the order of the object.
pub fn records(object: &[u8]) -> Records<'_> {
    records_within(object, Limits::default())
}

/// The same with bounds of one's own.
pub fn records_within(object: &[u8], limits: Limits) -> Records<'_> {
    Records { object, machine: Machine::new(limits) }
}

/// See [`records`].
#[derive(Debug)]
pub struct Records<'a> {
    object: &'a [u8],
    machine: Machine,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<&'a [u8], SplitError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.machine.step(self.object, true) {
            Step::Record(range) => self.object.get(range).map(Ok),
            Step::Wrong(at, kind) => Some(Err(SplitError { offset: at as u64, kind })),
            Step::More | Step::Done => None,
        }
    }
}

/// Splits an object that comes in pieces, holding no more of it than one record and one piece.
///
/// ```
/// # use tfdrift_cloudtrail::split::{Limits, Splitter};
/// let mut splitter = Splitter::new(Limits::default());
/// let mut records = Vec::new();
/// for piece in [r#"{"Records":[{"eventVer"#, r#"sion":"1.08"},{"#, r#""eventVersion":"1.09"}]}"#] {
///     splitter.push(piece.as_bytes());
///     while let Some(record) = splitter.next_record() {
///         records.push(record.unwrap().to_vec());
///     }
/// }
/// splitter.finish();
/// assert!(splitter.next_record().is_none());
/// assert_eq!(records.len(), 2);
/// ```
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// Bytes of the object before the buffer.
    base: u64,
    finished: bool,
    machine: Machine,
}

impl Splitter {
    /// A splitter at the start of an object.
    pub fn new(limits: Limits) -> Self {
        Splitter { buffer: Vec::new(), base: 0, finished: false, machine: Machine::new(limits) }
    }

    /// Takes the next piece of the object. Call [`Splitter::next_record`] until it has no more before the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        let used = self.machine.take_used();
        self.buffer.drain(..used.min(self.buffer.len()));
        self.base += used as u64;
        self.buffer.extend_from_slice(piece);
    }

    /// Says that the object is complete: what is still open is truncated.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// The next record, or what is wrong; `None` if another piece is needed or, after `finish`, at the end.
    pub fn next_record(&mut self) -> Option<Result<&[u8], SplitError>> {
        match self.machine.step(&self.buffer, self.finished) {
            Step::Record(range) => self.buffer.get(range).map(Ok),
            Step::Wrong(at, kind) => Some(Err(SplitError { offset: self.base + at as u64, kind })),
            Step::More | Step::Done => None,
        }
    }

    /// How many bytes are held.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }
}
