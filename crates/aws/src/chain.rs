//! The chain: links asked one by one, each with its reason when it gives nothing; then the assumed roles.

mod error;
mod sdk;

pub use error::{ChainError, RoleRefused, Tried};
pub(crate) use sdk::sdk_config;

use crate::clients::AwsError;
use crate::config::{AwsConfig, Link};
use crate::failure::Failure;
use crate::http::Http;
use crate::identity::Identity;
use crate::link::{Settings, Source};
use crate::provider::{Caching, Loader, Refresh};
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::os_shim_internal::Env;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Credentials that are there, and how they were found.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The link that answered.
    pub link: Link,
    /// The links before it, with their reasons.
    pub tried: Vec<Tried>,
    /// The roles assumed on top, in order.
    pub roles: Vec<String>,
    /// A provider that caches, renews before the end, and reads changed files.
    pub credentials: SharedCredentialsProvider,
    /// Makes the provider forget, after AWS has refused a key that looked valid.
    pub refresh: Refresh,
    /// Who that is, when STS could be asked.
    pub identity: Option<Identity>,
    /// Why STS could not say, otherwise.
    pub identity_failure: Option<Failure>,
}

/// The chain of one configuration.
pub struct Chain {
    pub(crate) settings: Arc<Settings>,
    sources: Vec<Source>,
    /// Index of the link that answered last: it is asked first when a key runs out.
    winner: AtomicUsize,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the sources: the SDK's profile provider prints the files it has read, secrets included.
        f.debug_struct("Chain").field("config", &self.settings.config).finish_non_exhaustive()
    }
}

impl Chain {
    /// Prepares the chain: no call, no wait; reads the CA bundle and the profile's region.
    ///
    /// # Errors
    /// Only what can never work: a wrong key of the section, a CA bundle that is none.
    pub async fn new(config: &AwsConfig) -> Result<Chain, AwsError> {
        config.check()?;
        let http = Http::new(config)?;
        let mut settings = Settings { config: config.clone(), env: Env::real(), http, region: None };
        settings.region = sdk::region(&settings).await;
        let sources = config.order().into_iter().map(Source::new).collect();
        Ok(Chain { settings: Arc::new(settings), sources, winner: AtomicUsize::new(0) })
    }

    /// Asks the links in order until one answers. Takes at most about 50 s, usually under one.
    ///
    /// # Errors
    /// Every link with its reason.
    pub async fn credentials(&self) -> Result<(Link, Credentials, Vec<Tried>), ChainError> {
        let mut tried = Vec::new();
        for (n, source) in self.sources.iter().enumerate() {
            match source.load(&self.settings).await {
                Ok(credentials) => {
                    self.winner.store(n, Ordering::Relaxed);
                    return Ok((source.link(), credentials, tried));
                }
                Err(why) => tried.push(Tried { link: source.link(), why }),
            }
        }
        Err(ChainError {
            tried,
            not_asked: self.not_asked(),
            profile_is_meant: self.settings.config.profile_is_meant(),
            role: None,
        })
    }

    /// Asks the link that answered last, and all of them only when it fails: what a renewal does.
    pub(crate) async fn renew(&self) -> Result<Credentials, ChainError> {
        if let Some(source) = self.sources.get(self.winner.load(Ordering::Relaxed))
            && let Ok(credentials) = source.load(&self.settings).await
        {
            return Ok(credentials);
        }
        let (link, credentials, _) = self.credentials().await?;
        tracing::info!(%link, "credentials now come from another link");
        Ok(credentials)
    }

    fn not_asked(&self) -> Vec<Link> {
        let order = self.settings.config.order();
        Link::ALL.into_iter().filter(|link| !order.contains(link)).collect()
    }

    /// The whole of it: links, roles, identity.
    ///
    /// # Errors
    /// Every link with its reason, or the role that refused.
    pub async fn resolve(self) -> Result<Resolved, ChainError> {
        let (link, first, tried) = self.credentials().await?;
        let not_asked = self.not_asked();
        let settings = self.settings.clone();
        let refresh = Refresh::default();
        let base = Caching::new(Loader::Chain(Arc::new(self)), Some(first), &refresh);
        let mut credentials = SharedCredentialsProvider::new(base);
        let mut roles = Vec::new();
        for role in &settings.config.assume_role {
            let sdk = sdk_config(&settings, &credentials).await;
            let mut builder =
                AssumeRoleProvider::builder(&role.role_arn).session_name(&role.session_name).configure(&sdk);
            if !role.external_id.is_empty() {
                builder = builder.external_id(&role.external_id);
            }
            let provider = builder.build_from_provider(credentials.clone()).await;
            let first = match provider.provide_credentials().await {
                Ok(first) => first,
                Err(error) => {
                    let caller = Identity::ask(&sdk).await.ok();
                    return Err(ChainError {
                        tried,
                        not_asked,
                        profile_is_meant: settings.config.profile_is_meant(),
                        role: Some(RoleRefused {
                            role_arn: role.role_arn.clone(),
                            by: caller.as_ref().map_or_else(|| link.to_string(), |c| c.arn.clone()),
                            principal: caller.as_ref().map(Identity::principal),
                            external_id: role.external_id.clone(),
                            why: error::refused(&error),
                        }),
                    });
                }
            };
            roles.push(role.role_arn.clone());
            credentials = SharedCredentialsProvider::new(Caching::new(
                Loader::Role(Box::new(provider)),
                Some(first),
                &refresh,
            ));
        }
        let (identity, identity_failure) =
            match Identity::ask(&sdk_config(&settings, &credentials).await).await {
                Ok(identity) => (Some(identity), None),
                Err(failure) => (None, Some(failure)),
            };
        Ok(Resolved { link, tried, roles, credentials, refresh, identity, identity_failure })
    }
}
