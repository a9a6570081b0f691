//! From an object as stored to chunks of its inflated bytes.

use super::records::Tally;
use super::{Stop, Worker};
use crate::chunk::Chunk;
use crate::inflate::{self, Fault, Plain};
use crate::object::{Object, Payload};
use crate::scan::Scanner;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Bytes that a stream inflates at once.
const STREAM_BYTES: usize = 1 << 20;

impl Worker {
    pub(super) fn split(
        &mut self,
        object: &Arc<Object>,
        payload: Payload,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
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
                    let chunk = Chunk::new(plain, object, 0, room);
                    return self.chunk(&chunk, true, &mut scanner, tally).map(|_| ());
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
        let chunk = Chunk::new(bytes, object, 0, room);
        self.chunk(&chunk, true, scanner, tally).map(|_| ())
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
            return Err(Stop::Fault(Fault::of_source(&error)));
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
            let chunk = Chunk::new(bytes, object, base, room);
            let from = self.chunk(&chunk, last, scanner, tally)?;
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
