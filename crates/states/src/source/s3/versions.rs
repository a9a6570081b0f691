//! The versions of objects in a versioned bucket.

use tfdrift_aws::aws_sdk_s3::Client;
use tfdrift_aws::aws_sdk_s3::primitives::DateTime;
use tfdrift_aws::{Asked, Aws, Explanation, Kind};

use super::nanoseconds;
use crate::error::PlaceError;

/// Reads versions of the objects of one place. It has its own copy of the client, so that it does not wait for the
/// place's rounds.
pub(crate) struct Versions {
    aws: Aws,
    client: Client,
    bucket: String,
    /// What the place reads of the bucket: what a policy has to allow.
    prefix: String,
}

/// One version of an object, or the mark that it was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    /// `null` for what was written while the bucket kept no versions.
    pub(crate) id: String,
    pub(crate) written_at_ns: u64,
    /// Absent for a delete marker.
    pub(crate) etag: Option<String>,
    pub(crate) deleted: bool,
}

/// Some versions of one object, newest first.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) versions: Vec<Version>,
    /// Where the next page starts; none if there is none.
    pub(crate) next: Option<String>,
}

/// Why versions could not be listed or fetched.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) error: PlaceError,
    /// Whether all states of the place would meet the same: then the others need not be tried.
    pub(crate) of_place: bool,
    /// Whether it may well work soon, without anybody's doing.
    pub(crate) transient: bool,
    /// Whether the version is gone, so that the list of versions is out of date.
    pub(crate) gone: bool,
}

impl Versions {
    pub(super) fn new(aws: Aws, client: Client, bucket: &str, prefix: &str) -> Self {
        Self { aws, client, bucket: bucket.to_owned(), prefix: prefix.to_owned() }
    }

    /// The place, for messages.
    pub(crate) fn name(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }

    /// A page of the versions of the object that an item's key names, newest first. One call.
    pub(crate) async fn page(&self, item: &str, after: Option<&str>) -> Result<Page, Refusal> {
        let key = self.object(item);
        let mut call = self.client.list_object_versions().bucket(&self.bucket).prefix(key);
        if let Some(after) = after {
            call = call.key_marker(key).version_id_marker(after);
        }
        let asked = Asked::versions(&self.bucket, &self.prefix);
        let answer = call.send().await.map_err(|e| self.refusal(&self.aws.explain(&e, &asked)))?;
        let version = |id: Option<&str>, time: Option<&DateTime>, etag: Option<&str>, deleted| {
            Some(Version {
                id: id?.to_owned(),
                written_at_ns: time.and_then(nanoseconds)?,
                etag: etag.map(str::to_owned),
                deleted,
            })
        };
        let written = answer.versions().iter().filter(|v| v.key() == Some(key)).filter_map(|v| {
            let version = version(v.version_id(), v.last_modified(), v.e_tag(), false)?;
            Some((version, v.is_latest() == Some(true)))
        });
        let deleted = answer.delete_markers().iter().filter(|d| d.key() == Some(key)).filter_map(|d| {
            Some((version(d.version_id(), d.last_modified(), None, true)?, d.is_latest() == Some(true)))
        });
        let mut all: Vec<(Version, bool)> = written.chain(deleted).collect();
        // S3 tells times in whole seconds, and the two kinds apart. Of two in one second the newest is marked;
        // else the state counts, not its deletion.
        all.sort_by_key(|(v, newest)| (std::cmp::Reverse(v.written_at_ns), !newest, v.deleted));
        // Names that go on after the key (`.tflock`) follow all of the key's own versions.
        let next = answer.next_version_id_marker().filter(|_| answer.next_key_marker() == Some(key));
        let next = next.filter(|_| answer.is_truncated() == Some(true)).map(str::to_owned);
        Ok(Page { versions: all.into_iter().map(|(version, _)| version).collect(), next })
    }

    /// The bytes of one version. One call.
    pub(crate) async fn fetch(&self, item: &str, version: &str) -> Result<Vec<u8>, Refusal> {
        let key = self.object(item);
        let call = self.client.get_object().bucket(&self.bucket).key(key).version_id(version);
        let asked = Asked::get_version(&self.bucket, key, &self.prefix);
        let answer = call.send().await.map_err(|e| self.refusal(&self.aws.explain(&e, &asked)))?;
        let bytes = answer.body.collect().await.map_err(|e| {
            let problem = format!("the download of version {version} broke off: {e}; it is tried again");
            Refusal {
                error: PlaceError::remote(item, problem),
                of_place: false,
                transient: true,
                gone: false,
            }
        })?;
        Ok(bytes.to_vec())
    }

    fn object<'i>(&self, item: &'i str) -> &'i str {
        super::object(&self.bucket, item)
    }

    fn refusal(&self, explanation: &Explanation) -> Refusal {
        // A key is named only where another one may fare better.
        let of_place = !matches!(
            explanation.kind,
            Kind::NoSuchKey | Kind::AccessDeniedDecrypt | Kind::KmsKeyUnusable | Kind::Archived
        );
        let name = if of_place { self.name() } else { explanation.resource.clone() };
        let error = PlaceError::Remote {
            name,
            problem: format!("older versions: {}", explanation.short()),
            detail: Some(explanation.to_string()),
        };
        let transient = explanation.kind.is_transient() || explanation.kind == Kind::ExpiredToken;
        Refusal { error, of_place, transient, gone: explanation.kind == Kind::NoSuchKey }
    }
}
