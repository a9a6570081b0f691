//! One place, listed and fetched. Each kind is a variant: a trait object would need boxed futures for no gain.

mod local;

use crate::config::StateConfig;
use crate::error::{ConfigError, PlaceError};
use crate::fetch::{Fetched, Item};
use crate::place::{Place, PlaceKind};

pub(crate) enum Source {
    Local(local::Local),
    Stdin,
}

impl Source {
    pub(crate) fn new(place: &Place, _config: &StateConfig) -> Result<Self, ConfigError> {
        Ok(match place.kind {
            PlaceKind::File if place.target == "-" => Self::Stdin,
            PlaceKind::File => Self::Local(local::Local::file(text(place)?)?),
            PlaceKind::Dir => Self::Local(local::Local::dir(text(place)?)),
            kind => return Err(ConfigError::new(kind.as_str(), "is not built in")),
        })
    }

    /// Whether this place is one state, whose name is the place's.
    pub(crate) fn is_single(&self) -> bool {
        match self {
            Self::Local(local) => local.is_single(),
            Self::Stdin => true,
        }
    }

    /// Whether looking costs nothing, so that it may be done often.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// Whether there is nothing to see a second time.
    pub(crate) fn is_once(&self) -> bool {
        matches!(self, Self::Stdin)
    }

    pub(crate) async fn list(&mut self) -> Result<Vec<Item>, PlaceError> {
        match self {
            Self::Local(local) => local.list(),
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

    /// The bytes of an item; `None` when they are still those of `known`.
    pub(crate) async fn fetch(
        &self,
        item: &Item,
        _known: Option<&str>,
    ) -> Result<Option<Fetched>, PlaceError> {
        match self {
            Self::Local(_) => local::read(item).map(Some),
            Self::Stdin => local::read_stdin().map(Some),
        }
    }
}

/// The target of a kind that takes a text alone.
fn text(place: &Place) -> Result<&str, ConfigError> {
    let text = place.target.as_str().filter(|text| !text.is_empty());
    text.ok_or_else(|| ConfigError::new(place.kind.as_str(), "takes a path"))
}
