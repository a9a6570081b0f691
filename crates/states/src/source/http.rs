//! A URL, as Terraform's `http` backend reads it. GitLab's managed states are this.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use reqwest::{Certificate, Client, Identity, StatusCode, Url};

use crate::error::{ConfigError, PlaceError};
use crate::fetch::{Fetched, Item};
use crate::place::{Place, without_userinfo};
use crate::source::backend::Keys;
use crate::source::web;

/// Keys of the backend block that say where and how to read, and `headers`, which is ours.
const USED: &[&str] = &[
    "address",
    "username",
    "password",
    "headers",
    "skip_cert_verification",
    "client_ca_certificate_pem",
    "client_certificate_pem",
    "client_private_key_pem",
];

/// Keys that matter to writing and locking.
const ACCEPTED: &[&str] = &[
    "update_method",
    "lock_address",
    "lock_method",
    "unlock_address",
    "unlock_method",
    "retry_max",
    "retry_wait_min",
    "retry_wait_max",
];

/// One URL.
pub(crate) struct Http {
    client: Client,
    url: Url,
    /// The URL without password.
    shown: String,
    username: String,
    password: String,
    headers: HeaderMap,
}

impl Http {
    pub(crate) fn new(place: &Place) -> Result<Self, ConfigError> {
        let mut client = web::builder();
        let mut headers = HeaderMap::new();
        let (address, mut username, mut password) = match Keys::of(place, USED, ACCEPTED)? {
            None => (place.target.as_str().unwrap_or_default().to_owned(), String::new(), String::new()),
            Some(keys) => {
                for (name, value) in keys.value::<BTreeMap<String, String>>("headers")? {
                    let wrong = || keys.wrong("headers", &format!("{name:?} or its value cannot be sent"));
                    let mut value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
                    value.set_sensitive(true);
                    headers.insert(HeaderName::try_from(&name).map_err(|_| wrong())?, value);
                }
                if keys.flag("skip_cert_verification")? {
                    client = client.tls_danger_accept_invalid_certs(true);
                }
                let pem = |key: &str, e: reqwest::Error| {
                    keys.wrong(key, &format!("is no PEM: {}", e.without_url()))
                };
                let ca = keys.text("client_ca_certificate_pem")?;
                if !ca.is_empty() {
                    let bundle = Certificate::from_pem_bundle(ca.as_bytes());
                    client = client.tls_certs_only(bundle.map_err(|e| pem("client_ca_certificate_pem", e))?);
                }
                let (cert, key) =
                    (keys.text("client_certificate_pem")?, keys.text("client_private_key_pem")?);
                if !cert.is_empty() {
                    let identity = Identity::from_pem(format!("{cert}\n{key}").as_bytes());
                    client = client.identity(identity.map_err(|e| pem("client_certificate_pem", e))?);
                }
                (keys.needed("address")?, keys.text("username")?, keys.text("password")?)
            }
        };
        let wrong = |problem: String| ConfigError::new("http.address", problem);
        let mut url = Url::parse(&address).map_err(|e| wrong(format!("is no URL: {e}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(format!("{}:// is neither http:// nor https://", url.scheme())));
        }
        if username.is_empty() && !url.username().is_empty() {
            username = url.username().to_owned();
            password = url.password().unwrap_or_default().to_owned();
        }
        let _ = (url.set_username(""), url.set_password(None));
        // As Terraform's backend does.
        let env = |name: &str| std::env::var(name).unwrap_or_default();
        if username.is_empty() {
            (username, password) = (env("TF_HTTP_USERNAME"), env("TF_HTTP_PASSWORD"));
        } else if password.is_empty() {
            password = env("TF_HTTP_PASSWORD");
        }
        let client = client.build().map_err(|e| wrong(format!("no HTTP client: {}", e.without_url())))?;
        let shown = without_userinfo(&address);
        // A query may hold a token.
        let shown = shown.split('?').next().unwrap_or_default().to_owned();
        Ok(Self { client, url, shown, username, password, headers })
    }

    pub(crate) fn list(&self) -> Vec<Item> {
        vec![Item {
            key: self.url.to_string(),
            name: self.shown.clone(),
            part: String::new(),
            version: None,
            workspace: None,
            written_at_ns: None,
        }]
    }

    pub(crate) async fn fetch(
        &self,
        item: &Item,
        known: Option<&str>,
    ) -> Result<Option<Fetched>, PlaceError> {
        let mut request = self.client.get(self.url.clone()).headers(self.headers.clone());
        if !self.username.is_empty() {
            request = request.basic_auth(&self.username, Some(&self.password));
        }
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        let request = request
            .build()
            .map_err(|e| PlaceError::remote(&item.name, format!("no request: {}", e.without_url())))?;
        let response = web::send(&self.client, request, &item.name).await?;
        let problem = match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(None),
            StatusCode::OK => {
                let (version, written_at_ns) = (web::etag(response.headers()), web::modified_ns(response.headers()));
                let bytes = web::body(response, &item.name).await?;
                return Ok(Some(Fetched { bytes, version, written_at_ns }));
            }
            StatusCode::NO_CONTENT => "no state there yet (204); run `terraform apply` once".to_owned(),
            StatusCode::NOT_FOUND => {
                "no state there (404); check the address. GitLab answers so to a token without the role Developer too"
                    .to_owned()
            }
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => format!(
                "refused ({}); set `username` and `password`, or TF_HTTP_USERNAME and TF_HTTP_PASSWORD. GitLab wants a token \
                 with the scope read_api as password",
                status.as_u16()
            ),
            status => format!("answered {}; it is tried again", status.as_u16()),
        };
        Err(PlaceError::remote(&item.name, problem))
    }
}
