//! From member to member of an object.

use crate::RecordError;
use crate::json::Key;
use crate::json::scan::{skip_value, skip_ws};

/// A member: its key, and the start of its value.
pub(super) type Found<'a> = (Key<'a>, usize);

/// Walks the members of an object and says where it is broken.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    pos: usize,
    first: bool,
}

impl<'a> Walk<'a> {
    /// The object that starts at `pos`, a brace.
    #[inline]
    pub(super) fn nested(bytes: &'a [u8], pos: usize) -> Self {
        Walk { bytes, pos: pos + 1, first: true }
    }

    /// After the last member: the position after the object.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.pos
    }

    /// Checks that nothing comes after the object.
    #[inline]
    pub(super) fn finish(&self) -> Result<(), RecordError> {
        let offset = skip_ws(self.bytes, self.pos);
        if offset == self.bytes.len() {
            return Ok(());
        }
        Err(RecordError::Broken { offset, what: "expected the end of the record" })
    }

    pub(super) fn start(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let pos = skip_ws(bytes, 0);
        match bytes.get(pos) {
            Some(b'{') => Ok(Walk { bytes, pos: pos + 1, first: true }),
            _ => Err(RecordError::NotAnObject { offset: pos }),
        }
    }

    /// Where the next member's key starts, a quote; `None` after a well-formed end of the object. Its value has to be
    /// passed over before the one after it.
    #[inline(always)]
    pub(super) fn key_start(&mut self) -> Result<Option<usize>, RecordError> {
        let broken = |offset, what| Err(RecordError::Broken { offset, what });
        let mut pos = skip_ws(self.bytes, self.pos);
        match self.bytes.get(pos) {
            Some(b'}') => {
                self.pos = pos + 1;
                return Ok(None);
            }
            Some(b',') if !self.first => pos = skip_ws(self.bytes, pos + 1),
            Some(_) if self.first => self.first = false,
            _ => return broken(pos, "expected , or }"),
        }
        if self.bytes.get(pos) != Some(&b'"') {
            return broken(pos, "expected a key in quotes");
        }
        Ok(Some(pos))
    }

    /// The key that starts at `pos`, and the start of its value.
    #[inline(always)]
    pub(super) fn key(&mut self, pos: usize) -> Result<Found<'a>, RecordError> {
        let broken = |offset, what| Err(RecordError::Broken { offset, what });
        let Some((key, after)) = Key::read(self.bytes, pos) else {
            return broken(pos, "the key has no end");
        };
        let colon = skip_ws(self.bytes, after);
        if self.bytes.get(colon) != Some(&b':') {
            return broken(colon, "expected : after the key");
        }
        Ok((key, self.value(colon + 1)))
    }

    /// The start of the value that comes after the colon before `pos`.
    #[inline(always)]
    pub(super) fn value(&mut self, pos: usize) -> usize {
        self.pos = skip_ws(self.bytes, pos);
        self.pos
    }

    /// The next member, as [`Walk::key_start`] and [`Walk::key`] find it.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<Found<'a>>, RecordError> {
        match self.key_start()? {
            Some(pos) => self.key(pos).map(Some),
            None => Ok(None),
        }
    }

    /// Passes over the value; the position after it.
    #[inline]
    pub(super) fn skip(&mut self) -> Result<usize, RecordError> {
        let Some(end) = skip_value(self.bytes, self.pos) else {
            return Err(RecordError::Broken { offset: self.pos, what: "expected a value, whole" });
        };
        self.pos = end;
        Ok(end)
    }

    /// Goes on at `end`, which is after the value.
    #[inline]
    pub(super) fn go_on(&mut self, end: usize) {
        self.pos = end;
    }
}
