//! The Falco face of TFDrift: one plugin type, [`Tf`], that reads CloudTrail records and answers fields about them.
//!
//! `crates/so` and `crates/drop-in` make the libraries that Falco loads out of it with [`export_plugin!`].

pub mod config;
mod drift;
pub mod extract;
pub mod guard;
pub mod logger;
pub mod metrics;
pub mod open_params;
pub mod payload;
pub mod plugin;
pub mod source;

pub use falco_plugin::api;
pub use plugin::Tf;
