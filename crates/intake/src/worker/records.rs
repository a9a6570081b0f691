//! From a chunk to the records that are handed on.

use super::{Stop, Worker};
use crate::chunk::Chunk;
use crate::object::{Item, Object, Piece};
use crate::quarantine::Reason;
use crate::scan::{Found, Head, Scanner, Span};
use std::ops::Range;
use std::sync::Arc;

/// How splitting one object went.
#[derive(Default)]
pub(super) struct Tally {
    pub records: u64,
    pub broken: u64,
    /// Broken parts before the first record: whether the object or a record is broken shows only later.
    pub early: Vec<(u64, Vec<u8>, &'static str)>,
    pub upto: u64,
}

/// Of broken parts before the first record, this many are kept.
const EARLY: usize = 8;

impl Worker {
    /// Splits one chunk and hands its records over. Returns the first byte that is still needed.
    pub(super) fn chunk(
        &mut self,
        chunk: &Arc<Chunk>,
        last: bool,
        scanner: &mut Scanner,
        tally: &mut Tally,
    ) -> Result<usize, Stop> {
        let (bytes, object, base) = (chunk.bytes(), chunk.object(), chunk.base());
        let all_text = std::str::from_utf8(bytes).is_ok();
        let resume = object.resume_bytes();
        let mut pieces = Vec::with_capacity(bytes.len() / 1024 + 1);
        let mut upto = tally.upto;
        let from = loop {
            match scanner.next(bytes, last) {
                Found::Record(range, head) => {
                    tally.records += 1;
                    upto = upto.max(base + range.end as u64);
                    if base + (range.end as u64) <= resume {
                        continue;
                    }
                    let record = bytes.get(range.clone()).unwrap_or_default();
                    if !all_text && std::str::from_utf8(record).is_err() {
                        self.broken_record(object, base + range.start as u64, record, "not UTF-8");
                        continue;
                    }
                    pieces.extend(self.piece(object, bytes, base, range, head));
                }
                Found::Broken { range, why } => {
                    let end = base + range.end as u64;
                    if resume > 0 && end <= resume {
                        continue;
                    }
                    upto = upto.max(end);
                    tally.broken += 1;
                    let at = base + range.start as u64;
                    let text = bytes.get(range).unwrap_or_default();
                    if tally.records > 0 {
                        self.quarantine.record(object, Reason::MalformedRecord, at, text, why);
                    } else if tally.early.len() < EARLY {
                        tally.early.push((
                            at,
                            text.get(..text.len().min(4096)).unwrap_or_default().to_vec(),
                            why,
                        ));
                    }
                }
                Found::TooLarge { range } => {
                    tally.records += 1;
                    upto = upto.max(base + range.end as u64);
                    if base + (range.end as u64) > resume {
                        self.counters.too_large.add(1);
                        let at = base + range.start as u64;
                        let text = bytes.get(range).unwrap_or_default();
                        self.quarantine.record(object, Reason::TooLarge, at, text, "over max_record_bytes");
                    }
                }
                Found::More { from } => break from,
                Found::End => break bytes.len(),
            }
        };
        if tally.records > 0 {
            for (at, text, why) in tally.early.drain(..) {
                self.quarantine.record(object, Reason::MalformedRecord, at, &text, why);
            }
        }
        self.hand_over(chunk, pieces)?;
        tally.upto = upto;
        Ok(from)
    }

    fn hand_over(&mut self, chunk: &Arc<Chunk>, mut pieces: Vec<Piece>) -> Result<(), Stop> {
        // Not earlier: an id that is remembered without its record being handed over would be a record lost.
        let before = pieces.len();
        pieces.retain(|piece| piece.id == 0 || self.dedup.insert(piece.id));
        self.counters.duplicate.add((before - pieces.len()) as u64);
        if pieces.is_empty() {
            return Ok(());
        }
        self.out.send(Item::Records { chunk: Arc::clone(chunk), pieces }).map_err(|_| Stop::Closed)
    }

    /// What is handed over of one record; `None` when it is not, and counted.
    fn piece(
        &self,
        object: &Arc<Object>,
        bytes: &[u8],
        base: u64,
        range: Range<usize>,
        head: Head,
    ) -> Option<Piece> {
        let record = bytes.get(range.clone()).unwrap_or_default();
        if head.event_type.of(bytes) == b"AwsCloudTrailInsight"
            || (object.filter_records && !self.wanted(bytes, head))
        {
            self.counters.filtered.add(1);
            return None;
        }
        let fast = std::str::from_utf8(head.event_time.of(bytes)).ok();
        let time = match fast.and_then(tfdrift_cloudtrail::time::parse_rfc3339_ns) {
            Some(time) => Ok(time),
            // Escapes in the member's name or value.
            None => tfdrift_cloudtrail::event_time_ns(record),
        };
        let time_ns = match time {
            Ok(time) => time,
            Err(error) => {
                self.broken_record(object, base + range.start as u64, record, &error.to_string());
                return None;
            }
        };
        let id = head.event_id.of(bytes);
        let id = if id.is_empty() { 0 } else { crate::dedup::mark(id) };
        let (start, end) = (u32::try_from(range.start).ok()?, u32::try_from(range.end).ok()?);
        Some(Piece { start, end, time_ns, id })
    }

    fn wanted(&self, bytes: &[u8], head: Head) -> bool {
        if self.filter.is_open() {
            return true;
        }
        let text = |span: Span| std::str::from_utf8(span.of(bytes)).unwrap_or_default();
        self.filter.account(text(head.account)) && self.filter.region(text(head.region))
    }

    fn broken_record(&self, object: &Arc<Object>, at: u64, record: &[u8], why: &str) {
        self.counters.malformed_record.add(1);
        self.quarantine.record(object, Reason::MalformedRecord, at, record, why);
    }
}
