//! The folder of one origin: locked, read, written.

use super::{Document, Journal, Position, VERSION};
use crate::dedup::{Dedup, mark};
use crate::layout::{MINUTE_NS, rfc3339};
use crate::ledger::{Lane, Ledger};
use crate::origin::Origin;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const DOCUMENT: &str = "checkpoint.json";

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
        let io = |source| CheckpointError::Io { path: path.display().to_string(), source };
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
        let io = |source| CheckpointError::Io { path: self.path.display().to_string(), source };
        let (document, start_ns) = match read_document(&self.path)? {
            Stored::Read(document) => (Some(*document), None),
            Stored::Absent => (None, Some(start_ns)),
            Stored::Broken { written_ns } => (None, Some(start_ns.min(written_ns))),
        };
        let mut dedup = Dedup::new(dedup_entries);
        let covered = document.as_ref().map_or(Position::default(), |document| document.journal);
        let mut newer = Vec::new();
        let journal = Journal::open(&self.path, dedup_entries.div_ceil(2), |at, taken| {
            for id in taken.ids {
                dedup.insert(id);
            }
            if at > covered {
                newer.extend(taken.steps);
            }
        });
        let found = document.is_some() || !newer.is_empty();
        let (lanes, start_ns) = match document {
            Some(document) => {
                let lanes = document.lanes.into_iter();
                let lanes = lanes.map(|(lane, state)| (Arc::from(lane), Lane::restored(state)));
                (lanes.collect(), document.start_ns)
            }
            None => (BTreeMap::new(), start_ns.unwrap_or_default()),
        };
        let mut ledger = Ledger::new(lanes, Some(journal.map_err(io)?), start_ns);
        for step in &newer {
            ledger.apply(step);
        }
        Ok(Restored { ledger, dedup, found })
    }

    /// Writes the book as it is now. Only the copying holds it.
    ///
    /// # Errors
    /// When a file cannot be written; the one before stays.
    pub fn save(&self, ledger: &Mutex<Ledger>, window_minutes: u64, now_ns: u64) -> io::Result<()> {
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
        replace(&self.path, &serde_json::to_vec(&document)?)?;
        let mut book = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = book.journal() {
            open.prune(journal);
        }
        Ok(())
    }
}

/// Replaces the document: a reader, and a kill at any time, sees the old or the new one.
fn replace(folder: &Path, text: &[u8]) -> io::Result<()> {
    let temporary = folder.join("checkpoint.json.tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(DOCUMENT))?;
    File::open(folder)?.sync_all()
}

pub(super) enum Stored {
    Absent,
    Read(Box<Document>),
    /// Damaged, last written then.
    Broken {
        written_ns: u64,
    },
}

pub(super) fn read_document(folder: &Path) -> Result<Stored, CheckpointError> {
    let path = folder.join(DOCUMENT);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stored::Absent),
        Err(source) => return Err(CheckpointError::Io { path: path.display().to_string(), source }),
    };
    #[derive(serde::Deserialize)]
    struct Version {
        version: u64,
    }
    let version = serde_json::from_slice::<Version>(&text).map(|v| v.version);
    if let Ok(found) = version
        && found > u64::from(VERSION)
    {
        return Err(CheckpointError::Version { path: folder.display().to_string(), found });
    }
    match serde_json::from_slice(&text) {
        Ok(document) => Ok(Stored::Read(Box::new(document))),
        Err(error) => {
            tracing::error!(path = %path.display(), "checkpoint is damaged: {error}; reading goes on from the time it was written");
            let modified = fs::metadata(&path).and_then(|meta| meta.modified());
            let since = modified.ok().and_then(|m| m.duration_since(std::time::UNIX_EPOCH).ok());
            let written_ns = since.and_then(|s| u64::try_from(s.as_nanos()).ok()).unwrap_or(0);
            Ok(Stored::Broken { written_ns })
        }
    }
}
