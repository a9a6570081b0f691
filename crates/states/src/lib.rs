//! The places where Terraform states live, and live snapshots of them.
//!
//! [`StateConfig`] says where; [`shared`] gives the one [`StateStore`] of a process for it; [`StateStore::open`] starts
//! a thread that loads and polls; [`StateStore::snapshot`] is what a reader takes, without ever waiting.
//! A command that runs once calls [`StateStore::load_now`].
//!
//! ```
//! use tfdrift_states::{Place, StateConfig, StateStore};
//! use tfdrift_tfstate::IndexPlan;
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("prod.tfstate");
//! # std::fs::write(&path, r#"{"version":4,"serial":7,"lineage":"l","resources":[]}"#)?;
//! let mut config = StateConfig::default();
//! config.places.push(Place::parse(path.to_str().ok_or("path")?)?);
//! let store = StateStore::new(config, IndexPlan::new())?;
//! let status = store.load_now();
//! assert!(status.errors().next().is_none());
//! assert_eq!(store.snapshot().ok_or("nothing loaded")?.states()[0].serial(), Some(7));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod config;
mod configuration;
mod error;
mod fetch;
mod history;
mod inflate;
mod loader;
mod place;
mod registry;
mod source;
mod status;
mod store;
mod watch;

pub use config::StateConfig;
pub use configuration::read_configuration;
pub use error::{ConfigError, PlaceError};
pub use place::{Place, PlaceKind};
pub use registry::shared;
pub use status::{HistoryError, HistoryStatus, LoadStatus, PlaceStatus, StateStatus};
pub use store::{AsOf, Lease, StateStore};
