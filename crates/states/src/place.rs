//! One entry of `state.places`.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tfdrift_aws::AwsConfig;

use crate::error::ConfigError;

/// What kind of place it is: the key under which its target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// A state file, or several by a pattern (`envs/*/terraform.tfstate`). `-` is standard input.
    File,
    /// A folder and all below it, Terraform's workspaces included.
    Dir,
    /// An S3 bucket, as Terraform's `s3` backend writes it.
    S3,
    /// A Google Cloud Storage bucket, as the `gcs` backend writes it.
    Gcs,
    /// An Azure storage container, as the `azurerm` backend writes it.
    Azurerm,
    /// A URL, as the `http` backend reads it (GitLab's too).
    Http,
    /// HCP Terraform or Terraform Enterprise.
    Hcp,
    /// A folder of configuration that `terraform init` has been run in: its backend is read.
    Auto,
}

impl PlaceKind {
    /// All kinds.
    pub const ALL: [Self; 8] =
        [Self::File, Self::Dir, Self::S3, Self::Gcs, Self::Azurerm, Self::Http, Self::Hcp, Self::Auto];

    /// The key in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Dir => "dir",
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azurerm => "azurerm",
            Self::Http => "http",
            Self::Hcp => "hcp",
            Self::Auto => "auto",
        }
    }
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One place where states live: `{s3: {bucket: b, key: k}, name: net, account: "111122223333"}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Place {
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// Where it is: a text, or a map with the keys of Terraform's backend block.
    pub target: Value,
    /// What `tf.state` shows. Empty: made from the place. With several states there, each is `NAME/PATH`.
    pub name: String,
    /// AWS account of resources whose state does not say. Empty: unknown.
    pub account: String,
    /// AWS region of resources whose state does not say. Empty: unknown.
    pub region: String,
    /// Terraform workspace. Empty: all of them.
    pub workspace: String,
    /// How AWS is reached for this place. Absent: as for all.
    pub aws: Option<AwsConfig>,
    /// Terraform itself wrote the target: no key in it can be a slip of the pen.
    pub(crate) noted_by_terraform: bool,
}

impl Place {
    /// A place without further settings.
    pub fn new(kind: PlaceKind, target: impl Into<Value>) -> Self {
        Self {
            kind,
            target: target.into(),
            name: String::new(),
            account: String::new(),
            region: String::new(),
            workspace: String::new(),
            aws: None,
            noted_by_terraform: false,
        }
    }

    /// What `--state` takes: `-`, a file, a pattern, a folder, `s3://…`, `gs://…`, `azurerm://…`, `http(s)://…`,
    /// `hcp://ORGANIZATION/WORKSPACE`, `auto://FOLDER`.
    ///
    /// # Errors
    /// An empty text, or an unknown scheme.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            if text.is_empty() {
                return Err(ConfigError::new("state", "is empty; give a file, a folder, `-` or a URL"));
            }
            let path = std::path::Path::new(text);
            if let Some((scheme, rest)) = text.split_once(':')
                && ["s3", "gs", "gcs", "azurerm", "http", "https", "hcp", "auto"].contains(&scheme)
                && !path.exists()
            {
                let problem = format!(
                    "{text}: no such file; did you mean {scheme}://{}?",
                    rest.trim_start_matches('/')
                );
                return Err(ConfigError::new("state", problem));
            }
            let dir = path.is_dir();
            return Ok(Self::new(if dir { PlaceKind::Dir } else { PlaceKind::File }, text));
        };
        let (kind, target) = match scheme {
            "file" => (PlaceKind::File, rest),
            "dir" => (PlaceKind::Dir, rest),
            "s3" => (PlaceKind::S3, text),
            "gs" | "gcs" => (PlaceKind::Gcs, text),
            "azurerm" => (PlaceKind::Azurerm, text),
            "http" | "https" => (PlaceKind::Http, text),
            "hcp" => (PlaceKind::Hcp, rest),
            "auto" => (PlaceKind::Auto, rest),
            _ => {
                let known = "s3://, gs://, azurerm://, http://, https://, hcp://, auto://";
                let problem =
                    format!("{scheme}:// is not a place of states; known are {known}, files and folders");
                return Err(ConfigError::new("state", problem));
            }
        };
        Ok(Self::new(kind, target))
    }

    /// What people call it: its name, or its kind and target.
    pub fn label(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        match &self.target {
            Value::String(text) if matches!(self.kind, PlaceKind::File | PlaceKind::Dir) => text.clone(),
            Value::String(text) if text.contains("://") => without_userinfo(text),
            Value::String(text) => format!("{}:{text}", self.kind),
            Value::Object(map) => {
                let part = |key: &str| map.get(key).and_then(Value::as_str);
                let keys = [
                    "bucket",
                    "storage_account_name",
                    "organization",
                    "container_name",
                    "address",
                    "key",
                    "prefix",
                ];
                let parts: Vec<_> = keys.into_iter().filter_map(part).map(without_userinfo).collect();
                format!("{}:{}", self.kind, parts.join("/"))
            }
            _ => self.kind.to_string(),
        }
    }
}

/// Targets may carry a password: only the label is shown.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("kind", &self.kind)
            .field("label", &self.label())
            .finish_non_exhaustive()
    }
}

/// A URL without the user and password in it.
pub(crate) fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

impl TryFrom<Map<String, Value>> for Place {
    type Error = ConfigError;

    fn try_from(map: Map<String, Value>) -> Result<Self, ConfigError> {
        let mut place: Option<Self> = None;
        for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            let Some(kind) = PlaceKind::ALL.into_iter().find(|kind| kind.as_str() == key) else { continue };
            if let Some(other) = &place {
                return Err(ConfigError::new(
                    key,
                    format!("stands beside {}; make two places of it", other.kind),
                ));
            }
            place = Some(Self::new(kind, value.clone()));
        }
        let kinds = PlaceKind::ALL.map(PlaceKind::as_str).join(", ");
        let mut place = place.ok_or_else(|| ConfigError::new("places", format!("needs one of {kinds}")))?;
        for (key, value) in &map {
            let text = |value: &Value| match value {
                Value::Null => Ok(String::new()),
                Value::String(text) => Ok(text.clone()),
                // YAML reads an account as a number.
                Value::Number(number) => Ok(number.to_string()),
                _ => Err(ConfigError::new(key, "is not a text".to_owned())),
            };
            match key.as_str() {
                "name" => place.name = text(value)?,
                "account" => place.account = text(value)?,
                "region" => place.region = text(value)?,
                "workspace" => place.workspace = text(value)?,
                "aws" if value.is_null() => {}
                "aws" => {
                    let aws = serde_json::from_value(value.clone());
                    place.aws = Some(aws.map_err(|e| ConfigError::new("aws", e.to_string()))?);
                }
                key if key == place.kind.as_str() || value.is_null() => {}
                _ => {
                    let problem = format!(
                        "is no key of a place; known are {kinds}, name, account, region, workspace, aws"
                    );
                    return Err(ConfigError::new(key, problem));
                }
            }
        }
        Ok(place)
    }
}

impl From<Place> for Map<String, Value> {
    fn from(place: Place) -> Self {
        let mut map = Self::new();
        map.insert(place.kind.as_str().to_owned(), place.target);
        let texts = [
            ("name", place.name),
            ("account", place.account),
            ("region", place.region),
            ("workspace", place.workspace),
        ];
        for (key, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            map.insert(key.to_owned(), Value::String(text));
        }
        if let Some(aws) = place.aws.and_then(|aws| serde_json::to_value(aws).ok()) {
            map.insert("aws".to_owned(), aws);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Place, String> {
        serde_json::from_value(value).map_err(|e| e.to_string())
    }

    #[test]
    fn one_kind_and_known_keys() {
        let place =
            read(json!({"s3": {"bucket": "b", "key": "k"}, "name": "net", "account": 111122223333_u64}))
                .unwrap();
        assert_eq!((place.kind, &*place.name, &*place.account), (PlaceKind::S3, "net", "111122223333"));
        assert_eq!(read(serde_json::to_value(&place).unwrap()).unwrap(), place);
        for aws in [json!({"profile": "audit"}), json!({"profile": "audit", "chain": ["imds"]})] {
            let place = read(json!({"s3": "s3://b/k", "aws": aws})).unwrap();
            assert_eq!(read(serde_json::to_value(&place).unwrap()).unwrap(), place);
        }
        assert!(read(json!({"file": "a", "dir": "b"})).unwrap_err().contains("two places"));
        assert!(read(json!({"name": "a"})).unwrap_err().contains("needs one of file, dir"));
        assert!(read(json!({"file": "a", "nmae": "b"})).unwrap_err().contains("nmae"));
    }

    #[test]
    fn arguments() {
        let kind = |text: &str| Place::parse(text).map(|p| p.kind);
        assert_eq!(kind("-").unwrap(), PlaceKind::File);
        assert_eq!(kind(".").unwrap(), PlaceKind::Dir);
        assert_eq!(kind("s3://b/k").unwrap(), PlaceKind::S3);
        assert_eq!(kind("https://h/state").unwrap(), PlaceKind::Http);
        let guess = kind("auto:./net").unwrap_err().to_string();
        assert!(guess.contains("did you mean auto://./net?"), "{guess}");
        assert!(kind("").is_err() && kind("ftp://x").unwrap_err().to_string().contains("s3://"));
    }

    #[test]
    fn labels_hold_no_password() {
        let place = Place::new(PlaceKind::Http, "https://u:p@h/state");
        assert_eq!(place.label(), "https://h/state");
        assert!(!format!("{place:?}").contains("u:p"));
        assert_eq!(Place::new(PlaceKind::S3, json!({"key": "k", "bucket": "b"})).label(), "s3:b/k");
    }
}
