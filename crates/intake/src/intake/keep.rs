//! What is written below `checkpoint_dir` beside the hand-out: the checkpoint, and what could not be written at once.

use crate::checkpoint::Folder;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::ledger::Ledger;
use crate::quarantine::Quarantine;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// What the keeper's thread, and closing, write.
pub(super) struct Kept {
    pub folder: Arc<Folder>,
    pub ledger: Arc<Mutex<Ledger>>,
    pub quarantine: Arc<Quarantine>,
    pub counters: Arc<Counters>,
    pub clock: Arc<dyn Clock>,
    pub late_minutes: u64,
}

impl Kept {
    /// Writes what waits of journal and quarantine. Returns how many batches wait on.
    pub fn flush(&self) -> usize {
        self.quarantine.flush();
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let (waiting, lost) = match ledger.journal() {
            Some(journal) => {
                // A failure is told by the journal itself.
                let _ = journal.flush();
                (journal.waiting(), journal.lost())
            }
            None => (0, 0),
        };
        self.counters.unwritten.set(lost + self.quarantine.lost());
        waiting
    }

    /// Writes the checkpoint.
    ///
    /// # Errors
    /// When a file cannot be written; the checkpoint before stays.
    pub fn save(&self) -> io::Result<()> {
        self.folder.save(&self.ledger, self.late_minutes, self.clock.now_ns())
    }

    /// Writes everything, for the last time.
    pub fn close(&self) {
        let waiting = self.flush();
        if waiting > 0 {
            tracing::error!(
                "{waiting} batches could not be written to the journal: after a restart, second deliveries of their records are \
                 not left out"
            );
        }
        if let Err(error) = self.save() {
            let rest = if waiting > 0 {
                "what was read since the last one comes again"
            } else {
                "the journal holds what it would say"
            };
            tracing::error!("cannot write the checkpoint: {error}; {rest}");
        }
    }
}
