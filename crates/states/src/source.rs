//! One place, listed and fetched. Each kind is a variant: a trait object would need boxed futures for no gain.

mod auto;
mod backend;
mod hcp;
mod http;
mod local;
mod object;
mod s3;
mod web;

use std::sync::Arc;

use crate::config::StateConfig;
use crate::error::{ConfigError, PlaceError};
use crate::fetch::{Fetched, Item};
use crate::place::{Place, PlaceKind};
pub(crate) use s3::{Page, Refusal, Version, Versions};

pub(crate) enum Source {
    Local(local::Local),
    Stdin,
    S3(Box<s3::S3>),
    Http(Box<http::Http>),
    Hcp(Box<hcp::Hcp>),
    Objects(Box<object::Objects>),
    Auto(Box<auto::Auto>),
}

impl Source {
    pub(crate) fn new(place: &Place, config: &StateConfig) -> Result<Self, ConfigError> {
        Ok(match place.kind {
            PlaceKind::File if place.target == "-" => Self::Stdin,
            PlaceKind::File => Self::Local(local::Local::file(text(place)?)?),
            PlaceKind::Dir => Self::Local(local::Local::dir(text(place)?)),
            PlaceKind::S3 => Self::S3(Box::new(s3::S3::new(place, config)?)),
            PlaceKind::Http => Self::Http(Box::new(http::Http::new(place)?)),
            PlaceKind::Hcp => Self::Hcp(Box::new(hcp::Hcp::new(place)?)),
            PlaceKind::Gcs => Self::Objects(Box::new(object::Objects::gcs(place)?)),
            PlaceKind::Azurerm => Self::Objects(Box::new(object::Objects::azurerm(place)?)),
            PlaceKind::Auto => Self::Auto(Box::new(auto::Auto::new(text(place)?, place, config))),
        })
    }

    /// Whether this place is one state, whose name is the place's.
    pub(crate) fn is_single(&self) -> bool {
        match self {
            Self::Local(local) => local.is_single(),
            Self::Stdin => true,
            Self::S3(s3) => s3.is_single(),
            Self::Hcp(hcp) => hcp.is_single(),
            Self::Objects(objects) => objects.is_single(),
            // One workspace at a time.
            Self::Http(_) | Self::Auto(_) => true,
        }
    }

    /// Whether looking costs nothing, so that it may be done often.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// Folders in which something can happen to its states. None where that cannot be told.
    pub(crate) fn folders(&self) -> std::collections::BTreeSet<std::path::PathBuf> {
        match self {
            Self::Local(local) => local.folders(),
            _ => Default::default(),
        }
    }

    /// Whether there is nothing to see a second time.
    pub(crate) fn is_once(&self) -> bool {
        matches!(self, Self::Stdin)
    }

    pub(crate) async fn list(&mut self) -> Result<Vec<Item>, PlaceError> {
        match self {
            Self::Local(local) => local.list(),
            Self::S3(s3) => s3.list().await,
            Self::Http(http) => Ok(http.list()),
            Self::Hcp(hcp) => hcp.list().await,
            Self::Objects(objects) => objects.list().await,
            Self::Auto(auto) => auto.list().await,
            Self::Stdin => Ok(vec![Item {
                key: "-".to_owned(),
                name: "standard input".to_owned(),
                part: String::new(),
                version: Some("once".to_owned()),
                workspace: None,
                written_at_ns: None,
            }]),
        }
    }

    /// What reads older versions, where the place may keep them.
    pub(crate) fn versions(&self) -> Option<Arc<Versions>> {
        match self {
            Self::S3(s3) => s3.versions(),
            Self::Auto(auto) => auto.versions(),
            _ => None,
        }
    }

    /// The bytes of an item; `None` when they are still those of `known`.
    pub(crate) async fn fetch(
        &self,
        item: &Item,
        known: Option<&str>,
    ) -> Result<Option<Fetched>, PlaceError> {
        match self {
            Self::Local(_) => local::read(item).map(Some),
            Self::Stdin => local::read_stdin().map(Some),
            Self::S3(s3) => s3.fetch(item).await,
            Self::Http(http) => http.fetch(item, known).await,
            Self::Hcp(hcp) => hcp.fetch(item).await,
            Self::Objects(objects) => objects.fetch(item).await,
            Self::Auto(auto) => auto.fetch(item, known).await,
        }
    }
}

/// The target of a kind that takes a text alone.
fn text(place: &Place) -> Result<&str, ConfigError> {
    let text = place.target.as_str().filter(|text| !text.is_empty());
    text.ok_or_else(|| ConfigError::new(place.kind.as_str(), "takes a path"))
}
