//! Unescaping JSON strings as the Go plugin's parser does: what makes no sense stays as it is.

use std::borrow::Cow;

/// The text between the quotes of a string. Borrowed unless there is an escape or a byte that is not UTF-8.
pub(super) fn unescape(raw: &[u8]) -> Cow<'_, str> {
    match memchr::memchr(b'\\', raw) {
        None => utf8(raw),
        Some(first) => Cow::Owned(owned_utf8(unescape_bytes(raw, first))),
    }
}

/// The bytes as text; what is not UTF-8 becomes U+FFFD.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    // The usual case apart: from_utf8_lossy alone takes several times as long.
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// The same for bytes that are ours.
pub(super) fn owned_utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn unescape_bytes(raw: &[u8], first: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let (head, mut rest) = raw.split_at(first);
    out.extend_from_slice(head);
    while let Some((&byte, tail)) = rest.split_first() {
        if byte != b'\\' {
            let run = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
            let (plain, tail) = rest.split_at(run);
            out.extend_from_slice(plain);
            rest = tail;
            continue;
        }
        let Some((&escape, tail)) = tail.split_first() else {
            out.push(b'\\');
            break;
        };
        rest = tail;
        match escape {
            b'"' | b'\\' | b'/' => out.push(escape),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => rest = unescape_unicode(rest, &mut out),
            other => out.extend_from_slice(&[b'\\', other]),
        }
    }
    out
}

/// Handles what follows `\u`; gives back the rest.
fn unescape_unicode<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some((unit, digits, tail)) = hex4(rest) else {
        out.extend_from_slice(b"\\u");
        return rest;
    };
    if let Some(c) = char::from_u32(unit) {
        push_char(c, out);
        return tail;
    }
    let second = tail.strip_prefix(b"\\u").and_then(hex4);
    let Some((low, _, after)) = second else {
        out.extend_from_slice(b"\\u");
        out.extend_from_slice(digits);
        return tail;
    };
    let pair = (0xD800..0xDC00).contains(&unit) && (0xDC00..0xE000).contains(&low);
    let c = if pair { char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)) } else { None };
    push_char(c.unwrap_or(char::REPLACEMENT_CHARACTER), out);
    after
}

fn push_char(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Four hexadecimal digits: their value, the digits, and what follows.
fn hex4(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (digits, rest) = bytes.split_at_checked(4)?;
    let mut value = 0;
    for &digit in digits {
        value = value * 16 + char::from(digit).to_digit(16)?;
    }
    Some((value, digits, rest))
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_as_the_go_parser() {
        for (raw, want) in [
            (r"a\nb\/c\\\u00e9", "a\nb/c\\é"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud800", r"\ud800"),
            (r"\ud800x", r"\ud800x"),
            (r"\ud800\u0041", "\u{fffd}"),
            (r"\u12", r"\u12"),
            (r"\uzzzz", r"\uzzzz"),
            (r"\q", r"\q"),
        ] {
            assert_eq!(unescape(raw.as_bytes()), want, "{raw}");
        }
        assert_eq!(unescape(b"a\xffb"), "a\u{fffd}b");
    }
}
