//! Buckets through the credential chain of `tfdrift-aws`.

use super::S3Store;
use crate::store::{BoxFuture, Connect, ConnectError, ObjectStore, StoreError, StoreErrorKind};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::sync::Arc;
use tfdrift_aws::{Asked, Aws, AwsConfig, AwsError, Kind};

/// Makes the clients of one `aws:` section: credentials by its chain, the region from the bucket itself.
pub struct AwsConnect {
    config: AwsConfig,
}

impl AwsConnect {
    /// Of an `aws:` section.
    pub fn new(config: AwsConfig) -> Arc<Self> {
        Arc::new(Self { config })
    }
}

impl Connect for AwsConnect {
    fn connect<'a>(&'a self, bucket: &'a str) -> BoxFuture<'a, Result<Arc<dyn ObjectStore>, ConnectError>> {
        Box::pin(async move {
            let aws = Aws::connect(&self.config).await.map_err(|error| refused(&error))?;
            let found = aws.s3(bucket).await.map_err(|explanation| ConnectError {
                message: explanation.short(),
                story: explanation.to_string(),
                kind: match explanation.kind {
                    Kind::NoSuchBucket => StoreErrorKind::NoBucket,
                    Kind::Throttled => StoreErrorKind::Throttled,
                    kind if kind.is_transient() => StoreErrorKind::Transient,
                    _ => StoreErrorKind::Credentials,
                },
                fatal: false,
                retry_after: None,
            })?;
            tracing::info!(bucket, region = %found.region, "bucket found");
            if let Some(off) = found.clock_is_off() {
                tracing::warn!(
                    "{off}: requests are signed by the server's time, but `since` and lag go by this machine's; start \
                     time synchronisation (chrony, systemd-timesyncd)"
                );
            }
            let store: Arc<dyn ObjectStore> =
                Arc::new(S3Store { aws: Some(aws), ..S3Store::new(found.client, bucket) });
            Ok(store)
        })
    }

    fn check(&self) -> Result<(), ConnectError> {
        Aws::check(&self.config).map_err(|error| refused(&error))
    }
}

fn refused(error: &AwsError) -> ConnectError {
    ConnectError {
        message: error.short(),
        story: error.to_string(),
        kind: StoreErrorKind::Credentials,
        fatal: error.is_fatal(),
        retry_after: None,
    }
}

/// A failure with who was refused, and what would allow it; forgets credentials that have run out.
pub(super) fn explained<E>(
    aws: &Aws,
    failed: StoreError,
    bucket: &str,
    key: &str,
    error: &SdkError<E, HttpResponse>,
) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    use StoreErrorKind::{Credentials, Decrypt, Denied, NoBucket};
    if !matches!(failed.kind, Credentials | Decrypt | Denied | NoBucket) {
        return failed;
    }
    let asked =
        if failed.call == "GetObject" { Asked::get(bucket, key, "") } else { Asked::list(bucket, key) };
    let explanation = aws.explain(error, &asked);
    StoreError { message: explanation.short(), story: explanation.to_string(), ..failed }
}
