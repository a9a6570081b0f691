//! Finding the next record after something broken.

use memchr::memmem;

use crate::json::scan::{skip_ws, string_end};

/// Keys longer than this are not learned.
const MAX_KEY_BYTES: usize = 64;

/// How records start: with a brace and this key.
#[derive(Debug, Default)]
pub(super) struct Resync {
    /// The first key of a record in quotes, if one was seen.
    key: Option<Vec<u8>>,
}

impl Resync {
    /// Remembers the first key of the first record.
    #[inline]
    pub(super) fn learn(&mut self, bytes: &[u8], record: usize) {
        if self.key.is_none() {
            let start = skip_ws(bytes, record + 1);
            let end = string_end(bytes, start + 1).filter(|_| bytes.get(start) == Some(&b'"'));
            let key = end.and_then(|end| bytes.get(start..=end)).filter(|key| key.len() <= MAX_KEY_BYTES);
            self.key = key.map(<[u8]>::to_vec);
        }
    }

    /// Where the next record from `pos` on starts; with `lines` also where a line starts with a brace. `Err`: where to
    /// look on when there are more bytes.
    pub(super) fn find(&self, bytes: &[u8], pos: usize, lines: bool) -> Result<usize, usize> {
        let rest = bytes.get(pos..).unwrap_or_default();
        let line = if lines { memmem::find(rest, b"\n{").map(|at| at + 1) } else { None };
        // No need to look for a key beyond the line, but the line's own key must be in sight.
        let in_sight = line.and_then(|at| rest.get(..at + MAX_KEY_BYTES)).unwrap_or(rest);
        match self.find_key(in_sight).into_iter().chain(line).min() {
            Some(at) => Ok(pos + at),
            // The start of what comes next may be in hand: its brace, blanks, and a part of its key.
            None => Err(bytes.len().saturating_sub(2 * MAX_KEY_BYTES).max(pos)),
        }
    }

    /// Where a brace and the first key of records stand.
    fn find_key(&self, bytes: &[u8]) -> Option<usize> {
        let key = self.key.as_deref().unwrap_or(br#""eventVersion""#);
        memmem::find_iter(bytes, key).find_map(|at| {
            let before = bytes.get(..at)?.trim_ascii_end();
            (before.last() == Some(&b'{')).then(|| before.len() - 1)
        })
    }
}
