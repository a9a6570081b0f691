//! Keyed hashes in place of sensitive values.

use serde_json::Value;

use crate::index::keyed_hash;
use crate::mask::readable;

/// What a digest starts with. No text of AWS or Terraform has a NUL.
const MARK: &str = "\0secret:";
/// The same inside a text that is JSON, whose NUL is written as an escape.
const MARK_IN_JSON: &str = "u0000secret:";

/// A keyed hash of a sensitive scalar, as it stands in the index: two are equal when the values are, within this process,
/// and nothing else can be learned from it. So "changed" stays known though the value is not kept.
///
/// Nothing ("", 0, null) and booleans stay: that they are there is no secret, and they mean the same as an absent
/// value. So does a text with an IAM policy, which is compared by meaning.
pub(super) fn digest(value: &Value) -> Value {
    let stays = match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(text) => {
            text.is_empty() || is_digest(text) || document(text).is_some_and(|d| d.get("Statement").is_some())
        }
        Value::Array(_) | Value::Object(_) => true,
    };
    if stays { value.clone() } else { Value::String(of(value)) }
}

/// Whether the text is a digest.
fn is_digest(text: &str) -> bool {
    text.starts_with(MARK)
}

/// Whether a digest stands anywhere in the text.
pub(super) fn in_text(text: &str) -> bool {
    text.contains(MARK) || text.contains(MARK_IN_JSON)
}

fn is_secret_digest(value: &Value) -> bool {
    value.as_str().is_some_and(is_digest)
}

/// Whether a value, or anything in it, stands for a sensitive one that is not kept. Nothing can be made of such a value:
/// neither a longer text nor a part of it.
pub fn holds_secret_digest(value: &Value) -> bool {
    match value {
        Value::String(text) => in_text(text),
        Value::Array(list) => list.iter().any(holds_secret_digest),
        Value::Object(map) => map.iter().any(|(name, value)| in_text(name) || holds_secret_digest(value)),
        _ => false,
    }
}

/// Whether two values are the same, where at least one of them stands for a sensitive one that is not kept; `None`
/// otherwise. Numbers and booleans equal their texts; JSON texts are compared without blanks and order of members.
pub fn same_secret(a: &Value, b: &Value) -> Option<bool> {
    match (is_secret_digest(a), is_secret_digest(b)) {
        (false, false) => None,
        (true, true) => Some(a == b),
        (true, false) => Some(a.as_str() == Some(&of(b))),
        (false, true) => Some(b.as_str() == Some(&of(a))),
    }
}

fn of(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, true, &mut text);
    format!("{MARK}{:016x}", keyed_hash(&*text))
}

fn document(text: &str) -> Option<Value> {
    text.trim_start().starts_with(['{', '[']).then(|| readable(text.trim_start())).flatten()
}

/// One text for all values that are the same. `outer`: not inside a document, where `"1"` is not 1.
fn canonical(value: &Value, outer: bool, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by_key(|m| m.0);
            out.push('{');
            for (name, value) in members {
                out.push_str(&Value::String(name.clone()).to_string());
                out.push(':');
                canonical(value, false, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for value in list {
                canonical(value, false, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::String(text) if outer => match document(text) {
            Some(document) => canonical(&document, false, out),
            None => out.push_str(number(text).as_deref().unwrap_or(text)),
        },
        Value::Number(n) => {
            let text = n.to_string();
            out.push_str(number(&text).as_deref().unwrap_or(&text));
        }
        other => out.push_str(&other.to_string()),
    }
}

/// A short text that is a number, in one form for `1`, `1.0` and `1e0`. Longer ones are ids.
fn number(text: &str) -> Option<String> {
    if text.len() >= 16 || text.starts_with('+') {
        return None;
    }
    text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn digests_say_equal_only() {
        for (kept, other) in [
            (json!("hunter2"), json!("hunter2")),
            (json!("30"), json!(30)),
            (json!(30.0), json!("30")),
            (json!("{\"a\": 1, \"b\": [2]}"), json!({"b": [2], "a": 1})),
            (json!("{\"a\": 1}"), json!("{\"a\":1}")),
        ] {
            let digest = digest(&kept);
            assert!(is_secret_digest(&digest) && !digest.to_string().contains("hunter2"));
            assert_eq!(same_secret(&digest, &other), Some(true), "{kept} {other}");
            assert_eq!(same_secret(&other, &digest), Some(true));
            assert_eq!(same_secret(&digest, &json!("x")), Some(false));
            assert_eq!(same_secret(&digest, &json!(null)), Some(false));
        }
        assert_eq!(same_secret(&json!("a"), &json!("a")), None);
        for stays in [json!(""), json!(null), json!(false), json!(0), json!("{\"Statement\":[]}")] {
            assert_eq!(digest(&stays), stays);
        }
    }
}
