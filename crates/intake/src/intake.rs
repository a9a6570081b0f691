//! The one thing that the plugin and the tools hold: open, take batches, close.

mod keep;
mod open;

pub(crate) use open::checked;

use crate::budget::Budget;
use crate::clock::{Clock, SystemClock};
use crate::config::IntakeConfig;
use crate::counters::Counters;
use crate::handout::{Handed, Handout};
use crate::origin::Origin;
use crate::quarantine::{Quarantine, Reason};
use crate::record::RecordSlice;
use crate::retry::Pace;
use crate::store::Connect;
use crate::unread::{Unread, UnreadList};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

/// What [`Intake::next_batch`] has.
#[derive(Debug)]
pub enum Next {
    /// Records, at least one.
    Batch(Vec<RecordSlice>),
    /// Nothing within the time given; ask again.
    Idle,
    /// Nothing more comes. All was read, but for what [`Intake::unread`] names.
    End,
}

/// Why an intake did not open: the configuration is wrong, or the bucket cannot be read and
/// `on_open_error: fail` is set. One line, cause first.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting that cannot be used.
    #[error("{key}: {reason}")]
    Setting {
        /// The key.
        key: &'static str,
        /// What is wrong with it, and what to write instead.
        reason: String,
    },
    /// A file or folder that cannot be read.
    #[error("cannot open {path}: {reason}")]
    Path {
        /// The file or folder.
        path: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] crate::checkpoint::CheckpointError),
    /// The bucket cannot be read.
    #[error("cannot read {origin}: {reason}")]
    Bucket {
        /// What was to be read.
        origin: String,
        /// Why.
        reason: String,
        /// The whole story, of several lines: who asked, what would allow it. May be empty.
        story: String,
    },
    /// A thread or runtime could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(String),
}

impl OpenError {
    /// What a person may want to know beside the message: who asked, what would allow it. Of several lines, often empty.
    pub fn story(&self) -> &str {
        match self {
            OpenError::Bucket { story, .. } => story,
            _ => "",
        }
    }
}

/// What an intake needs from outside.
#[derive(Clone)]
pub struct Parts {
    /// Makes clients for buckets; needed for `s3://` only.
    pub connect: Option<Arc<dyn Connect>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Times between attempts.
    pub pace: Pace,
}

impl Default for Parts {
    fn default() -> Self {
        Self { connect: None, clock: Arc::new(SystemClock), pace: Pace::default() }
    }
}

impl Parts {
    /// With a maker of clients.
    pub fn with_connect(mut self, connect: Arc<dyn Connect>) -> Self {
        self.connect = Some(connect);
        self
    }
}

/// An open source of records. Dropping it closes it.
pub struct Intake {
    handout: Option<Handout>,
    counters: Arc<Counters>,
    unread: Arc<UnreadList>,
    budget: Arc<Budget>,
    quarantine: Arc<Quarantine>,
    stop: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
    runtime: Option<tokio::runtime::Runtime>,
    keeper: Option<Keeper>,
}

/// The thread that writes the checkpoint now and then.
struct Keeper {
    thread: JoinHandle<()>,
    /// Dropped to end it.
    stop: std::sync::mpsc::Sender<()>,
    kept: Arc<keep::Kept>,
}

impl Intake {
    /// Opens `origin` and starts reading ahead.
    ///
    /// # Errors
    /// When the configuration is wrong; see [`OpenError`]. A bucket that cannot be read now is no error, unless
    /// `on_open_error` is `fail`.
    pub fn open(origin: Origin, config: &IntakeConfig, parts: Parts) -> Result<Intake, OpenError> {
        open::open(origin, config, parts)
    }

    /// Up to `max` records, waiting at most `wait` for the first. Calling it again says that the batch before was
    /// taken: only then is it remembered as handed out.
    pub fn next_batch(&mut self, max: usize, wait: Duration) -> Next {
        match self.handout.as_mut().map(|handout| handout.next(max, wait)) {
            Some(Handed::Batch(batch)) => Next::Batch(batch),
            Some(Handed::Idle) => Next::Idle,
            Some(Handed::End) | None => Next::End,
        }
    }

    /// Leaves out a record of the batch in hand that could not be passed on: it ends in quarantine with its object and
    /// place, and in the counter `failed_record` instead of `emitted`. It does not come again.
    pub fn set_aside(&mut self, record: &RecordSlice, why: &str) {
        let (object, offset_bytes) = (record.source(), record.offset_bytes());
        self.quarantine.record(object, Reason::FailedRecord, offset_bytes, record.bytes(), why);
        self.counters.failed_record.add(1);
        if let Some(handout) = &mut self.handout {
            handout.set_aside();
        }
    }

    /// What became of records and objects, shared with other threads.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// What was given up, reason by reason; to be asked after [`Next::End`], and empty when all was read. Only what ends
    /// by itself (`?once`, an `s3Interval` with an end, a file or folder without `?follow`) gives up.
    pub fn unread(&self) -> Vec<Unread> {
        self.unread.all()
    }

    /// How far reading is: a share from 0 to 1 (of the objects known now) and a text.
    pub fn progress(&self) -> (f64, String) {
        let values = self.counters.values();
        let share = match values.objects_known {
            0 => 0.0,
            known => (values.objects_done.min(known)) as f64 / known as f64,
        };
        let text = format!(
            "{:.2}% - {}/{} objects, {} records",
            share * 100.0,
            values.objects_done,
            values.objects_known,
            values.emitted
        );
        (share, text)
    }

    /// The most bytes of inflated data that waited at once, so far.
    pub fn peak_buffer_bytes(&self) -> u64 {
        self.budget.peak()
    }

    /// Stops all threads and writes the checkpoint. The batch in hand counts as not taken.
    pub fn close(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        self.stop.store(true, Relaxed);
        self.budget.close();
        self.handout = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
        if let Some(worker) = self.worker.take()
            && worker.join().is_err()
        {
            tracing::error!("the intake's thread ended with a panic; please report");
        }
        let Some(keeper) = self.keeper.take() else { return };
        drop(keeper.stop);
        if keeper.thread.join().is_err() {
            tracing::error!("the checkpoint's thread ended with a panic; please report");
        }
        keeper.kept.close();
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.stop();
    }
}
