//! S3, as Terraform's `s3` backend writes it.

use std::time::SystemTime;

use serde::Deserialize;
use tfdrift_aws::aws_sdk_s3::Client;
use tfdrift_aws::aws_sdk_s3::primitives::DateTime;
use tfdrift_aws::{Asked, AssumeRole, Aws, AwsConfig, Explanation};

use crate::config::StateConfig;
use crate::error::{ConfigError, PlaceError};
use crate::fetch::{Fetched, Item, epoch_ns};
use crate::place::Place;
use crate::source::backend::Keys;

/// Keys of the backend block that say where and how to read, and `prefix`, which is ours.
const USED: &[&str] = &[
    "bucket",
    "key",
    "prefix",
    "region",
    "workspace_key_prefix",
    "profile",
    "role_arn",
    "external_id",
    "session_name",
    "assume_role",
    "endpoint",
    "endpoints",
    "use_path_style",
    "force_path_style",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "custom_ca_bundle",
    "shared_config_files",
    "shared_credentials_files",
    "shared_credentials_file",
    "http_proxy",
    "https_proxy",
];

/// Keys that matter to writing, locking or checks of Terraform's own.
const ACCEPTED: &[&str] = &[
    "acl",
    "encrypt",
    "kms_key_id",
    "dynamodb_table",
    "dynamodb_endpoint",
    "use_lockfile",
    "max_retries",
    "retry_mode",
    "iam_endpoint",
    "sts_endpoint",
    "sts_region",
    "allowed_account_ids",
    "forbidden_account_ids",
    "no_proxy",
    "insecure",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
    "skip_s3_checksum",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "use_legacy_workflow",
];

/// A bucket and what of it is read.
pub(crate) struct S3 {
    bucket: String,
    what: What,
    workspace: String,
    aws: AwsConfig,
    client: Option<(Aws, Client)>,
}

enum What {
    /// The backend's key; the states of other workspaces lie at `PREFIX/WORKSPACE/KEY`.
    Key { key: String, workspace_key_prefix: String },
    /// All states below a prefix.
    Prefix(String),
    /// All objects whose key matches.
    Pattern(glob::Pattern),
}

#[derive(Deserialize, Default)]
struct Role {
    role_arn: String,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    session_name: Option<String>,
}

#[derive(Deserialize, Default)]
struct Endpoints {
    #[serde(default)]
    s3: Option<String>,
}

impl S3 {
    pub(crate) fn new(place: &Place, config: &StateConfig) -> Result<Self, ConfigError> {
        let mut aws = place.aws.clone().unwrap_or_else(|| config.aws.clone());
        let (bucket, what) = match Keys::of(place, USED, ACCEPTED)? {
            Some(keys) => Self::from_keys(&keys, &mut aws)?,
            None => Self::from_url(place.target.as_str().unwrap_or_default())?,
        };
        aws.check().map_err(|e| ConfigError::new(format!("aws.{}", e.key), e.problem))?;
        Ok(Self { bucket, what, workspace: place.workspace.clone(), aws, client: None })
    }

    fn from_keys(keys: &Keys<'_>, aws: &mut AwsConfig) -> Result<(String, What), ConfigError> {
        let bucket = keys.needed("bucket")?;
        let (key, prefix) = (keys.text("key")?, keys.text("prefix")?);
        let what = match (key.is_empty(), prefix.is_empty()) {
            (false, true) => {
                let workspaces = keys.text("workspace_key_prefix")?;
                let workspace_key_prefix = if workspaces.is_empty() { "env:".to_owned() } else { workspaces };
                What::Key { key: key.trim_start_matches('/').to_owned(), workspace_key_prefix }
            }
            (true, _) => What::Prefix(prefix),
            (false, false) => return Err(keys.wrong("prefix", "stands beside key; give one of them")),
        };
        // What the section `aws` says wins over the block.
        let fill = |own: &mut String, key: &str| -> Result<(), ConfigError> {
            if own.is_empty() {
                *own = keys.text(key)?;
            }
            Ok(())
        };
        fill(&mut aws.region, "region")?;
        fill(&mut aws.profile, "profile")?;
        fill(&mut aws.ca_bundle, "custom_ca_bundle")?;
        fill(&mut aws.proxy_url, "https_proxy")?;
        fill(&mut aws.proxy_url, "http_proxy")?;
        fill(&mut aws.endpoint_url, "endpoint")?;
        fill(&mut aws.credentials, "shared_credentials_file")?;
        let files = |key: &str| Ok(keys.value::<Vec<String>>(key)?.into_iter().next().unwrap_or_default());
        if aws.credentials.is_empty() {
            aws.credentials = files("shared_credentials_files")?;
        }
        if aws.config.is_empty() {
            aws.config = files("shared_config_files")?;
        }
        if aws.endpoint_url.is_empty() {
            aws.endpoint_url = keys.value::<Endpoints>("endpoints")?.s3.unwrap_or_default();
        }
        aws.path_style |= keys.flag("use_path_style")? || keys.flag("force_path_style")?;
        aws.fips |= keys.flag("use_fips_endpoint")?;
        aws.dual_stack |= keys.flag("use_dualstack_endpoint")?;
        let mut role = keys.value::<Role>("assume_role")?;
        if role.role_arn.is_empty() {
            role.role_arn = keys.text("role_arn")?;
            role.external_id = Some(keys.text("external_id")?);
            role.session_name = Some(keys.text("session_name")?);
        }
        if aws.assume_role.is_empty() && !role.role_arn.is_empty() {
            aws.assume_role.push(AssumeRole {
                role_arn: role.role_arn,
                external_id: role.external_id.unwrap_or_default(),
                session_name: role
                    .session_name
                    .filter(|n| !n.is_empty())
                    .unwrap_or_else(|| "tfdrift".to_owned()),
            });
        }
        Ok((bucket, what))
    }

    /// `s3://BUCKET/KEY`, `s3://BUCKET/PREFIX/` (all states below), `s3://BUCKET/PAT*TERN`.
    fn from_url(url: &str) -> Result<(String, What), ConfigError> {
        let wrong = |problem: String| ConfigError::new("s3", problem);
        let rest = url.strip_prefix("s3://").unwrap_or_default();
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong(format!("{url:?} is not s3://BUCKET/KEY; a prefix ends with /")));
        }
        let what = if key.contains(['*', '?', '[']) {
            What::Pattern(glob::Pattern::new(key).map_err(|e| wrong(format!("{key:?} is no pattern: {e}")))?)
        } else if key.is_empty() || key.ends_with('/') {
            What::Prefix(key.to_owned())
        } else {
            What::Key { key: key.to_owned(), workspace_key_prefix: "env:".to_owned() }
        };
        Ok((bucket.to_owned(), what))
    }

    pub(crate) fn is_single(&self) -> bool {
        matches!(self.what, What::Key { .. }) && !self.workspace.is_empty()
    }

    pub(crate) async fn list(&mut self) -> Result<Vec<Item>, PlaceError> {
        self.connect().await?;
        let listed = self.look().await;
        if listed.is_err() {
            // The bucket may have moved, or a role may be ours by now: the next look connects anew.
            self.client = None;
        }
        listed
    }

    async fn look(&self) -> Result<Vec<Item>, PlaceError> {
        match &self.what {
            What::Key { key, workspace_key_prefix } => self.workspaces(key, workspace_key_prefix).await,
            What::Prefix(prefix) => {
                let items = self.objects(prefix).await?;
                Ok(items.into_iter().filter(|item| is_state(&item.part)).collect())
            }
            What::Pattern(pattern) => {
                let text = pattern.as_str();
                let fixed = text.split(['*', '?', '[']).next().unwrap_or_default();
                let options =
                    glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
                let items = self.objects(fixed).await?;
                let wanted = |item: &Item| pattern.matches_with(&item.part, options) && !is_lock(&item.part);
                Ok(items.into_iter().filter(wanted).collect())
            }
        }
    }

    /// The default workspace's state at `key`, and the other workspaces'.
    async fn workspaces(&self, key: &str, prefix: &str) -> Result<Vec<Item>, PlaceError> {
        let mut items = Vec::new();
        match &*self.workspace {
            "" => {
                items.push(self.head(key, "default").await.map(|item| Item { part: String::new(), ..item }));
                match self.objects(&format!("{prefix}/")).await {
                    Ok(objects) => items.extend(objects.into_iter().filter_map(|mut object| {
                        let rest = object.part.strip_prefix(prefix)?.strip_prefix('/')?;
                        let workspace = rest.strip_suffix(key)?.strip_suffix('/')?;
                        object.workspace = Some(workspace.to_owned()).filter(|w| !w.contains('/'));
                        object.part = object.workspace.clone()?;
                        Some(Ok(object))
                    })),
                    // A policy that allows no more than this one object is a good policy.
                    Err(error) if items.iter().any(Result::is_ok) => {
                        tracing::debug!(bucket = self.bucket, %error, "workspaces cannot be listed; only the default one is read");
                    }
                    Err(error) => return Err(error),
                }
                // A configuration may have workspaces and nothing in the default one.
                if items.len() > 1 {
                    items.retain(Result::is_ok);
                }
            }
            "default" => items.push(self.head(key, "default").await),
            workspace => items.push(self.head(&format!("{prefix}/{workspace}/{key}"), workspace).await),
        }
        items.into_iter().collect()
    }

    async fn head(&self, key: &str, workspace: &str) -> Result<Item, PlaceError> {
        let (aws, client) = self.client()?;
        let answer = client.head_object().bucket(&self.bucket).key(key).send().await;
        // A HEAD has no body, so S3 cannot say why it refuses: the answer of the GET that follows does.
        match answer {
            Ok(answer) => Ok(self.item(
                key,
                answer.e_tag().map(str::to_owned),
                answer.last_modified(),
                Some(workspace.to_owned()),
            )),
            Err(_) => match client.get_object().bucket(&self.bucket).key(key).range("bytes=0-0").send().await
            {
                Ok(answer) => Ok(self.item(
                    key,
                    answer.e_tag().map(str::to_owned),
                    answer.last_modified(),
                    Some(workspace.to_owned()),
                )),
                Err(error) => {
                    Err(self.explained(key, &aws.explain(&error, &Asked::get(&self.bucket, key, key))))
                }
            },
        }
    }

    /// All objects below a prefix.
    async fn objects(&self, prefix: &str) -> Result<Vec<Item>, PlaceError> {
        let (aws, client) = self.client()?;
        let mut items = Vec::new();
        let mut pages = client.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page
                .map_err(|e| self.explained(prefix, &aws.explain(&e, &Asked::list(&self.bucket, prefix))))?;
            items.extend(page.contents().iter().filter_map(|object| {
                let key = object.key()?;
                // Below `env:/` the workspace follows; elsewhere nothing says that there is one.
                let workspace = key
                    .strip_prefix("env:/")
                    .and_then(|rest| rest.split_once('/'))
                    .map(|(w, _)| w.to_owned());
                Some(self.item(key, object.e_tag().map(str::to_owned), object.last_modified(), workspace))
            }));
        }
        Ok(items)
    }

    fn item(
        &self,
        key: &str,
        etag: Option<String>,
        modified: Option<&DateTime>,
        workspace: Option<String>,
    ) -> Item {
        let url = format!("s3://{}/{key}", self.bucket);
        Item {
            key: url.clone(),
            name: url,
            part: key.to_owned(),
            version: etag,
            workspace,
            written_at_ns: modified.and_then(nanoseconds),
        }
    }

    pub(crate) async fn fetch(&self, item: &Item) -> Result<Option<Fetched>, PlaceError> {
        let (aws, client) = self.client()?;
        let key = item.key.strip_prefix(&format!("s3://{}/", self.bucket)).unwrap_or(&item.key);
        let answer = client.get_object().bucket(&self.bucket).key(key).send().await;
        let answer =
            answer.map_err(|e| self.explained(key, &aws.explain(&e, &Asked::get(&self.bucket, key, key))))?;
        let version = answer.e_tag().map(str::to_owned);
        let written_at_ns = answer.last_modified().and_then(nanoseconds);
        let broken =
            |e| PlaceError::remote(&item.name, format!("the download broke off: {e}; it is tried again"));
        let bytes = answer.body.collect().await.map_err(broken)?.to_vec();
        Ok(Some(Fetched { bytes, version, written_at_ns }))
    }

    async fn connect(&mut self) -> Result<(), PlaceError> {
        if self.client.is_some() {
            return Ok(());
        }
        let name = format!("s3://{}", self.bucket);
        let aws = Aws::connect(&self.aws).await.map_err(|e| PlaceError::Remote {
            name: name.clone(),
            problem: e.short(),
            detail: Some(e.to_string()),
        })?;
        let bucket = aws.s3(&self.bucket).await.map_err(|e| self.explained("", &e))?;
        self.client = Some((aws, bucket.client));
        Ok(())
    }

    fn client(&self) -> Result<&(Aws, Client), PlaceError> {
        let missing =
            || PlaceError::remote(format!("s3://{}", self.bucket), "not connected; it is tried again");
        self.client.as_ref().ok_or_else(missing)
    }

    fn explained(&self, key: &str, explanation: &Explanation) -> PlaceError {
        PlaceError::Remote {
            name: format!("s3://{}/{key}", self.bucket),
            problem: explanation.short(),
            detail: Some(explanation.to_string()),
        }
    }
}

fn nanoseconds(time: &DateTime) -> Option<u64> {
    epoch_ns(SystemTime::try_from(*time).ok()?)
}

/// Names that a state below a prefix has.
fn is_state(key: &str) -> bool {
    let name = key.strip_suffix(".gz").unwrap_or(key);
    name.ends_with(".tfstate") || name.ends_with(".tfstate.json")
}

/// Lock objects of `use_lockfile` and backups.
fn is_lock(key: &str) -> bool {
    key.ends_with(".tflock") || key.ends_with(".backup") || key.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::PlaceKind;
    use serde_json::json;

    fn new(target: serde_json::Value) -> Result<S3, String> {
        S3::new(&Place::new(PlaceKind::S3, target), &StateConfig::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_backend_block_with_everything_terraform_knows() {
        let s3 = new(
            json!({"bucket": "b", "key": "/k", "region": "eu-west-1", "dynamodb_table": "locks", "encrypt": true,
            "use_lockfile": true, "kms_key_id": "x", "profile": "p", "endpoints": [{"s3": "http://127.0.0.1:1"}],
            "assume_role": {"role_arn": "arn:aws:iam::111122223333:role/r", "external_id": null}, "use_path_style": "true"}),
        );
        let s3 = s3.unwrap();
        assert!(
            matches!(&s3.what, What::Key { key, workspace_key_prefix } if key == "k" && workspace_key_prefix == "env:")
        );
        assert_eq!(
            (&*s3.aws.region, &*s3.aws.profile, &*s3.aws.endpoint_url),
            ("eu-west-1", "p", "http://127.0.0.1:1")
        );
        assert!(s3.aws.path_style && s3.aws.assume_role[0].session_name == "tfdrift");
    }

    #[test]
    fn urls() {
        assert!(matches!(new(json!("s3://b/a/k")).unwrap().what, What::Key { key, .. } if key == "a/k"));
        assert!(matches!(new(json!("s3://b/a/")).unwrap().what, What::Prefix(p) if p == "a/"));
        assert!(matches!(new(json!("s3://b")).unwrap().what, What::Prefix(p) if p.is_empty()));
        assert!(matches!(new(json!("s3://b/*/x.tfstate")).unwrap().what, What::Pattern(_)));
        assert!(new(json!("bucket")).is_err());
    }

    #[test]
    fn refusals_name_the_key() {
        let error = |target| new(target).err().unwrap();
        assert!(error(json!({"key": "k"})).contains("s3.bucket: is missing"));
        assert!(error(json!({"bucket": "b", "kye": "k"})).contains("s3.kye"));
        assert!(
            error(json!({"bucket": "b", "access_key": "k"})).contains("s3.access_key"),
            "keys belong elsewhere"
        );
        assert!(error(json!({"bucket": "b", "role_arn": "x"})).contains("role"));
    }
}
