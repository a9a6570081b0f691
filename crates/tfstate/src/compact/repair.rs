//! What JSON allows and no value can hold.

use std::borrow::Cow;

/// Whether a number token is out of the range of serde_json's numbers.
pub(super) fn is_number_too_large(token: &str) -> bool {
    // The largest float has 309 digits.
    let may = token.len() > 300 || token.bytes().any(|b| matches!(b, b'e' | b'E'));
    may && serde_json::from_str::<serde_json::Number>(token).is_err()
}

/// A string token with U+FFFD for each half of a surrogate pair that stands alone; `None` when there is none.
pub(super) fn repaired(token: &str) -> Option<String> {
    // Nearly all strings end here.
    memchr::memchr(b'\\', token.as_bytes())?;
    if !token.contains("\\u") || serde_json::from_str::<Cow<'_, str>>(token).is_ok() {
        return None;
    }
    let mut out = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at)?);
        rest = rest.get(at..)?;
        let taken = match unit(rest) {
            Some(0xd800..=0xdbff) if rest.get(6..).and_then(unit).is_some_and(is_low) => 12,
            Some(0xd800..=0xdfff) => {
                out.push_str("\\ufffd");
                rest = rest.get(6..)?;
                continue;
            }
            Some(_) => 6,
            None => 1 + rest.chars().nth(1)?.len_utf8(),
        };
        out.push_str(rest.get(..taken)?);
        rest = rest.get(taken..)?;
    }
    out.push_str(rest);
    Some(out)
}

/// The code unit of `\uXXXX` at the start of a text.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

fn is_low(unit: u16) -> bool {
    (0xdc00..=0xdfff).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_pairs() {
        for (token, text) in [
            (r#""\ud800""#, "\u{fffd}"),
            (r#""a\ud83d\n\udc00b""#, "a\u{fffd}\n\u{fffd}b"),
            (r#""\ud83d\ude00\ude00""#, "😀\u{fffd}"),
            (r#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\\ud800\ud800\"""#, "\\ud800\u{fffd}\""),
        ] {
            let repaired = repaired(token).unwrap();
            assert_eq!(serde_json::from_str::<String>(&repaired).unwrap(), text, "{token}");
        }
        assert_eq!(repaired(r#""\ud83d\ude00\u0041ä""#), None);
    }

    #[test]
    fn numbers() {
        assert!(is_number_too_large("1e999") && is_number_too_large(&"9".repeat(400)));
        assert!(!is_number_too_large("1e-999") && !is_number_too_large("1e308"));
    }
}
