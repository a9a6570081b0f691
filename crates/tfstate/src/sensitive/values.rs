//! Values that are secrets by their form, wherever they stand.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::Value;

use super::names::name_speaks;

/// Whether a text is a secret by its form, or holds one: a private key, a URL with a password or token, or
/// `NAME=VALUE` with a name that speaks, as in a query or a connection string.
pub(crate) fn value_speaks(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
        || text.contains("PRIVATE KEY BLOCK-----")
        || urls_speak(text)
        || bearer(text)
        || assignments_speak(text)
}

/// Whether [`value_speaks`] can be true of a text, with its quotes and escapes or without. Cheap: it is asked of every
/// text in a state.
pub(crate) fn may_speak(text: &str) -> bool {
    static PRIVATE_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("PRIVATE KEY"));
    let bytes = text.as_bytes();
    if bearer(text.trim_start_matches('"')) || (bytes.len() > 24 && PRIVATE_KEY.find(bytes).is_some()) {
        return true;
    }
    if memchr::memchr3(b'=', b'@', b'\\', bytes).is_none() {
        return false;
    }
    // `=` at the end is base64's
    let assigns = text.trim_end_matches(['=', '"']).contains('=');
    assigns || (text.contains('@') && text.contains("//")) || text.contains("\\u") || text.contains("\\/")
}

/// The value of an `Authorization` header.
fn bearer(text: &str) -> bool {
    let rest = ["Bearer ", "bearer "].iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|token| !token.is_empty() && !token.contains(' '))
}

fn urls_speak(text: &str) -> bool {
    let mut before = "";
    text.split("://").enumerate().any(|(n, rest)| {
        let scheme = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        before = rest;
        n > 0 && url_speaks(scheme, rest)
    })
}

/// `rest` is what follows `://`.
fn url_speaks(scheme: &str, rest: &str) -> bool {
    let end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    let url = rest.split(end).next().unwrap_or_default();
    let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((user, _)) = authority.rsplit_once('@') {
        // `https://TOKEN@host`; with other schemes a user alone is a name (`ssh://git@host`)
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        return !password.is_empty() || user_is_token(scheme, user);
    }
    // `postgres://app:a/b@host`: a password that holds a slash
    let after_colon = authority.rsplit_once(':').filter(|_| !authority.starts_with('['));
    let port = after_colon.is_none_or(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    !port && url.contains('@')
}

/// Whether the user of a URL without a password can only be a token.
fn user_is_token(scheme: &str, user: &str) -> bool {
    let name =
        user.len() <= 12 && user.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_' | b'.'));
    scheme.starts_with("http") && !user.is_empty() && !name
}

/// `password=hunter2`, `?sig=…`, `Server=h;Pwd=…`, `--token=…`.
fn assignments_speak(text: &str) -> bool {
    let stop = |c: char| c.is_whitespace() || matches!(c, '?' | '&' | ';' | ',' | '"' | '\'');
    text.contains('=')
        && text.split(stop).filter_map(|part| part.split_once('=')).any(|(name, value)| {
            let name = name.trim_start_matches('-');
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            let reference = value.starts_with(['$', '{', '<', '%', '*', '=']);
            !name.is_empty()
                && name.len() <= 64
                && name.chars().all(plain)
                && !value.is_empty()
                && !reference
                && (matches!(name, "sig" | "X-Amz-Signature" | "Signature")
                    || name_speaks(name, true, &Value::String(value.to_owned())))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaking_values() {
        for text in [
            "postgres://app:hunter2@db.internal:5432/x",
            "postgres://app:hun/ter2@db.internal/x",
            "postgres://app:hun?ter#2@db.internal/x",
            "redis://:hunter2@h:6379",
            "https://ghp_0123456789@github.com/x",
            "https://TOKEN@host/",
            "https://sk_live_1:@api.example.com",
            "-----BEGIN RSA PRIVATE KEY-----\nMII",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n",
            "jdbc:mysql://h/db?user=u&password=hunter2",
            "Server=h;Password=hunter2;",
            "https://h/x?X-Amz-Signature=0123",
            "Bearer abc",
            "run --token=abc",
        ] {
            assert!(value_speaks(text), "{text}");
            assert!(may_speak(text), "{text}");
        }
        for text in [
            "https://example.com/a:b@c",
            "arn:aws:iam::111122223333:role/x",
            "https://user@example.com/",
            "https://user:@example.com/",
            "ssh://git@github.com/x",
            "http://h:8080/x@y",
            "http://[::1]:80/a@b",
            "oci://registry:5000/app@sha256:0123",
            "Server=h;Database=d",
            "https://h/?password=${PASSWORD}",
            "aGFzaA==",
            "a = b",
            "Bearer of bad news",
            "dkim: v=DKIM1; k=rsa; p=MIGf",
        ] {
            assert!(!value_speaks(text), "{text}");
        }
    }
}
