//! The shared files: keys, SSO, `credential_process`, `source_profile` with `role_arn`.

use super::files::{Files, Stamp, profile_name};
use super::{Asked, Settings, ask, parse_time, rfc3339, sso};
use crate::failure::Failure;
use crate::why::Why;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_credential_types::Credentials;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// SSO, a process or STS may be behind a profile.
const BOUND: Duration = Duration::from_secs(20);

/// Keys in which tools other than the CLI note when a profile's session runs out.
const EXPIRY_KEYS: [&str; 4] =
    ["x_security_token_expires", "aws_expiration", "aws_session_expiration", "expiration"];

/// The link. The provider is kept while the files stay as they are: it holds SSO tokens and refreshes them.
#[derive(Default)]
pub(crate) struct Profile {
    held: Mutex<Option<(Stamp, Arc<ProfileFileCredentialsProvider>)>>,
}

impl Profile {
    pub(super) async fn load(&self, settings: &Settings) -> Result<Credentials, Why> {
        let files = Files::find(settings)?;
        let profiles = check(settings, &files).await?;
        let provider = self.provider(settings, &files).await;
        match ask(provider.as_ref(), BOUND, "the profile").await {
            Ok(credentials) => Ok(credentials),
            Err(asked) => {
                // A failed provider keeps its failure: build a new one next time.
                *self.held.lock().await = None;
                Err(explain(asked, settings, &profiles))
            }
        }
    }

    async fn provider(&self, settings: &Settings, files: &Files) -> Arc<ProfileFileCredentialsProvider> {
        let stamp = files.stamp();
        let mut held = self.held.lock().await;
        if let Some((of, provider)) = held.as_ref()
            && *of == stamp
        {
            return provider.clone();
        }
        let local = settings.provider_config(&settings.http.local);
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&settings.provider_config(&settings.http.outbound))
            .profile_files(files.for_provider())
            .profile_name(profile_name(settings).0)
            // `credential_source` must not go through the proxy either.
            .with_custom_provider(
                "Ec2InstanceMetadata",
                ImdsCredentialsProvider::builder().configure(&local).build(),
            )
            .with_custom_provider("EcsContainer", EcsCredentialsProvider::builder().configure(&local).build())
            .build();
        let provider = Arc::new(provider);
        *held = Some((stamp, provider.clone()));
        provider
    }
}

/// What can be said before anybody is asked.
async fn check(settings: &Settings, files: &Files) -> Result<ProfileSet, Why> {
    let both = files.both();
    if both.iter().all(|f| f.problem.is_some()) {
        return Err(Why::FilesMissing { files: both });
    }
    let profiles = files.profiles(settings).await?;
    let (name, from) = profile_name(settings);
    let Some(profile) = profiles.get_profile(&name) else {
        let mut present: Vec<String> = profiles.profiles().map(str::to_owned).collect();
        present.sort();
        return Err(Why::ProfileMissing { profile: name, from, files: both, present });
    };
    let key = |key: &str| profile.get(key).filter(|value| !value.trim().is_empty());
    let of_profile = |key: &str| format!("{key} of profile \"{name}\"");
    match (key("aws_access_key_id"), key("aws_secret_access_key")) {
        (Some(_), None) => {
            return Err(Why::HalfSet {
                set: of_profile("aws_access_key_id"),
                missing: "aws_secret_access_key".into(),
            });
        }
        (None, Some(_)) => {
            return Err(Why::HalfSet {
                set: of_profile("aws_secret_access_key"),
                missing: "aws_access_key_id".into(),
            });
        }
        _ => {}
    }
    let sources = [
        "aws_access_key_id",
        "sso_session",
        "sso_start_url",
        "credential_process",
        "role_arn",
        "web_identity_token_file",
    ];
    if sources.iter().all(|source| key(source).is_none()) {
        return Err(Why::ProfileEmpty { profile: name, files: both });
    }
    if let Some(at) = EXPIRY_KEYS.iter().find_map(|k| key(k)).and_then(parse_time)
        && at <= SystemTime::now()
        && key("aws_access_key_id").is_some()
    {
        return Err(Why::Expired { what: format!("the session of profile \"{name}\""), at: rfc3339(at) });
    }
    Ok(profiles)
}

fn explain(asked: Asked, settings: &Settings, profiles: &ProfileSet) -> Why {
    let name = profile_name(settings).0;
    if let Some(why) = sso::why(settings, profiles, &name, &asked) {
        return why;
    }
    let uses_process = profiles.get_profile(&name).is_some_and(|p| p.get("credential_process").is_some());
    match asked {
        Asked::Failed(error) if uses_process => {
            // What a process prints may hold anything: its text is not repeated.
            let text = Failure::of_error(&error).text;
            let text = text.split(" Stderr:").next().unwrap_or_default().trim_end_matches('.').to_owned();
            Why::Refused { what: format!("credential_process of profile \"{name}\""), problem: text }
        }
        other => other.of_call(&format!("profile \"{name}\""), "STS or SSO"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AwsConfig;
    use crate::link::settings_for_tests;

    async fn why(credentials: &str, config: &str, profile: &str) -> Result<ProfileSet, String> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        for (name, text) in [("credentials", credentials), ("config", config)] {
            if !text.is_empty() {
                std::fs::write(home.path().join(".aws").join(name), text).unwrap();
            }
        }
        let home_text = home.path().to_str().unwrap().to_owned();
        let config = AwsConfig { profile: profile.into(), ..AwsConfig::default() };
        let settings = settings_for_tests(config, &[("HOME", &home_text)]);
        let files = Files::find(&settings).map_err(|w| w.to_string())?;
        check(&settings, &files).await.map_err(|w| w.to_string().replace(&home_text, "~"))
    }

    #[tokio::test]
    async fn a_missing_profile_names_those_that_are_there() {
        let text = why("[b]\naws_access_key_id=x\n[a]\n", "", "prod").await.unwrap_err();
        assert_eq!(
            text,
            "profile \"prod\" (aws.profile) is not in ~/.aws/config (default place: no such file), \
             ~/.aws/credentials (default place); profiles there: a, b"
        );
    }

    #[tokio::test]
    async fn no_files_half_a_key_an_empty_profile_and_an_expired_one() {
        assert!(why("", "", "").await.unwrap_err().starts_with("file not found: ~/.aws/config"));
        let text = why("[default]\naws_access_key_id=x\n", "", "").await.unwrap_err();
        assert_eq!(text, "aws_access_key_id of profile \"default\" is set, aws_secret_access_key is not");
        assert!(why("", "[default]\nregion=eu-west-1\n", "").await.unwrap_err().contains("has no keys, SSO"));
        let keys = "[default]\naws_access_key_id=x\naws_secret_access_key=hunter2\n";
        assert!(why(keys, "", "").await.is_ok());
        let expired = format!("{keys}x_security_token_expires = 2020-01-02T03:04:05Z\n");
        let text = why(&expired, "", "").await.unwrap_err();
        assert_eq!(text, "the session of profile \"default\" expired at 2020-01-02T03:04:05Z");
    }

    #[tokio::test]
    async fn a_broken_file_is_named_with_its_line_and_without_its_text() {
        let text = why("[default]\naws_secret_access_key hunter2\n", "", "").await.unwrap_err();
        assert!(text.contains("credentials on line 2") && !text.contains("hunter2"), "{text}");
    }
}
