//! A borrowed view of one JSON value: kind, members, items and text straight from its bytes.
//!
//! The rules are those of the parser in the Go plugin, so that every field has the same value: the first of two
//! equal keys wins, keys match after unescaping, and escapes that make no sense stay as they are. Reading never
//! fails loudly: what is broken inside a value is absent.

mod compact;
pub mod scan;
mod text;

use std::borrow::Cow;

use scan::{skip_value, skip_ws, string_end};

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

    /// The bytes between the quotes of a string, escapes untouched.
    pub fn string_bytes(self) -> Option<&'a [u8]> {
        match self.0 {
            [b'"', inner @ .., b'"'] => Some(inner),
            _ => None,
        }
    }
}

/// Whether the bytes between the quotes of a key mean `name`.
#[inline]
pub(crate) fn key_is(key: &[u8], name: &str) -> bool {
    // An escape is longer than what it stands for.
    key == name.as_bytes() || (key.len() > name.len() && key.contains(&b'\\') && key_text(key) == name)
}

/// The text of a key from the bytes between its quotes.
#[inline]
pub(crate) fn key_text(bytes: &[u8]) -> Cow<'_, str> {
    text::unescape(bytes)
}

/// The key of a member: the bytes between its quotes.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a>(&'a [u8]);

impl<'a> Key<'a> {
    /// Whether the key, unescaped, is `name`.
    #[inline]
    pub fn is(self, name: &str) -> bool {
        key_is(self.0, name)
    }

    /// The key, unescaped.
    pub fn text(self) -> Cow<'a, str> {
        text::unescape(self.0)
    }

    /// The key as it stands in the record, escapes untouched.
    pub fn bytes(self) -> &'a [u8] {
        self.0
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
        let key_end = string_end(self.bytes, start + 1)?;
        let colon = skip_ws(self.bytes, key_end + 1);
        if self.bytes.get(colon) != Some(&b':') {
            return None;
        }
        let value = skip_ws(self.bytes, colon + 1);
        let end = skip_value(self.bytes, value)?;
        let key = Key(self.bytes.get(start + 1..key_end)?);
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
