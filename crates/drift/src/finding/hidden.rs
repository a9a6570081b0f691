//! What differs though nobody may see it.

use serde_json::Value;

use crate::{diff_text, equal};

/// Dotted paths below `path` at which the values differ and what is shown of them does not.
pub(super) fn differences(path: &str, [old, new]: [&Value; 2], [o, n]: [&Value; 2], out: &mut Vec<String>) {
    if equal::equal(None, old, new) {
        return;
    }
    match (old, new, o, n) {
        (Value::Object(old), Value::Object(new), Value::Object(o), Value::Object(n)) => {
            for (key, old) in old {
                if let (Some(new), Some(o), Some(n)) = (new.get(key), o.get(key), n.get(key)) {
                    differences(&format!("{path}.{key}"), [old, new], [o, n], out);
                }
            }
        }
        (Value::Array(old), Value::Array(new), Value::Array(o), Value::Array(n))
            if old.len() == new.len() =>
        {
            for (at, ((old, new), (o, n))) in old.iter().zip(new).zip(o.iter().zip(n)).enumerate() {
                differences(&format!("{path}.{at}"), [old, new], [o, n], out);
            }
        }
        _ if o == n => out.push(path.to_owned()),
        _ => {}
    }
}

/// The line for a sensitive value.
pub(super) fn line(path: &str) -> String {
    format!("{}: changed (sensitive)", diff_text::plain(path))
}

/// Whether one path is the other or lies inside it.
pub(crate) fn meets(a: &str, b: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    inside(a, b) || inside(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_and_does_not_show() {
        let (old, new) = (json!({"a": "1", "b": "x", "c": [1, 2]}), json!({"a": "2", "b": "y", "c": [1, 3]}));
        let (o, n) =
            (json!({"a": "***", "b": "x", "c": [1, "***"]}), json!({"a": "***", "b": "y", "c": [1, "***"]}));
        let mut out = Vec::new();
        differences("t", [&old, &new], [&o, &n], &mut out);
        assert_eq!(out, ["t.a", "t.c.1"]);
        assert!(meets("t", "t.a") && meets("t.a", "t") && meets("t.a", "t.a") && !meets("t.a", "t.ab"));
    }
}
