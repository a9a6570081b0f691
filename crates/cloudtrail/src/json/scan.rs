//! Finding where values end. The hot code of this crate.

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
        let found = memchr::memchr2(b'"', b'\\', bytes.get(pos..)?)?;
        pos += found;
        if bytes.get(pos) == Some(&b'"') {
            return Some(pos);
        }
        pos += 2;
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
fn skip_scalar(bytes: &[u8], mut pos: usize) -> usize {
    while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'+' | b'.') = bytes.get(pos) {
        pos += 1;
    }
    pos
}

/// Position after the object or array that starts at `pos`.
pub fn skip_nested(bytes: &[u8], mut pos: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        match bytes.get(pos)? {
            b'"' => pos = string_end(bytes, pos + 1)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(pos + 1);
                }
            }
            _ => {}
        }
        pos += 1;
    }
}
