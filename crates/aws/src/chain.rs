//! The chain: links asked one by one, each with its reason when it gives nothing; then the assumed roles.

use crate::clients::AwsError;
use crate::config::{AwsConfig, Link};
use crate::failure::Failure;
use crate::http::Http;
use crate::identity::Identity;
use crate::link::{FALLBACK_REGION, Files, Settings, Source};
use crate::provider::{Caching, Loader, Refresh};
use crate::why::Why;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::SdkConfig;
use aws_types::os_shim_internal::Env;
use aws_types::region::Region;
use serde::Serialize;
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A link that was asked and gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The link.
    pub link: Link,
    /// Its reason.
    #[serde(flatten)]
    pub why: Why,
}

/// A role that could not be taken on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleRefused {
    /// The role.
    pub role_arn: String,
    /// Who asked: an ARN, or the name of the link.
    pub by: String,
    /// The IAM entity behind that ARN, for the role's trust policy; `None` where it is not known.
    pub principal: Option<String>,
    /// The external id that was sent, "" for none. It is no secret (AWS: "not sensitive information").
    pub external_id: String,
    /// The refusal.
    #[serde(flatten)]
    pub why: Why,
}

impl RoleRefused {
    /// The two smallest statements: the caller's, and the role's trust policy.
    fn statements(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allow = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": self.role_arn});
        let principal = self.principal.as_deref().unwrap_or("ARN-OF-THE-CALLER");
        let mut trust =
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
        if !self.external_id.is_empty() {
            trust["Condition"] = json!({"StringEquals": {"sts:ExternalId": self.external_id}});
        }
        for (title, statement) in
            [("the caller's policy needs:", allow), ("the role's trust policy needs:", trust)]
        {
            writeln!(f, "  {title}")?;
            let json = serde_json::to_string_pretty(&statement).map_err(|_| fmt::Error)?;
            for line in json.lines() {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}

/// No credentials. `Display` is the whole story on several lines, [`ChainError::short`] its essence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainError {
    /// The links asked, in order.
    pub tried: Vec<Tried>,
    /// The links that the configuration leaves out.
    pub not_asked: Vec<Link>,
    /// True when they are left out because `aws.profile` names a profile and `aws.chain` nothing.
    pub profile_is_meant: bool,
    /// Set when the chain gave credentials and a role of `assume_role` then refused them.
    pub role: Option<RoleRefused>,
}

impl std::error::Error for ChainError {}

impl ChainError {
    /// One line under 255 bytes, cause first: what Falco shows of a failed `open`.
    pub fn short(&self) -> String {
        if let Some(role) = &self.role {
            return crate::text::short(&format!(
                "role {} refused to {}: {}",
                role.role_arn, role.by, role.why
            ));
        }
        // A link that was set up and failed tells more than four that were not.
        let (telling, absent): (Vec<&Tried>, Vec<&Tried>) =
            self.tried.iter().partition(|t| !t.why.is_absence());
        let said: Vec<String> =
            telling.iter().chain(&absent).map(|t| format!("{}: {}", t.link, t.why)).collect();
        crate::text::short(&format!("no AWS credentials: {}", said.join("; ")))
    }

    /// What to do next, for the link that came nearest.
    pub fn next(&self) -> String {
        if let Some(role) = &self.role {
            let caller = role.principal.as_deref().unwrap_or("the caller");
            return format!(
                "both sides must agree: the role's trust policy, and sts:AssumeRole for {caller}"
            );
        }
        // The metadata service is unreachable everywhere but on EC2: it speaks last.
        self.tried
            .iter()
            .filter(|t| !t.why.is_absence() && t.link != Link::Imds)
            .find_map(|t| t.why.remedy())
            .or_else(|| self.tried.iter().filter(|t| t.link == Link::Imds).find_map(|t| t.why.remedy()))
            .unwrap_or_else(|| {
                "give one of the links what it needs (docs/credentials.md), for instance AWS_PROFILE with ~/.aws mounted"
                    .to_owned()
            })
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.role {
            Some(role) => {
                writeln!(f, "role {} could not be assumed", role.role_arn)?;
                writeln!(f, "  {:<13} {}", "asked by", role.by)?;
                if !role.external_id.is_empty() {
                    writeln!(f, "  {:<13} {}", "external id", role.external_id)?;
                }
                writeln!(f, "  {:<13} {}", "answer", role.why)?;
                role.statements(f)?;
            }
            None => {
                writeln!(f, "no AWS credentials: {} asked, none gave any", count(self.tried.len(), "link"))?
            }
        }
        for tried in &self.tried {
            writeln!(f, "  {:<13} {}", tried.link, tried.why)?;
        }
        if !self.not_asked.is_empty() {
            let names: Vec<&str> = self.not_asked.iter().map(|link| link.as_str()).collect();
            let why = match self.profile_is_meant {
                true => "aws.profile is set: it alone is asked, unless aws.chain names more",
                false => "aws.chain leaves them out",
            };
            writeln!(f, "  {:<13} {} ({why})", "not asked", names.join(", "))?;
        }
        write!(f, "  {:<13} {}", "next", self.next())
    }
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

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
        settings.region = region(&settings).await;
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
                            why: refused(&error),
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

fn refused(error: &aws_credential_types::provider::error::CredentialsError) -> Why {
    let failure = Failure::of_error(error);
    let what = "sts:AssumeRole".to_owned();
    match (failure.transport, failure.code, failure.message) {
        (Some(fault), ..) => {
            Why::Unreachable { what: "STS".into(), at: "its endpoint".into(), problem: fault.to_string() }
        }
        (None, Some(code), Some(message)) => Why::Refused { what, problem: format!("{code}: {message}") },
        _ => Why::Refused { what, problem: failure.text },
    }
}

/// `aws.region`, then the variables, then the profile. The instance's own region is asked for only when the
/// instance's role is used.
async fn region(settings: &Settings) -> Option<Region> {
    if !settings.config.region.is_empty() {
        return Some(Region::new(settings.config.region.clone()));
    }
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if let Ok(region) = settings.env.get(name)
            && !region.trim().is_empty()
        {
            return Some(Region::new(region));
        }
    }
    let profiles = Files::find(settings).ok()?.profiles(settings).await.ok()?;
    profiles.get("region").map(|region| Region::new(region.to_owned()))
}

/// The SDK's configuration with our HTTP client, credentials and settings. Its endpoint is `aws.endpoint_url`,
/// but for an S3 endpoint of AWS itself (a VPC endpoint): STS and SQS do not live there.
pub(crate) async fn sdk_config(settings: &Settings, credentials: &SharedCredentialsProvider) -> SdkConfig {
    use aws_config::retry::RetryConfig;
    use aws_config::timeout::TimeoutConfig;
    use std::time::Duration;
    let config = &settings.config;
    let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .http_client(settings.http.outbound.clone())
        .credentials_provider(credentials.clone())
        // Our provider caches: the SDK's cache would hold on to a key that a changed file has replaced.
        .identity_cache(aws_config::identity::IdentityCache::no_cache())
        .region(settings.region.clone().unwrap_or_else(|| Region::from_static(FALLBACK_REGION)))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .read_timeout(Duration::from_secs(30))
                .operation_attempt_timeout(Duration::from_secs(60))
                .build(),
        );
    if let Ok(files) = Files::find(settings) {
        loader = loader.profile_files(files.for_sdk()).profile_name(crate::link::profile_name(settings).0);
    }
    if !config.endpoint_url.is_empty() && !crate::clients::is_s3_of_aws(&config.endpoint_url) {
        loader = loader.endpoint_url(&config.endpoint_url);
    }
    if config.fips {
        loader = loader.use_fips(true);
    }
    if config.dual_stack {
        loader = loader.use_dual_stack(true);
    }
    loader.load().await
}
