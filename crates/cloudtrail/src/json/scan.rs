//! Finding where values end. The hot code of this crate.

pub(crate) mod block;

use block::{BLOCK, Carry};

/// Position of the first byte at or after `pos` that is not white space.
#[inline]
pub fn skip_ws(bytes: &[u8], mut pos: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(pos) {
        pos += 1;
    }
    pos
}

/// Position of the quote that closes the string whose content starts at `pos`; `None` if there is none.
#[inline]
pub fn string_end(bytes: &[u8], mut pos: usize) -> Option<usize> {
    loop {
        let rest = bytes.get(pos..)?;
        let Some(chunk) = rest.first_chunk::<16>() else { break };
        let found = block::quote_or_backslash(chunk);
        if found == 0 {
            pos += 16;
            continue;
        }
        pos += found.trailing_zeros() as usize;
        if bytes.get(pos) == Some(&b'"') {
            return Some(pos);
        }
        pos += 2;
    }
    loop {
        match bytes.get(pos)? {
            b'"' => return Some(pos),
            b'\\' => pos += 2,
            _ => pos += 1,
        }
    }
}

/// Position after the value that starts at `pos`. Objects and arrays are only checked for balance.
#[inline]
pub fn skip_value(bytes: &[u8], pos: usize) -> Option<usize> {
    match bytes.get(pos)? {
        b'"' => Some(string_end(bytes, pos + 1)? + 1),
        b'{' | b'[' => skip_nested(bytes, pos),
        _ => {
            let end = skip_scalar(bytes, pos);
            (end > pos).then_some(end)
        }
    }
}

/// Position after the number or word that starts at `pos`.
#[inline]
fn skip_scalar(bytes: &[u8], mut pos: usize) -> usize {
    while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'+' | b'.') = bytes.get(pos) {
        pos += 1;
    }
    pos
}

/// Position after the object or array that starts at `pos`.
pub fn skip_nested(bytes: &[u8], pos: usize) -> Option<usize> {
    Nesting::default().end(bytes, pos).ok()
}

/// Counts brackets outside of strings, over pieces of a value that come one after the other.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nesting {
    carry: Carry,
    depth: usize,
}

impl Nesting {
    /// Counts on from `pos`. `Ok`: the position after the bracket that closes the value. `Err`: the position from
    /// which to go on when there are more bytes.
    #[inline]
    pub(crate) fn end(&mut self, bytes: &[u8], mut pos: usize) -> Result<usize, usize> {
        loop {
            let (block, len) = block::load(bytes, pos);
            if len < BLOCK {
                // The last block is padded: what comes next would not fit to its carry, so count it again then.
                let mut trial = *self;
                return trial.block(&block).map(|at| pos + at).ok_or(pos);
            }
            if let Some(at) = self.block(&block) {
                return Ok(pos + at);
            }
            pos += BLOCK;
        }
    }

    /// Counts a block; the position in it after the bracket that closes the value.
    #[inline]
    fn block(&mut self, block: &[u8; BLOCK]) -> Option<usize> {
        let masks = block::masks(block);
        let outside = !self.carry.strings(masks);
        let (mut open, mut close) = (masks.open & outside, masks.close & outside);
        if self.depth > close.count_ones() as usize {
            self.depth = self.depth + open.count_ones() as usize - close.count_ones() as usize;
            return None;
        }
        while close != 0 {
            let at = close.trailing_zeros();
            let before = open & ((1 << at) - 1);
            self.depth += before.count_ones() as usize;
            open &= !before;
            close &= close - 1;
            self.depth = self.depth.saturating_sub(1);
            if self.depth == 0 {
                return Some(at as usize + 1);
            }
        }
        self.depth += open.count_ones() as usize;
        None
    }
}

/// Where the first white space outside of strings stands.
pub(crate) fn first_space(bytes: &[u8]) -> Option<usize> {
    let mut carry = Carry::default();
    for pos in (0..bytes.len()).step_by(BLOCK) {
        let (block, _) = block::load(bytes, pos);
        let space = block::space(&block) & !carry.strings(block::masks(&block));
        if space != 0 {
            return Some(pos + space.trailing_zeros() as usize);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_values() {
        for text in [
            r#""abc""#,
            r#""a\"b\\""#,
            r#"{"a":{"b":["}",{"c":"]\""}]}}"#,
            "[]",
            "{}",
            "-1.5e+10",
            "true",
            r#"{"long":"0123456789012345678901234567890123456789012345678901234567890123456789}]","x":[[[[]]]]}"#,
            r#"["\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\","]"]"#,
        ] {
            for after in ["", ",", " ,\"x\":1}", &format!(",{}", "x".repeat(100))] {
                let bytes = format!("{text}{after}");
                assert_eq!(skip_value(bytes.as_bytes(), 0), Some(text.len()), "{bytes}");
            }
            if !text.starts_with(['-', 't']) {
                for cut in 0..text.len() {
                    assert_eq!(skip_value(&text.as_bytes()[..cut], 0), None, "{text} cut at {cut}");
                }
            }
        }
        assert_eq!(skip_value(b",", 0), None);
        assert_eq!(skip_value(b"}", 0), None);
    }

    #[test]
    fn a_value_in_pieces() {
        let text = format!(r#"{{"a":"{}\"}}","b":[{{}}]}}"#, "é{".repeat(70));
        for piece in [1, 7, 63, 64, 65, 200] {
            let (mut nesting, mut pos) = (Nesting::default(), 0);
            let mut end = None;
            for have in (0..=text.len() + piece).step_by(piece) {
                match nesting.end(&text.as_bytes()[..have.min(text.len())], pos) {
                    Ok(found) => {
                        end = Some(found);
                        break;
                    }
                    Err(next) => pos = next,
                }
            }
            assert_eq!(end, Some(text.len()), "pieces of {piece}");
        }
    }
}
