//! A walk over one JSON value that checks its grammar and copies nothing.

use tfdrift_cloudtrail::json::scan::string_end;

use super::{Head, Span};

/// How a walk ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value is whole; `end` is the byte after it.
    Object { end: usize },
    /// The object has a member `Records` with a list, whose first element is looked for from `list` on.
    Wrapper { list: usize },
    /// The bytes end within the value.
    Short,
    /// Not JSON.
    Broken { why: &'static str },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    KeyOrEnd,
    Key,
    Value,
    ValueOrEnd,
    CommaOrEnd,
}

/// Deeper nesting is refused, as the Go plugin and serde_json do (300 and 128).
const MAX_DEPTH: u32 = 256;

/// A walk that stands before the first byte it has not looked at.
pub struct Walk<'a> {
    buf: &'a [u8],
    pos: usize,
    want: Want,
    depth: u32,
    /// One bit for each open bracket: 1 for an object.
    objects: [u64; 4],
    find_wrapper: bool,
}

impl<'a> Walk<'a> {
    /// Over the object that begins at `at`.
    pub fn object(buf: &'a [u8], at: usize, find_wrapper: bool) -> Self {
        let objects = [1, 0, 0, 0];
        Self { buf, pos: at + 1, want: Want::KeyOrEnd, depth: 1, objects, find_wrapper }
    }

    /// Over the rest of an object, after one of its members.
    pub fn tail(buf: &'a [u8], at: usize) -> Self {
        let objects = [1, 0, 0, 0];
        Self { buf, pos: at, want: Want::CommaOrEnd, depth: 1, objects, find_wrapper: false }
    }

    /// Over any value.
    pub fn value(buf: &'a [u8], at: usize) -> Self {
        Self { buf, pos: at, want: Want::Value, depth: 0, objects: [0; 4], find_wrapper: false }
    }

    fn push(&mut self, object: bool) -> bool {
        if self.depth >= MAX_DEPTH {
            return false;
        }
        let (word, bit) = ((self.depth / 64) as usize, self.depth % 64);
        if let Some(word) = self.objects.get_mut(word) {
            *word = (*word & !(1 << bit)) | (u64::from(object) << bit);
        }
        self.depth += 1;
        true
    }

    fn in_object(&self) -> bool {
        let top = self.depth.wrapping_sub(1);
        self.objects.get((top / 64) as usize).is_some_and(|word| word >> (top % 64) & 1 == 1)
    }

    /// Walks to the end of the value. `head` is filled from the members of the outermost object.
    ///
    /// One turn of the loop is one value, with its key before it and the brackets after it: a state for each token
    /// apart costs a third more.
    #[inline]
    pub fn run(mut self, mut head: Option<&mut Head>) -> Outcome {
        let buf = self.buf;
        let broken = |why| Outcome::Broken { why };
        let (mut pos, mut want) = (self.pos, self.want);
        // Key of the member that is read now, where the outermost object is the innermost.
        let mut key = Span::default();
        let mut object = self.in_object();
        loop {
            pos = skip_blank(buf, pos);
            let Some(&(mut byte)) = buf.get(pos) else { return Outcome::Short };
            if matches!(want, Want::Key | Want::KeyOrEnd) && byte == b'"' {
                let start = pos + 1;
                let Some(end) = string_end(buf, start) else { return Outcome::Short };
                key = Span { start, end };
                pos = skip_blank(buf, end + 1);
                match buf.get(pos) {
                    None => return Outcome::Short,
                    Some(b':') => pos = skip_blank(buf, pos + 1),
                    Some(_) => return broken("expected : after a key"),
                }
                let Some(&first) = buf.get(pos) else { return Outcome::Short };
                byte = first;
                want = Want::Value;
            }
            match (want, byte) {
                (Want::Value | Want::ValueOrEnd, b'"') => {
                    let start = pos + 1;
                    let Some(end) = string_end(buf, start) else { return Outcome::Short };
                    pos = end + 1;
                    if self.depth == 1
                        && object
                        && let Some(head) = head.as_deref_mut()
                    {
                        head.note(key.of(buf), Span { start, end });
                    }
                }
                (Want::Value | Want::ValueOrEnd, b'{') => {
                    if !self.push(true) {
                        return broken("nested too deep");
                    }
                    pos += 1;
                    object = true;
                    want = Want::KeyOrEnd;
                    continue;
                }
                (Want::Value | Want::ValueOrEnd, b'[') => {
                    if self.find_wrapper && self.depth == 1 && key.of(buf) == b"Records" {
                        return Outcome::Wrapper { list: pos + 1 };
                    }
                    if !self.push(false) {
                        return broken("nested too deep");
                    }
                    pos += 1;
                    object = false;
                    want = Want::ValueOrEnd;
                    continue;
                }
                // the end of what is empty is seen below, as every end
                (Want::KeyOrEnd, b'}') | (Want::ValueOrEnd, b']') | (Want::CommaOrEnd, _) => {}
                (Want::Key | Want::KeyOrEnd, _) => return broken("expected a key in quotes"),
                (Want::Value | Want::ValueOrEnd, _) => match plain_end(buf, pos) {
                    Plain::End(end) => pos = end,
                    Plain::Short => return Outcome::Short,
                    Plain::Broken => return broken("expected a value"),
                },
            }
            loop {
                if self.depth == 0 {
                    return Outcome::Object { end: pos };
                }
                pos = skip_blank(buf, pos);
                match buf.get(pos) {
                    None => return Outcome::Short,
                    Some(b',') => {
                        // not after the bracket of what is empty: that is the first byte here
                        pos += 1;
                        want = if object { Want::Key } else { Want::Value };
                        break;
                    }
                    Some(b'}') if object => {}
                    Some(b']') if !object => {}
                    Some(_) => return broken("expected , or the end of a list or object"),
                }
                pos += 1;
                self.depth -= 1;
                object = self.in_object();
            }
        }
    }
}

impl Head {
    #[inline]
    fn note(&mut self, key: &[u8], value: Span) {
        let place = match (key.len(), key) {
            (9, b"eventTime") => &mut self.event_time,
            (7, b"eventID") => &mut self.event_id,
            (9, b"eventType") => &mut self.event_type,
            (9, b"awsRegion") => &mut self.region,
            (18, b"recipientAccountId") => &mut self.account,
            _ => return,
        };
        if place.is_empty() {
            *place = value;
        }
    }
}

#[inline(always)]
fn skip_blank(buf: &[u8], pos: usize) -> usize {
    match buf.get(pos) {
        // the usual case: AWS writes none
        Some(byte) if *byte > b' ' => pos,
        _ => skip_some_blank(buf, pos),
    }
}

#[cold]
fn skip_some_blank(buf: &[u8], mut pos: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = buf.get(pos) {
        pos += 1;
    }
    pos
}

/// The first byte from `pos` on that is no blank and no comma.
#[inline]
pub fn skip_blank_and_commas(buf: &[u8], mut pos: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t' | b',') = buf.get(pos) {
        pos += 1;
    }
    pos
}

enum Plain {
    End(usize),
    Short,
    Broken,
}

/// End of a number, `true`, `false` or `null`.
fn plain_end(buf: &[u8], pos: usize) -> Plain {
    let rest = buf.get(pos..).unwrap_or_default();
    let literal = |word: &[u8]| {
        if rest.starts_with(word) {
            Plain::End(pos + word.len())
        } else if word.starts_with(rest) {
            Plain::Short
        } else {
            Plain::Broken
        }
    };
    match rest.first() {
        Some(b't') => literal(b"true"),
        Some(b'f') => literal(b"false"),
        Some(b'n') => literal(b"null"),
        Some(b'-' | b'0'..=b'9') => {
            let len = rest.iter().take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
            let end = pos + len.count();
            if end == buf.len() { Plain::Short } else { Plain::End(end) }
        }
        _ => Plain::Broken,
    }
}
