//! The `azurerm` backend.

use object_store::ObjectStore;
use object_store::azure::MicrosoftAzureBuilder;
use serde::Deserialize;

use super::{Objects, Store, What, options};
use crate::error::{ConfigError, PlaceError};
use crate::place::Place;
use crate::source::backend::{Keys, env};
use crate::source::web;

const USED: &[&str] = &[
    "storage_account_name",
    "container_name",
    "key",
    "access_key",
    "sas_token",
    "tenant_id",
    "client_id",
    "client_secret",
    "oidc_token_file_path",
    "use_cli",
    "msi_endpoint",
    "endpoint",
    "environment",
    "metadata_host",
    "blob_endpoint",
];
/// Of writing, or ways to get a token that only work where Terraform runs.
const ACCEPTED: &[&str] = &[
    "resource_group_name",
    "subscription_id",
    "snapshot",
    "use_azuread_auth",
    "use_msi",
    "use_oidc",
    "use_aks_workload_identity",
    "lookup_blob_endpoint",
    "client_id_file_path",
    "client_secret_file_path",
    "client_certificate",
    "client_certificate_path",
    "client_certificate_password",
    "oidc_token",
    "oidc_request_token",
    "oidc_request_url",
    "ado_pipeline_service_connection_id",
];
/// Keys, the variables that stand in for them, and what the client calls them.
const CREDENTIALS: &[(&str, &str, &str)] = &[
    ("access_key", "ARM_ACCESS_KEY", "azure_storage_access_key"),
    ("sas_token", "ARM_SAS_TOKEN", "azure_storage_sas_key"),
    ("tenant_id", "ARM_TENANT_ID", "azure_storage_tenant_id"),
    ("client_id", "ARM_CLIENT_ID", "azure_storage_client_id"),
    ("client_secret", "ARM_CLIENT_SECRET", "azure_storage_client_secret"),
    ("oidc_token_file_path", "ARM_OIDC_TOKEN_FILE_PATH", "azure_federated_token_file"),
    // Terraform's older name of the next one: never the endpoint of the blobs.
    ("endpoint", "", "azure_msi_endpoint"),
    ("msi_endpoint", "ARM_MSI_ENDPOINT", "azure_msi_endpoint"),
];

/// A cloud, as far as blobs and logins go.
struct Cloud {
    /// What follows `ACCOUNT.blob.`
    storage_suffix: String,
    login_url: String,
}

/// A client that lacks its cloud.
pub(super) struct Unknown {
    builder: MicrosoftAzureBuilder,
    account: String,
    /// Of the metadata service.
    host: String,
}

impl Objects {
    /// `azurerm://ACCOUNT/CONTAINER/KEY` or the keys of the `azurerm` backend.
    ///
    /// The blobs' endpoint is that of the cloud that `environment` or `metadata_host` names, as for Terraform, or
    /// `blob_endpoint`, which Terraform does not know: for private endpoints and emulators.
    pub(crate) fn azurerm(place: &Place) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::new("azurerm", problem);
        let keys = Keys::of(place, USED, ACCEPTED)?;
        let given = |key: &str| keys.as_ref().map_or(Ok(String::new()), |keys| keys.text(key));
        let or_env = |key: &str, names: &[&str]| -> Result<String, ConfigError> {
            Ok(Some(given(key)?).filter(|text| !text.is_empty()).unwrap_or_else(|| env(names)))
        };
        let mut builder = MicrosoftAzureBuilder::from_env().with_client_options(options(false));
        for (key, variable, option) in CREDENTIALS {
            let value = or_env(key, &[variable])?;
            if !value.is_empty() {
                let option = option.parse().map_err(|_| wrong(format!("unknown option {option}")))?;
                builder = builder.with_config(option, value);
            }
        }
        let (account, container, key) = match &keys {
            Some(keys) => {
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
        builder = builder.with_account(&account).with_container_name(&container);

        let endpoint = given("blob_endpoint")?;
        let host = or_env("metadata_host", &["ARM_METADATA_HOSTNAME", "ARM_METADATA_HOST"])?;
        let environment = or_env("environment", &["ARM_ENVIRONMENT"])?;
        let store = if !endpoint.is_empty() {
            let plain = endpoint.starts_with("http://");
            let builder = builder.with_endpoint(endpoint).with_allow_http(plain);
            Store::Ready(Box::new(builder.build().map_err(|e| wrong(e.to_string()))?))
        } else if !host.is_empty() {
            Store::Unknown(Box::new(Unknown { builder, account: account.clone(), host }))
        } else {
            let builder = match Cloud::named(&environment)? {
                Some(cloud) => cloud.apply(builder, &account),
                None => builder,
            };
            Store::Ready(Box::new(builder.build().map_err(|e| wrong(e.to_string()))?))
        };
        let what = if key.is_empty() || key.ends_with('/') {
            What::Below { prefix: key, direct: false }
        } else {
            What::Key(key)
        };
        let base = format!("azurerm://{account}/{container}");
        let remedy = "the identity needs the role Storage Blob Data Reader on the container, or an access key or SAS token \
                      that may read and list";
        Ok(Self { store, base, what, remedy })
    }
}

impl Cloud {
    /// By the names that Terraform knows. `None` for the public cloud, which is the client's default, with which
    /// `AZURE_STORAGE_ENDPOINT` keeps its meaning.
    fn named(environment: &str) -> Result<Option<Self>, ConfigError> {
        let (storage_suffix, login_url) = match environment {
            "" | "public" => return Ok(None),
            "usgovernment" | "usgovernmentl4" | "usgovernmentl5" => {
                ("core.usgovcloudapi.net", "https://login.microsoftonline.us")
            }
            "china" => ("core.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
            other => {
                let problem = format!("{other:?} is not one of public, usgovernment, china");
                return Err(ConfigError::new("azurerm.environment", problem));
            }
        };
        Ok(Some(Self { storage_suffix: storage_suffix.to_owned(), login_url: login_url.to_owned() }))
    }

    fn apply(&self, builder: MicrosoftAzureBuilder, account: &str) -> MicrosoftAzureBuilder {
        let builder = builder.with_endpoint(format!("https://{account}.blob.{}", self.storage_suffix));
        let login = self.login_url.trim_end_matches('/');
        if login.is_empty() { builder } else { builder.with_authority_host(login) }
    }
}

/// What the metadata service answers, as far as it matters.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    suffixes: Suffixes,
    #[serde(default)]
    authentication: Authentication,
}

#[derive(Deserialize, Default)]
struct Suffixes {
    #[serde(default)]
    storage: String,
}

#[derive(Deserialize, Default)]
struct Authentication {
    #[serde(default, rename = "loginEndpoint")]
    login: String,
}

impl Unknown {
    /// Asks the metadata service which cloud it is.
    pub(super) async fn resolve(&self) -> Result<Box<dyn ObjectStore>, PlaceError> {
        let problem = |problem: &str| {
            PlaceError::remote(format!("azurerm.metadata_host {}", self.host), problem.to_owned())
        };
        let name = format!("azurerm.metadata_host {}", self.host);
        let client = web::builder().build().map_err(|_| problem("no HTTP client can be made"))?;
        let url = format!("https://{}/metadata/endpoints?api-version=2022-09-01", self.host);
        let request = client.get(url).build().map_err(|_| problem("is not the name of a host"))?;
        let response = web::send(&client, request, &name).await?;
        if !response.status().is_success() {
            return Err(problem(&format!("answered {}; check its name", response.status().as_u16())));
        }
        let body = web::body(response, &name).await?;
        let cloud = cloud_of(&body).ok_or_else(|| {
            problem("does not say where its blobs are (suffixes.storage); give blob_endpoint instead")
        })?;
        let store = cloud.apply(self.builder.clone(), &self.account).build();
        Ok(Box::new(store.map_err(|e| problem(&e.to_string()))?))
    }
}

fn cloud_of(body: &[u8]) -> Option<Cloud> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let storage_suffix = answer.suffixes.storage;
    (!storage_suffix.is_empty()).then_some(Cloud { storage_suffix, login_url: answer.authentication.login })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::PlaceKind;
    use object_store::azure::AzureConfigKey;
    use serde_json::json;

    #[test]
    fn clouds_and_their_endpoints() {
        let endpoint = |cloud: Cloud| {
            let builder = cloud.apply(MicrosoftAzureBuilder::new(), "acct");
            let get = |key: AzureConfigKey| builder.get_config_value(&key).unwrap_or_default();
            (get(AzureConfigKey::Endpoint), get(AzureConfigKey::AuthorityHost))
        };
        assert!(Cloud::named("public").unwrap().is_none());
        assert_eq!(
            endpoint(Cloud::named("usgovernment").unwrap().unwrap()),
            ("https://acct.blob.core.usgovcloudapi.net".into(), "https://login.microsoftonline.us".into())
        );
        assert!(Cloud::named("germany").is_err_and(|e| e.to_string().contains("azurerm.environment")));
        // As a metadata service answers; byte order mark included.
        let body = "\u{feff}{\"name\":\"AzureChinaCloud\",\"suffixes\":{\"storage\":\"core.chinacloudapi.cn\"},\
                    \"authentication\":{\"loginEndpoint\":\"https://login.chinacloudapi.cn/\"}}";
        assert_eq!(
            endpoint(cloud_of(body.as_bytes()).unwrap()),
            ("https://acct.blob.core.chinacloudapi.cn".into(), "https://login.chinacloudapi.cn".into())
        );
        assert!(cloud_of(b"[]").is_none() && cloud_of(b"{}").is_none());
    }

    #[test]
    fn the_old_endpoint_is_that_of_the_managed_identity() {
        let mut target = json!({"storage_account_name": "a", "container_name": "c", "key": "k", "access_key": "c2VjcmV0",
            "endpoint": "http://169.254.169.254/metadata/identity/oauth2/token"});
        let place = |target: &serde_json::Value| Place::new(PlaceKind::Azurerm, target.clone());
        assert!(matches!(Objects::azurerm(&place(&target)).unwrap().store, Store::Ready(_)));
        target["metadata_host"] = json!("management.example.com");
        assert!(matches!(Objects::azurerm(&place(&target)).unwrap().store, Store::Unknown(_)));
        target["blob_endpoint"] = json!("https://private.example.com");
        assert!(matches!(Objects::azurerm(&place(&target)).unwrap().store, Store::Ready(_)));
    }
}
