//! What the SDK's clients are made from: region, endpoint, time-outs, and our credentials.

use crate::link::{FALLBACK_REGION, Files, Settings};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// `aws.region`, then the variables, then the profile. The instance's own region is asked for only when the
/// instance's role is used.
pub(super) async fn region(settings: &Settings) -> Option<Region> {
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
