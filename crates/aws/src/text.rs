//! Small helpers for messages: cutting, cleaning, hiding.

use std::error::Error;

/// Falco cuts the message of a failed `open` after this many bytes.
const SHORT_BYTES: usize = 254;

/// `text` on one line, without NUL, at most 254 bytes.
pub(crate) fn short(text: &str) -> String {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('\0', "");
    if flat.len() <= SHORT_BYTES {
        return flat;
    }
    let mut end = SHORT_BYTES - '…'.len_utf8();
    while !flat.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", flat.get(..end).unwrap_or_default().trim_end())
}

/// A URL without its `user:password@`.
pub(crate) fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => url.to_owned(),
    }
}

/// The parts of the SDK's error chains that say nothing.
const NOISE: [&str; 9] = [
    "an error occurred while loading credentials",
    "the credential provider was not enabled",
    "the credentials provider was not properly configured",
    "unexpected credentials error",
    "service error",
    "dispatch failure",
    "unhandled error",
    "failed to construct request",
    "client error (Connect)",
];

/// An error and its sources in one line, outermost first, without what only repeats.
pub(crate) fn chain_text(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let part = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let said = NOISE.contains(&part.as_str()) || parts.iter().any(|earlier| earlier.contains(&part));
        if !said && !part.is_empty() {
            parts.retain(|earlier| !part.contains(earlier.as_str()));
            parts.push(part);
        }
        next = error.source();
    }
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_is_one_line_within_the_limit() {
        let text = format!("first\nsecond\0 {}", "ä".repeat(400));
        let cut = short(&text);
        assert!(cut.len() < 255 && cut.starts_with("first second ") && cut.ends_with('…'), "{cut}");
        assert_eq!(short("  a \n b "), "a b");
    }

    #[test]
    fn a_password_in_a_url_is_hidden() {
        assert_eq!(without_userinfo("http://u:p@proxy:3128/x"), "http://***@proxy:3128/x");
        assert_eq!(without_userinfo("http://proxy/a@b"), "http://proxy/a@b");
        assert_eq!(without_userinfo(""), "");
    }
}
