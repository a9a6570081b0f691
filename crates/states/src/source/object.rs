//! Google Cloud Storage and Azure Blob Storage, as Terraform's `gcs` and `azurerm` backends write them.

mod azurerm;
mod gcs;

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::error::PlaceError;
use crate::fetch::{Fetched, Item, is_state};

const NOT_FOUND: &str = "no such bucket, container or object; check the names";

/// A bucket or container and what of it is read.
pub(crate) struct Objects {
    store: Store,
    /// `gs://bucket`, `azurerm://account/container`
    base: String,
    what: What,
    /// What is said to someone whose request is refused.
    remedy: &'static str,
}

/// The client, or what makes it.
enum Store {
    Ready(Box<dyn ObjectStore>),
    /// The client of a cloud that has to be asked for its endpoints first: Azure's metadata service.
    Unknown(Box<azurerm::Unknown>),
}

enum What {
    /// All states below a prefix; with `direct`, not those in folders below it.
    Below { prefix: String, direct: bool },
    /// One state, and beside it those of other workspaces, whose names are `KEYenv:WORKSPACE`.
    Key(String),
}

impl Objects {
    pub(crate) fn is_single(&self) -> bool {
        false
    }

    pub(crate) async fn list(&mut self) -> Result<Vec<Item>, PlaceError> {
        if let Store::Unknown(unknown) = &self.store {
            self.store = Store::Ready(unknown.resolve().await?);
        }
        match &self.what {
            What::Below { prefix, direct } => {
                let folder = Path::from(prefix.as_str());
                let objects = self.objects(&folder).await?;
                let below =
                    |meta: &ObjectMeta| meta.location.prefix_match(&folder).map_or(0, Iterator::count);
                let wanted =
                    objects.iter().filter(|o| is_state(o.location.as_ref()) && (!direct || below(o) == 1));
                let items = wanted.map(|meta| self.item(meta, workspace_of_name(meta)));
                Ok(items.map(|item| if *direct { named_by_workspace(item) } else { item }).collect())
            }
            What::Key(key) => {
                let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
                let objects = self.objects(&Path::from(folder)).await?;
                let items: Vec<Item> = objects
                    .iter()
                    .filter_map(|meta| {
                        let rest = meta.location.as_ref().strip_prefix(key.as_str())?;
                        let workspace = if rest.is_empty() { "default" } else { rest.strip_prefix("env:")? };
                        Some(named_by_workspace(self.item(meta, Some(workspace.to_owned()))))
                    })
                    .collect();
                if items.is_empty() {
                    return Err(PlaceError::remote(
                        format!("{}/{key}", self.base),
                        "no such object; check the key",
                    ));
                }
                Ok(items)
            }
        }
    }

    async fn objects(&self, folder: &Path) -> Result<Vec<ObjectMeta>, PlaceError> {
        let listed = self.store()?.list(Some(folder)).try_collect().await;
        listed.map_err(|e| self.refused(folder.as_ref(), &e))
    }

    pub(crate) async fn fetch(&self, item: &Item) -> Result<Option<Fetched>, PlaceError> {
        let key = item.key.strip_prefix(&format!("{}/", self.base)).unwrap_or(&item.key);
        let answer = self.store()?.get(&Path::from(key)).await.map_err(|e| self.refused(key, &e))?;
        let version = version(&answer.meta);
        let written_at_ns = modified_ns(&answer.meta);
        let bytes = answer.bytes().await.map_err(|e| self.refused(key, &e))?.to_vec();
        Ok(Some(Fetched { bytes, version, written_at_ns }))
    }

    fn store(&self) -> Result<&dyn ObjectStore, PlaceError> {
        match &self.store {
            Store::Ready(store) => Ok(&**store),
            Store::Unknown(_) => Err(PlaceError::remote(&*self.base, "not looked at yet")),
        }
    }

    fn item(&self, meta: &ObjectMeta, workspace: Option<String>) -> Item {
        let url = format!("{}/{}", self.base, meta.location);
        Item {
            key: url.clone(),
            name: url,
            part: meta.location.to_string(),
            version: version(meta),
            workspace,
            written_at_ns: modified_ns(meta),
        }
    }

    fn refused(&self, key: &str, error: &object_store::Error) -> PlaceError {
        use object_store::Error;
        // The innermost cause; what is around it holds URLs, and they may hold tokens.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let cause = cause.to_string();
        let cause = cause.split(['?', '\n']).next().unwrap_or_default();
        // The client names only some answers to a list by their kind, the others by their text.
        let answered = |status: &str| cause.contains(&format!("status code: {status}"));
        let problem = match error {
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                format!("refused; {}", self.remedy)
            }
            _ if answered("401") || answered("403") => format!("refused; {}", self.remedy),
            Error::NotFound { .. } => NOT_FOUND.to_owned(),
            _ if answered("404") => NOT_FOUND.to_owned(),
            _ => format!("cannot be read: {cause}; {}", self.remedy),
        };
        PlaceError::remote(format!("{}/{key}", self.base), problem)
    }
}

/// The states of one configuration go by their workspaces.
fn named_by_workspace(mut item: Item) -> Item {
    item.part = item.workspace.clone().filter(|workspace| workspace != "default").unwrap_or_default();
    item
}

fn options(plain_http: bool) -> ClientOptions {
    ClientOptions::new().with_allow_http(plain_http)
}

fn version(meta: &ObjectMeta) -> Option<String> {
    // GCS's generation comes as version; Azure's ETag changes with every write.
    meta.e_tag.clone().or_else(|| meta.version.clone())
}

fn modified_ns(meta: &ObjectMeta) -> Option<u64> {
    u64::try_from(meta.last_modified.timestamp_nanos_opt()?).ok()
}

/// The `gcs` backend names each object after its workspace.
fn workspace_of_name(meta: &ObjectMeta) -> Option<String> {
    meta.location.filename()?.strip_suffix(".tfstate").map(str::to_owned)
}
