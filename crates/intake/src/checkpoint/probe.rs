//! Whether a checkpoint can be used, without using it.

use super::{CheckpointError, Folder, document};
use crate::origin::Origin;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// What opening would find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Usable {
    /// Nothing yet: it can be made.
    New,
    /// An earlier run left one: reading goes on from there.
    GoesOn {
        /// When it was written, RFC 3339.
        written_at: String,
    },
    /// One that is damaged, with its copy: all is read again from where the first run began.
    Damaged,
    /// Another process has it open now.
    InUse,
}

impl Folder {
    /// Tries what opening would do in the folder of `origin` below `dir`, and leaves everything as it was.
    ///
    /// # Errors
    /// What opening would fail with; see [`CheckpointError`].
    pub fn probe(dir: &Path, origin: &Origin) -> Result<Usable, CheckpointError> {
        let path = dir.join(Self::name(origin));
        let made = missing(&path);
        let lock_is_new = !path.join("lock").exists();
        let usable = Self::tried(dir, origin, &path);
        if lock_is_new {
            let _ = fs::remove_file(path.join("lock"));
        }
        // Only what is empty goes: a process that starts in this moment keeps its folder.
        for folder in made {
            let _ = fs::remove_dir(folder);
        }
        usable
    }

    fn tried(dir: &Path, origin: &Origin, path: &Path) -> Result<Usable, CheckpointError> {
        let folder = match Self::open(dir, origin) {
            Err(CheckpointError::Locked { .. }) => return Ok(Usable::InUse),
            opened => opened?,
        };
        let stored = document::read(folder.path())?;
        let found = match stored.document {
            Some(document) => Usable::GoesOn { written_at: document.written_at },
            None if stored.damaged.is_empty() => Usable::New,
            None => Usable::Damaged,
        };
        // A folder of somebody else may hold a lock file that opens, and still take no new file.
        let trial = path.join("doctor.tmp");
        let written = File::create(&trial).and_then(|_| fs::remove_file(&trial));
        written.map_err(|source| CheckpointError::io(path, source))?;
        Ok(found)
    }
}

/// The folders that opening would make, the innermost first.
fn missing(path: &Path) -> Vec<PathBuf> {
    path.ancestors().take_while(|folder| !folder.exists()).map(Path::to_path_buf).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("a/b");
        let origin = Origin::parse("s3://logs").unwrap();
        assert_eq!(Folder::probe(&below, &origin).unwrap(), Usable::New);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_there_is_told_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let origin = Origin::parse("s3://logs").unwrap();
        let folder = Folder::open(dir.path(), &origin).unwrap();
        assert_eq!(Folder::probe(dir.path(), &origin).unwrap(), Usable::InUse);
        let ledger = std::sync::Mutex::new(folder.restore(0, 10).unwrap().ledger);
        folder.save(&ledger, 60, 1_800_000_000_000_000_000).unwrap();
        let path = folder.path().to_path_buf();
        drop(folder);
        let written_at = "2027-01-15T08:00:00Z".to_owned();
        assert_eq!(Folder::probe(dir.path(), &origin).unwrap(), Usable::GoesOn { written_at });
        assert!(path.join("lock").exists() && path.join("checkpoint.json").exists());
        fs::write(path.join("checkpoint.json"), "{").unwrap();
        fs::write(path.join("checkpoint.json.copy"), "{").unwrap();
        assert_eq!(Folder::probe(dir.path(), &origin).unwrap(), Usable::Damaged);
        fs::write(path.join("checkpoint.json"), r#"{"version":9}"#).unwrap();
        assert!(matches!(Folder::probe(dir.path(), &origin), Err(CheckpointError::Version { found: 9, .. })));
    }

    #[test]
    fn a_file_in_the_way_is_what_open_says() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Folder::probe(&file, &Origin::parse("s3://logs").unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("cannot use checkpoint_dir") && file.exists(), "{error}");
    }
}
