//! Bytes of a document → UTF-8.

use std::borrow::Cow;

use crate::error::StateError;

/// The document as UTF-8, or what it is instead.
pub(super) fn decode<'b>(bytes: &'b [u8], name: &str) -> Result<Cow<'b, [u8]>, StateError> {
    let not_text = |what, remedy| StateError::NotText { state: name.to_owned(), what, remedy };
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return Ok(Cow::Borrowed(rest));
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Err(not_text("compressed with gzip more than once", "inflate it first"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(not_text(
            "a saved plan, not a state",
            "give the output of `terraform show -json PLANFILE`",
        ));
    }
    if let Some((what, remedy)) = wide(bytes) {
        return Err(not_text(what, remedy));
    }
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some(b"\xff\xfe") => u16::from_le_bytes,
        Some(b"\xfe\xff") => u16::from_be_bytes,
        _ => return Ok(Cow::Borrowed(bytes)),
    };
    let units =
        bytes.get(2..).unwrap_or_default().chunks_exact(2).filter_map(|c| c.try_into().ok()).map(unit);
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map(|text| Cow::Owned(text.into_bytes()))
        .map_err(|_| not_text("not valid UTF-16", "write it again as UTF-8"))
}

/// An encoding that is not taken, by its mark or the NULs in its first characters, and how to convert it.
fn wide(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    Some(match bytes.get(..4)? {
        b"\xff\xfe\0\0" | [1..=255, 0, 0, 0] => {
            ("UTF-32 (little-endian)", "convert it: iconv -f UTF-32LE -t UTF-8 STATE > STATE.json")
        }
        b"\0\0\xfe\xff" | [0, 0, 0, 1..=255] => {
            ("UTF-32 (big-endian)", "convert it: iconv -f UTF-32BE -t UTF-8 STATE > STATE.json")
        }
        [1..=255, 0, 1..=255, 0] => (
            "UTF-16 (little-endian) without a byte order mark",
            "convert it: iconv -f UTF-16LE -t UTF-8 STATE > STATE.json",
        ),
        [0, 1..=255, 0, 1..=255] => (
            "UTF-16 (big-endian) without a byte order mark",
            "convert it: iconv -f UTF-16BE -t UTF-8 STATE > STATE.json",
        ),
        _ => return None,
    })
}
