//! The thread that inflates and splits: objects in, records out, in order.

use crate::budget::{Budget, Chunk};
use crate::counters::Counters;
use crate::dedup::Dedup;
use crate::filter::Filter;
use crate::inflate::{self, Fault, Inflater, Plain};
use crate::object::{Ended, Item, Object, Payload, Piece};
use crate::quarantine::{Quarantine, Reason};
use crate::scan::{Found, Head, Scanner};
use crate::store::{StoreError, StoreErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// Bytes that a stream inflates at once.
const STREAM_BYTES: usize = 1 << 20;

/// Where objects come from.
pub trait Feed: Send {
    /// The next object, waiting at most `wait`.
    fn next(&mut self, wait: Duration) -> Fed;

    /// Takes back an object that could not be read to its end. False: not again, it is given up.
    fn again(&mut self, object: &Arc<Object>) -> bool {
        let _ = object;
        false
    }

    /// Told when an object is through.
    fn ended(&mut self, object: &Arc<Object>) {
        let _ = object;
    }
}

/// What a feed has.
pub enum Fed {
    /// An object.
    Object(Arc<Object>, Payload),
    /// An object that cannot be had.
    Failed(Arc<Object>, StoreError),
    /// Nothing now.
    Nothing,
    /// Nothing any more.
    End,
}

/// Limits that a user sets.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `max_inflated_bytes`
    pub inflated_bytes: u64,
    /// `max_record_bytes`
    pub record_bytes: usize,
}

/// The worker's state.
pub struct Worker {
    pub out: SyncSender<Item>,
    pub budget: Arc<Budget>,
    pub counters: Arc<Counters>,
    pub dedup: Dedup,
    pub filter: Filter,
    pub limits: Limits,
    pub quarantine: Arc<Quarantine>,
    pub stop: Arc<AtomicBool>,
    pub inflater: Inflater,
}

/// The other side has gone.
struct Closed;

/// How splitting one object went.
#[derive(Default)]
struct Tally {
    records: u64,
    broken: u64,
    /// Broken parts before the first record: whether the object or a record is broken shows only later.
    early: Vec<(u64, Vec<u8>, &'static str)>,
    upto: u64,
}

/// Of broken parts before the first record, this many are kept.
const EARLY: usize = 8;

impl Worker {
    /// Works until the feed ends or nobody listens.
    pub fn run(mut self, mut feed: Box<dyn Feed>) {
        while !self.stop.load(Relaxed) {
            let going = match feed.next(Duration::from_millis(100)) {
                Fed::Nothing => Ok(()),
                Fed::End => {
                    let _ = self.out.send(Item::End);
                    return;
                }
                Fed::Failed(object, error) => self.failed(&object, &error, feed.as_mut()),
                Fed::Object(object, payload) => self.object(&object, payload, feed.as_mut()),
            };
            if going.is_err() {
                return;
            }
        }
    }

    fn object(&mut self, object: &Arc<Object>, payload: Payload, feed: &mut dyn Feed) -> Result<(), Closed> {
        let mut tally = Tally { upto: object.resume_bytes(), ..Tally::default() };
        // A panic here is a fault of ours; it must cost this object and not the thread.
        let split = catch_unwind(AssertUnwindSafe(|| self.split(object, payload, &mut tally)));
        object.set_resume(tally.upto);
        match split {
            Ok(Ok(())) => self.whole(object, &tally, feed),
            Ok(Err(Stop::Closed)) => Err(Closed),
            Ok(Err(Stop::Fault(fault))) => self.fault(object, &tally, fault, feed),
            Err(_) => {
                self.inflater = Inflater::default();
                let fault = Fault::Malformed("internal error while reading it; please report".into());
                self.fault(object, &tally, fault, feed)
            }
        }
    }

    fn whole(&mut self, object: &Arc<Object>, tally: &Tally, feed: &mut dyn Feed) -> Result<(), Closed> {
        if tally.records == 0
            && let Some((at, _, why)) = tally.early.first()
        {
            self.counters.malformed_object.add(1);
            self.quarantine.object(object, Reason::MalformedObject, &format!("{why} at byte {at}"));
            return self.end(object, Ended::Quarantined, tally.upto, feed);
        }
        // Broken records among good ones were counted one by one.
        self.counters.malformed_record.add(tally.broken);
        self.end(object, Ended::Done, tally.upto, feed)
    }

    fn fault(
        &mut self,
        object: &Arc<Object>,
        tally: &Tally,
        fault: Fault,
        feed: &mut dyn Feed,
    ) -> Result<(), Closed> {
        if self.stop.load(Relaxed) {
            // Bytes that stop coming because everything stops are no fault of the object.
            return Err(Closed);
        }
        self.counters.malformed_record.add(tally.broken);
        if !matches!(fault, Fault::TooLarge { .. }) && feed.again(object) {
            self.counters.retries.add(1);
            return Ok(());
        }
        let (count, reason) = match fault {
            Fault::TooLarge { .. } => (&self.counters.object_too_large, Reason::ObjectTooLarge),
            Fault::Malformed(_) | Fault::Broken(_) => {
                (&self.counters.malformed_object, Reason::MalformedObject)
            }
        };
        count.add(1);
        self.quarantine.object(
            object,
            reason,
            &format!("{fault}; {} records before it were read", tally.records),
        );
        self.end(object, Ended::Quarantined, tally.upto, feed)
    }

    fn failed(
        &mut self,
        object: &Arc<Object>,
        error: &StoreError,
        feed: &mut dyn Feed,
    ) -> Result<(), Closed> {
        if self.stop.load(Relaxed) {
            return Err(Closed);
        }
        let (count, reason, how) = match error.kind {
            StoreErrorKind::NotFound => (&self.counters.not_found, Reason::NotFound, Ended::Gone),
            StoreErrorKind::TooLarge => {
                (&self.counters.object_too_large, Reason::ObjectTooLarge, Ended::Quarantined)
            }
            // Told of by whoever gave it up; only what ends by itself does, and it has no quarantine.
            kind if kind.passes() || kind.waits() => {
                self.counters.object_given_up.add(1);
                return self.end(object, Ended::Quarantined, object.resume_bytes(), feed);
            }
            _ => (&self.counters.malformed_object, Reason::MalformedObject, Ended::Quarantined),
        };
        count.add(1);
        self.quarantine.object(object, reason, &error.message);
        self.end(object, how, object.resume_bytes(), feed)
    }

    fn end(
        &mut self,
        object: &Arc<Object>,
        how: Ended,
        upto: u64,
        feed: &mut dyn Feed,
    ) -> Result<(), Closed> {
        self.out.send(Item::Ended { object: Arc::clone(object), how, upto }).map_err(|_| Closed)?;
        feed.ended(object);
        Ok(())
    }

    fn split(&mut self, object: &Arc<Object>, payload: Payload, tally: &mut Tally) -> Result<(), Stop> {
        let mut scanner = Scanner::new(self.limits.record_bytes);
        let cap = self.limits.inflated_bytes;
        let stream: Box<dyn std::io::Read + Send> = match payload {
            Payload::Whole(bytes, held) => {
                if bytes.is_empty() && !object.growing {
                    return Err(Stop::Fault(Fault::Malformed("the object is empty".into())));
                }
                if !inflate::is_gzip(&bytes) && !object.growing && bytes.len() as u64 <= cap {
                    drop(held);
                    return self.whole_bytes(object, bytes, &mut scanner, tally);
                }
                if let Some(size) = inflate::whole_size(&bytes).filter(|&size| size as u64 <= cap)
                    && inflate::is_gzip(&bytes)
                    && let Some(room) = self.budget.take(size as u64)
                    && let Some(plain) = self.inflater.whole(&bytes, size)
                {
                    drop((bytes, held));
                    self.counters.inflated_bytes.add(size as u64);
                    let chunk = Chunk::new(plain, Some(room));
                    return self.chunk(object, &chunk, 0, true, &mut scanner, tally).map(|_| ());
                }
                Box::new(Kept { bytes: std::io::Cursor::new(bytes), _held: held })
            }
            Payload::Stream(stream) => stream,
        };
        self.streamed(object, stream, &mut scanner, tally)
    }

    fn whole_bytes(
        &mut self,
        object: &Arc<Object>,
        bytes: Vec<u8>,
        scanner: &mut Scanner,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        let room = self.budget.take(bytes.len() as u64).ok_or(Stop::Closed)?;
        self.counters.inflated_bytes.add(bytes.len() as u64);
        let chunk = Chunk::new(bytes, Some(room));
        self.chunk(object, &chunk, 0, true, scanner, tally).map(|_| ())
    }

    fn streamed(
        &mut self,
        object: &Arc<Object>,
        mut stream: Box<dyn std::io::Read + Send>,
        scanner: &mut Scanner,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        let mut first = [0; 2];
        let got = read_full(&mut stream, &mut first);
        let (count, early) = got.map_or_else(|error| (0, Some(error)), |count| (count, None));
        let head = first.get(..count).unwrap_or_default().to_vec();
        if let Some(error) = early {
            return Err(Stop::Fault(Fault::Broken(error.to_string())));
        }
        let gzip = inflate::is_gzip(&head);
        let source = std::io::Read::chain(std::io::Cursor::new(head), stream);
        let mut plain = Plain::new(source, gzip, self.limits.inflated_bytes);
        // A growing file is opened where reading ended before.
        let mut base = if object.growing { object.resume_bytes() } else { 0 };
        let mut rest: Vec<u8> = Vec::new();
        loop {
            let room = self.budget.take(rest.len() as u64 + STREAM_BYTES as u64).ok_or(Stop::Closed)?;
            let mut bytes = Vec::with_capacity(rest.len() + STREAM_BYTES);
            bytes.append(&mut rest);
            let before = bytes.len();
            let read = plain.read_more(&mut bytes, STREAM_BYTES);
            self.counters.inflated_bytes.add((bytes.len() - before) as u64);
            let last = matches!(read, Ok(true)) && !object.growing;
            let chunk = Chunk::new(bytes, Some(room));
            let from = self.chunk(object, &chunk, base, last, scanner, tally)?;
            match read {
                Err(fault) => return Err(Stop::Fault(fault)),
                Ok(true) => return Ok(()),
                Ok(false) => {}
            }
            if self.stop.load(Relaxed) {
                return Err(Stop::Closed);
            }
            rest.extend_from_slice(chunk.bytes().get(from..).unwrap_or_default());
            base += from as u64;
        }
    }

    /// Splits one chunk and hands its records over. Returns the first byte that is still needed.
    fn chunk(
        &mut self,
        object: &Arc<Object>,
        chunk: &Arc<Chunk>,
        base: u64,
        last: bool,
        scanner: &mut Scanner,
        tally: &mut Tally,
    ) -> Result<usize, Stop> {
        let bytes = chunk.bytes();
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
        self.hand_over(object, chunk, base, pieces)?;
        tally.upto = upto;
        Ok(from)
    }

    fn hand_over(
        &mut self,
        object: &Arc<Object>,
        chunk: &Arc<Chunk>,
        base: u64,
        mut pieces: Vec<Piece>,
    ) -> Result<(), Stop> {
        // Not earlier: an id that is remembered without its record being handed over would be a record lost.
        let before = pieces.len();
        pieces.retain(|piece| piece.id == 0 || self.dedup.insert(piece.id));
        self.counters.duplicate.add((before - pieces.len()) as u64);
        if pieces.is_empty() {
            return Ok(());
        }
        let records = Item::Records { object: Arc::clone(object), chunk: Arc::clone(chunk), base, pieces };
        self.out.send(records).map_err(|_| Stop::Closed)
    }

    /// What is handed over of one record; `None` when it is not, and counted.
    fn piece(
        &self,
        object: &Arc<Object>,
        bytes: &[u8],
        base: u64,
        range: std::ops::Range<usize>,
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
        let text = |span: crate::scan::Span| std::str::from_utf8(span.of(bytes)).unwrap_or_default();
        self.filter.account(text(head.account)) && self.filter.region(text(head.region))
    }

    fn broken_record(&self, object: &Arc<Object>, at: u64, record: &[u8], why: &str) {
        self.counters.malformed_record.add(1);
        self.quarantine.record(object, Reason::MalformedRecord, at, record, why);
    }
}

/// Why splitting stopped early.
enum Stop {
    Closed,
    Fault(Fault),
}

/// Bytes in memory as a stream, with what is held for them.
struct Kept {
    bytes: std::io::Cursor<Vec<u8>>,
    _held: Option<Box<dyn Send>>,
}

impl std::io::Read for Kept {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.bytes.read(buf)
    }
}

fn read_full(stream: &mut dyn std::io::Read, buf: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = buf.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest)? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}
