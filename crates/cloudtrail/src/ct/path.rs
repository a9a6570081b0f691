//! The argument of `ct.request[…]` and its like: a JSON pointer (`/a/0/b~1c`), or keys and indices with dots
//! (`a.0.b`).

use std::borrow::Cow;

use crate::json::{Json, Kind};

/// Follows `path` from `value`; an empty path is the value itself.
pub(super) fn find<'a>(value: Json<'a>, path: &str) -> Option<Json<'a>> {
    match path.strip_prefix('/') {
        Some(pointer) => pointer.split('/').try_fold(value, |value, token| {
            if token.contains('~') {
                step(value, &token.replace("~1", "/").replace("~0", "~"))
            } else {
                step(value, token)
            }
        }),
        None if path.is_empty() => Some(value),
        None => path.split('.').try_fold(value, step),
    }
}

fn step<'a>(value: Json<'a>, token: &str) -> Option<Json<'a>> {
    match value.kind() {
        Kind::Array => value.items().nth(index(token)?),
        _ => value.get(token),
    }
}

/// An index as JSON pointers have it (RFC 6901): digits, without leading zeros.
fn index(token: &str) -> Option<usize> {
    let written = token.bytes().all(|b| b.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    token.parse().ok().filter(|_| written)
}

/// The text of a string, the JSON of anything else; `None` for null.
pub(super) fn text(value: Json<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::Null => None,
        Kind::String => value.text(),
        _ => Some(value.compact()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_and_dots() {
        let json = Json::new(br#"{"a":[{"b":1},{"b.c":{"d/e":"x","~":null}}],"":{"z":true}}"#);
        for (path, want) in [
            ("a.0.b", Some("1")),
            ("/a/0/b", Some("1")),
            ("/a/1/b.c/d~1e", Some("x")),
            ("/a/1/b.c/~0", None),
            ("a.1.b.c", None),
            ("a.2", None),
            ("a.00.b", None),
            ("a.01", None),
            ("/a/01", None),
            ("a.+0", None),
            ("a.x", None),
            ("/a/0", Some(r#"{"b":1}"#)),
            ("//z", Some("true")),
            (".z", Some("true")),
            ("a.0.b.c", None),
        ] {
            let got = find(json, path).and_then(text);
            assert_eq!(got.as_deref(), want, "{path}");
        }
        assert_eq!(find(json, "").map(Json::bytes), Some(json.bytes()));
    }
}
