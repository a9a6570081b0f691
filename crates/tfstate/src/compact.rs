//! One pass over the attributes of an instance: white space out, values at indexed paths noted, what no JSON value can
//! hold made readable.

mod repair;

use std::ops::Range;

use memchr::memchr2;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::plan::{IndexPlan, TypePlan};
use crate::suspect::Suspect;
use repair::{is_number_too_large, repaired};

/// Deeper values are refused. Terraform's schemas nest less than 20 deep; serde_json, which reads the attributes
/// later, stops at 128.
const MAX_DEPTH: usize = 100;

/// A scalar at a path of the plan.
pub(crate) struct Found {
    /// Node of the plan.
    pub(crate) node: u32,
    /// Its text in the output, quotes included.
    pub(crate) token: Range<usize>,
}

/// Writes `raw` without white space to `out` and the scalars at paths of `plan` to `found`, both cleared first.
/// `suspect` hears of all names and texts.
///
/// A number that is larger than any float becomes its own text, half of a surrogate pair becomes U+FFFD: JSON allows
/// both, serde_json's values have neither, and one of them must not hide all other attributes.
///
/// No recursion: depth costs one stack entry. `raw` has been checked by serde_json already; what is malformed all
/// the same ends in an error, never in a panic.
pub(crate) fn compact(
    raw: &str,
    plan: &TypePlan,
    out: &mut String,
    found: &mut Vec<Found>,
    suspect: &mut Suspect,
) -> Result<(), &'static str> {
    const BROKEN: &str = "attributes are not valid JSON";
    out.clear();
    found.clear();
    let bytes = raw.as_bytes();
    let mut stack: Vec<Frame> = Vec::with_capacity(16);
    let mut at = 0;
    // Node of the value that comes next.
    let mut pending = Some(TypePlan::ROOT);
    let mut expect_key = false;
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\n' | b'\r' | b'\t' => {
                at += 1;
                continue;
            }
            b'"' => string_end(bytes, at + 1).ok_or(BROKEN)?,
            b'{' | b'[' | b'}' | b']' | b',' | b':' => at + 1,
            _ => scalar_end(bytes, at),
        };
        let token = raw.get(at..end).ok_or(BROKEN)?;
        let start = out.len();
        match byte {
            b'"' => match repaired(token) {
                Some(text) => out.push_str(&text),
                None => out.push_str(token),
            },
            b'-' | b'0'..=b'9' if is_number_too_large(token) => {
                out.push('"');
                out.push_str(token);
                out.push('"');
            }
            _ => out.push_str(token),
        }
        at = end;
        match byte {
            b'{' | b'[' => {
                if stack.len() >= MAX_DEPTH {
                    return Err("attributes nest deeper than 100 levels");
                }
                let object = byte == b'{';
                suspect.value(token);
                stack.push(Frame { node: pending, object });
                expect_key = object;
            }
            b'}' | b']' => {
                stack.pop().ok_or(BROKEN)?;
                expect_key = false;
            }
            b',' => {
                let top = stack.last().ok_or(BROKEN)?;
                expect_key = top.object;
                pending = top.node;
            }
            b':' => {}
            b'"' if expect_key => {
                expect_key = false;
                suspect.name(token);
                pending = stack.last().and_then(|f| f.node).and_then(|node| child(plan, node, token));
            }
            _ => {
                suspect.value(token);
                if let Some(node) = pending.filter(|&n| n != TypePlan::ROOT) {
                    found.push(Found { node, token: start..out.len() });
                }
            }
        }
    }
    if stack.is_empty() { Ok(()) } else { Err(BROKEN) }
}

struct Frame {
    /// Node of the container's path; of its elements too, when it is a list.
    node: Option<u32>,
    object: bool,
}

fn child(plan: &TypePlan, node: u32, quoted: &str) -> Option<u32> {
    if quoted.contains('\\') {
        return plan.child(node, &unescape(quoted)?);
    }
    plan.child(node, quoted.get(1..quoted.len().checked_sub(1)?)?)
}

/// The text of a JSON string token. `None` when an escape is broken.
pub(crate) fn unescape(quoted: &str) -> Option<String> {
    serde_json::from_str(quoted).ok()
}

/// A text as a JSON value, made readable as [`compact`] does. `None` when it is not JSON.
pub(crate) fn readable(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    let (mut out, plan) = (String::new(), IndexPlan::new().compile("", false));
    compact(raw.get(), &plan, &mut out, &mut Vec::new(), &mut Suspect::default()).ok()?;
    serde_json::from_str(&out).ok()
}

/// The names of all members in a text that is JSON, or nearly so: strings before a colon.
pub(crate) fn names_in(text: &str) -> impl Iterator<Item = String> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let from = at + memchr::memchr(b'"', text.as_bytes().get(at..)?)?;
            let end = string_end(text.as_bytes(), from + 1)?;
            at = end;
            let after = text.get(end..).unwrap_or_default().trim_start();
            if let Some(token) = text.get(from..end).filter(|_| after.starts_with(':')) {
                return Some(unescape(token).unwrap_or_else(|| token.to_owned()));
            }
        }
    })
}

/// End of a string, after its closing quote; `from` is after the opening one.
pub(crate) fn string_end(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        from = at + 2;
    }
}

/// End of a number or literal.
pub(crate) fn scalar_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let stop =
        |b: &u8| matches!(b, b',' | b'}' | b']' | b':' | b'{' | b'[' | b'"' | b' ' | b'\n' | b'\r' | b'\t');
    // At least one byte, so that the scan always moves.
    from + rest.iter().position(stop).unwrap_or(rest.len()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::IndexPlan;

    fn run(raw: &str, paths: &[&str]) -> (String, Vec<String>) {
        let mut plan = IndexPlan::new();
        for path in paths {
            plan.add("t", path);
        }
        let plan = plan.compile("t", true);
        let (mut out, mut found) = (String::new(), Vec::new());
        compact(raw, &plan, &mut out, &mut found, &mut Suspect::default()).unwrap();
        let values = found.iter().map(|f| out[f.token.clone()].to_owned()).collect();
        (out, values)
    }

    #[test]
    fn blanks_go_and_paths_are_found() {
        let (out, found) = run(
            "{ \"id\" : \"a b\",\n \"n\": { \"id\": \"no\", \"x\": [ { \"y\": 1 }, {\"y\":true, \"z\": {\"y\": 3}} ] } , \"tags\": null}",
            &["n.x.y"],
        );
        assert_eq!(
            out,
            "{\"id\":\"a b\",\"n\":{\"id\":\"no\",\"x\":[{\"y\":1},{\"y\":true,\"z\":{\"y\":3}}]},\"tags\":null}"
        );
        assert_eq!(found, ["\"a b\"", "1", "true"]);
    }

    #[test]
    fn lists_of_scalars_and_of_lists() {
        let (_, found) = run(r#"{"l":["a","b"],"m":[["c"],[]],"l2":"x"}"#, &["l", "m"]);
        assert_eq!(found, ["\"a\"", "\"b\"", "\"c\""]);
    }

    #[test]
    fn escaped_names_and_values() {
        let (_, found) = run(r#"{"\u0069d":"q\"uo\\te","k\"":1}"#, &[]);
        assert_eq!(found, [r#""q\"uo\\te""#]);
    }

    #[test]
    fn too_deep_is_an_error() {
        let raw = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let plan = IndexPlan::new().compile("t", true);
        assert!(compact(&raw, &plan, &mut String::new(), &mut Vec::new(), &mut Suspect::default()).is_err());
    }
}
