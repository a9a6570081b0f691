//! Objects from a file, or from a folder with all below it.

use crate::counters::Counters;
use crate::dedup::mark;
use crate::filter::Filter;
use crate::health::{Failing, Health};
use crate::layout;
use crate::object::{Object, Payload};
use crate::store::{StoreError, StoreErrorKind};
use crate::worker::{Fed, Feed};
use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Files up to this size are read at once.
const WHOLE_BYTES: u64 = 8 << 20;

/// Settings of a feed of files.
pub struct FileSettings {
    /// Keep looking.
    pub follow: bool,
    /// Between two looks.
    pub poll: Duration,
    /// The newest first.
    pub newest_first: bool,
    /// `max_object_bytes`
    pub max_object_bytes: u64,
}

/// What was read of a file: its stamp, and inflated bytes.
pub type Known = HashMap<String, (u64, u64)>;

/// A feed of files.
pub struct FileFeed {
    root: PathBuf,
    home: Arc<str>,
    lane: Arc<str>,
    settings: FileSettings,
    filter: Filter,
    counters: Arc<Counters>,
    waiting: VecDeque<Arc<Object>>,
    /// Files that were handed on, by name; with `follow` they may grow.
    seen: HashMap<String, Arc<Object>>,
    /// With `follow`: files that may not be read, by name. Each look tries them again.
    refused: HashMap<String, Arc<Object>>,
    reading: Health,
    known: Known,
    looked: Option<Instant>,
    total: u64,
}

impl FileFeed {
    /// A feed of `root`. `known`: what an earlier run has read.
    pub fn new(
        root: &Path,
        settings: FileSettings,
        filter: Filter,
        counters: Arc<Counters>,
        known: Known,
    ) -> Self {
        let home = if root.is_dir() { format!("{}/", root.display()) } else { String::new() };
        Self {
            root: root.into(),
            home: home.into(),
            lane: "".into(),
            settings,
            filter,
            counters,
            waiting: VecDeque::new(),
            seen: HashMap::new(),
            refused: HashMap::new(),
            reading: Health::new("reading files", Duration::ZERO),
            known,
            looked: None,
            total: 0,
        }
    }

    /// Looks for files now.
    ///
    /// # Errors
    /// When the root cannot be read.
    pub fn look(&mut self) -> std::io::Result<()> {
        self.looked = Some(Instant::now());
        let mut found = Vec::new();
        let meta = fs::metadata(&self.root)?;
        if meta.is_dir() {
            let refused = walk(&self.root, &mut found)?;
            self.counters.folders_refused.set(refused);
        } else {
            found.push((self.root.clone(), meta));
        }
        let mut fresh = Vec::new();
        for (path, meta) in found {
            let name = match path.strip_prefix(&self.root) {
                Ok(rest) if !rest.as_os_str().is_empty() => rest.to_string_lossy().into_owned(),
                _ => path.to_string_lossy().into_owned(),
            };
            if let Some(object) = self.object(name, &path, &meta) {
                fresh.push(object);
            }
        }
        // By the time in the name where every file has one, else by name.
        if fresh.iter().all(|o| layout::minute(&o.name).is_some()) {
            fresh.sort_by_cached_key(|o| (layout::minute(&o.name), o.name.clone()));
        } else {
            fresh.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if self.settings.newest_first {
            fresh.reverse();
        }
        self.total += fresh.len() as u64;
        // Last, so that they keep no other file waiting; what is gone by now is told as gone when it is opened.
        let again = self.refused.values().filter(|old| fresh.iter().all(|new| new.name != old.name));
        let again: Vec<Arc<Object>> = again.cloned().collect();
        for object in fresh {
            if !self.refused.contains_key(&object.name) {
                self.counters.objects_known.add(1);
            }
            self.seen.insert(object.name.clone(), Arc::clone(&object));
            self.waiting.push_back(object);
        }
        self.waiting.extend(again);
        Ok(())
    }

    /// Files found so far.
    pub fn found(&self) -> u64 {
        self.total
    }

    /// The object of a file that is new or has changed.
    fn object(&self, name: String, path: &Path, meta: &Metadata) -> Option<Arc<Object>> {
        let is_root = path == self.root;
        if !is_root && !layout::is_log_name(&name) {
            return None;
        }
        let stamp = stamp(meta);
        let plain = name.ends_with(".jsonl") || name.ends_with(".ndjson");
        let before = match self.seen.get(&name) {
            Some(seen) if seen.stamp == stamp => return None,
            Some(seen) => Some((seen.stamp, seen.resume_bytes())),
            None => self.known.get(&name).copied(),
        };
        if before.is_some_and(|(known, _)| known == stamp) {
            return None;
        }
        if self.seen.contains_key(&name) && self.waiting.iter().any(|o| o.name == name) {
            return None;
        }
        let parts = layout::parse(&name);
        if layout::is_other_product(&name) || !self.filter.key(parts.as_ref()) {
            if before.is_none() {
                self.counters.objects_filtered.add(1);
            }
            return None;
        }
        let filter_records = parts.is_none();
        let mut object = Object::new(&self.home, &self.lane, name);
        object.size_bytes = meta.len();
        object.stamp = stamp;
        object.modified_ns = modified_ns(meta);
        object.filter_records = filter_records;
        object.growing = self.settings.follow && plain;
        if object.growing
            && let Some((_, read)) = before
            && read <= meta.len()
        {
            object.set_resume(read);
        }
        Some(Arc::new(object))
    }

    fn open(&self, object: &Object) -> std::io::Result<Payload> {
        let path = if self.home.is_empty() { self.root.clone() } else { self.root.join(&object.name) };
        let mut file = File::open(path)?;
        if object.growing {
            file.seek(SeekFrom::Start(object.resume_bytes()))?;
            return Ok(Payload::Stream(Box::new(file)));
        }
        if object.size_bytes > WHOLE_BYTES {
            return Ok(Payload::Stream(Box::new(file)));
        }
        let mut bytes = Vec::with_capacity(object.size_bytes as usize + 1);
        file.by_ref().take(WHOLE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > WHOLE_BYTES {
            let rest = std::io::Cursor::new(bytes).chain(file);
            return Ok(Payload::Stream(Box::new(rest)));
        }
        Ok(Payload::Whole(bytes, None))
    }

    /// What came of opening a file. One that may not be read is waited for with `follow`: it is in no counter but
    /// `objects_waiting`, and told once.
    fn opened(&mut self, object: Arc<Object>, opened: std::io::Result<Payload>) -> Fed {
        let cause = match opened {
            Ok(payload) => {
                if self.waits_no_more(&object) {
                    self.reading.works(&object.name);
                }
                self.counters.fetched_bytes.add(object.size_bytes);
                return Fed::Object(object, payload);
            }
            Err(cause) => cause,
        };
        let kind = match cause.kind() {
            std::io::ErrorKind::NotFound => StoreErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => StoreErrorKind::Denied,
            _ => StoreErrorKind::Other,
        };
        let error = StoreError::new(kind, "open", object.to_string(), cause.to_string());
        if !(kind.waits() && self.settings.follow) {
            if self.waits_no_more(&object) {
                self.reading.gone(&object.name);
            }
            return Fed::Failed(object, error);
        }
        let message = error.to_string();
        let (kind, place) = (kind.as_str(), object.name.as_str());
        self.reading.fails(Failing { kind, place, passes: false, message: &message, story: "" });
        self.refused.insert(object.name.clone(), object);
        self.counters.objects_waiting.set(self.refused.len() as u64);
        self.counters.objects_in_flight.set(0);
        Fed::Nothing
    }

    /// True if it has waited.
    fn waits_no_more(&mut self, object: &Object) -> bool {
        let waited = self.refused.remove(&object.name).is_some();
        self.counters.objects_waiting.set(self.refused.len() as u64);
        waited
    }
}

impl Feed for FileFeed {
    fn next(&mut self, wait: Duration) -> Fed {
        if let Some(object) = self.waiting.pop_front() {
            if object.size_bytes > self.settings.max_object_bytes {
                let why = format!("{} bytes are more than max_object_bytes", object.size_bytes);
                let error = StoreError::new(StoreErrorKind::TooLarge, "open", object.to_string(), why);
                return Fed::Failed(object, error);
            }
            self.counters.objects_in_flight.set(1);
            let opened = self.open(&object);
            return self.opened(object, opened);
        }
        if !self.settings.follow {
            return Fed::End;
        }
        let due = self.looked.is_none_or(|at| at.elapsed() >= self.settings.poll);
        if !due {
            std::thread::sleep(wait.min(Duration::from_millis(50)));
            return Fed::Nothing;
        }
        if let Err(error) = self.look() {
            tracing::warn!(path = %self.root.display(), "cannot look for files: {error}");
        }
        Fed::Nothing
    }

    fn ended(&mut self, _object: &Arc<Object>) {
        self.counters.objects_in_flight.set(0);
    }
}

/// Adds all files in and below `folder`, and says how many folders below it could not be read.
fn walk(folder: &Path, found: &mut Vec<(PathBuf, Metadata)>) -> std::io::Result<u64> {
    let mut refused = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Follows links, since ConfigMaps are made of them; a dangling one is no file.
        let Ok(meta) = fs::metadata(&path) else { continue };
        if meta.is_file() {
            found.push((path, meta));
        } else if meta.is_dir() && !is_link_upwards(&path) {
            match walk(&path, found) {
                Ok(below) => refused += below,
                Err(error) => {
                    tracing::warn!(folder = %path.display(), "folder left out: {error}");
                    refused += 1;
                }
            }
        }
    }
    Ok(refused)
}

/// True for a link to a folder that it lies in, which would have no end.
fn is_link_upwards(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink())
        && match (fs::canonicalize(path), path.parent().map(fs::canonicalize)) {
            (Ok(target), Some(Ok(parent))) => parent.starts_with(target),
            _ => true,
        }
}

fn modified_ns(meta: &Metadata) -> u64 {
    let since = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0))
}

fn stamp(meta: &Metadata) -> u64 {
    mark(format!("{} {}", meta.len(), modified_ns(meta)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    fn feed(root: &Path, follow: bool) -> FileFeed {
        let settings =
            FileSettings { follow, poll: Duration::ZERO, newest_first: false, max_object_bytes: 1000 };
        let mut feed = FileFeed::new(root, settings, Filter::default(), Arc::default(), Known::new());
        feed.look().unwrap();
        feed
    }

    /// As opening does for a user who may not: root may.
    fn refuse(feed: &mut FileFeed) -> Fed {
        let object = feed.waiting.pop_front().unwrap();
        feed.opened(object, Err(Error::from(ErrorKind::PermissionDenied)))
    }

    #[test]
    fn who_follows_waits_for_a_file_that_may_not_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        fs::write(&path, "[]").unwrap();
        let mut feed = feed(dir.path(), true);
        for _ in 0..3 {
            assert!(matches!(refuse(&mut feed), Fed::Nothing));
            assert_eq!(feed.reading.troubles(), ["denied"]);
            feed.look().unwrap();
        }
        fs::write(&path, "[ ]").unwrap();
        assert!(matches!(refuse(&mut feed), Fed::Nothing));
        feed.look().unwrap();
        assert_eq!(feed.waiting.len(), 1, "once, changed or not");
        let values = feed.counters.values();
        assert_eq!((values.objects_known, values.objects_waiting, values.objects_in_flight), (1, 1, 0));
        assert!(matches!(feed.next(Duration::ZERO), Fed::Object(object, _) if object.size_bytes == 3));
        assert_eq!((feed.counters.values().objects_waiting, feed.reading.troubles().len()), (0, 0));
        feed.look().unwrap();
        assert!(feed.waiting.is_empty(), "read once");
    }

    #[test]
    fn a_file_that_went_away_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.json"), "[]").unwrap();
        let mut feed = feed(dir.path(), true);
        refuse(&mut feed);
        fs::remove_file(dir.path().join("a.json")).unwrap();
        feed.look().unwrap();
        let Fed::Failed(_, error) = feed.next(Duration::ZERO) else { panic!("read") };
        assert_eq!(error.kind, StoreErrorKind::NotFound);
        feed.look().unwrap();
        assert!(feed.waiting.is_empty() && feed.reading.troubles().is_empty());
        assert_eq!(feed.counters.values().objects_waiting, 0);
    }

    #[test]
    fn who_reads_once_is_told_of_a_file_that_may_not_be_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.json"), "[]").unwrap();
        let mut feed = feed(dir.path(), false);
        let Fed::Failed(_, error) = refuse(&mut feed) else { panic!("waits") };
        assert_eq!((error.kind, error.call), (StoreErrorKind::Denied, "open"));
    }
}
