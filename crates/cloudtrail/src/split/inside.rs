//! What an object at the top of the file is: a record, or something around records.

use std::ops::Range;

use crate::json::scan::{skip_value, skip_ws};
use crate::json::{Json, Key};

/// What an object at the top is.
pub(super) enum Inside {
    /// Has a list of records; the position after its bracket.
    List(usize),
    /// Is or has a record; and the position after the object.
    Record(Range<usize>, usize),
    /// Does not end.
    Unclosed,
    /// Is not JSON at its top level.
    Broken,
}

/// Looks into the object at `start`: its own members, not theirs.
pub(super) fn look_inside(bytes: &[u8], start: usize) -> Inside {
    let mut pos = skip_ws(bytes, start + 1);
    let mut from_trail = false;
    let mut detail = None;
    loop {
        match bytes.get(pos) {
            Some(b'"') => {}
            Some(b'}') => return Inside::Record(detail.unwrap_or(start..pos + 1), pos + 1),
            Some(_) => return Inside::Broken,
            None => return Inside::Unclosed,
        }
        let Some((key, after)) = Key::read(bytes, pos) else { return Inside::Unclosed };
        let colon = skip_ws(bytes, after);
        match bytes.get(colon) {
            Some(b':') => pos = skip_ws(bytes, colon + 1),
            Some(_) => return Inside::Broken,
            None => return Inside::Unclosed,
        }
        if bytes.get(pos) == Some(&b'[') && key.is("Records") {
            return Inside::List(pos + 1);
        }
        let Some(end) = skip_value(bytes, pos) else {
            let at_end = matches!(bytes.get(pos), None | Some(b'"' | b'{' | b'['));
            return if at_end { Inside::Unclosed } else { Inside::Broken };
        };
        let value = Json::new(bytes.get(pos..end).unwrap_or_default());
        if key.is("detail-type") {
            from_trail = value.text().is_some_and(|text| text.ends_with(" via CloudTrail"));
        } else if from_trail && bytes.get(pos) == Some(&b'{') && key.is("detail") {
            detail = Some(pos..end);
        }
        pos = skip_ws(bytes, end);
        match bytes.get(pos) {
            Some(b',') => pos = skip_ws(bytes, pos + 1),
            Some(b'}') => {}
            Some(_) => return Inside::Broken,
            None => return Inside::Unclosed,
        }
    }
}
