//! Local files, patterns, and folders with Terraform's workspaces.

mod folders;
mod read;

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{ConfigError, PlaceError};
use crate::fetch::{Item, epoch_ns, is_state};
pub(crate) use read::{read, read_stdin};

/// Deeper folders are not looked at: a tree of configurations is never that deep, a mistaken `/` is.
const MAX_DEPTH: usize = 24;

/// A file, a pattern, or a folder.
pub(crate) enum Local {
    File(PathBuf),
    Pattern(String),
    Dir(PathBuf),
}

impl Local {
    /// A path, or a pattern when it has `*`, `?` or `[` and no file has that very name.
    pub(crate) fn file(path: &str) -> Result<Self, ConfigError> {
        if !path.contains(['*', '?', '[']) || Path::new(path).exists() {
            return Ok(Self::File(path.into()));
        }
        match glob::Pattern::new(path) {
            Ok(_) => Ok(Self::Pattern(path.to_owned())),
            Err(e) => Err(ConfigError::new("file", format!("{path:?} is no pattern: {e}"))),
        }
    }

    pub(crate) fn dir(path: &str) -> Self {
        Self::Dir(path.into())
    }

    pub(crate) fn is_single(&self) -> bool {
        matches!(self, Self::File(_))
    }

    pub(crate) fn list(&self) -> Result<Vec<Item>, PlaceError> {
        match self {
            Self::File(path) => {
                let metadata = fs::metadata(path).map_err(|e| PlaceError::io(show(path), &e))?;
                if metadata.is_dir() {
                    let error = std::io::Error::from(std::io::ErrorKind::IsADirectory);
                    return Err(PlaceError::io(show(path), &error));
                }
                Ok(vec![item(path, show(path), &metadata)])
            }
            Self::Pattern(pattern) => {
                let paths = glob::glob(pattern).into_iter().flatten().filter_map(Result::ok);
                let mut items: Vec<Item> = paths
                    .filter_map(|path| fs::metadata(&path).ok().filter(Metadata::is_file).map(|m| (path, m)))
                    .map(|(path, metadata)| item(&path, show(&path), &metadata))
                    .collect();
                if items.is_empty() {
                    return Err(PlaceError::NoMatch { pattern: pattern.clone() });
                }
                items.dedup_by(|a, b| a.key == b.key);
                Ok(items)
            }
            Self::Dir(root) => {
                let mut items = Vec::new();
                let mut seen = BTreeSet::new();
                // The folder itself must be readable; one below that is not loses only itself.
                fs::read_dir(root).map_err(|e| PlaceError::io(show(root), &e))?;
                walk(root, root, MAX_DEPTH, &mut seen, &mut items);
                items.sort_by(|a, b| a.key.cmp(&b.key));
                items.dedup_by(|a, b| a.key == b.key);
                Ok(items)
            }
        }
    }
}

fn walk(root: &Path, folder: &Path, depth: usize, seen: &mut BTreeSet<PathBuf>, items: &mut Vec<Item>) {
    // A link back up would go round for ever.
    if depth == 0 || !fs::canonicalize(folder).is_ok_and(|real| seen.insert(real)) {
        return;
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(folder = %show(folder), %error, "folder left out");
            return;
        }
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        // `.terraform` holds no states; `..data` is how Kubernetes swaps a ConfigMap, whose files are linked above.
        if name.starts_with('.') {
            continue;
        }
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_dir() {
            walk(root, &path, depth - 1, seen, items);
        } else if metadata.is_file() && is_state(&name) {
            // not a pipe or a device of that name: reading it might never end
            let part = show(path.strip_prefix(root).unwrap_or(&path));
            items.push(item(&path, part, &metadata));
        }
    }
}

fn item(path: &Path, part: String, metadata: &Metadata) -> Item {
    let key = fs::canonicalize(path).map_or_else(|_| show(path), |real| show(&real));
    Item {
        key,
        name: show(path),
        part,
        version: Some(version(metadata)),
        workspace: workspace(path),
        written_at_ns: metadata.modified().ok().and_then(epoch_ns),
    }
}

/// `terraform.tfstate.d/WORKSPACE/terraform.tfstate`; the default workspace's lies beside that folder.
fn workspace(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned());
    if folder.parent().and_then(name).as_deref() == Some("terraform.tfstate.d") {
        return name(folder);
    }
    (name(path)? == "terraform.tfstate").then(|| "default".to_owned())
}

fn version(metadata: &Metadata) -> String {
    if !metadata.is_file() {
        // a pipe gives its bytes once
        return "once".to_owned();
    }
    // The inode too: a link that is turned to another file may keep time and length.
    format!("{}.{:09}:{}:{}", metadata.mtime(), metadata.mtime_nsec(), metadata.len(), metadata.ino())
}

fn show(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_states() {
        for name in ["terraform.tfstate", "a.tfstate.gz", "a.tfstate.json", "a.tfstate.json.gz"] {
            assert!(is_state(name), "{name}");
        }
        for name in
            ["terraform.tfstate.backup", ".terraform.tfstate.lock.info", "a.json", "main.tf", "x.tflock"]
        {
            assert!(!is_state(name), "{name}");
        }
    }

    #[test]
    fn workspaces() {
        let of = |path: &str| workspace(Path::new(path));
        assert_eq!(of("a/terraform.tfstate.d/dev/terraform.tfstate").as_deref(), Some("dev"));
        assert_eq!(of("a/terraform.tfstate").as_deref(), Some("default"));
        assert_eq!(of("a/prod.tfstate"), None);
    }
}
