//! A borrowed view of one JSON value: kind, members, items and text straight from its bytes.
//!
//! The rules are those of the parser in the Go plugin, so that every field has the same value: the first of two
//! equal keys wins, keys match after unescaping, and escapes that make no sense stay as they are. Reading never
//! fails loudly: what is broken inside a value is absent.

mod compact;
pub mod scan;
mod text;

use std::borrow::Cow;

use scan::{skip_value, skip_ws, string_span};

/// What a value is, told from its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number; also `NaN` and `inf`, which the Go plugin's parser takes.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// One JSON value inside a record: its bytes without the white space around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a [u8]);

impl<'a> Json<'a> {
    /// Wraps the bytes of one value; white space around them is dropped.
    pub fn new(bytes: &'a [u8]) -> Self {
        Json(bytes.trim_ascii())
    }

    /// Wraps bytes that are known to be one value without white space around it.
    #[inline]
    pub(crate) fn trimmed(bytes: &'a [u8]) -> Self {
        Json(bytes)
    }

    /// The bytes of the value as they stand in the record.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// What the value is.
    pub fn kind(self) -> Kind {
        match self.0 {
            [b'{', ..] => Kind::Object,
            [b'[', ..] => Kind::Array,
            [b'"', ..] => Kind::String,
            b"true" => Kind::True,
            b"false" => Kind::False,
            b"null" => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// The first member called `key`; `None` if there is none or this is not an object.
    pub fn get(self, key: &str) -> Option<Json<'a>> {
        self.members().find(|(k, _)| k.is(key)).map(|(_, v)| v)
    }

    /// Follows `keys` down through objects.
    pub fn path(self, keys: &[&str]) -> Option<Json<'a>> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The members of an object in the order of the text, duplicates included; nothing for other kinds.
    pub fn members(self) -> Members<'a> {
        Members { bytes: self.0, pos: if self.0.first() == Some(&b'{') { 1 } else { self.0.len() } }
    }

    /// The items of an array; nothing for other kinds.
    pub fn items(self) -> Items<'a> {
        Items { bytes: self.0, pos: if self.0.first() == Some(&b'[') { 1 } else { self.0.len() } }
    }

    /// The text of a string, unescaped; `None` for other kinds. Bytes that are not UTF-8 become U+FFFD.
    pub fn text(self) -> Option<Cow<'a, str>> {
        Some(text::unescape(self.string_bytes()?))
    }

    /// The text of a string in which nothing has to be changed: no escape, no NUL, UTF-8 throughout.
    #[inline]
    pub fn plain_text(self) -> Option<&'a str> {
        let raw = self.string_bytes()?;
        if scan::has_escape_or_nul(raw) { None } else { std::str::from_utf8(raw).ok() }
    }

    /// The bytes between the quotes of a string, escapes untouched.
    pub fn string_bytes(self) -> Option<&'a [u8]> {
        match self.0 {
            [b'"', inner @ .., b'"'] => Some(inner),
            _ => None,
        }
    }
}

/// The key of a member.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// What stands between the quotes.
    bytes: &'a [u8],
    /// Whether there is an escape in it.
    escaped: bool,
}

impl<'a> Key<'a> {
    /// Reads the key whose opening quote is at `pos`; and the position after its closing quote.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8], pos: usize) -> Option<(Key<'a>, usize)> {
        let (end, escaped) = string_span(bytes, pos + 1)?;
        Some((Key { bytes: bytes.get(pos + 1..end)?, escaped }, end + 1))
    }

    /// Whether the key, unescaped, is `name`.
    #[inline]
    pub fn is(self, name: &str) -> bool {
        self.bytes == name.as_bytes() || (self.escaped && self.text() == name)
    }

    /// The key, unescaped.
    pub fn text(self) -> Cow<'a, str> {
        text::unescape(self.bytes)
    }

    /// The key as it stands in the record, escapes untouched.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there is an escape in the key.
    pub fn is_escaped(self) -> bool {
        self.escaped
    }
}

/// Members of an object; see [`Json::members`].
#[derive(Debug, Clone)]
pub struct Members<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Key<'a>, Json<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let start = skip_ws(self.bytes, self.pos);
        self.pos = self.bytes.len();
        if self.bytes.get(start) != Some(&b'"') {
            return None;
        }
        let (key, after) = Key::read(self.bytes, start)?;
        let colon = skip_ws(self.bytes, after);
        if self.bytes.get(colon) != Some(&b':') {
            return None;
        }
        let value = skip_ws(self.bytes, colon + 1);
        let end = skip_value(self.bytes, value)?;
        let item = Json(self.bytes.get(value..end)?);
        let next = skip_ws(self.bytes, end);
        if self.bytes.get(next) == Some(&b',') {
            self.pos = next + 1;
        }
        Some((key, item))
    }
}

/// Items of an array; see [`Json::items`].
#[derive(Debug, Clone)]
pub struct Items<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = skip_ws(self.bytes, self.pos);
        self.pos = self.bytes.len();
        let end = skip_value(self.bytes, start)?;
        let item = Json(self.bytes.get(start..end)?);
        let next = skip_ws(self.bytes, end);
        if self.bytes.get(next) == Some(&b',') {
            self.pos = next + 1;
        }
        Some(item)
    }
}
