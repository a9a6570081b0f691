//! The folders in which something can happen to the states of a local place.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Local, MAX_DEPTH};
use crate::watch::nearest;

impl Local {
    /// Folders to watch, by absolute paths. Where one is not there yet, the nearest above it.
    pub(crate) fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::new();
        match self {
            Self::File(path) => around(path, &mut folders),
            Self::Pattern(pattern) => {
                let parents = Path::new(pattern).ancestors().skip(1);
                for parent in parents {
                    let text = parent.to_string_lossy();
                    if !text.contains(['*', '?', '[']) {
                        // What stands before the first wildcard.
                        folders.extend(nearest(parent));
                        break;
                    }
                    let found = glob::glob(&text).into_iter().flatten().filter_map(Result::ok);
                    folders.extend(found.filter(|path| path.is_dir()).filter_map(|path| nearest(&path)));
                }
                let files = glob::glob(pattern).into_iter().flatten().filter_map(Result::ok);
                files.for_each(|file| around(&file, &mut folders));
            }
            Self::Dir(root) => match root.is_dir() {
                true => below(root, MAX_DEPTH, &mut BTreeSet::new(), &mut folders),
                false => folders.extend(nearest(root)),
            },
        }
        folders
    }
}

/// The folder of a file; for a link also that of the file behind it.
fn around(path: &Path, folders: &mut BTreeSet<PathBuf>) {
    folders.extend(path.parent().and_then(nearest));
    if let Ok(real) = fs::canonicalize(path) {
        folders.extend(real.parent().map(Path::to_owned));
    }
}

/// A folder and those in it, hidden ones left out, as they are when states are looked for.
fn below(folder: &Path, depth: usize, seen: &mut BTreeSet<PathBuf>, folders: &mut BTreeSet<PathBuf>) {
    let Ok(real) = fs::canonicalize(folder) else { return };
    if depth == 0 || !seen.insert(real) {
        return;
    }
    folders.extend(nearest(folder));
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let (path, name) = (entry.path(), entry.file_name());
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            below(&path, depth - 1, seen, folders);
        } else if path.is_symlink() {
            around(&path, folders);
        }
    }
}
