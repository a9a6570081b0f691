//! Finding the records of an object: one pass that checks the JSON's grammar, finds where each record ends, and notes
//! the few members that the intake needs. Works on pieces, so that an object need not be in memory as a whole.
//!
//! An object is `{"Records":[…]}`, a bare array, JSON lines, or one record. What is broken is passed by and told.

mod grammar;
mod resync;
#[cfg(test)]
mod tests;

use grammar::{Outcome, Walk};
use std::ops::Range;

/// Byte ranges of the values of a record's members, without their quotes; empty when absent or not a string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    pub event_time: Span,
    pub event_id: Span,
    pub event_type: Span,
    pub region: Span,
    pub account: Span,
}

/// Start and end in the buffer that was scanned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// The bytes meant.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }
    /// True when nothing was found.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// What the scanner came upon. Ranges are in the buffer given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A record, well-formed.
    Record(Range<usize>, Head),
    /// Something that is no well-formed record.
    Broken {
        /// Its bytes.
        range: Range<usize>,
        /// What is wrong.
        why: &'static str,
    },
    /// A record over the limit; `range` is its beginning, the rest is passed by.
    TooLarge {
        /// Its first bytes.
        range: Range<usize>,
    },
    /// No more in this buffer: give the bytes from here on again, with more behind them.
    More {
        /// First byte still needed.
        from: usize,
    },
    /// The object is read.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Between values at the top.
    Top,
    /// In a list of records; `wrapped`: the list is a member of an object.
    List { wrapped: bool },
    /// In the object around the list, after the list.
    Tail,
    /// Inside a record that is too large: depth, in a string, after a backslash; then back to the mode named.
    Skip { depth: u32, in_string: bool, escaped: bool, wrapped: Option<bool> },
}

/// Finds records; see the module.
#[derive(Debug)]
pub struct Scanner {
    mode: Mode,
    pos: usize,
    max_record: usize,
    started: bool,
}

impl Scanner {
    /// A scanner for one object; records over `max_record` bytes are passed by.
    pub fn new(max_record: usize) -> Self {
        Self { mode: Mode::Top, pos: 0, max_record, started: false }
    }

    /// The next thing in `buf`. `last`: nothing follows `buf`. After [`Found::More`] the buffer must begin at `from`.
    #[inline]
    pub fn next(&mut self, buf: &[u8], last: bool) -> Found {
        if !self.started {
            if buf.len() < 3 && !last {
                return Found::More { from: 0 };
            }
            self.started = true;
            if buf.starts_with(b"\xef\xbb\xbf") {
                self.pos = 3;
            }
        }
        match self.mode {
            Mode::List { wrapped } => self.in_list(buf, last, wrapped),
            Mode::Top => self.at_top(buf, last),
            Mode::Tail => self.in_tail(buf, last),
            Mode::Skip { .. } => self.skipping(buf, last),
        }
    }

    fn more(&mut self, from: usize) -> Found {
        self.pos = 0;
        Found::More { from }
    }

    #[inline]
    fn in_list(&mut self, buf: &[u8], last: bool, wrapped: bool) -> Found {
        let at = grammar::skip_blank_and_commas(buf, self.pos);
        match buf.get(at) {
            None if last => {
                self.pos = at;
                self.mode = Mode::Top;
                Found::Broken { range: at..at, why: "the list of records has no end: the object is cut off" }
            }
            None => self.more(at),
            Some(b']') => {
                self.pos = at + 1;
                self.mode = if wrapped { Mode::Tail } else { Mode::Top };
                self.next(buf, last)
            }
            Some(b'{') => self.record(buf, at, last, Some(wrapped)),
            Some(_) => self.no_object(buf, at, last),
        }
    }

    fn at_top(&mut self, buf: &[u8], last: bool) -> Found {
        let at = grammar::skip_blank_and_commas(buf, self.pos);
        match buf.get(at) {
            None if last => Found::End,
            None => self.more(at),
            Some(b'[') => {
                self.pos = at + 1;
                self.mode = Mode::List { wrapped: false };
                self.next(buf, last)
            }
            Some(b'{') => self.record(buf, at, last, None),
            Some(_) => {
                // Not JSON: pass by the line.
                let end = memchr::memchr(b'\n', buf.get(at..).unwrap_or_default()).map(|n| at + n);
                self.broken_until(buf, at, end, last, "not JSON: expected { or [")
            }
        }
    }

    fn in_tail(&mut self, buf: &[u8], last: bool) -> Found {
        match Walk::tail(buf, self.pos).run(None) {
            Outcome::Object { end, .. } | Outcome::Wrapper { list: end } => {
                self.pos = end;
                self.mode = Mode::Top;
                self.at_top(buf, last)
            }
            Outcome::Short if !last && buf.len() - self.pos <= self.max_record => {
                let from = self.pos;
                self.more(from)
            }
            Outcome::Short | Outcome::Broken { .. } => {
                let range = self.pos..buf.len();
                self.pos = buf.len();
                self.mode = Mode::Top;
                Found::Broken { range, why: "broken after the list of records" }
            }
        }
    }

    /// An object that begins at `at`; `wrapped` as in [`Mode::List`], `None` at the top.
    #[inline]
    fn record(&mut self, buf: &[u8], at: usize, last: bool, wrapped: Option<bool>) -> Found {
        let mut head = Head::default();
        match Walk::object(buf, at, wrapped.is_none()).run(Some(&mut head)) {
            Outcome::Object { end } => {
                self.pos = end;
                if end - at > self.max_record {
                    return Found::TooLarge { range: at..end };
                }
                Found::Record(at..end, head)
            }
            Outcome::Wrapper { list } => {
                self.pos = list;
                self.mode = Mode::List { wrapped: true };
                self.next(buf, last)
            }
            Outcome::Short if !last => {
                if buf.len() - at > self.max_record {
                    self.mode = Mode::Skip { depth: 0, in_string: false, escaped: false, wrapped };
                    self.pos = at;
                    return Found::TooLarge { range: at..buf.len() };
                }
                self.more(at)
            }
            Outcome::Short => self.broken(buf, at, last, wrapped, "cut off: the record has no end"),
            Outcome::Broken { why } => self.broken(buf, at, last, wrapped, why),
        }
    }

    fn broken(
        &mut self,
        buf: &[u8],
        at: usize,
        last: bool,
        wrapped: Option<bool>,
        why: &'static str,
    ) -> Found {
        let end = match wrapped {
            Some(_) => resync::in_list(buf, at),
            None => resync::at_top(buf, at),
        };
        self.broken_until(buf, at, end, last, why)
    }

    /// Something broken from `at` to `end`, or to a place that is not in the buffer yet.
    fn broken_until(
        &mut self,
        buf: &[u8],
        at: usize,
        end: Option<usize>,
        last: bool,
        why: &'static str,
    ) -> Found {
        match end {
            Some(end) => {
                self.pos = end;
                Found::Broken { range: at..end, why }
            }
            None if !last && buf.len() - at <= self.max_record => self.more(at),
            None => {
                // Nothing to go on from: what follows is given up piece by piece.
                self.pos = buf.len();
                if last {
                    self.mode = Mode::Top;
                }
                Found::Broken { range: at..buf.len(), why }
            }
        }
    }

    /// Something in a list that is no object.
    fn no_object(&mut self, buf: &[u8], at: usize, last: bool) -> Found {
        let why = "a record must be a JSON object";
        match Walk::value(buf, at).run(None) {
            Outcome::Object { end } | Outcome::Wrapper { list: end } => {
                self.pos = end;
                Found::Broken { range: at..end, why }
            }
            Outcome::Short if !last && buf.len() - at <= self.max_record => self.more(at),
            Outcome::Short => self.broken_until(buf, at, None, true, why),
            Outcome::Broken { .. } => {
                let end = resync::in_list(buf, at);
                self.broken_until(buf, at, end, last, why)
            }
        }
    }

    fn skipping(&mut self, buf: &[u8], last: bool) -> Found {
        let Mode::Skip { mut depth, mut in_string, mut escaped, wrapped } = self.mode else {
            return Found::End;
        };
        for (i, byte) in buf.iter().enumerate().skip(self.pos) {
            if in_string {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => in_string = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => continue,
            }
            if depth == 0 && !in_string {
                self.pos = i + 1;
                self.mode = wrapped.map_or(Mode::Top, |wrapped| Mode::List { wrapped });
                return self.next(buf, last);
            }
        }
        if last {
            self.pos = buf.len();
            self.mode = Mode::Top;
            return Found::End;
        }
        self.mode = Mode::Skip { depth, in_string, escaped, wrapped };
        self.more(buf.len())
    }
}
