//! The folder of one origin: locked, read, written.

use super::document::{self, Stored};
use super::{Document, Journal, Position, VERSION};
use crate::dedup::{Dedup, mark};
use crate::layout::{MINUTE_NS, minute, rfc3339};
use crate::ledger::{Lane, Ledger};
use crate::origin::Origin;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Why a checkpoint cannot be used. All are matters of configuration.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The folder cannot be made, read or written.
    #[error(
        "cannot use checkpoint_dir {path}: {source}; give source.checkpoint_dir a folder that this user may write"
    )]
    Io {
        /// The folder or file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It cannot be looked at.
    #[error("cannot read the checkpoint {path}: {}", reading(.source))]
    Read {
        /// The folder or file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The disk is full.
    #[error(
        "no space left for checkpoint_dir {path}: {source}; make room on that disk, or give source.checkpoint_dir a folder on another one"
    )]
    NoSpace {
        /// The folder or file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Another process holds it.
    #[error(
        "the checkpoint {path} is in use by another process: stop it, or give this one another source.checkpoint_dir"
    )]
    Locked {
        /// The folder.
        path: String,
    },
    /// A later version wrote it.
    #[error(
        "the checkpoint {path} is of version {found}, this program knows {VERSION}: use the newer program, or remove the folder to start anew"
    )]
    Version {
        /// The folder.
        path: String,
        /// Its version.
        found: u64,
    },
}

fn reading(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "there is no such folder; give source.checkpoint_dir of the plugin's configuration, or that file with --config. \
             It is made when Falco first opens a source"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            format!("{error}; run this as the user that runs Falco (root, as a rule)")
        }
        io::ErrorKind::NotADirectory => "it is no folder; give source.checkpoint_dir, or the folder of one source in it".to_owned(),
        _ => error.to_string(),
    }
}

impl CheckpointError {
    /// Of a file or folder that cannot be used.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.display().to_string();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { path, source },
            _ => Self::Io { path, source },
        }
    }
}

/// A folder in use by this process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    origin: String,
    /// Unlocked when dropped.
    _lock: File,
}

/// What an earlier run left.
pub struct Restored {
    /// The book, to be gone on with.
    pub ledger: Ledger,
    /// The ids handed out.
    pub dedup: Dedup,
    /// True when there was something.
    pub found: bool,
}

impl Folder {
    /// The name of an origin's folder: readable, and different for different origins.
    pub fn name(origin: &Origin) -> String {
        let text = origin.to_string();
        let readable: String = text
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
            .take(80)
            .collect();
        format!("{}-{:08x}", readable.trim_matches('-'), mark(text.as_bytes()) as u32)
    }

    /// Takes the folder of `origin` below `dir`.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn open(dir: &Path, origin: &Origin) -> Result<Self, CheckpointError> {
        let path = dir.join(Self::name(origin));
        let io = |source| CheckpointError::io(&path, source);
        fs::create_dir_all(&path).map_err(io)?;
        let lock = OpenOptions::new().create(true).append(true).open(path.join("lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { origin: origin.to_string(), _lock: lock, path }),
            Err(TryLockError::WouldBlock) => {
                Err(CheckpointError::Locked { path: path.display().to_string() })
            }
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what is there. `start_ns`: where to begin when there is nothing; `dedup_entries`: ids to remember.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn restore(&self, start_ns: u64, dedup_entries: usize) -> Result<Restored, CheckpointError> {
        let io = |source| CheckpointError::io(&self.path, source);
        let Stored { document, damaged } = document::read(&self.path)?;
        let mut dedup = Dedup::new(dedup_entries);
        let covered = document.as_ref().map_or(Position::default(), |document| document.journal);
        let (mut newer, mut oldest) = (Vec::new(), u64::MAX);
        let journal = Journal::open(&self.path, dedup_entries.div_ceil(2), |at, taken| {
            for id in taken.ids {
                dedup.insert(id);
            }
            if at > covered {
                oldest = taken.steps.iter().filter_map(|s| minute(&s.name)).fold(oldest, u64::min);
                newer.extend(taken.steps);
            }
        });
        let journal = journal.map_err(io)?;
        let found = document.is_some() || !newer.is_empty();
        for (path, why) in &damaged {
            tracing::error!(
                "{} is damaged: {why}; it is put aside with .damaged behind its name",
                path.display()
            );
        }
        let (lanes, start_ns) = match document {
            Some(document) => {
                if !damaged.is_empty() {
                    tracing::warn!(
                        "going on from its copy of {} and the journal: nothing is left out, nothing comes \
                         again",
                        document.written_at
                    );
                }
                let lanes = document.lanes.into_iter();
                let lanes = lanes.map(|(lane, state)| (Arc::from(lane), Lane::restored(state)));
                (lanes.collect(), document.start_ns)
            }
            None if damaged.is_empty() => (BTreeMap::new(), start_ns),
            None => (BTreeMap::new(), self.start_again(start_ns, oldest.saturating_mul(MINUTE_NS))),
        };
        document::put_aside(&damaged).map_err(io)?;
        document::begin(&self.path, start_ns).map_err(io)?;
        let mut ledger = Ledger::new(lanes, Some(journal), start_ns);
        for step in &newer {
            ledger.apply(step);
        }
        Ok(Restored { ledger, dedup, found })
    }

    /// Where to begin when no document can be read: rather too early than too late. All in nanoseconds since 1970.
    fn start_again(&self, start_ns: u64, oldest_ns: u64) -> u64 {
        let start_ns = document::began(&self.path).unwrap_or_else(|| {
            // The lock is made with the folder, and never written to.
            let made = fs::metadata(self.path.join("lock")).and_then(|meta| meta.modified()).ok();
            let made = made.and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
            let made_ns = made.and_then(|made| u64::try_from(made.as_nanos()).ok()).unwrap_or(0);
            start_ns.min(oldest_ns).min(made_ns)
        });
        tracing::warn!(
            "no checkpoint can be read: all is read again from {}, where reading began; what the journal remembers is left \
             out, older records come again",
            rfc3339(start_ns)
        );
        start_ns
    }

    /// Writes the book as it is now. Only the copying holds it.
    ///
    /// # Errors
    /// When a file cannot be written; the one before stays.
    pub fn save(&self, ledger: &Mutex<Ledger>, window_minutes: u64, now_ns: u64) -> io::Result<()> {
        let saved = self.save_now(ledger, window_minutes, now_ns);
        if saved.is_err() {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).changed = true;
        }
        saved
    }

    fn save_now(&self, ledger: &Mutex<Ledger>, window_minutes: u64, now_ns: u64) -> io::Result<()> {
        let mut book = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lanes = BTreeMap::new();
        for (lane, state) in book.lanes_mut() {
            state.settle(window_minutes, now_ns / MINUTE_NS);
            lanes.insert(lane.to_string(), state.state().clone());
        }
        let start_ns = book.start_ns;
        let (journal, handle) = match book.journal() {
            Some(journal) => (journal.position(), Some(journal.handle()?)),
            None => (Position::default(), None),
        };
        book.changed = false;
        drop(book);
        if let Some(handle) = handle {
            handle.sync_data()?;
        }
        let origin = self.origin.clone();
        let document =
            Document { version: VERSION, origin, written_at: rfc3339(now_ns), start_ns, journal, lanes };
        document::replace(&self.path, &serde_json::to_vec(&document)?)?;
        let mut book = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = book.journal() {
            open.prune(journal);
        }
        Ok(())
    }
}
