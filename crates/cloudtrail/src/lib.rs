//! One CloudTrail record as a borrowed view: members, actor, tool, time.
//!
//! Everything here is a pure function of bytes. A [`Record`] is scanned once for its top-level members and
//! copies nothing; nested members are read from the bytes of their parent when somebody asks for them.
#![forbid(unsafe_code)]

mod actor;
pub mod ct;
mod error;
mod head;
pub mod json;
mod operation;
mod record;
pub mod time;
mod via;

pub use error::RecordError;
pub use head::{Head, Member, event_time_ns};
pub use record::Record;
pub use via::Via;
