//! Google Cloud Storage and Azure Blob Storage, as Terraform's `gcs` and `azurerm` backends write them.

use futures_util::TryStreamExt;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::error::{ConfigError, PlaceError};
use crate::fetch::{Fetched, Item};
use crate::place::Place;
use crate::source::backend::Keys;

const GCS_USED: &[&str] = &["bucket", "prefix", "credentials", "storage_custom_endpoint"];
const GCS_ACCEPTED: &[&str] = &["kms_encryption_key"];
const AZURE_USED: &[&str] = &[
    "storage_account_name",
    "container_name",
    "key",
    "access_key",
    "sas_token",
    "tenant_id",
    "client_id",
    "client_secret",
    "endpoint",
    "use_cli",
    "oidc_token_file_path",
];
const AZURE_ACCEPTED: &[&str] = &[
    "resource_group_name",
    "subscription_id",
    "environment",
    "snapshot",
    "use_azuread_auth",
    "use_msi",
    "use_oidc",
    "metadata_host",
    "lookup_blob_endpoint",
];

/// A bucket or container and what of it is read.
pub(crate) struct Objects {
    store: Box<dyn ObjectStore>,
    /// `gs://bucket`, `azurerm://account/container`
    base: String,
    what: What,
    /// What is said to someone whose request is refused.
    remedy: &'static str,
}

enum What {
    /// All states below a prefix; with `direct`, not those in folders below it.
    Below { prefix: String, direct: bool },
    /// One state, and beside it those of other workspaces, whose names are `KEYenv:WORKSPACE`.
    Key(String),
}

impl Objects {
    /// `gs://BUCKET/PREFIX` or the keys of the `gcs` backend: workspaces lie at `PREFIX/WORKSPACE.tfstate`.
    pub(crate) fn gcs(place: &Place) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::new("gcs", problem);
        // GOOGLE_APPLICATION_CREDENTIALS and friends; without any, gcloud's login and the metadata server.
        let mut builder = GoogleCloudStorageBuilder::from_env().with_client_options(options(false));
        let (bucket, prefix, direct) = match Keys::of(place, GCS_USED, GCS_ACCEPTED)? {
            Some(keys) => {
                let mut credentials = keys.text("credentials")?;
                if credentials.is_empty() {
                    credentials = std::env::var("GOOGLE_BACKEND_CREDENTIALS").unwrap_or_default();
                }
                if credentials.trim_start().starts_with('{') {
                    builder = builder.with_service_account_key(credentials);
                } else if !credentials.is_empty() {
                    builder = builder.with_service_account_path(credentials);
                }
                let endpoint = keys.text("storage_custom_endpoint")?;
                if !endpoint.is_empty() {
                    let url = endpoint
                        .trim_end_matches('/')
                        .trim_end_matches("/storage/v1")
                        .trim_end_matches("/storage/v1/b");
                    builder =
                        builder.with_base_url(url).with_client_options(options(url.starts_with("http://")));
                }
                (keys.needed("bucket")?, keys.text("prefix")?, true)
            }
            None => {
                let text = place.target.as_str().unwrap_or_default();
                let rest =
                    text.strip_prefix("gs://").or_else(|| text.strip_prefix("gcs://")).unwrap_or_default();
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(wrong(format!("{text:?} is not gs://BUCKET/PREFIX")));
                }
                (bucket.to_owned(), prefix.to_owned(), false)
            }
        };
        let store = builder.with_bucket_name(&bucket).build().map_err(|e| wrong(e.to_string()))?;
        let what = if is_state(&prefix) { What::Key(prefix) } else { What::Below { prefix, direct } };
        let remedy = "the service account needs storage.objects.get and storage.objects.list on the bucket \
                      (roles/storage.objectViewer)";
        Ok(Self { store: Box::new(store), base: format!("gs://{bucket}"), what, remedy })
    }

    /// `azurerm://ACCOUNT/CONTAINER/KEY` or the keys of the `azurerm` backend.
    pub(crate) fn azurerm(place: &Place) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::new("azurerm", problem);
        let env = |name: &str| std::env::var(name).unwrap_or_default();
        let mut builder = MicrosoftAzureBuilder::from_env().with_client_options(options(false));
        let mut set: Vec<(&str, String)> = vec![
            ("azure_storage_access_key", env("ARM_ACCESS_KEY")),
            ("azure_storage_sas_key", env("ARM_SAS_TOKEN")),
            ("azure_storage_tenant_id", env("ARM_TENANT_ID")),
            ("azure_storage_client_id", env("ARM_CLIENT_ID")),
            ("azure_storage_client_secret", env("ARM_CLIENT_SECRET")),
            ("azure_federated_token_file", env("ARM_OIDC_TOKEN_FILE_PATH")),
        ];
        let (account, container, key) = match Keys::of(place, AZURE_USED, AZURE_ACCEPTED)? {
            Some(keys) => {
                for (option, key) in [
                    ("azure_storage_access_key", "access_key"),
                    ("azure_storage_sas_key", "sas_token"),
                    ("azure_storage_tenant_id", "tenant_id"),
                    ("azure_storage_client_id", "client_id"),
                    ("azure_storage_client_secret", "client_secret"),
                    ("azure_federated_token_file", "oidc_token_file_path"),
                ] {
                    set.push((option, keys.text(key)?));
                }
                let endpoint = keys.text("endpoint")?;
                if !endpoint.is_empty() {
                    let plain = endpoint.starts_with("http://");
                    builder = builder.with_endpoint(endpoint).with_allow_http(plain);
                }
                builder = builder.with_use_azure_cli(keys.flag("use_cli")?);
                (keys.needed("storage_account_name")?, keys.needed("container_name")?, keys.needed("key")?)
            }
            None => {
                let text = place.target.as_str().unwrap_or_default();
                let parts: Vec<&str> =
                    text.strip_prefix("azurerm://").unwrap_or_default().splitn(3, '/').collect();
                let [account, container, key] = *parts.as_slice() else {
                    return Err(wrong(format!(
                        "{text:?} is not azurerm://ACCOUNT/CONTAINER/KEY; a prefix ends with /"
                    )));
                };
                (account.to_owned(), container.to_owned(), key.to_owned())
            }
        };
        for (option, value) in set.into_iter().filter(|(_, value)| !value.is_empty()) {
            let option = option.parse().map_err(|_| wrong(format!("unknown option {option}")))?;
            builder = builder.with_config(option, value);
        }
        let store = builder.with_account(&account).with_container_name(&container).build();
        let store = store.map_err(|e| wrong(e.to_string()))?;
        let what = if key.is_empty() || key.ends_with('/') {
            What::Below { prefix: key, direct: false }
        } else {
            What::Key(key)
        };
        let base = format!("azurerm://{account}/{container}");
        let remedy = "the identity needs the role Storage Blob Data Reader on the container, or an access key or SAS token";
        Ok(Self { store: Box::new(store), base, what, remedy })
    }

    pub(crate) fn is_single(&self) -> bool {
        false
    }

    pub(crate) async fn list(&self) -> Result<Vec<Item>, PlaceError> {
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
        let listed = self.store.list(Some(folder)).try_collect().await;
        listed.map_err(|e| self.refused(folder.as_ref(), &e))
    }

    pub(crate) async fn fetch(&self, item: &Item) -> Result<Option<Fetched>, PlaceError> {
        let key = item.key.strip_prefix(&format!("{}/", self.base)).unwrap_or(&item.key);
        let answer = self.store.get(&Path::from(key)).await.map_err(|e| self.refused(key, &e))?;
        let version = version(&answer.meta);
        let written_at_ns = modified_ns(&answer.meta);
        let bytes = answer.bytes().await.map_err(|e| self.refused(key, &e))?.to_vec();
        Ok(Some(Fetched { bytes, version, written_at_ns }))
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
        let problem = match error {
            Error::NotFound { .. } => "no such bucket or object; check the names".to_owned(),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                format!("refused; {}", self.remedy)
            }
            // The innermost cause; what is around it holds URLs, and they may hold tokens.
            other => {
                let mut cause: &dyn std::error::Error = other;
                while let Some(inner) = cause.source() {
                    cause = inner;
                }
                let cause = cause.to_string();
                let cause = cause.split(['?', '\n']).next().unwrap_or_default();
                format!("cannot be read: {cause}; {}", self.remedy)
            }
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

fn is_state(key: &str) -> bool {
    let name = key.strip_suffix(".gz").unwrap_or(key);
    name.ends_with(".tfstate") || name.ends_with(".tfstate.json")
}

/// The `gcs` backend names each object after its workspace.
fn workspace_of_name(meta: &ObjectMeta) -> Option<String> {
    meta.location.filename()?.strip_suffix(".tfstate").map(str::to_owned)
}
