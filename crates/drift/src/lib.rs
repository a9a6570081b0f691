//! `drift(record, snapshot)`: which Terraform resources a CloudTrail record changes, and how.
//!
//! A pure function: no clock, no I/O, no history. [`Mappings`] say what an operation does to which types; [`drift`] reads the record's
//! parameters, finds the resources in the [`tfdrift_tfstate::Snapshot`], carries the change out on their attributes and compares.
//! [`Net`] does the same for a list of records.

mod apply;
mod coerce;
mod config;
mod diff_text;
mod equal;
mod eval;
mod evaluate;
mod explain;
mod find;
mod finding;
mod functions;
mod mappings;
mod net;
mod params;
mod policy;
mod severity;
mod view;

pub use config::{DriftConfig, DriftSettings, IgnoreError, IgnoreRule};
pub use diff_text::plain;
pub use finding::{
    Assessment, AttributeChange, CreatedResource, Finding, Kind, ResourceFinding, assess, drift,
};
pub use mappings::{Mappings, MappingsError};
pub use net::{Net, NetDrift};
pub use severity::Severity;
pub use tfdrift_mapping::Confidence;
