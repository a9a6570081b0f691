//! Objects on their way through the intake, and what is handed from thread to thread.

use crate::chunk::Chunk;
use crate::dedup::IdMark;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

/// One object or file.
#[derive(Debug)]
pub struct Object {
    /// `s3://BUCKET/` or the folder, for messages.
    pub home: Arc<str>,
    /// The part of the key that many objects share and by which progress is kept; ends in `/` or is empty.
    pub lane: Arc<str>,
    /// The rest of the key.
    pub name: String,
    /// Bytes as stored, as far as known.
    pub size_bytes: u64,
    /// Stands for the content: changes with it.
    pub stamp: u64,
    /// When it was written; 0 when not known.
    pub modified_ns: u64,
    /// True when account and region are not in the key, so that each record must be asked.
    pub filter_records: bool,
    /// True for a file that others still write to: an unfinished record at its end is waited for.
    pub growing: bool,
    /// Inflated bytes that were handed out before: passed by.
    resume_bytes: AtomicU64,
    attempts: AtomicU32,
    refused: AtomicBool,
    held: AtomicBool,
}

impl Object {
    /// An object that nobody has read yet.
    pub fn new(home: &Arc<str>, lane: &Arc<str>, name: String) -> Self {
        Self {
            home: Arc::clone(home),
            lane: Arc::clone(lane),
            name,
            size_bytes: 0,
            stamp: 0,
            modified_ns: 0,
            filter_records: true,
            growing: false,
            resume_bytes: AtomicU64::new(0),
            attempts: AtomicU32::new(0),
            refused: AtomicBool::new(false),
            held: AtomicBool::new(false),
        }
    }

    /// The whole key.
    pub fn key(&self) -> String {
        format!("{}{}", self.lane, self.name)
    }

    /// Where up to here everything was read, in inflated bytes.
    pub fn resume_bytes(&self) -> u64 {
        self.resume_bytes.load(Relaxed)
    }

    /// Remembers how far reading came.
    pub fn set_resume(&self, bytes: u64) {
        self.resume_bytes.store(bytes, Relaxed);
    }

    /// Notes that somebody must allow it to be read.
    pub fn set_refused(&self) {
        self.refused.store(true, Relaxed);
    }

    /// True when it was asked for and refused.
    pub fn was_refused(&self) -> bool {
        self.refused.load(Relaxed)
    }

    /// Notes that it waited, untried, with others that were refused.
    pub fn set_held(&self) {
        self.held.store(true, Relaxed);
    }

    /// True when it waited untried.
    pub fn was_held(&self) -> bool {
        self.held.load(Relaxed)
    }

    /// Counts an attempt to read it; returns how many there were before.
    pub fn attempt(&self) -> u32 {
        self.attempts.fetch_add(1, Relaxed)
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}{}", self.home, self.lane, self.name)
    }
}

/// The bytes of an object, as stored.
pub enum Payload {
    /// All of them.
    Whole(Vec<u8>, Option<Box<dyn Send>>),
    /// Too many to hold.
    Stream(Box<dyn Read + Send>),
}

/// Where a record stands in a chunk.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
    /// `eventTime`.
    pub time_ns: u64,
    /// The mark of its `eventID`; 0 when there is none.
    pub id: IdMark,
}

/// How reading an object ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Read to its end.
    Done,
    /// Given up.
    Quarantined,
    /// It was gone.
    Gone,
}

/// What the worker hands to whoever asks for batches, in order.
pub enum Item {
    /// Records of one chunk.
    Records {
        /// Their bytes, and whose they are.
        chunk: Arc<Chunk>,
        /// The records, in order.
        pieces: Vec<Piece>,
    },
    /// All records of this object were handed over.
    Ended {
        /// Which.
        object: Arc<Object>,
        /// How.
        how: Ended,
        /// Inflated bytes up to which it was read.
        upto: u64,
    },
    /// Nothing follows.
    End,
}
