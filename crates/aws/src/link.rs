//! The links of the chain. Each looks first whether it is set up at all and what is missing, then asks the
//! SDK's own provider within a bound of time, and puts the SDK's answer into plain words.

mod container;
mod environment;
mod files;
mod imds;
mod profile;
mod sso;
mod web_identity;

use crate::config::{AwsConfig, Link};
use crate::failure::Failure;
use crate::http::Http;
use crate::why::Why;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::Env;
use aws_types::region::Region;
use std::time::{Duration, SystemTime};
use tracing::instrument::WithSubscriber;

pub(crate) use files::{Files, profile_name};

/// Used for STS where no region is configured: any account of the partition `aws` can sign for it.
pub(crate) const FALLBACK_REGION: &str = "us-east-1";

/// What every link needs.
#[derive(Debug)]
pub(crate) struct Settings {
    pub config: AwsConfig,
    pub env: Env,
    pub http: Http,
    /// The region for STS; `None` where neither configuration, environment nor profile names one.
    pub region: Option<Region>,
}

impl Settings {
    /// The SDK's settings for a provider that calls AWS (`outbound`) or this machine (`local`).
    fn provider_config(&self, client: &SharedHttpClient) -> ProviderConfig {
        let region = self.region.clone().unwrap_or_else(|| Region::from_static(FALLBACK_REGION));
        let config = ProviderConfig::without_region()
            .with_region(Some(region))
            .with_http_client(client.clone())
            .with_behavior_version(Some(aws_config::BehaviorVersion::latest()));
        // Left unset when false, so that AWS_USE_FIPS_ENDPOINT and the profile still count.
        let config = if self.config.fips { config.with_use_fips(Some(true)) } else { config };
        if self.config.dual_stack { config.with_use_dual_stack(Some(true)) } else { config }
    }

    /// A variable that is there and not blank.
    fn var(&self, name: &str) -> Option<String> {
        self.env.get(name).ok().filter(|value| !value.trim().is_empty())
    }
}

/// A link with what it keeps between two loads (tokens, parsed files): no `Debug`, it may hold secrets.
pub(crate) enum Source {
    Environment(environment::Environment),
    Profile(Box<profile::Profile>),
    WebIdentity(web_identity::WebIdentity),
    Container(Box<container::Container>),
    Imds(Box<imds::Imds>),
}

impl Source {
    pub(crate) fn new(link: Link) -> Source {
        match link {
            Link::Environment => Source::Environment(environment::Environment),
            Link::Profile => Source::Profile(Box::default()),
            Link::WebIdentity => Source::WebIdentity(web_identity::WebIdentity),
            Link::Container => Source::Container(Box::default()),
            Link::Imds => Source::Imds(Box::default()),
        }
    }

    pub(crate) fn link(&self) -> Link {
        match self {
            Source::Environment(_) => Link::Environment,
            Source::Profile(_) => Link::Profile,
            Source::WebIdentity(_) => Link::WebIdentity,
            Source::Container(_) => Link::Container,
            Source::Imds(_) => Link::Imds,
        }
    }

    /// Asks the link once.
    pub(crate) async fn load(&self, settings: &Settings) -> Result<Credentials, Why> {
        let credentials = match self {
            Source::Environment(link) => link.load(settings).await,
            Source::Profile(link) => link.load(settings).await,
            Source::WebIdentity(link) => link.load(settings).await,
            Source::Container(link) => link.load(settings).await,
            Source::Imds(link) => link.load(settings).await,
        }?;
        match credentials.expiry() {
            Some(at) if at <= SystemTime::now() => {
                Err(Why::Expired { what: format!("the key that {} gave", self.link()), at: rfc3339(at) })
            }
            _ => Ok(credentials),
        }
    }
}

/// Asks one of the SDK's providers, at most `bound` long; `name` says what is waited for.
async fn ask(provider: &impl ProvideCredentials, bound: Duration, name: &str) -> Result<Credentials, Asked> {
    // The SDK logs what a failed credential_process wrote, and the chain it built: nothing of that is for a log.
    let answer = provider.provide_credentials().with_subscriber(tracing::Dispatch::none());
    match tokio::time::timeout(bound, answer).await {
        Ok(Ok(credentials)) => Ok(credentials),
        Ok(Err(error)) => Err(Asked::Failed(error)),
        Err(_) => Err(Asked::TimedOut(Why::TimedOut { secs: bound.as_secs(), what: name.to_owned() })),
    }
}

/// How a provider failed.
enum Asked {
    Failed(CredentialsError),
    TimedOut(Why),
}

impl Asked {
    /// The reason, where the failure is one of a call to `what` (STS, a container endpoint).
    fn of_call(self, what: &str, at: &str) -> Why {
        let error = match self {
            Asked::TimedOut(why) => return why,
            Asked::Failed(error) => error,
        };
        let failure = Failure::of_error(&error);
        match (&failure.transport, &failure.code) {
            (Some(transport), _) => {
                Why::Unreachable { what: what.to_owned(), at: at.to_owned(), problem: transport.to_string() }
            }
            (None, Some(code)) => Why::Refused {
                what: what.to_owned(),
                problem: match &failure.message {
                    Some(message) => format!("{code}: {message}"),
                    None => code.clone(),
                },
            },
            (None, None) => Why::Refused { what: what.to_owned(), problem: failure.text },
        }
    }
}

/// `2026-11-24T06:00:00Z`.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    aws_smithy_types::DateTime::from(at)
        .fmt(aws_smithy_types::date_time::Format::DateTime)
        .unwrap_or_else(|_| "an unknown time".to_owned())
}

/// A time as AWS's tools write it into files, or `None`.
fn parse_time(text: &str) -> Option<SystemTime> {
    use aws_smithy_types::date_time::Format;
    // The CLI writes `2026-11-24T06:00:00Z` or with `UTC` at the end.
    let text = text.trim().replace("UTC", "Z").replace(' ', "T");
    let time = aws_smithy_types::DateTime::from_str(&text, Format::DateTimeWithOffset).ok()?;
    SystemTime::try_from(time).ok()
}

#[cfg(test)]
pub(crate) fn settings_for_tests(config: AwsConfig, vars: &[(&str, &str)]) -> Settings {
    let http = Http::new(&config).unwrap();
    Settings { config, env: Env::from_slice(vars), http, region: None }
}
