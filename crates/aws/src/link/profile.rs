//! The shared files: keys, SSO, `credential_process`, `source_profile` with `role_arn`.

use super::{Asked, Settings, ask, parse_time, rfc3339, sso};
use crate::failure::Failure;
use crate::why::{FileState, Why};
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_credential_types::Credentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::Fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// SSO, a process or STS may be behind a profile.
const BOUND: Duration = Duration::from_secs(20);

/// Keys in which tools other than the CLI note when a profile's session runs out.
const EXPIRY_KEYS: [&str; 4] =
    ["x_security_token_expires", "aws_expiration", "aws_session_expiration", "expiration"];

/// Where the shared files are, and how that was found out.
pub(crate) struct Files {
    pub credentials: FileState,
    pub config: FileState,
    sdk: EnvConfigFiles,
}

impl Files {
    /// Looks for both files. `Err` only where `~` cannot be resolved and nothing else is set.
    pub(crate) fn find(settings: &Settings) -> Result<Files, Why> {
        let home = settings.var("HOME");
        let config = &settings.config;
        let credentials = place(
            settings,
            &config.credentials,
            "aws.credentials",
            "AWS_SHARED_CREDENTIALS_FILE",
            "credentials",
            &home,
        );
        let shared = place(settings, &config.config, "aws.config", "AWS_CONFIG_FILE", "config", &home);
        let (Some(credentials), Some(shared)) = (credentials, shared) else { return Err(Why::NoHome) };
        // The SDK fails on a missing file given by path, so only those that can be read are passed on.
        let mut sdk = EnvConfigFiles::builder();
        for (kind, state) in
            [(EnvConfigFileKind::Config, &shared), (EnvConfigFileKind::Credentials, &credentials)]
        {
            if state.problem.is_none() {
                sdk = sdk.with_file(kind, &state.path);
            }
        }
        // An empty builder would mean the default places.
        let sdk = sdk.with_contents(EnvConfigFileKind::Config, "").build();
        Ok(Files { credentials, config: shared, sdk })
    }

    /// For the SDK's own loader: region, endpoints and other settings of the profile. Without the secrets: the
    /// SDK keeps what it reads in `SdkConfig`, and prints it with `{:?}`.
    pub(crate) fn for_sdk(&self) -> EnvConfigFiles {
        let mut sdk = EnvConfigFiles::builder();
        for (kind, state) in
            [(EnvConfigFileKind::Config, &self.config), (EnvConfigFileKind::Credentials, &self.credentials)]
        {
            let text = std::fs::read_to_string(&state.path).unwrap_or_default();
            sdk = sdk.with_contents(kind, without_secrets(&text));
        }
        sdk.build()
    }

    fn both(&self) -> Vec<FileState> {
        vec![self.config.clone(), self.credentials.clone()]
    }

    /// Length and time of change of both, to notice a rewrite.
    fn stamp(&self) -> Stamp {
        let of = |state: &FileState| {
            let meta = std::fs::metadata(&state.path).ok()?;
            Some((meta.len(), meta.modified().ok()?))
        };
        [of(&self.config), of(&self.credentials)]
    }

    /// Reads both as the SDK does.
    pub(crate) async fn profiles(&self, settings: &Settings) -> Result<ProfileSet, Why> {
        let (name, _) = profile_name(settings);
        aws_config::profile::load(&Fs::real(), &settings.env, &self.sdk, Some(name.into()))
            .await
            .map_err(|e| Why::FileInvalid { problem: crate::text::chain_text(&e) })
    }
}

fn without_secrets(text: &str) -> String {
    let secret = |line: &&str| {
        let key = line.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        ["aws_secret_access_key", "aws_session_token", "aws_security_token"].contains(&key.as_str())
    };
    text.lines().filter(|line| !secret(line)).map(|line| format!("{line}\n")).collect()
}

/// The profile asked for and where its name came from.
pub(crate) fn profile_name(settings: &Settings) -> (String, String) {
    if !settings.config.profile.is_empty() {
        return (settings.config.profile.clone(), "aws.profile".to_owned());
    }
    match settings.var("AWS_PROFILE") {
        Some(name) => (name, "AWS_PROFILE".to_owned()),
        None => ("default".to_owned(), "the default".to_owned()),
    }
}

fn place(
    settings: &Settings,
    configured: &str,
    key: &str,
    variable: &str,
    name: &str,
    home: &Option<String>,
) -> Option<FileState> {
    let (path, from) = if !configured.is_empty() {
        (configured.to_owned(), key.to_owned())
    } else if let Some(path) = settings.var(variable) {
        (path, variable.to_owned())
    } else {
        (format!("~/.aws/{name}"), "default place".to_owned())
    };
    let path = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        (Some(_), None) => return None,
        (None, _) => PathBuf::from(path),
    };
    let problem = match std::fs::File::open(&path).and_then(|f| f.metadata()) {
        Ok(meta) if meta.is_dir() => Some("is a folder".to_owned()),
        Ok(_) => None,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Some("no such file".to_owned()),
        Err(e) => Some(e.to_string()),
    };
    Some(FileState { path, from, problem })
}

type Stamp = [Option<(u64, SystemTime)>; 2];

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
            .profile_files(files.sdk.clone())
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
    if let Some(why) = sso::why(settings, profiles, &name) {
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

    #[test]
    fn without_a_home_the_default_places_cannot_be_found() {
        let settings = settings_for_tests(AwsConfig::default(), &[]);
        assert_eq!(Files::find(&settings).err(), Some(Why::NoHome));
    }
}
