//! The instance metadata service of EC2, version 2.

use super::{Asked, Settings, ask};
use crate::failure::Failure;
use crate::why::Why;
use aws_config::imds::Client;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_credential_types::Credentials;
use std::time::Duration;
use tokio::sync::OnceCell;

const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const DEFAULT_ENDPOINT: &str = "http://169.254.169.254";
/// Off EC2 the address usually swallows packets: wait for it no longer than this.
const CONNECT: Duration = Duration::from_secs(1);
const BOUND: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(crate) struct Imds {
    provider: OnceCell<ImdsCredentialsProvider>,
}

impl Imds {
    pub(super) async fn load(&self, settings: &Settings) -> Result<Credentials, Why> {
        if let Some(value) = settings.var(DISABLED).filter(|v| v.eq_ignore_ascii_case("true")) {
            return Err(Why::SwitchedOff { by: format!("{DISABLED}={value}") });
        }
        let at = settings.var(ENDPOINT).unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let provider = self
            .provider
            .get_or_init(|| async {
                let config = settings.provider_config(&settings.http.local);
                let client = Client::builder()
                    .configure(&config)
                    .max_attempts(2)
                    .connect_timeout(CONNECT)
                    .read_timeout(CONNECT)
                    .build();
                ImdsCredentialsProvider::builder().configure(&config).imds_client(client).build()
            })
            .await;
        ask(provider, BOUND, &format!("metadata service at {at}")).await.map_err(|asked| why(asked, &at))
    }
}

fn why(asked: Asked, at: &str) -> Why {
    let error = match asked {
        Asked::Failed(error) => error,
        // The token request of version 2 dies silently behind a hop limit of 1, as any request does off EC2.
        Asked::TimedOut(_) => {
            return Why::Unreachable {
                what: "metadata service".into(),
                at: at.to_owned(),
                problem: "timed out".into(),
            };
        }
    };
    let failure = Failure::of_error(&error);
    if failure.text.contains("404") {
        return Why::NoInstanceRole;
    }
    match failure.transport {
        Some(transport) => Why::Unreachable {
            what: "metadata service".into(),
            at: at.to_owned(),
            problem: transport.to_string(),
        },
        None => Why::Refused { what: format!("metadata service at {at}"), problem: failure.text },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AwsConfig;
    use crate::link::settings_for_tests;

    #[tokio::test]
    async fn switched_off_by_its_variable() {
        let settings = settings_for_tests(AwsConfig::default(), &[(DISABLED, "true")]);
        let why = Imds::default().load(&settings).await.unwrap_err();
        assert_eq!(why.to_string(), "switched off by AWS_EC2_METADATA_DISABLED=true");
    }
}
