//! Finding where values end. The hot code of this crate.

pub(crate) mod block;
pub(crate) mod label;
pub(crate) mod survey;

use block::{BLOCK, Carry};

/// Position of the first byte at or after `pos` that is not white space.
#[inline(always)]
pub fn skip_ws(bytes: &[u8], pos: usize) -> usize {
    match bytes.get(pos) {
        // the usual case: AWS writes none
        Some(byte) if *byte > b' ' => pos,
        _ => skip_some_ws(bytes, pos),
    }
}

#[cold]
fn skip_some_ws(bytes: &[u8], mut pos: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(pos) {
        pos += 1;
    }
    pos
}

/// Position of the quote that closes the string whose content starts at `pos`; `None` if there is none.
#[inline]
pub fn string_end(bytes: &[u8], pos: usize) -> Option<usize> {
    string_span(bytes, pos).map(|(end, _)| end)
}

/// The same, and whether there is an escape in the string.
#[inline]
pub(crate) fn string_span(bytes: &[u8], mut pos: usize) -> Option<(usize, bool)> {
    let mut escaped = false;
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
            return Some((pos, escaped));
        }
        escaped = true;
        pos += 2;
    }
    loop {
        match bytes.get(pos)? {
            b'"' => return Some((pos, escaped)),
            b'\\' => {
                escaped = true;
                pos += 2;
            }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Nesting {
    carry: Carry,
    depth: usize,
}

impl Nesting {
    /// Counts on from `pos`. `Ok`: the position after the bracket that closes the value. `Err`: the position from
    /// which to go on when there are more bytes.
    #[inline]
    pub(crate) fn end(&mut self, bytes: &[u8], mut pos: usize) -> Result<usize, usize> {
        while let Some(block) = bytes.get(pos..).and_then(<[u8]>::first_chunk) {
            if let Some(at) = self.block(block) {
                return Ok(pos + at);
            }
            pos += BLOCK;
        }
        // The last block is padded: what comes next would not fit to its carry, so it is counted again then.
        let mut trial = *self;
        trial.block(&block::padded(bytes, pos)).map(|at| pos + at).ok_or(pos)
    }

    /// Counts a block; the position in it after the bracket that closes the value.
    #[inline(always)]
    fn block(&mut self, block: &[u8; BLOCK]) -> Option<usize> {
        let masks = block::masks(block);
        let outside = !self.carry.strings(masks);
        // Bit by bit: counting ones is slow on the oldest x86-64, for which we build.
        let open = masks.open & outside;
        let mut brackets = open | (masks.close & outside);
        while brackets != 0 {
            let at = brackets.trailing_zeros();
            brackets &= brackets - 1;
            if open >> at & 1 == 1 {
                self.depth += 1;
            } else {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Some(at as usize + 1);
                }
            }
        }
        None
    }
}

/// Whether there is a backslash or a NUL.
#[inline]
pub(crate) fn has_escape_or_nul(bytes: &[u8]) -> bool {
    match bytes.last_chunk() {
        None => bytes.iter().any(|byte| matches!(byte, b'\\' | 0)),
        Some(last) => {
            let (chunks, _) = bytes.as_chunks::<16>();
            chunks.iter().chain([last]).any(block::backslash_or_nul)
        }
    }
}

/// Where the first white space outside of strings stands.
pub(crate) fn first_space(bytes: &[u8]) -> Option<usize> {
    let mut carry = Carry::default();
    let mut space = |block: &[u8; BLOCK]| block::space(block) & !carry.strings(block::masks(block));
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for (n, block) in blocks.iter().enumerate() {
        let found = space(block);
        if found != 0 {
            return Some(n * BLOCK + found.trailing_zeros() as usize);
        }
    }
    let found = space(&block::padded(rest, 0));
    (found != 0).then(|| blocks.len() * BLOCK + found.trailing_zeros() as usize)
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
