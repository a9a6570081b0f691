//! A bucket as a feed: found, listed, fetched; see the design note in `docs/delivery.md`.
//!
//! ```text
//! discover ─▶ lister ──objects──▶ fetcher ──slots, in order──▶ BucketFeed ─▶ worker thread
//!     (accounts, regions)  ▲           ▲  └─ again ◀────────────────┘
//!                          └─ ledger: what is through, what is open
//! ```

mod absent;
mod discover;
mod feed;
mod fetch;
mod lister;
mod settings;
mod stream;
mod waiting;

pub use discover::Discovery;
pub use feed::BucketFeed;
pub use lister::Window;
pub use settings::{BucketSettings, Refused};

use crate::clock::Clock;
use crate::counters::Counters;
use crate::health::{Failing, Health};
use crate::ledger::Ledger;
use crate::object::{Object, Payload};
use crate::retry::{Pace, Tries};
use crate::store::{StoreError, StoreErrorKind};
use crate::unread::UnreadList;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use waiting::Waiting;

/// What ends by itself gives up after so many refusals in a row.
const ONCE_TRIES: u32 = 4;

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
    /// Objects that wait for a permission.
    pub waiting: Waiting,
    /// End when all was read, and give up what cannot be.
    pub once: bool,
    /// What was given up.
    pub unread: Arc<UnreadList>,
    /// When the first call failed after the last one that worked.
    pub failing_since: Mutex<Option<Instant>>,
    /// `object_retries`
    pub object_retries: u32,
    /// `max_object_bytes`
    pub max_object_bytes: u64,
}

impl Shared {
    /// Notes that a call worked.
    fn worked(&self) {
        *self.failing_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// True when trying again should end: never, but where reading ends by itself. There a refusal is given up after a
    /// few tries; what passes by itself, when for a while nothing at all has worked: from then on at the first failure.
    fn gives_up(&self, kind: StoreErrorKind, tries: &Tries) -> bool {
        if !self.once {
            return false;
        }
        if matches!(kind, StoreErrorKind::Throttled | StoreErrorKind::Transient) {
            let mut since = self.failing_since.lock().unwrap_or_else(PoisonError::into_inner);
            return since.get_or_insert_with(Instant::now).elapsed() >= self.pace.give_up;
        }
        tries.refusals >= ONCE_TRIES
    }

    /// Notes that `target` is given up.
    fn give_up(&self, target: String, error: &StoreError) {
        if self.unread.add(target, error) {
            tracing::error!("given up after {}: {error}", tries_text(error.kind, self.pace.give_up));
        }
    }
}

fn tries_text(kind: StoreErrorKind, give_up: Duration) -> String {
    match kind {
        StoreErrorKind::Throttled | StoreErrorKind::Transient => {
            format!("{} s in which nothing worked", give_up.as_secs())
        }
        _ => format!("{ONCE_TRIES} tries"),
    }
}

/// A failed call, as [`Health`] wants it told.
fn failing<'a>(error: &'a StoreError, place: &'a str, message: &'a str) -> Failing<'a> {
    Failing { kind: error.kind.as_str(), place, passes: error.kind.passes(), message, story: &error.story }
}

/// What came of a fetch.
pub enum Answer {
    /// The object.
    Payload(Payload),
    /// It cannot be had.
    Failed(StoreError),
    /// It waits for a permission and comes again with a slot of its own.
    Waits,
}

/// A place in the order of objects, with what will be fetched for it.
pub struct Slot {
    object: Arc<Object>,
    reply: mpsc::Receiver<Answer>,
}
