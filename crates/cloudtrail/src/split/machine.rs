//! The state between two records, the same for an object in memory and for one in pieces.

use std::ops::Range;

use super::inside::{Inside, look_inside};
use super::resync::Resync;
use super::{Limits, SplitErrorKind};
use crate::json::scan::{Nesting, skip_value, skip_ws};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the machine found.
#[derive(Debug)]
pub(super) enum Step {
    /// A record.
    Record(Range<usize>),
    /// Something wrong at a position.
    Wrong(usize, SplitErrorKind),
    /// The bytes do not suffice to tell.
    More,
    /// The end.
    Done,
}

/// Where in the object the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// At the very start, where a byte order mark may stand.
    Start,
    /// Between values at the top.
    Top,
    /// In a list of records; `wrapped` if the list is a member of an object.
    List { wrapped: bool },
    /// After the list, in the rest of the object around it.
    Rest(Nesting),
    /// Looking for the start of the next record, in a list (`wrapped` as there) or at the top.
    Lost { list: Option<bool> },
    /// At the end, or given up.
    Done,
}

#[derive(Debug)]
pub(super) struct Machine {
    limits: Limits,
    mode: Mode,
    /// Everything before is done with.
    pos: usize,
    /// Inside the value at `pos`: what was counted up to where, so that no byte is counted twice.
    open: Option<(Nesting, usize)>,
    resync: Resync,
    broken: usize,
}

impl Machine {
    pub(super) fn new(limits: Limits) -> Self {
        Machine { limits, mode: Mode::Start, pos: 0, open: None, resync: Resync::default(), broken: 0 }
    }

    /// How many bytes are done with; positions count from there afterwards.
    pub(super) fn take_used(&mut self) -> usize {
        if let Some((_, at)) = &mut self.open {
            *at = at.saturating_sub(self.pos);
        }
        std::mem::take(&mut self.pos)
    }

    /// Goes on to the next record or error. `whole`: no bytes come after those of `bytes`.
    #[inline]
    pub(super) fn step(&mut self, bytes: &[u8], whole: bool) -> Step {
        loop {
            let done = match self.mode {
                Mode::List { wrapped } => self.in_list(bytes, whole, wrapped),
                Mode::Start => self.start(bytes, whole),
                Mode::Top => self.at_top(bytes, whole),
                Mode::Rest(nesting) => self.in_rest(bytes, whole, nesting),
                Mode::Lost { list } => self.lost(bytes, whole, list),
                Mode::Done => Some(Step::Done),
            };
            if let Some(step) = done {
                return step;
            }
        }
    }

    fn start(&mut self, bytes: &[u8], whole: bool) -> Option<Step> {
        if bytes.len() < BYTE_ORDER_MARK.len() && !whole {
            return Some(Step::More);
        }
        if bytes.starts_with(BYTE_ORDER_MARK) {
            self.pos = BYTE_ORDER_MARK.len();
        }
        self.mode = Mode::Top;
        None
    }

    #[inline]
    fn in_list(&mut self, bytes: &[u8], whole: bool, wrapped: bool) -> Option<Step> {
        self.pos = skip_ws(bytes, self.pos);
        match bytes.get(self.pos) {
            Some(b'{' | b'[') => self.record(bytes, whole),
            Some(b',') => {
                self.pos += 1;
                None
            }
            Some(b']') => {
                self.pos += 1;
                self.mode = if wrapped { Mode::Rest(Nesting::opened()) } else { Mode::Top };
                None
            }
            None => Some(self.more_or(whole, |this| this.truncated(this.pos))),
            Some(_) => Some(self.not_an_object(bytes, whole)),
        }
    }

    /// The object or list at `self.pos`, an item of the list.
    #[inline]
    fn record(&mut self, bytes: &[u8], whole: bool) -> Option<Step> {
        let start = self.pos;
        let (mut nesting, from) = self.open.take().unwrap_or((Nesting::default(), start));
        let window = bytes.get(..start.saturating_add(self.limits.max_record_bytes)).unwrap_or(bytes);
        let end = match nesting.end(window, from) {
            Ok(end) => end,
            Err(_) if window.len() < bytes.len() => return Some(self.too_large(start)),
            Err(next) if !whole => {
                self.open = Some((nesting, next));
                return Some(Step::More);
            }
            Err(_) => return Some(self.unclosed(bytes, start)),
        };
        match bytes.get(skip_ws(bytes, end)) {
            Some(b',' | b']' | b'{') => {}
            None if whole => {}
            None => return Some(Step::More),
            Some(_) => return Some(self.wrong(start, SplitErrorKind::Broken)),
        }
        self.pos = end;
        if bytes.get(start) == Some(&b'[') {
            return Some(Step::Wrong(start, SplitErrorKind::NotAnObject));
        }
        self.resync.learn(bytes, start);
        Some(Step::Record(start..end))
    }

    fn at_top(&mut self, bytes: &[u8], whole: bool) -> Option<Step> {
        self.pos = skip_ws(bytes, self.pos);
        match bytes.get(self.pos) {
            None if whole => {
                self.mode = Mode::Done;
                None
            }
            None => Some(Step::More),
            Some(b'[') => {
                self.pos += 1;
                self.mode = Mode::List { wrapped: false };
                None
            }
            Some(b'{') => self.object_at_top(bytes, whole),
            // Left over where reading goes on within a list that was not seen as one.
            Some(b',') => {
                self.pos += 1;
                None
            }
            Some(_) => Some(self.wrong(self.pos, SplitErrorKind::NotAnObject)),
        }
    }

    /// An object that is a record, or has a list of records, or has a record in `detail`.
    fn object_at_top(&mut self, bytes: &[u8], whole: bool) -> Option<Step> {
        let start = self.pos;
        let window = bytes.get(..start.saturating_add(self.limits.max_record_bytes)).unwrap_or(bytes);
        match look_inside(window, start) {
            Inside::List(after) => {
                self.pos = after;
                self.mode = Mode::List { wrapped: true };
                None
            }
            Inside::Record(range, end) => {
                self.pos = end;
                self.resync.learn(bytes, range.start);
                Some(Step::Record(range))
            }
            Inside::Unclosed if window.len() < bytes.len() => Some(self.too_large(start)),
            Inside::Unclosed if !whole => Some(Step::More),
            Inside::Unclosed => Some(self.unclosed(bytes, start)),
            Inside::Broken => Some(self.wrong(start, SplitErrorKind::Broken)),
        }
    }

    fn in_rest(&mut self, bytes: &[u8], whole: bool, mut nesting: Nesting) -> Option<Step> {
        let from = self.pos;
        match nesting.end(bytes, from) {
            Ok(end) => {
                self.pos = end;
                self.mode = Mode::Top;
                None
            }
            Err(next) => {
                self.pos = next;
                self.mode = Mode::Rest(nesting);
                Some(self.more_or(whole, |this| this.truncated(bytes.len())))
            }
        }
    }

    fn lost(&mut self, bytes: &[u8], whole: bool, list: Option<bool>) -> Option<Step> {
        match self.resync.find(bytes, self.pos, list.is_none()) {
            Ok(start) => {
                self.pos = start;
                self.mode = list.map_or(Mode::Top, |wrapped| Mode::List { wrapped });
                None
            }
            Err(_) if whole => {
                self.mode = Mode::Done;
                None
            }
            Err(keep) => {
                self.pos = keep;
                Some(Step::More)
            }
        }
    }

    /// A number, word or text in a list, or a bracket where none belongs.
    fn not_an_object(&mut self, bytes: &[u8], whole: bool) -> Step {
        let start = self.pos;
        let more = !whole && bytes.len() - start < self.limits.max_record_bytes;
        match skip_value(bytes, start) {
            Some(end) if end < bytes.len() || whole => {
                self.pos = end;
                self.count(Step::Wrong(start, SplitErrorKind::NotAnObject))
            }
            Some(_) if more => Step::More,
            None if more && bytes.get(start) == Some(&b'"') => Step::More,
            _ => self.wrong(start, SplitErrorKind::Broken),
        }
    }

    fn more_or(&mut self, whole: bool, end: impl FnOnce(&mut Self) -> Step) -> Step {
        if whole { end(self) } else { Step::More }
    }

    /// The object is over, but the value at `start` is not: broken if there are records after it, else cut off.
    fn unclosed(&mut self, bytes: &[u8], start: usize) -> Step {
        match self.resync.find(bytes, start + 1, self.mode == Mode::Top) {
            Ok(_) => self.wrong(start, SplitErrorKind::Broken),
            Err(_) => self.truncated(start),
        }
    }

    fn truncated(&mut self, at: usize) -> Step {
        self.mode = Mode::Done;
        Step::Wrong(at, SplitErrorKind::Truncated)
    }

    fn too_large(&mut self, start: usize) -> Step {
        self.wrong(start, SplitErrorKind::TooLarge { limit: self.limits.max_record_bytes })
    }

    /// Passes over what is at `start`, to the start of the next record.
    fn wrong(&mut self, start: usize, kind: SplitErrorKind) -> Step {
        let list = if let Mode::List { wrapped } = self.mode { Some(wrapped) } else { None };
        self.mode = Mode::Lost { list };
        self.pos = start + 1;
        self.open = None;
        self.count(Step::Wrong(start, kind))
    }

    /// Gives up after too many errors.
    fn count(&mut self, step: Step) -> Step {
        self.broken += 1;
        match step {
            Step::Wrong(at, _) if self.broken > self.limits.max_broken => {
                self.mode = Mode::Done;
                Step::Wrong(at, SplitErrorKind::GivenUp)
            }
            step => step,
        }
    }
}
