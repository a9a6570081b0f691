//! What is asked of a place that holds objects.

pub mod memory;

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A future that may be held behind a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A bucket, or what stands for one: S3 in [`crate::s3`], its twin in memory in [`memory`].
pub trait ObjectStore: Send + Sync + 'static {
    /// One page of keys, in ascending order of their bytes.
    fn list<'a>(&'a self, request: ListRequest) -> BoxFuture<'a, Result<ListPage, StoreError>>;

    /// An object, or `range` of it. At most `cap_bytes` are read; more is [`StoreErrorKind::TooLarge`].
    /// What is returned is whole: as long as the server said it would be.
    fn get<'a>(&'a self, request: GetRequest) -> BoxFuture<'a, Result<Body, StoreError>>;

    /// Name for messages: `s3://BUCKET`.
    fn name(&self) -> &str;
}

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRequest {
    /// What all keys begin with.
    pub prefix: String,
    /// Only keys after this one.
    pub start_after: Option<String>,
    /// Fold keys with a further `/` into [`ListPage::prefixes`].
    pub by_folder: bool,
    /// `ListPage::next` of the page before.
    pub continuation: Option<String>,
    /// Keys a page; 1 to 1000.
    pub max_keys: usize,
}

/// One page of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// Objects.
    pub objects: Vec<ObjectMeta>,
    /// Folders, each with its closing `/`; only when listed by folder.
    pub prefixes: Vec<String>,
    /// Token for the next page; `None` after the last.
    pub next: Option<String>,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its key.
    pub key: String,
    /// Bytes as stored.
    pub size_bytes: u64,
    /// Changes when the content does.
    pub etag: String,
    /// When it was written, nanoseconds since 1970-01-01T00:00:00Z.
    pub modified_ns: u64,
}

/// What to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetRequest {
    /// The object's key.
    pub key: String,
    /// Only these bytes.
    pub range: Option<Range<u64>>,
    /// Fails when the object has another etag by now. Empty: any.
    pub etag: String,
    /// The most bytes to take.
    pub cap_bytes: u64,
}

/// Bytes of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call} {target}: {message}")]
pub struct StoreError {
    /// What to do about it.
    pub kind: StoreErrorKind,
    /// `ListObjectsV2`, `GetObject`.
    pub call: &'static str,
    /// `s3://BUCKET/KEY`.
    pub target: String,
    /// Cause first, one line.
    pub message: String,
    /// The whole story, for the log: who asked, what would allow it. May be empty.
    pub story: String,
}

impl StoreError {
    /// A failed call, told in one line.
    pub fn new(
        kind: StoreErrorKind,
        call: &'static str,
        target: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, call, target: target.into(), message: message.into(), story: String::new() }
    }
}

/// What to do about a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Slow down: 503 SlowDown, 429. Try again for ever.
    Throttled,
    /// Network, name service, time-out, 5xx, a body cut off. Try again for ever.
    Transient,
    /// Credentials missing, expired or unknown. Try again for ever, with fresh ones.
    Credentials,
    /// 403 for this call: somebody must allow it. Try again slowly, for ever.
    Denied,
    /// The key may not be decrypted (KMS). As `Denied`.
    Decrypt,
    /// No such object.
    NotFound,
    /// No such bucket, or a bucket in another region. Try again slowly.
    NoBucket,
    /// Over the cap.
    TooLarge,
    /// The object has changed since it was listed.
    Changed,
    /// Anything else: again within the object's budget.
    Other,
}

impl StoreErrorKind {
    /// True for what passes by itself: tried again for ever, for an object too.
    pub fn passes(self) -> bool {
        matches!(self, Self::Throttled | Self::Transient | Self::Credentials)
    }

    /// True for refusals that a permission, a key's policy or another setting outside can mend: an object waits for
    /// that, for ever, and lets the others go first.
    pub fn waits(self) -> bool {
        matches!(self, Self::Denied | Self::Decrypt | Self::NoBucket)
    }

    /// One word, for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::Credentials => "credentials",
            Self::Denied => "denied",
            Self::Decrypt => "decrypt",
            Self::NotFound => "not_found",
            Self::NoBucket => "no_bucket",
            Self::TooLarge => "too_large",
            Self::Changed => "changed",
            Self::Other => "other",
        }
    }
}

/// Makes the client of a bucket. Called inside the intake's runtime, again and again until it succeeds.
pub trait Connect: Send + Sync + 'static {
    /// A client for `bucket`.
    fn connect<'a>(&'a self, bucket: &'a str) -> BoxFuture<'a, Result<Arc<dyn ObjectStore>, ConnectError>>;

    /// Looks at the configuration alone, without asking anybody. Called at open.
    ///
    /// # Errors
    /// When it can never work.
    fn check(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

/// Why there is no client.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ConnectError {
    /// Cause first, one line.
    pub message: String,
    /// The whole story, for the log. May be empty.
    pub story: String,
    /// What to do about it; [`StoreErrorKind::Credentials`] where there are none.
    pub kind: StoreErrorKind,
    /// True when waiting cannot help: the configuration is wrong.
    pub fatal: bool,
    /// How long to wait at least before the next attempt.
    pub retry_after: Option<Duration>,
}

/// A client that is there already.
pub struct Connected(pub Arc<dyn ObjectStore>);

impl Connect for Connected {
    fn connect<'a>(&'a self, _bucket: &'a str) -> BoxFuture<'a, Result<Arc<dyn ObjectStore>, ConnectError>> {
        let store = Arc::clone(&self.0);
        Box::pin(async move { Ok(store) })
    }
}
