//! The shared files `~/.aws/config` and `~/.aws/credentials`: where they are, and which profile of them counts.

use super::Settings;
use crate::why::{FileState, Why};
use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::Fs;
use std::path::PathBuf;
use std::time::SystemTime;

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

    /// For the SDK's provider of credentials: the files themselves, so that it sees a change.
    pub(super) fn for_provider(&self) -> EnvConfigFiles {
        self.sdk.clone()
    }

    pub(super) fn both(&self) -> Vec<FileState> {
        vec![self.config.clone(), self.credentials.clone()]
    }

    /// To notice a rewrite.
    pub(super) fn stamp(&self) -> Stamp {
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

/// Length and time of change of the two files; `None` where there is none.
pub(super) type Stamp = [Option<(u64, SystemTime)>; 2];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AwsConfig;
    use crate::link::settings_for_tests;

    #[test]
    fn without_a_home_the_default_places_cannot_be_found() {
        let settings = settings_for_tests(AwsConfig::default(), &[]);
        assert_eq!(Files::find(&settings).err(), Some(Why::NoHome));
    }
}
