//! The clients of one configuration: credentials found, identity known, the region of a bucket from itself.

use crate::chain::{Chain, ChainError, Resolved, sdk_config};
use crate::clock::DateHeader;
use crate::config::{AwsConfig, ConfigError, Link};
use crate::explain::{Asked, Explanation, Kind};
use crate::failure::Failure;
use crate::http::{Http, HttpError};
use crate::identity::Identity;
use crate::link::{FALLBACK_REGION, Settings};
use aws_sdk_s3::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;
use aws_types::region::Region;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why [`Aws::connect`] failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AwsError {
    /// A key of the section can never work: fatal.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The CA bundle or the proxy cannot be used: fatal.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No credentials at present: worth a retry.
    #[error(transparent)]
    Chain(Box<ChainError>),
}

impl From<ChainError> for AwsError {
    fn from(error: ChainError) -> Self {
        AwsError::Chain(Box::new(error))
    }
}

impl AwsError {
    /// One line under 255 bytes, cause first.
    pub fn short(&self) -> String {
        match self {
            AwsError::Chain(error) => error.short(),
            other => crate::text::short(&other.to_string()),
        }
    }

    /// True where only another configuration can help.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, AwsError::Chain(_))
    }
}

/// Where a bucket's region came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionFrom {
    /// The bucket itself said so.
    Bucket,
    /// The bucket did not say: configuration, environment or profile.
    Configuration,
    /// Nobody said: us-east-1.
    Fallback,
}

/// A client for one bucket.
#[derive(Clone)]
pub struct Bucket {
    /// The client, in the bucket's region.
    pub client: Client,
    /// The bucket's region.
    pub region: String,
    /// How it was found.
    pub region_from: RegionFrom,
    /// Seconds by which this machine's clock is ahead of the server's (negative: behind), by the `Date` of the answer
    /// to `HeadBucket`. `None` when there was no answer or no date in it.
    pub clock_ahead_secs: Option<i64>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Bucket");
        shown.field("region", &self.region).field("region_from", &self.region_from).finish_non_exhaustive()
    }
}

/// A configuration with credentials. Cheap to clone.
#[derive(Clone)]
pub struct Aws {
    settings: Arc<Settings>,
    resolved: Arc<Resolved>,
    sdk: SdkConfig,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("config", &self.settings.config)
            .field("link", &self.resolved.link)
            .field("identity", &self.resolved.identity)
            .finish_non_exhaustive()
    }
}

impl Aws {
    /// Asks the chain, takes on the roles, asks STS who that is, and logs both (never a secret).
    ///
    /// # Errors
    /// See [`AwsError`]; only [`AwsError::Chain`] is worth a retry.
    pub async fn connect(config: &AwsConfig) -> Result<Aws, AwsError> {
        let chain = Chain::new(config).await?;
        let mut settings = Settings {
            config: config.clone(),
            env: chain.settings.env.clone(),
            http: chain.settings.http.clone(),
            region: chain.settings.region.clone(),
        };
        let resolved = chain.resolve().await?;
        if settings.region.is_none() && resolved.link == Link::Imds {
            settings.region = instance_region().await;
        }
        match &resolved.identity {
            Some(identity) => tracing::info!(
                link = %resolved.link, account = %identity.account, arn = %identity.arn, "AWS credentials found"
            ),
            None => tracing::info!(link = %resolved.link, "AWS credentials found; STS could not say whose"),
        }
        let sdk = sdk_config(&settings, &resolved.credentials).await;
        Ok(Aws { settings: Arc::new(settings), resolved: Arc::new(resolved), sdk })
    }

    /// Looks at the configuration alone, and at the CA bundle that it (or `AWS_CA_BUNDLE`) names: asks nobody.
    ///
    /// # Errors
    /// What can never work; see [`AwsError::is_fatal`].
    pub fn check(config: &AwsConfig) -> Result<(), AwsError> {
        config.check()?;
        Http::new(config)?;
        Ok(())
    }

    /// The configuration.
    pub fn config(&self) -> &AwsConfig {
        &self.settings.config
    }

    /// The link that answered.
    pub fn link(&self) -> Link {
        self.resolved.link
    }

    /// How the credentials were found.
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Who the credentials belong to; `None` where STS could not be asked.
    pub fn identity(&self) -> Option<&Identity> {
        self.resolved.identity.as_ref()
    }

    /// The region of configuration, environment, profile or instance. `None` where nobody names one.
    pub fn region(&self) -> Option<&str> {
        self.settings.region.as_ref().map(AsRef::as_ref)
    }

    /// For clients of other services (SQS, STS): credentials, proxy, timeouts and endpoint are in it.
    pub fn sdk_config(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The next call loads new credentials: after `ExpiredToken`, `InvalidAccessKeyId` and the like.
    pub fn forget_credentials(&self) {
        self.resolved.refresh.forget();
    }

    /// A client in the given region, without asking the bucket.
    pub fn s3_in(&self, region: &str) -> Client {
        let config = &self.settings.config;
        let mut builder = aws_sdk_s3::config::Builder::from(&self.sdk)
            .region(Region::new(region.to_owned()))
            .force_path_style(config.path_style);
        if !config.endpoint_url.is_empty() {
            builder = builder.endpoint_url(&config.endpoint_url);
        }
        Client::from_conf(builder.build())
    }

    /// A client for `bucket` in the region that the bucket itself names (`HeadBucket`, which answers with the
    /// region even when it refuses; else the body of a refused list).
    ///
    /// # Errors
    /// No such bucket, no credentials, or nobody reached. A refusal is no error here: the call that follows
    /// says better what is missing.
    pub async fn s3(&self, bucket: &str) -> Result<Bucket, Box<Explanation>> {
        let (start, from) = match self.region() {
            Some(region) => (region.to_owned(), RegionFrom::Configuration),
            None => (FALLBACK_REGION.to_owned(), RegionFrom::Fallback),
        };
        let client = self.s3_in(&start);
        // arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME carries its region.
        if let Some(region) = bucket.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)) {
            let region = if region.is_empty() { start } else { region.to_owned() };
            return Ok(Bucket {
                client: self.s3_in(&region),
                region,
                region_from: RegionFrom::Configuration,
                clock_ahead_secs: None,
            });
        }
        let date = DateHeader::default();
        let call = client.head_bucket().bucket(bucket).customize().interceptor(date.clone());
        let answer = call.send().await;
        let clock_ahead_secs = date.clock_ahead_secs();
        let here = |client, start| Bucket { client, region: start, region_from: from, clock_ahead_secs };
        let failure = match answer {
            Ok(answer) => {
                return Ok(match answer.bucket_region() {
                    Some(region) => self.in_region(here(client, start), region.to_owned()),
                    None => here(client, start),
                });
            }
            Err(error) => Failure::of(&error),
        };
        let failure = match (failure.status, &failure.region) {
            (Some(301 | 400), None) => match client.list_objects_v2().bucket(bucket).max_keys(1).send().await
            {
                Ok(_) => return Ok(here(client, start)),
                Err(error) => Failure::of(&error),
            },
            _ => failure,
        };
        if failure.status == Some(404) || failure.status.is_none() {
            let endpoint = self.endpoint(bucket, &start);
            let asked = Asked { proxy: self.proxy(&endpoint), endpoint, ..Asked::head(bucket) };
            return Err(Box::new(Explanation::of(&failure, &asked, self.identity())));
        }
        Ok(match failure.region {
            Some(region) => self.in_region(here(client, start), region),
            None => here(client, start),
        })
    }

    fn in_region(&self, found: Bucket, region: String) -> Bucket {
        let client = if region == found.region { found.client } else { self.s3_in(&region) };
        Bucket { client, region, region_from: RegionFrom::Bucket, ..found }
    }

    /// The host that calls for a bucket go to.
    fn endpoint(&self, bucket: &str, region: &str) -> String {
        match self.settings.config.endpoint_url.as_str() {
            "" => format!("{bucket}.s3.{region}.amazonaws.com"),
            url => crate::text::without_userinfo(url),
        }
    }

    /// The host that STS is asked at.
    pub fn sts_endpoint(&self) -> String {
        let config = &self.settings.config;
        if !config.endpoint_url.is_empty() && !is_s3_of_aws(&config.endpoint_url) {
            return crate::text::without_userinfo(&config.endpoint_url);
        }
        let region = self.region().unwrap_or(FALLBACK_REGION);
        format!("sts.{region}.amazonaws.com{}", if region.starts_with("cn-") { ".cn" } else { "" })
    }

    /// The proxy on the way to an endpoint, without its password; empty for none.
    fn proxy(&self, endpoint: &str) -> String {
        let configured = &self.settings.config.proxy_url;
        if !configured.is_empty() {
            return crate::text::without_userinfo(configured);
        }
        let names = match endpoint.starts_with("http://") {
            true => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
            false => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        };
        let found =
            names.iter().find_map(|name| self.settings.env.get(name).ok().filter(|url| !url.is_empty()));
        crate::text::without_userinfo(&found.unwrap_or_default())
    }

    /// What a failed call means and what to do about it. Forgets the credentials where AWS says that they have
    /// run out, so that the next call tries new ones.
    pub fn explain<E>(&self, error: &SdkError<E, HttpResponse>, asked: &Asked) -> Explanation
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut asked = asked.clone();
        if asked.endpoint.is_empty() {
            asked.endpoint = self.endpoint(&asked.bucket, self.region().unwrap_or(FALLBACK_REGION));
        }
        asked.proxy = self.proxy(&asked.endpoint);
        let explanation = Explanation::of(&Failure::of(error), &asked, self.identity());
        if matches!(explanation.kind, Kind::ExpiredToken | Kind::InvalidAccessKeyId | Kind::InvalidToken) {
            self.forget_credentials();
        }
        explanation
    }
}

/// The region of the instance, from its metadata service.
async fn instance_region() -> Option<Region> {
    let provider = aws_config::imds::region::ImdsRegionProvider::builder().build();
    tokio::time::timeout(Duration::from_secs(2), provider.region()).await.ok()?
}

/// True for an S3 endpoint of AWS itself, where no other service answers.
pub(crate) fn is_s3_of_aws(endpoint_url: &str) -> bool {
    let host = endpoint_url.split("://").nth(1).unwrap_or(endpoint_url).split('/').next().unwrap_or_default();
    host.contains(".amazonaws.com") && (host.starts_with("s3") || host.contains(".s3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_s3_alone() {
        assert!(is_s3_of_aws("https://bucket.vpce-1a-2b.s3.us-east-1.vpce.amazonaws.com"));
        assert!(is_s3_of_aws("https://s3.eu-west-1.amazonaws.com/"));
        assert!(!is_s3_of_aws("http://127.0.0.1:5000"));
        assert!(!is_s3_of_aws("https://sts.eu-west-1.amazonaws.com"));
    }
}
