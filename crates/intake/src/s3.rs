//! S3, and servers that speak its language, as an [`ObjectStore`].

#[cfg(feature = "aws")]
mod aws;
mod classify;

#[cfg(feature = "aws")]
pub use aws::AwsConnect;

use crate::store::{
    Body, BoxFuture, Connect, ConnectError, GetRequest, ListPage, ListRequest, ObjectMeta, ObjectStore,
    StoreError, StoreErrorKind,
};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use std::error::Error;
use std::sync::Arc;

/// A bucket of S3.
pub struct S3Store {
    client: Client,
    bucket: String,
    name: String,
    /// Explains refusals.
    #[cfg(feature = "aws")]
    aws: Option<tfdrift_aws::Aws>,
}

impl S3Store {
    /// The bucket, seen through a client that has credentials, region and endpoint.
    pub fn new(client: Client, bucket: &str) -> Self {
        Self {
            client,
            bucket: bucket.into(),
            name: format!("s3://{bucket}"),
            #[cfg(feature = "aws")]
            aws: None,
        }
    }

    /// With somebody who explains refusals: who was refused, and what would allow it.
    #[cfg(feature = "aws")]
    pub fn explained_by(self, aws: tfdrift_aws::Aws) -> Self {
        Self { aws: Some(aws), ..self }
    }

    /// What a failed call means.
    fn failed<E>(&self, call: &'static str, key: &str, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let failed = classify::error(call, format!("{}/{key}", self.name), error);
        #[cfg(feature = "aws")]
        if let Some(aws) = &self.aws {
            return aws::explained(aws, failed, &self.bucket, key, error);
        }
        failed
    }

    async fn list_page(&self, request: ListRequest) -> Result<ListPage, StoreError> {
        let call = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(&request.prefix)
            .max_keys(i32::try_from(request.max_keys.clamp(1, 1000)).unwrap_or(1000))
            .set_start_after(request.start_after)
            .set_continuation_token(request.continuation)
            .set_delimiter(request.by_folder.then(|| "/".to_owned()));
        match call.send().await {
            Ok(output) => Ok(page(output)),
            Err(error) => Err(self.failed("ListObjectsV2", &request.prefix, &error)),
        }
    }

    async fn object(&self, request: GetRequest) -> Result<Body, StoreError> {
        let target = format!("{}/{}", self.name, request.key);
        let failed = |kind, message: String| StoreError::new(kind, "GetObject", target.clone(), message);
        let call = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(&request.key)
            .set_range(
                request.range.map(|range| format!("bytes={}-{}", range.start, range.end.saturating_sub(1))),
            )
            .set_if_match((!request.etag.is_empty()).then_some(request.etag));
        let mut output = match call.send().await {
            Ok(output) => output,
            Err(error) => return Err(self.failed("GetObject", &request.key, &error)),
        };
        let announced = output.content_length().and_then(|length| u64::try_from(length).ok());
        if announced.is_some_and(|length| length > request.cap_bytes) {
            return Err(failed(StoreErrorKind::TooLarge, format!("more than {} bytes", request.cap_bytes)));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(announced.unwrap_or(0)).unwrap_or(0));
        loop {
            match output.body.try_next().await {
                Ok(Some(part)) => bytes.extend_from_slice(&part),
                Ok(None) => break,
                Err(error) => {
                    let why = classify::cause_first(&error);
                    let message = format!("the body broke off after {} bytes: {why}", bytes.len());
                    return Err(failed(StoreErrorKind::Transient, message));
                }
            }
            if bytes.len() as u64 > request.cap_bytes {
                return Err(failed(
                    StoreErrorKind::TooLarge,
                    format!("more than {} bytes", request.cap_bytes),
                ));
            }
        }
        match announced {
            Some(announced) if announced != bytes.len() as u64 => {
                let message = format!("the body has {} bytes where {announced} were announced", bytes.len());
                Err(failed(StoreErrorKind::Transient, message))
            }
            _ => Ok(Body { bytes }),
        }
    }
}

impl ObjectStore for S3Store {
    fn list<'a>(&'a self, request: ListRequest) -> BoxFuture<'a, Result<ListPage, StoreError>> {
        Box::pin(self.list_page(request))
    }

    fn get<'a>(&'a self, request: GetRequest) -> BoxFuture<'a, Result<Body, StoreError>> {
        Box::pin(self.object(request))
    }

    fn name(&self) -> &str {
        &self.name
    }
}

fn page(output: ListObjectsV2Output) -> ListPage {
    let more = output.is_truncated().unwrap_or(false);
    let next = output.next_continuation_token().filter(|_| more).map(str::to_owned);
    let objects = output.contents.unwrap_or_default().into_iter().filter_map(|object| {
        let modified = object.last_modified.and_then(|time| u64::try_from(time.as_nanos()).ok());
        Some(ObjectMeta {
            key: object.key?,
            size_bytes: u64::try_from(object.size.unwrap_or(0)).unwrap_or(0),
            etag: object.e_tag.unwrap_or_default(),
            modified_ns: modified.unwrap_or(0),
        })
    });
    let prefixes = output.common_prefixes.unwrap_or_default().into_iter().filter_map(|folder| folder.prefix);
    ListPage { objects: objects.collect(), prefixes: prefixes.collect(), next }
}

/// Makes [`S3Store`]s from whatever makes clients.
pub struct S3Connect<F>(pub F);

impl<F> Connect for S3Connect<F>
where
    F: Fn(String) -> BoxFuture<'static, Result<Client, ConnectError>> + Send + Sync + 'static,
{
    fn connect<'a>(&'a self, bucket: &'a str) -> BoxFuture<'a, Result<Arc<dyn ObjectStore>, ConnectError>> {
        let client = (self.0)(bucket.to_owned());
        Box::pin(async move {
            let store: Arc<dyn ObjectStore> = Arc::new(S3Store::new(client.await?, bucket));
            Ok(store)
        })
    }
}
