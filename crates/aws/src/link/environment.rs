//! Keys in environment variables.

use super::{Settings, ask};
use crate::why::Why;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_credential_types::Credentials;
use std::time::Duration;

const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";

pub(crate) struct Environment;

impl Environment {
    pub(super) async fn load(&self, settings: &Settings) -> Result<Credentials, Why> {
        is_set(settings)?;
        let provider = EnvironmentVariableCredentialsProvider::new();
        ask(&provider, Duration::from_secs(1), "environment")
            .await
            .map_err(|asked| asked.of_call("environment", ""))
    }
}

fn is_set(settings: &Settings) -> Result<(), Why> {
    // The SDK also takes SECRET_ACCESS_KEY, from old tools.
    let secret = settings.var(SECRET).or_else(|| settings.var("SECRET_ACCESS_KEY"));
    match (settings.var(ID), secret) {
        (Some(_), Some(_)) => Ok(()),
        (Some(_), None) => Err(Why::HalfSet { set: ID.into(), missing: SECRET.into() }),
        (None, Some(_)) => Err(Why::HalfSet { set: SECRET.into(), missing: ID.into() }),
        (None, None) => Err(Why::NotSet { vars: format!("{ID} and {SECRET}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AwsConfig;
    use crate::link::settings_for_tests;

    #[test]
    fn half_a_key_is_said_by_name() {
        let why = |vars: &[(&str, &str)]| is_set(&settings_for_tests(AwsConfig::default(), vars));
        assert_eq!(why(&[(ID, "AKIA"), (SECRET, "s")]), Ok(()));
        assert_eq!(
            why(&[(ID, "AKIA"), (SECRET, " ")]),
            Err(Why::HalfSet { set: ID.into(), missing: SECRET.into() })
        );
        assert_eq!(why(&[(SECRET, "s")]), Err(Why::HalfSet { set: SECRET.into(), missing: ID.into() }));
        assert!(matches!(why(&[]), Err(Why::NotSet { .. })));
    }
}
