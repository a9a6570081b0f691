//! A bucket as a feed: found, listed, fetched; see the design note in `docs/delivery.md`.
//!
//! ```text
//! discover ─▶ lister ──objects──▶ fetcher ──slots, in order──▶ BucketFeed ─▶ worker thread
//!     (accounts, regions)  ▲           ▲  └─ again ◀────────────────┘
//!                          └─ ledger: what is through, what is open
//! ```

mod discover;
mod feed;
mod fetch;
mod lister;
mod settings;
mod stream;

pub use discover::{Discovery, Places};
pub use feed::BucketFeed;
pub use lister::Window;
pub use settings::{BucketSettings, Refused};

use crate::clock::Clock;
use crate::counters::Counters;
use crate::ledger::Ledger;
use crate::object::{Object, Payload};
use crate::retry::{Health, Pace};
use crate::store::StoreError;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

/// What the parts of a bucket's feed share.
pub struct Shared {
    /// Counters of the intake.
    pub counters: Arc<Counters>,
    /// The book.
    pub ledger: Arc<Mutex<Ledger>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Times between attempts.
    pub pace: Pace,
    /// Objects handed to the fetcher that are not through.
    pub outstanding: AtomicU64,
    /// True when the lister has nothing more to give.
    pub listed_all: AtomicBool,
    /// Whether listing works.
    pub listing: Health,
    /// Whether fetching works.
    pub fetching: Health,
    /// `object_retries`
    pub object_retries: u32,
    /// `max_object_bytes`
    pub max_object_bytes: u64,
}

/// A place in the order of objects, with what will be fetched for it.
pub struct Slot {
    object: Arc<Object>,
    reply: mpsc::Receiver<Result<Payload, StoreError>>,
}
