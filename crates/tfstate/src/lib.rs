//! Terraform and OpenTofu states: reader, addresses, index, masking.
//!
//! Pure: bytes in, an immutable [`State`] out. No clock, no I/O, no async.
//!
//! ```
//! use std::sync::Arc;
//! use tfdrift_tfstate::{IndexPlan, Snapshot, StateMeta, read_state};
//!
//! let text = br#"{"version":4,"serial":1,"lineage":"l","resources":[{"mode":"managed",
//!   "type":"aws_vpc","name":"main","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
//!   "instances":[{"attributes":{"id":"vpc-1","cidr_block":"10.0.0.0/16"}}]}]}"#;
//! let state = read_state(text, StateMeta::named("prod"), &IndexPlan::new())?;
//! let snapshot = Snapshot::new(vec![Arc::new(state)]);
//! let id = snapshot.find("aws_vpc", "id", "vpc-1").next().expect("it is in the state");
//! assert_eq!(snapshot.resource(id).expect("same snapshot").address(), "aws_vpc.main");
//! # Ok::<(), tfdrift_tfstate::StateError>(())
//! ```

#![forbid(unsafe_code)]

mod address;
mod arena;
mod builder;
mod compact;
mod configured;
mod error;
mod index;
mod mask;
mod origin;
mod plan;
mod provider;
mod reader;
mod resource;
mod sensitive;
mod snapshot;
mod state;
mod suspect;

pub use address::{Address, AddressError, InstanceKey, Mode, ModuleStep};
pub use configured::{Configured, ConfiguredMap};
pub use error::StateError;
pub use mask::{MASK, Masker, holds_secret_digest, same_secret};
pub use plan::IndexPlan;
pub use reader::read_state;
pub use resource::Resource;
pub use snapshot::{ResourceId, Snapshot};
pub use state::{State, StateMeta};
