//! Why an SSO profile gave nothing: the login in `~/.aws/sso/cache` is missing or has run out.

use super::{Settings, parse_time, rfc3339};
use crate::why::Why;
use aws_config::profile::ProfileSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A profile may take its credentials from another one, and that from a third.
const MAX_SOURCES: usize = 8;

/// The reason, where `profile` (or a profile that it takes its credentials from) uses SSO and its login is at
/// fault. `None` otherwise.
pub(super) fn why(settings: &Settings, profiles: &ProfileSet, profile: &str) -> Option<Why> {
    let (start_url, session) = start_url(profiles, profile)?;
    let cache = PathBuf::from(settings.var("HOME")?).join(".aws/sso/cache");
    let login = |problem: String| {
        Some(Why::SsoLogin { session: session.clone(), profile: profile.to_owned(), problem })
    };
    match newest_expiry(&cache, &start_url) {
        Some(at) if at <= SystemTime::now() => login(format!("the login expired at {}", rfc3339(at))),
        Some(_) => None,
        None => login(format!("no login for {start_url} in {}", cache.display())),
    }
}

/// The start URL and a name for the session.
fn start_url(profiles: &ProfileSet, profile: &str) -> Option<(String, String)> {
    let mut name = profile.to_owned();
    for _ in 0..MAX_SOURCES {
        let profile = profiles.get_profile(&name)?;
        if let Some(session) = profile.get("sso_session") {
            let url = profiles.sso_session(session)?.get("sso_start_url")?;
            return Some((url.to_owned(), session.to_owned()));
        }
        if let Some(url) = profile.get("sso_start_url") {
            return Some((url.to_owned(), url.to_owned()));
        }
        name = profile.get("source_profile")?.to_owned();
    }
    None
}

/// When the newest cached token of that start URL runs out. The files' names are hashes, so all are read.
fn newest_expiry(cache: &Path, start_url: &str) -> Option<SystemTime> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Token {
        start_url: String,
        expires_at: String,
    }
    std::fs::read_dir(cache)
        .ok()?
        .filter_map(|entry| std::fs::read(entry.ok()?.path()).ok())
        .filter_map(|bytes| serde_json::from_slice::<Token>(&bytes).ok())
        .filter(|token| token.start_url.trim_end_matches('/') == start_url.trim_end_matches('/'))
        .filter_map(|token| parse_time(&token.expires_at))
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expiry_of_the_right_login_is_found() {
        let cache = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(cache.path().join(name), text).unwrap();
        write(
            "a.json",
            r#"{"startUrl":"https://x.awsapps.com/start","accessToken":"s","expiresAt":"2024-01-02T03:04:05UTC"}"#,
        );
        write("b.json", r#"{"startUrl":"https://y.awsapps.com/start","expiresAt":"2030-01-02T03:04:05Z"}"#);
        write("c.json", "not json");
        let at = newest_expiry(cache.path(), "https://x.awsapps.com/start/").unwrap();
        assert_eq!(rfc3339(at), "2024-01-02T03:04:05Z");
        assert_eq!(newest_expiry(cache.path(), "https://z"), None);
    }
}
