//! The `gcs` backend.

use object_store::gcp::GoogleCloudStorageBuilder;

use super::{Objects, Store, What, options};
use crate::error::ConfigError;
use crate::fetch::is_state;
use crate::place::Place;
use crate::source::backend::{Keys, env};

const USED: &[&str] = &["bucket", "prefix", "credentials", "access_token", "storage_custom_endpoint"];
const ACCEPTED: &[&str] = &["kms_encryption_key"];

impl Objects {
    /// `gs://BUCKET/PREFIX` or the keys of the `gcs` backend: workspaces lie at `PREFIX/WORKSPACE.tfstate`.
    ///
    /// As for Terraform, what the map lacks comes from `GOOGLE_OAUTH_ACCESS_TOKEN`, `GOOGLE_BACKEND_CREDENTIALS`,
    /// `GOOGLE_CREDENTIALS` and `GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT`; without any credentials, gcloud's login and the
    /// metadata server.
    pub(crate) fn gcs(place: &Place) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::new("gcs", problem);
        let mut builder = GoogleCloudStorageBuilder::from_env().with_client_options(options(false));
        let keys = Keys::of(place, USED, ACCEPTED)?;
        let given = |key: &str| keys.as_ref().map_or(Ok(String::new()), |keys| keys.text(key));
        let or_env = |key: &str, names: &[&str]| -> Result<String, ConfigError> {
            Ok(Some(given(key)?).filter(|text| !text.is_empty()).unwrap_or_else(|| env(names)))
        };
        let (bucket, prefix, direct) = match &keys {
            Some(keys) => (keys.needed("bucket")?, keys.text("prefix")?, true),
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
        let token = or_env("access_token", &["GOOGLE_OAUTH_ACCESS_TOKEN"])?;
        let credentials = or_env("credentials", &["GOOGLE_BACKEND_CREDENTIALS", "GOOGLE_CREDENTIALS"])?;
        if !token.is_empty() {
            builder = builder.with_bearer_token(token);
        } else if credentials.trim_start().starts_with('{') {
            builder = builder.with_service_account_key(credentials);
        } else if !credentials.is_empty() {
            builder = builder.with_service_account_path(credentials);
        }
        let endpoint = or_env(
            "storage_custom_endpoint",
            &["GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT", "GOOGLE_STORAGE_CUSTOM_ENDPOINT"],
        )?;
        if !endpoint.is_empty() {
            let url = host_of_api(&endpoint);
            builder = builder.with_base_url(url).with_client_options(options(url.starts_with("http://")));
        }
        let store = builder.with_bucket_name(&bucket).build().map_err(|e| wrong(e.to_string()))?;
        let prefix = prefix.trim_start_matches('/').to_owned();
        let what = if is_state(&prefix) { What::Key(prefix) } else { What::Below { prefix, direct } };
        let remedy = "the service account needs storage.objects.get and storage.objects.list on the bucket \
                      (roles/storage.objectViewer)";
        Ok(Self { store: Store::Ready(Box::new(store)), base: format!("gs://{bucket}"), what, remedy })
    }
}

/// Terraform's endpoint is that of the JSON API; ours is that of the XML API, the same without its path.
fn host_of_api(endpoint: &str) -> &str {
    let url = endpoint.trim_end_matches('/');
    let url = url.strip_suffix("/b").unwrap_or(url);
    url.strip_suffix("/storage/v1").unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_terraform() {
        for endpoint in ["https://h:1", "https://h:1/", "https://h:1/storage/v1/", "https://h:1/storage/v1/b"]
        {
            assert_eq!(host_of_api(endpoint), "https://h:1", "{endpoint}");
        }
    }
}
