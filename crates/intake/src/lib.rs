//! From where CloudTrail lies to single records: folders and buckets are listed, objects fetched, inflated and split,
//! each record handed out once, and what was handed out is remembered over a restart.
//!
//! ```no_run
//! use std::time::Duration;
//! use tfdrift_intake::{Intake, IntakeConfig, Next, Origin, Parts};
//!
//! let origin = Origin::parse("/var/log/cloudtrail")?;
//! let mut intake = Intake::open(origin, &IntakeConfig::default(), Parts::default())?;
//! loop {
//!     match intake.next_batch(512, Duration::from_millis(10)) {
//!         Next::Batch(records) => records.iter().for_each(|r| println!("{} {}", r.time_ns(), r.bytes().len())),
//!         Next::Idle => continue,
//!         Next::End => break,
//!     }
//! }
//! intake.close();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! A batch counts as taken when [`Intake::next_batch`] is called again: the plugin API has no other acknowledgement.
//! What is promised, and the test that shows each promise, is in `docs/delivery.md`.

mod backoff;
#[doc(hidden)]
pub mod bench;
mod bucket;
mod budget;
pub mod checkpoint;
mod chunk;
pub mod clock;
pub mod config;
pub mod counters;
mod dedup;
mod files;
mod filter;
mod handout;
mod health;
mod inflate;
pub mod intake;
mod interval;
pub mod layout;
mod ledger;
mod object;
pub mod origin;
pub mod quarantine;
pub mod record;
pub mod retry;
pub mod s3;
mod scan;
pub mod since;
pub mod store;
pub mod survey;
mod threads;
mod unread;
mod whole;
mod worker;

pub use checkpoint::Checkpoint;
pub use clock::{Clock, SystemClock};
pub use config::{IntakeConfig, OnOpenError, Order, SourceConfig};
pub use counters::Counters;
pub use intake::{Intake, Next, OpenError, Parts};
pub use origin::{Origin, OriginError};
pub use record::RecordSlice;
pub use retry::Pace;
#[cfg(feature = "aws")]
pub use s3::AwsConnect;
pub use since::Since;
pub use store::{Connect, ConnectError, ObjectStore};
pub use threads::quiet;
pub use unread::Unread;
pub use whole::{NoRecord, records};
