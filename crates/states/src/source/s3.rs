//! S3, as Terraform's `s3` backend writes it.

mod target;
mod versions;

use std::sync::Arc;
use std::time::SystemTime;

use tfdrift_aws::aws_sdk_s3::Client;
use tfdrift_aws::aws_sdk_s3::primitives::DateTime;
use tfdrift_aws::{Asked, Aws, AwsConfig, Explanation};

use crate::config::StateConfig;
use crate::error::{ConfigError, PlaceError};
use crate::fetch::{Fetched, Item, epoch_ns, is_state};
use crate::place::Place;
use target::What;
pub(crate) use versions::{Page, Refusal, Version, Versions};

/// A bucket and what of it is read.
pub(crate) struct S3 {
    bucket: String,
    what: What,
    workspace: String,
    aws: AwsConfig,
    /// Keys of the block that have no effect, until that is said.
    login_left_out: String,
    client: Option<(Aws, Client)>,
    /// Of the last connection.
    versions: Option<Arc<Versions>>,
}

impl S3 {
    pub(crate) fn new(place: &Place, config: &StateConfig) -> Result<Self, ConfigError> {
        let mut aws = place.aws.clone().unwrap_or_else(|| config.aws.clone());
        let (bucket, what) = What::of(place, &mut aws)?;
        aws.check().map_err(|e| ConfigError::new(format!("aws.{}", e.key), e.problem))?;
        let login_left_out = What::login_left_out(place)?;
        let workspace = place.workspace.clone();
        Ok(Self { bucket, what, workspace, aws, login_left_out, client: None, versions: None })
    }

    pub(crate) fn is_single(&self) -> bool {
        matches!(self.what, What::Key { .. }) && !self.workspace.is_empty()
    }

    /// Reads older versions; none before the first connection.
    pub(crate) fn versions(&self) -> Option<Arc<Versions>> {
        self.versions.clone()
    }

    pub(crate) async fn list(&mut self) -> Result<Vec<Item>, PlaceError> {
        let left_out = std::mem::take(&mut self.login_left_out);
        if !left_out.is_empty() {
            tracing::warn!(
                bucket = self.bucket,
                "s3: {left_out} in the backend block have no effect; credentials come from the section aws"
            );
        }
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
        let key = object(&self.bucket, &item.key);
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
        let read = self.what.prefix(&self.workspace);
        self.versions = Some(Arc::new(Versions::new(aws.clone(), bucket.client.clone(), &self.bucket, read)));
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

/// The object's key in an item's.
fn object<'i>(bucket: &str, item: &'i str) -> &'i str {
    let rest = item.strip_prefix("s3://").and_then(|rest| rest.strip_prefix(bucket));
    rest.and_then(|rest| rest.strip_prefix('/')).unwrap_or(item)
}

fn nanoseconds(time: &DateTime) -> Option<u64> {
    epoch_ns(SystemTime::try_from(*time).ok()?)
}

/// Lock objects of `use_lockfile` and backups.
fn is_lock(key: &str) -> bool {
    key.ends_with(".tflock") || key.ends_with(".backup") || key.ends_with('/')
}
