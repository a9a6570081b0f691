//! Waking up when something changes in the folders of local states, by inotify.
//!
//! It only says that a look is worth its while: what changed is found by looking, as at every poll. So an event too many
//! costs a few `stat`s, and where inotify cannot help (network file systems, limits) polling does alone.

mod mounts;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchDescriptor, WatchMask};
use tokio::time::{Instant, sleep, sleep_until};

use mounts::Mounts;

/// Folders watched. A user may have 8,192 watches on an old kernel, for all programs together.
const MAX_FOLDERS: usize = 4096;
/// Of events that are read at once. One with the longest name has 272.
const BUFFER_BYTES: usize = 4096;
/// Nothing happened for so long: whoever wrote is done.
const SETTLED: Duration = Duration::from_millis(150);
/// Somebody writes something all the time: a look is due all the same.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Folders under watch.
pub(crate) struct Watch {
    /// None where the system gives none.
    events: Option<EventStream<[u8; BUFFER_BYTES]>>,
    folders: BTreeMap<PathBuf, WatchDescriptor>,
    /// Whether it was said that some folders cannot be watched.
    said: bool,
}

impl Watch {
    /// Watches nothing yet. Within a runtime.
    pub(crate) fn new() -> Self {
        let made = Inotify::init().and_then(|inotify| inotify.into_event_stream([0; BUFFER_BYTES]));
        let made = made.inspect_err(|error| {
            tracing::warn!(%error, "local states are polled, not watched; raise fs.inotify.max_user_instances");
        });
        Self { events: made.ok(), folders: BTreeMap::new(), said: false }
    }

    /// Watches these folders and no others; the `fresh` ones anew. Gives those that are watched, and whether one is new: what changed in it just
    /// before may not have been seen.
    pub(crate) fn follow(
        &mut self,
        wanted: BTreeSet<PathBuf>,
        fresh: &BTreeSet<PathBuf>,
    ) -> (BTreeSet<PathBuf>, bool) {
        let Some(events) = &self.events else { return (BTreeSet::new(), false) };
        let mut watches = events.watches();
        let gone: Vec<PathBuf> =
            self.folders.keys().filter(|folder| !wanted.contains(*folder)).cloned().collect();
        for folder in gone {
            if let Some(watch) = self.folders.remove(&folder) {
                // Fails when the folder is gone, and its watch with it.
                let _ = watches.remove(watch);
            }
        }
        // A state that is written in place is closed at the end; one that is replaced is moved. Links are made.
        let mask = WatchMask::CLOSE_WRITE
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF
            | WatchMask::ONLYDIR;
        let (mut watched, mut new) = (BTreeSet::new(), false);
        let mut mounts = None;
        for folder in wanted {
            if self.folders.contains_key(&folder) {
                if !fresh.contains(&folder) {
                    watched.insert(folder);
                    continue;
                }
            } else {
                if mounts.get_or_insert_with(Mounts::read).is_remote(&folder) {
                    continue;
                }
                if self.folders.len() >= MAX_FOLDERS {
                    self.say(&folder, &format!("more than {MAX_FOLDERS} folders"));
                    continue;
                }
            }
            // Again for those that are watched: a folder that was removed and made again is another one.
            match watches.add(&folder, mask) {
                Ok(watch) => {
                    new |= self.folders.insert(folder.clone(), watch.clone()) != Some(watch);
                    watched.insert(folder);
                }
                Err(error) => {
                    self.folders.remove(&folder);
                    match error.kind() {
                        // It went between two looks.
                        ErrorKind::NotFound | ErrorKind::NotADirectory => {}
                        ErrorKind::StorageFull => {
                            self.say(&folder, "no watch is left; raise fs.inotify.max_user_watches");
                        }
                        _ => self.say(&folder, &error.to_string()),
                    }
                }
            }
        }
        (watched, new)
    }

    fn say(&mut self, folder: &Path, problem: &str) {
        if !std::mem::replace(&mut self.said, true) {
            tracing::warn!(folder = %folder.display(), problem, "polled, not watched; this is said once");
        }
    }

    /// Waits until something happened and is over. For ever where nothing is watched.
    pub(crate) async fn changed(&mut self) {
        self.event().await;
        let late = Instant::now() + MAX_WAIT;
        loop {
            tokio::select! {
                () = self.event() => {}
                () = sleep(SETTLED) => return,
                () = sleep_until(late) => return,
            }
        }
    }

    /// Waits for the next event. For ever where nothing is watched.
    async fn event(&mut self) {
        let Some(events) = &mut self.events else { return std::future::pending().await };
        if let Some(Ok(_)) = events.next().await {
            return;
        }
        tracing::warn!("inotify ended; local states are polled, not watched");
        self.events = None;
        self.folders.clear();
    }
}

/// The folder itself, or the nearest one above it that is there: in it, it will appear.
pub(crate) fn nearest(folder: &Path) -> Option<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let folder = std::path::absolute(folder).ok()?;
    folder.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned)
}
