//! Where to go on after something broken.

use tfdrift_cloudtrail::json::scan::string_end;

/// CloudTrail begins every record with this member, so it marks the next one.
const MARK: &[u8] = b"\"eventVersion\"";

/// After a broken element of a list that begins at `at`: the end of its braces where a `,` or `]` follows them, or the
/// next thing that looks like a record, whichever comes first. Looks from the element's beginning, not from where it
/// breaks: a quote that is missing shows only after the next record has been taken for text.
pub fn in_list(buf: &[u8], at: usize) -> Option<usize> {
    let braces = closing_brace(buf, at).filter(|&end| {
        let next = buf.get(end..).unwrap_or_default().iter().find(|b| !b.is_ascii_whitespace());
        matches!(next, Some(b',' | b']'))
    });
    let mark = next_mark(buf, at);
    match (braces, mark) {
        (Some(braces), Some(mark)) => Some(braces.min(mark)),
        (braces, mark) => braces.or(mark),
    }
}

/// After a broken value at the top: the next line that begins an object.
pub fn at_top(buf: &[u8], at: usize) -> Option<usize> {
    let mut from = at;
    loop {
        let line = from + memchr::memchr(b'\n', buf.get(from..)?)?;
        if buf.get(line + 1) == Some(&b'{') {
            return Some(line + 1);
        }
        from = line + 1;
    }
}

fn closing_brace(buf: &[u8], at: usize) -> Option<usize> {
    let (mut depth, mut pos) = (0usize, at);
    loop {
        match buf.get(pos)? {
            b'"' => pos = string_end(buf, pos + 1)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(pos + 1);
                }
            }
            _ => {}
        }
        pos += 1;
    }
}

/// The first `{` after `at` with a [`MARK`] right behind it.
fn next_mark(buf: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let found = from + memchr::memmem::find(buf.get(from..)?, MARK)?;
        let before = buf.get(..found)?.iter().rposition(|b| !b.is_ascii_whitespace())?;
        if before > at && buf.get(before) == Some(&b'{') {
            return Some(before);
        }
        from = found + MARK.len();
    }
}
