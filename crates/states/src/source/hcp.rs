//! HCP Terraform and Terraform Enterprise: the current state of one workspace, or of all that have certain tags.
//! The API is that of "HCP Terraform API", version 2 (workspaces, state versions).

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ConfigError, PlaceError};
use crate::fetch::{Fetched, Item};
use crate::place::Place;
use crate::source::backend::Keys;
use crate::source::web;

/// Keys of the `cloud` block and the `remote` backend.
const USED: &[&str] = &["hostname", "organization", "token", "workspaces"];

/// Pages of 100 workspaces. An organisation that has more is better split by tag.
const MAX_PAGES: usize = 100;

/// An organisation and which of its workspaces.
pub(crate) struct Hcp {
    client: Client,
    /// `https://app.terraform.io/api/v2/`
    api: Url,
    host: String,
    organization: String,
    which: Which,
    token: String,
}

enum Which {
    Name(String),
    Tags(Vec<String>),
    Prefix(String),
}

#[derive(Deserialize, Default)]
struct Workspaces {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    prefix: Option<String>,
    /// A list of names, or (Terraform ≥ 1.10) a map of keys and values.
    #[serde(default)]
    tags: Value,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Workspace {
    attributes: WorkspaceAttributes,
    #[serde(default)]
    relationships: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct WorkspaceAttributes {
    name: String,
}

#[derive(Deserialize)]
struct StateVersion {
    attributes: StateVersionAttributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StateVersionAttributes {
    #[serde(default)]
    created_at: Option<jiff::Timestamp>,
    #[serde(default)]
    hosted_state_download_url: Option<String>,
}

impl Hcp {
    pub(crate) fn new(place: &Place) -> Result<Self, ConfigError> {
        let env = |name: &str| std::env::var(name).unwrap_or_default();
        let (mut hostname, mut organization, mut token, workspaces) =
            match Keys::of(place, USED, &["project"])? {
                Some(keys) => {
                    let workspaces = keys.value::<Workspaces>("workspaces")?;
                    (keys.text("hostname")?, keys.text("organization")?, keys.text("token")?, workspaces)
                }
                None => {
                    let text = place.target.as_str().unwrap_or_default();
                    let (organization, name) = text.split_once('/').unwrap_or((text, ""));
                    let name = (!name.is_empty()).then(|| name.to_owned());
                    (
                        String::new(),
                        organization.to_owned(),
                        String::new(),
                        Workspaces { name, ..Workspaces::default() },
                    )
                }
            };
        let or = |text: &mut String, other: String| {
            if text.is_empty() {
                *text = other;
            }
        };
        or(&mut hostname, env("TF_CLOUD_HOSTNAME"));
        or(&mut hostname, "app.terraform.io".to_owned());
        or(&mut organization, env("TF_CLOUD_ORGANIZATION"));
        let wrong = |key: &str, problem: String| ConfigError::new(format!("hcp.{key}"), problem);
        if organization.is_empty() {
            return Err(wrong("organization", "is missing; give ORGANIZATION/WORKSPACE".to_owned()));
        }
        let base = if hostname.contains("://") { hostname.clone() } else { format!("https://{hostname}") };
        let api = Url::parse(&format!("{}/api/v2/", base.trim_end_matches('/')));
        let api = api.map_err(|e| wrong("hostname", format!("{hostname:?} is no host: {e}")))?;
        let host = api.host_str().unwrap_or_default().to_owned();
        // A token goes over the net in clear otherwise.
        if api.scheme() != "https" && !matches!(&*host, "127.0.0.1" | "localhost" | "[::1]") {
            return Err(wrong("hostname", format!("{hostname:?} must be a host name, reached by https")));
        }
        or(&mut token, env(&format!("TF_TOKEN_{}", host.replace('-', "__").replace('.', "_"))));
        or(&mut token, env("TFE_TOKEN"));
        or(&mut token, token_of_login(&host).unwrap_or_default());
        let which = match (&*place.workspace, workspaces.name, workspaces.prefix) {
            ("", Some(name), _) if !name.is_empty() => Which::Name(name),
            ("", _, Some(prefix)) if !prefix.is_empty() => Which::Prefix(prefix),
            ("", ..) => Which::Tags(tags(&workspaces.tags)),
            (workspace, _, Some(prefix)) if !prefix.is_empty() => Which::Name(format!("{prefix}{workspace}")),
            (workspace, ..) => Which::Name(workspace.to_owned()),
        };
        // No redirects of the API's own carry the token elsewhere: reqwest drops it when the host changes.
        let client = web::builder().build();
        let client = client.map_err(|e| wrong("hostname", format!("no HTTP client: {}", e.without_url())))?;
        Ok(Self { client, api, host, organization, which, token })
    }

    pub(crate) fn is_single(&self) -> bool {
        matches!(self.which, Which::Name(_))
    }

    pub(crate) async fn list(&self) -> Result<Vec<Item>, PlaceError> {
        match &self.which {
            Which::Name(name) => {
                let path = ["organizations", &self.organization, "workspaces", name];
                let answer: Answer<Workspace> = self.ask(&path, &[], &self.label(name)).await?;
                let item = self.item(answer.data);
                let none = || PlaceError::remote(self.label(name), "has no state yet; run it once");
                Ok(vec![item.ok_or_else(none)?])
            }
            Which::Tags(tags) => self.pages(("search[tags]", &tags.join(",")), |_| true).await,
            Which::Prefix(prefix) => {
                self.pages(("search[name]", prefix), |name| name.starts_with(prefix.as_str())).await
            }
        }
    }

    async fn pages(
        &self,
        search: (&str, &str),
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Item>, PlaceError> {
        let mut items = Vec::new();
        for page in 1..=MAX_PAGES {
            let number = page.to_string();
            let mut query = vec![("page[size]", "100"), ("page[number]", &*number)];
            if !search.1.is_empty() {
                query.push(search);
            }
            let path = ["organizations", &self.organization, "workspaces"];
            let answer: Answer<Vec<Workspace>> = self.ask(&path, &query, &self.label("")).await?;
            let last = answer.data.len() < 100;
            let found = answer.data.into_iter().filter(|w| wanted(&w.attributes.name));
            items.extend(found.filter_map(|workspace| self.item(workspace)));
            if last {
                break;
            }
        }
        Ok(items)
    }

    /// `None` for a workspace that has no state yet.
    fn item(&self, workspace: Workspace) -> Option<Item> {
        let version =
            workspace.relationships.get("current-state-version")?.pointer("/data/id")?.as_str()?.to_owned();
        let name = workspace.attributes.name;
        Some(Item {
            key: self.label(&name),
            name: self.label(&name),
            part: name.clone(),
            version: Some(version),
            workspace: Some(name),
            written_at_ns: None,
        })
    }

    pub(crate) async fn fetch(&self, item: &Item) -> Result<Option<Fetched>, PlaceError> {
        let version = item.version.clone().unwrap_or_default();
        let answer: Answer<StateVersion> = self.ask(&["state-versions", &version], &[], &item.name).await?;
        let attributes = answer.data.attributes;
        let url = attributes.hosted_state_download_url.and_then(|url| Url::parse(&url).ok());
        let url = url.ok_or_else(|| {
            PlaceError::remote(
                &item.name,
                "the answer has no download URL; the token needs the permission to read states",
            )
        })?;
        let bytes = self.get(url, &item.name).await?;
        let written_at_ns = attributes.created_at.and_then(web::nanoseconds);
        Ok(Some(Fetched { bytes, version: Some(version), written_at_ns }))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        name: &str,
    ) -> Result<T, PlaceError> {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let bytes = self.get(url, name).await?;
        serde_json::from_slice(&bytes).map_err(|e| {
            let problem =
                format!("not the answer of HCP Terraform's API (line {}, column {})", e.line(), e.column());
            PlaceError::remote(name, format!("{problem}; check hostname"))
        })
    }

    async fn get(&self, url: Url, name: &str) -> Result<Vec<u8>, PlaceError> {
        let mut request =
            self.client.get(url.clone()).header(ACCEPT, "application/vnd.api+json, application/json");
        // Downloads may lie on another host, by a signed URL; only hosts of the same service get the token.
        let host = url.host_str().unwrap_or_default();
        let same =
            host == self.host || (self.host.ends_with(".terraform.io") && host.ends_with(".terraform.io"));
        if !self.token.is_empty() && same {
            let bearer = HeaderValue::try_from(format!("Bearer {}", self.token));
            let mut bearer = bearer
                .map_err(|_| PlaceError::remote(name, "the token has characters that cannot be sent"))?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        let request = request
            .build()
            .map_err(|e| PlaceError::remote(name, format!("no request: {}", e.without_url())))?;
        let response = web::send(&self.client, request, name).await?;
        let problem = match response.status() {
            StatusCode::OK => return web::body(response, name).await,
            StatusCode::UNAUTHORIZED => format!(
                "the token is missing or not valid (401); set `token`, TF_TOKEN_{}, or run `terraform login {}`",
                self.host.replace('-', "__").replace('.', "_"),
                self.host
            ),
            StatusCode::NOT_FOUND => {
                "no such organisation or workspace, or the token may not see it (404); it needs the \
                                      permission to read states"
                    .to_owned()
            }
            StatusCode::TOO_MANY_REQUESTS => {
                "too many requests (429); raise state.poll_interval_secs".to_owned()
            }
            status => format!("answered {}; it is tried again", status.as_u16()),
        };
        Err(PlaceError::remote(name, problem))
    }

    fn label(&self, workspace: &str) -> String {
        format!("hcp://{}/{}/{workspace}", self.host, self.organization)
    }
}

/// Names of tags: `["a"]`, or `{a = "x"}`, of which the keys are searched.
fn tags(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Object(map) => map.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// What `terraform login` keeps.
fn token_of_login(host: &str) -> Option<String> {
    let path = std::env::home_dir()?.join(".terraform.d/credentials.tfrc.json");
    let text = std::fs::read_to_string(path).ok()?;
    let document: Value = serde_json::from_str(&text).ok()?;
    Some(document.get("credentials")?.get(host)?.get("token")?.as_str()?.to_owned())
}
