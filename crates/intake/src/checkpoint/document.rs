//! The document on disk, and its copy for when the first is damaged.

use super::{CheckpointError, Document, VERSION};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

const CURRENT: &str = "checkpoint.json";
const COPY: &str = "checkpoint.json.copy";
/// Holds where reading began the first time. Written once, so that no later write can damage it.
const BEGAN: &str = "began";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// The newest document that can be read.
    pub document: Option<Document>,
    /// Files that cannot be read, and why.
    pub damaged: Vec<(PathBuf, String)>,
}

/// Reads the newest document that is whole.
///
/// # Errors
/// When a file cannot be read at all, or is of a later version.
pub(super) fn read(folder: &Path) -> Result<Stored, CheckpointError> {
    let mut stored = Stored::default();
    for path in [CURRENT, COPY].map(|name| folder.join(name)) {
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(source) => return Err(CheckpointError::io(&path, source)),
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
            Ok(document) => {
                stored.document = Some(document);
                break;
            }
            Err(error) => stored.damaged.push((path, error.to_string())),
        }
    }
    Ok(stored)
}

/// Puts damaged files aside, for whoever wants to know what happened to them.
pub(super) fn put_aside(damaged: &[(PathBuf, String)]) -> io::Result<()> {
    for (path, _) in damaged {
        let mut aside = path.clone().into_os_string();
        aside.push(".damaged");
        fs::rename(path, aside)?;
    }
    Ok(())
}

/// Replaces the document and its copy, each as a whole: a reader, and a kill at any time, sees the old or the new one.
pub(super) fn replace(folder: &Path, text: &[u8]) -> io::Result<()> {
    for path in [CURRENT, COPY].map(|name| folder.join(name)) {
        fs::rename(write_beside(&path, text)?, &path)?;
    }
    File::open(folder)?.sync_all()
}

fn write_beside(path: &Path, text: &[u8]) -> io::Result<PathBuf> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(text)?;
    file.sync_all()?;
    Ok(temporary.into())
}

/// Where reading began the first time, nanoseconds since 1970; `None` when that cannot be read.
pub(super) fn began(folder: &Path) -> Option<u64> {
    let text = fs::read_to_string(folder.join(BEGAN)).ok()?;
    text.strip_suffix('\n')?.parse().ok()
}

/// Writes down where reading began, unless it is there.
pub(super) fn begin(folder: &Path, start_ns: u64) -> io::Result<()> {
    if began(folder).is_some() {
        return Ok(());
    }
    let path = folder.join(BEGAN);
    fs::rename(write_beside(&path, format!("{start_ns}\n").as_bytes())?, path)
}
