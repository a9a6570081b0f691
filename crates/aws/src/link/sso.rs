//! Why an SSO profile gave nothing: the login in `~/.aws/sso/cache` is missing or has run out, or the
//! portal refuses it.

use super::{Asked, Settings, parse_time, rfc3339};
use crate::failure::Failure;
use crate::why::Why;
use aws_config::profile::ProfileSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A profile may take its credentials from another one, and that from a third.
const MAX_SOURCES: usize = 8;

/// The reason, where `profile` (or a profile that it takes its credentials from) uses SSO: its login is missing or has
/// run out, or the portal refuses it. `None` otherwise.
pub(super) fn why(settings: &Settings, profiles: &ProfileSet, profile: &str, asked: &Asked) -> Option<Why> {
    let role = role(profiles, profile)?;
    let cache = PathBuf::from(settings.var("HOME")?).join(".aws/sso/cache");
    let login = |problem: String| {
        Some(Why::SsoLogin { session: role.session.clone(), profile: profile.to_owned(), problem })
    };
    match newest_expiry(&cache, &role.start_url) {
        Some(at) if at <= SystemTime::now() => {
            return login(format!("the login expired at {}", rfc3339(at)));
        }
        Some(_) => {}
        None => return login(format!("no login for {} in {}", role.start_url, cache.display())),
    }
    let Asked::Failed(error) = asked else { return None };
    let text = Failure::of_error(error).text;
    // Codes: <https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html>
    if text.contains("UnauthorizedException") {
        return login("the portal does not take the login any more".to_owned());
    }
    let refused = ["ForbiddenException", "ResourceNotFoundException", "InvalidRequestException"];
    let code = refused.into_iter().find(|code| text.contains(code))?;
    let Role { name, account, .. } = role;
    Some(Why::SsoRole { role: name, account, profile: profile.to_owned(), code: code.to_owned() })
}

/// What a profile asks SSO for.
struct Role {
    start_url: String,
    /// The session's name, or the start URL again.
    session: String,
    name: String,
    account: String,
}

fn role(profiles: &ProfileSet, profile: &str) -> Option<Role> {
    let mut name = profile.to_owned();
    for _ in 0..MAX_SOURCES {
        let profile = profiles.get_profile(&name)?;
        let key = |key| profile.get(key).unwrap_or_default().to_owned();
        let role = |start_url: &str, session: &str| Role {
            start_url: start_url.to_owned(),
            session: session.to_owned(),
            name: key("sso_role_name"),
            account: key("sso_account_id"),
        };
        if let Some(session) = profile.get("sso_session") {
            return Some(role(profiles.sso_session(session)?.get("sso_start_url")?, session));
        }
        if let Some(url) = profile.get("sso_start_url") {
            return Some(role(url, url));
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
