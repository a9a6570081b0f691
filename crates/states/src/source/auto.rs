//! A folder that `terraform init` has been run in: its backend is read, as `terraform` would.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::StateConfig;
use crate::error::PlaceError;
use crate::fetch::{Fetched, Item};
use crate::place::{Place, PlaceKind};
use crate::source::{Source, Versions};

/// A folder, and the place that its backend is.
pub(crate) struct Auto {
    folder: PathBuf,
    place: Place,
    config: StateConfig,
    /// Hash of what the folder said when `source` was made.
    said: u64,
    source: Option<Box<Source>>,
    /// The workspace that the backend is read for; "" for all of it.
    workspace: String,
}

/// `.terraform/terraform.tfstate`: what `init` noted of the backend.
#[derive(Deserialize, Default)]
struct Noted {
    #[serde(default)]
    backend: Option<Backend>,
}

#[derive(Deserialize)]
struct Backend {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    config: Map<String, Value>,
}

impl Auto {
    pub(crate) fn new(folder: &str, place: &Place, config: &StateConfig) -> Self {
        let config = StateConfig { places: Vec::new(), ..config.clone() };
        Self {
            folder: folder.into(),
            place: place.clone(),
            config,
            said: 0,
            source: None,
            workspace: String::new(),
        }
    }

    pub(crate) async fn list(&mut self) -> Result<Vec<Item>, PlaceError> {
        let noted = self.read(".terraform/terraform.tfstate")?;
        // The workspace that `terraform workspace select` chose.
        let selected = self.read(".terraform/environment")?.map(|text| text.trim().to_owned());
        let mut hasher = DefaultHasher::new();
        (&noted, &selected).hash(&mut hasher);
        if self.source.is_none() || hasher.finish() != self.said {
            let place = self.resolve(noted.as_deref(), selected)?;
            let source = Source::new(&place, &self.config)
                .map_err(|e| self.problem(format!("{}: {}", e.key, e.problem)))?;
            tracing::debug!(folder = %self.folder.display(), backend = %place.kind, "backend found");
            self.source = Some(Box::new(source));
            self.workspace = place.workspace;
            self.said = hasher.finish();
        }
        let Some(source) = &mut self.source else { return Ok(Vec::new()) };
        let mut items = Box::pin(source.list()).await?;
        // A backend shows all its workspaces.
        let wanted = &self.workspace;
        items.retain(|item| wanted.is_empty() || item.workspace.as_ref().is_none_or(|w| w == wanted));
        Ok(items)
    }

    pub(crate) async fn fetch(
        &self,
        item: &Item,
        known: Option<&str>,
    ) -> Result<Option<Fetched>, PlaceError> {
        match &self.source {
            Some(source) => Box::pin(source.fetch(item, known)).await,
            None => Err(self.problem("not looked at yet".to_owned())),
        }
    }

    pub(crate) fn versions(&self) -> Option<Arc<Versions>> {
        self.source.as_ref()?.versions()
    }

    /// The place that the folder's backend is.
    fn resolve(&self, noted: Option<&str>, selected: Option<String>) -> Result<Place, PlaceError> {
        let noted: Noted = match noted {
            Some(text) => serde_json::from_str(text).map_err(|_| {
                self.problem(
                    ".terraform/terraform.tfstate is not what `terraform init` writes; run it again"
                        .to_owned(),
                )
            })?,
            None => Noted::default(),
        };
        if noted.backend.is_none()
            && !self.folder.join("terraform.tfstate").exists()
            && !self.folder.join("terraform.tfstate.d").exists()
        {
            let problem =
                "neither a backend nor a local state; run `terraform init` there, or name the place itself";
            return Err(self.problem(problem.to_owned()));
        }
        let mut place = self.place.clone();
        if place.workspace.is_empty() {
            place.workspace =
                selected.filter(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned());
        }
        let Some(backend) = noted.backend else { return Ok(self.local(place, &Map::new())) };
        // `init` notes every key of the schema, most of them null.
        let config: Map<String, Value> =
            backend.config.into_iter().filter(|(_, value)| !value.is_null()).collect();
        place.kind = match &*backend.kind {
            "local" => return Ok(self.local(place, &config)),
            "s3" => PlaceKind::S3,
            "gcs" => PlaceKind::Gcs,
            "azurerm" => PlaceKind::Azurerm,
            "http" => PlaceKind::Http,
            "cloud" | "remote" => {
                if self.place.workspace.is_empty() && place.workspace == "default" {
                    place.workspace = String::new();
                }
                PlaceKind::Hcp
            }
            other => {
                let problem = format!(
                    "the backend {other:?} is not read; write its state to a file with `terraform state pull`"
                );
                return Err(self.problem(problem));
            }
        };
        place.target = Value::Object(config);
        place.noted_by_terraform = true;
        Ok(place)
    }

    /// The local backend: `path`, and `workspace_dir/WORKSPACE/terraform.tfstate`.
    fn local(&self, mut place: Place, config: &Map<String, Value>) -> Place {
        let text = |key: &str, default: &str| -> PathBuf {
            let given = config.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
            self.folder.join(given.unwrap_or(default))
        };
        let path = match &*place.workspace {
            "default" => text("path", "terraform.tfstate"),
            workspace => {
                text("workspace_dir", "terraform.tfstate.d").join(workspace).join("terraform.tfstate")
            }
        };
        place.kind = PlaceKind::File;
        place.target = Value::String(path.to_string_lossy().into_owned());
        place
    }

    fn read(&self, name: &str) -> Result<Option<String>, PlaceError> {
        let path: &Path = &self.folder.join(name);
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && self.folder.is_dir() => Ok(None),
            Err(e) => Err(PlaceError::io(path.to_string_lossy(), &e)),
        }
    }

    fn problem(&self, problem: String) -> PlaceError {
        PlaceError::Io { path: self.folder.to_string_lossy().into_owned(), problem }
    }
}
