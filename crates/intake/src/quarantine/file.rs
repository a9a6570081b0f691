//! The quarantine's lines on disk, and in memory while the disk takes none.

use super::NAMES;
use crate::backoff::Backoff;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file over this size is put aside, and the one put aside before is dropped.
pub(super) const FILE_BYTES: u64 = 16 << 20;
/// Lines of so many bytes may wait for a disk that takes none. When there are more, the newest are let go.
const WAITING_BYTES: usize = 4 << 20;

/// Lines to be written, oldest first.
pub(super) struct Lines {
    folder: PathBuf,
    file: Option<File>,
    /// Bytes of the file that are well.
    bytes: u64,
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    lost: u64,
    backoff: Backoff,
}

impl Lines {
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.into(),
            file: None,
            bytes: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            lost: 0,
            backoff: Backoff::default(),
        }
    }

    /// Lines that were let go.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Writes a line, now or when the file can be written.
    pub fn add(&mut self, line: Vec<u8>) {
        if self.waiting_bytes + line.len() > WAITING_BYTES && !self.waiting.is_empty() {
            if self.lost == 0 {
                tracing::error!(
                    "{} cannot be written for so long that entries no longer fit memory: further ones are logged and counted only",
                    NAMES[0]
                );
            }
            self.lost += 1;
            return self.flush();
        }
        self.waiting_bytes += line.len();
        self.waiting.push_back(line);
        self.flush();
    }

    /// Writes what waits, when it is time to try.
    pub fn flush(&mut self) {
        while self.backoff.is_due()
            && let Some(line) = self.waiting.pop_front()
        {
            match self.write(&line) {
                Ok(()) => {
                    self.waiting_bytes -= line.len();
                    if self.backoff.worked() {
                        tracing::info!("{} is written again", NAMES[0]);
                    }
                }
                Err(error) => {
                    self.waiting.push_front(line);
                    self.file = None;
                    if self.backoff.failed() {
                        tracing::warn!(
                            "cannot write {}: {error}; entries wait in memory and are tried again",
                            self.folder.join(NAMES[0]).display()
                        );
                    }
                }
            }
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let [current, before] = NAMES.map(|name| self.folder.join(name));
        if self.bytes > FILE_BYTES {
            // It is gone when only the opening failed the last time.
            match std::fs::rename(&current, &before) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => (self.file, self.bytes) = (None, 0),
            }
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = OpenOptions::new().create(true).append(true).open(&current)?;
                self.bytes = file.metadata()?.len();
                self.file.insert(file)
            }
        };
        if let Err(error) = file.write_all(line) {
            // A line that was written in part must not spoil the next one. Where cutting fails too, readers pass it by.
            let _ = file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += line.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Quarantine, Reason};
    use crate::clock::SystemClock;
    use crate::object::Object;
    use std::sync::Arc;

    #[test]
    fn a_full_disk_costs_no_entry_once_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("quarantine.jsonl");
        // Every write to it fails with ENOSPC.
        std::os::unix::fs::symlink("/dev/full", &file).unwrap();
        let quarantine = Quarantine::new(Some(dir.path()), Arc::new(SystemClock));
        let object = Object::new(&"s3://b/".into(), &"p/".into(), "k.json".into());
        for n in 0..100 {
            quarantine.record(&object, Reason::MalformedRecord, n, b"{", "cut off");
        }
        assert_eq!(quarantine.lost(), 0);
        std::fs::remove_file(&file).unwrap();
        while Quarantine::read(dir.path()).is_empty() {
            quarantine.flush();
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        quarantine.record(&object, Reason::MalformedRecord, 100, b"{", "cut off");
        let offsets: Vec<u64> = Quarantine::read(dir.path()).iter().filter_map(|e| e.offset_bytes).collect();
        assert_eq!(offsets, (0..=100).collect::<Vec<_>>());
    }

    #[test]
    fn memory_is_bounded_while_the_disk_is_full() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", dir.path().join("quarantine.jsonl")).unwrap();
        let quarantine = Quarantine::new(Some(dir.path()), Arc::new(SystemClock));
        let object = Object::new(&"s3://b/".into(), &"p/".into(), "k.json".into());
        let record = vec![b'x'; 60_000];
        for n in 0..100 {
            quarantine.record(&object, Reason::TooLarge, n, &record, "over max_record_bytes");
        }
        let waiting = quarantine.state.lock().unwrap().lines.as_ref().unwrap().waiting.len();
        assert_eq!((waiting, quarantine.lost()), (69, 31));
    }
}
