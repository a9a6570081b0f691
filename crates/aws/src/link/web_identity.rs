//! A web identity token in a file: IRSA on EKS, OIDC of a CI system.

use super::{Settings, ask, rfc3339};
use crate::why::Why;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::Credentials;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const ROLE_ARN: &str = "AWS_ROLE_ARN";
const BOUND: Duration = Duration::from_secs(15);

pub(crate) struct WebIdentity;

impl WebIdentity {
    pub(super) async fn load(&self, settings: &Settings) -> Result<Credentials, Why> {
        let (file, role_arn) = wanted(settings)?;
        check_token(&file, SystemTime::now())?;
        let session_name = settings.var("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "tfdrift".to_owned());
        // The provider reads the file at every load: Kubernetes rotates it.
        let provider = WebIdentityTokenCredentialsProvider::builder()
            .configure(&settings.provider_config(&settings.http.outbound))
            .static_configuration(StaticConfiguration {
                web_identity_token_file: file,
                role_arn: role_arn.clone(),
                session_name,
            })
            .build();
        ask(&provider, BOUND, "sts:AssumeRoleWithWebIdentity")
            .await
            .map_err(|asked| asked.of_call(&format!("sts:AssumeRoleWithWebIdentity of {role_arn}"), "STS"))
    }
}

fn wanted(settings: &Settings) -> Result<(PathBuf, String), Why> {
    match (settings.var(TOKEN_FILE), settings.var(ROLE_ARN)) {
        (Some(file), Some(role)) => Ok((file.into(), role)),
        (Some(_), None) => Err(Why::HalfSet { set: TOKEN_FILE.into(), missing: ROLE_ARN.into() }),
        (None, Some(_)) => Err(Why::HalfSet { set: ROLE_ARN.into(), missing: TOKEN_FILE.into() }),
        (None, None) => Err(Why::NotSet { vars: format!("{TOKEN_FILE} and {ROLE_ARN}") }),
    }
}

/// Says what STS would say less well: no file, an empty one, a token past its time.
fn check_token(file: &Path, now: SystemTime) -> Result<(), Why> {
    let wrong =
        |problem: String| Why::TokenFile { path: file.to_path_buf(), from: TOKEN_FILE.into(), problem };
    let token = std::fs::read_to_string(file).map_err(|e| wrong(e.to_string()))?;
    if token.trim().is_empty() {
        return Err(wrong("is empty".to_owned()));
    }
    match expiry(token.trim()) {
        Some(at) if at <= now => {
            Err(Why::Expired { what: format!("the token in {}", file.display()), at: rfc3339(at) })
        }
        _ => Ok(()),
    }
}

/// The `exp` claim of a JWT. `None` when the token is something else: STS may still know it.
fn expiry(token: &str) -> Option<SystemTime> {
    #[derive(serde::Deserialize)]
    struct Claims {
        exp: f64,
    }
    let claims = token.split('.').nth(1)?.replace('-', "+").replace('_', "/");
    let padded = format!("{claims}{}", "=".repeat((4 - claims.len() % 4) % 4));
    let claims: Claims = serde_json::from_slice(&aws_smithy_types::base64::decode(padded).ok()?).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(claims.exp).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AwsConfig;
    use crate::link::settings_for_tests;

    #[test]
    fn half_a_setting_is_said() {
        let settings = settings_for_tests(AwsConfig::default(), &[(ROLE_ARN, "arn:aws:iam::1:role/x")]);
        assert_eq!(wanted(&settings), Err(Why::HalfSet { set: ROLE_ARN.into(), missing: TOKEN_FILE.into() }));
    }

    #[test]
    fn a_missing_an_empty_and_an_expired_token() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        assert!(matches!(check_token(&file, SystemTime::now()), Err(Why::TokenFile { .. })));
        std::fs::write(&file, "\n").unwrap();
        let why = check_token(&file, SystemTime::now()).unwrap_err();
        assert!(why.to_string().contains("is empty"));
        // {"alg":"none"} . {"exp":1700000000}
        let token = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.";
        std::fs::write(&file, token).unwrap();
        let why = check_token(&file, SystemTime::now()).unwrap_err();
        assert!(why.to_string().ends_with("expired at 2023-11-14T22:13:20Z"), "{why}");
        assert!(!why.to_string().contains("eyJ"), "a token must not be printed");
        assert_eq!(check_token(&file, SystemTime::UNIX_EPOCH), Ok(()));
        std::fs::write(&file, "opaque-token").unwrap();
        assert_eq!(check_token(&file, SystemTime::now()), Ok(()));
    }
}
