//! The one thing that the plugin and the tools hold: open, take batches, close.

use crate::clock::{Clock, SystemClock};
use crate::config::IntakeConfig;
use crate::counters::Counters;
use crate::origin::Origin;
use crate::record::RecordSlice;
use crate::store::Connect;
use std::sync::Arc;
use std::time::Duration;

/// What [`Intake::next_batch`] has.
#[derive(Debug)]
pub enum Next {
    /// Records, at least one.
    Batch(Vec<RecordSlice>),
    /// Nothing within the time given; ask again.
    Idle,
    /// All was read.
    End,
}

/// Why an intake did not open: the configuration is wrong, or the bucket cannot be read and
/// `on_open_error: fail` is set. One line, cause first.
#[derive(Debug, Clone, thiserror::Error)]
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
    #[error("{0}")]
    Checkpoint(String),
    /// The bucket cannot be read.
    #[error("cannot read {origin}: {reason}")]
    Bucket {
        /// What was to be read.
        origin: String,
        /// Why.
        reason: String,
    },
    /// A thread or runtime could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(String),
}

/// What an intake needs from outside.
#[derive(Clone)]
pub struct Parts {
    /// Makes clients for buckets; needed for `s3://` only.
    pub connect: Option<Arc<dyn Connect>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { connect: None, clock: Arc::new(SystemClock) }
    }
}

impl Parts {
    /// With a maker of clients.
    pub fn with_connect(mut self, connect: Arc<dyn Connect>) -> Self {
        self.connect = Some(connect);
        self
    }
}

/// An open source of records.
pub struct Intake {
    counters: Arc<Counters>,
}

impl Intake {
    /// Opens `origin` and starts reading ahead.
    ///
    /// # Errors
    /// When the configuration is wrong; see [`OpenError`]. A bucket that cannot be read now is no error, unless
    /// `on_open_error` is `fail`.
    pub fn open(origin: Origin, config: &IntakeConfig, parts: Parts) -> Result<Intake, OpenError> {
        let _ = (origin, config, parts);
        Ok(Intake { counters: Arc::default() })
    }

    /// Up to `max` records, waiting at most `wait` for the first. Calling it again says that the batch before was
    /// taken: only then is it remembered as handed out.
    pub fn next_batch(&mut self, max: usize, wait: Duration) -> Next {
        let _ = (max, wait);
        Next::End
    }

    /// What became of records and objects, shared with other threads.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// How far reading is: a share from 0 to 1 (of the objects known now) and a text.
    pub fn progress(&self) -> (f64, String) {
        (0.0, String::new())
    }

    /// Stops all threads and writes the checkpoint. The batch in hand counts as not taken.
    pub fn close(self) {}
}
