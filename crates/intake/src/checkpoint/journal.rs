//! An append-only journal: one frame for each batch that was taken.
//!
//! A segment is [`MAGIC`] and frames. A frame is its length and the CRC-32 of its content (u32 each, little-endian), then
//! the content: number of ids (u32), ids (u64 each), and for each step: flags (1: done), stamp (u64), bytes taken
//! (u64), length of lane and name (u16 each), lane, name. What is cut off or damaged at the end is dropped.

#[cfg(test)]
mod tests;
mod waiting;

use self::waiting::Waiting;
use crate::backoff::Backoff;
use crate::ledger::{Step, Taken};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"tfdrjnl1";
const NAME: &str = "journal-";
/// A segment over this size is closed, however few ids it holds.
const SEGMENT_BYTES: u64 = 32 << 20;

/// A place in the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Number of the segment.
    pub segment: u64,
    /// Bytes of it.
    pub bytes: u64,
}

/// The journal of one folder, open for appending.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    at: Position,
    ids: usize,
    ids_per_segment: usize,
    /// What could not be written yet.
    waiting: Waiting,
    backoff: Backoff,
    /// True after a failure: the file may hold a part of a frame, or be another by now.
    torn: bool,
}

impl Journal {
    /// Reads what is there, giving each frame that is newer than needed to `each` with its place, and opens the
    /// journal for appending. A segment takes `ids_per_segment` ids.
    ///
    /// # Errors
    /// When files cannot be read or written.
    pub fn open(
        folder: &Path,
        ids_per_segment: usize,
        mut each: impl FnMut(Position, Taken),
    ) -> io::Result<Self> {
        let segments = segments(folder)?;
        let mut at = Position { segment: segments.last().copied().unwrap_or(1), bytes: 0 };
        let mut ids = 0;
        for segment in segments {
            let bytes = fs::read(path(folder, segment))?;
            ids = 0;
            let good = frames(&bytes, |bytes, taken| {
                ids += taken.ids.len();
                each(Position { segment, bytes }, taken);
            });
            at = Position { segment, bytes: good };
        }
        let file = OpenOptions::new().create(true).append(true).open(path(folder, at.segment))?;
        file.set_len(at.bytes)?;
        let mut journal = Self {
            folder: folder.into(),
            file,
            at,
            ids,
            ids_per_segment: ids_per_segment.max(1),
            waiting: Waiting::default(),
            backoff: Backoff::default(),
            torn: false,
        };
        if journal.at.bytes == 0 {
            journal.write(MAGIC)?;
        }
        Ok(journal)
    }

    /// Where the next frame goes.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Appends what a batch took. What cannot be written waits in memory and is tried again by itself, later.
    ///
    /// # Errors
    /// When the file cannot be written now.
    pub fn append(&mut self, taken: &Taken) -> io::Result<()> {
        let mut frame = Vec::with_capacity(64 + taken.ids.len() * 8 + taken.steps.len() * 160);
        encode(taken, &mut frame);
        self.waiting.push(frame, taken.ids.len());
        self.flush()
    }

    /// Writes what waits, when it is time to try.
    ///
    /// # Errors
    /// When it cannot be written now; it waits on.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() && !self.backoff.is_due() {
            return Err(io::Error::other("it failed a moment ago"));
        }
        while let Some((frame, ids)) = self.waiting.pop() {
            if let Err(error) = self.write_frame(&frame, ids) {
                self.waiting.put_back(frame, ids);
                if self.backoff.failed() {
                    tracing::error!(
                        "cannot write {}: {error}; what it would say waits in memory and is tried again",
                        path(&self.folder, self.at.segment).display()
                    );
                }
                return Err(error);
            }
        }
        if self.backoff.worked() {
            tracing::info!("{} is written again", path(&self.folder, self.at.segment).display());
        }
        Ok(())
    }

    /// Batches that wait to be written.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Ids that could not be written for so long that they were let go.
    pub fn lost(&self) -> u64 {
        self.waiting.lost()
    }

    fn write_frame(&mut self, frame: &[u8], ids: usize) -> io::Result<()> {
        if self.ids >= self.ids_per_segment || self.at.bytes > SEGMENT_BYTES {
            let segment = self.at.segment + 1;
            self.file.sync_data()?;
            self.file = OpenOptions::new().create(true).append(true).open(path(&self.folder, segment))?;
            (self.at, self.ids) = (Position { segment, bytes: 0 }, 0);
        }
        if self.at.bytes == 0 {
            self.write(MAGIC)?;
        }
        // One call, so that a kill leaves a frame whole or not there.
        self.write(frame)?;
        self.ids += ids;
        Ok(())
    }

    /// Writes at [`Self::at`], behind which nothing else may stand.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.torn {
            let file = path(&self.folder, self.at.segment);
            self.file = OpenOptions::new().create(true).append(true).open(file)?;
            self.file.set_len(self.at.bytes)?;
            self.torn = false;
        }
        self.torn = true;
        self.file.write_all(bytes)?;
        self.torn = false;
        self.at.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Another handle to the file, to be synced without holding the ledger.
    ///
    /// # Errors
    /// When the system has no more handles.
    pub fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Removes segments that neither the steps after `covered` nor the memory of ids needs.
    pub fn prune(&self, covered: Position) {
        let Ok(segments) = segments(&self.folder) else { return };
        let keep = covered.segment.min(self.at.segment.saturating_sub(1));
        for segment in segments.into_iter().filter(|&segment| segment < keep) {
            if let Err(error) = fs::remove_file(path(&self.folder, segment)) {
                tracing::warn!("cannot remove {}: {error}", path(&self.folder, segment).display());
            }
        }
    }

    /// Frames below `folder`, without opening it for writing.
    ///
    /// # Errors
    /// When files cannot be read.
    pub fn read(folder: &Path, mut each: impl FnMut(Position, Taken)) -> io::Result<()> {
        for segment in segments(folder)? {
            frames(&fs::read(path(folder, segment))?, |bytes, taken| {
                each(Position { segment, bytes }, taken)
            });
        }
        Ok(())
    }
}

fn path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{NAME}{segment:06}"))
}

fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        found.extend(name.to_str().and_then(|n| n.strip_prefix(NAME)).and_then(|n| n.parse::<u64>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn encode(taken: &Taken, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&u32::try_from(taken.ids.len()).unwrap_or(u32::MAX).to_le_bytes());
    for id in &taken.ids {
        out.extend_from_slice(&id.to_le_bytes());
    }
    for step in &taken.steps {
        let (Ok(lane), Ok(name)) = (u16::try_from(step.lane.len()), u16::try_from(step.name.len())) else {
            continue;
        };
        out.push(u8::from(step.done));
        out.extend_from_slice(&step.stamp.to_le_bytes());
        out.extend_from_slice(&step.upto.to_le_bytes());
        out.extend_from_slice(&lane.to_le_bytes());
        out.extend_from_slice(&name.to_le_bytes());
        out.extend_from_slice(step.lane.as_bytes());
        out.extend_from_slice(step.name.as_bytes());
    }
    let (len, sum) = {
        let content = out.get(8..).unwrap_or_default();
        (u32::try_from(content.len()).unwrap_or(u32::MAX), crc(content))
    };
    for (to, from) in out.iter_mut().zip(len.to_le_bytes().into_iter().chain(sum.to_le_bytes())) {
        *to = from;
    }
}

/// Gives each whole frame to `each`, with the place after it. Returns the bytes up to which all is well.
fn frames(bytes: &[u8], mut each: impl FnMut(u64, Taken)) -> u64 {
    let Some(mut rest) = bytes.strip_prefix(MAGIC.as_slice()) else { return 0 };
    let mut good = MAGIC.len() as u64;
    loop {
        let mut reader = rest;
        let (Some(len), Some(sum)) = (take_u32(&mut reader), take_u32(&mut reader)) else { return good };
        let Some((content, after)) = reader.split_at_checked(len as usize) else { return good };
        let Some(taken) = (crc(content) == sum).then(|| decode(content)).flatten() else { return good };
        good += 8 + u64::from(len);
        each(good, taken);
        rest = after;
    }
}

fn decode(mut content: &[u8]) -> Option<Taken> {
    let count = take_u32(&mut content)? as usize;
    let mut ids = Vec::with_capacity(count.min(content.len() / 8));
    for _ in 0..count {
        ids.push(take_u64(&mut content)?);
    }
    let mut steps = Vec::new();
    let mut lane: Arc<str> = "".into();
    while let Some((&flags, rest)) = content.split_first() {
        content = rest;
        let (stamp, upto) = (take_u64(&mut content)?, take_u64(&mut content)?);
        let (lane_len, name_len) = (take_u16(&mut content)?, take_u16(&mut content)?);
        let (lane_bytes, rest) = content.split_at_checked(lane_len.into())?;
        let (name, rest) = rest.split_at_checked(name_len.into())?;
        content = rest;
        let text = std::str::from_utf8(lane_bytes).ok()?;
        if *lane != *text {
            lane = text.into();
        }
        let name = String::from_utf8(name.to_vec()).ok()?;
        steps.push(Step { lane: Arc::clone(&lane), name, stamp, upto, done: flags & 1 == 1 });
    }
    Some(Taken { ids, steps })
}

fn take_u16(bytes: &mut &[u8]) -> Option<u16> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u16::from_le_bytes(*first))
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*first))
}

fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*first))
}
