//! The thread that inflates and splits: objects in, records out, in order. What becomes of an object is here, how its
//! bytes are read in `bytes`, and what is handed on of its records in `records`.

mod bytes;
mod records;

use crate::budget::Budget;
use crate::counters::Counters;
use crate::dedup::Dedup;
use crate::filter::Filter;
use crate::inflate::{Fault, Inflater};
use crate::object::{Ended, Item, Object, Payload};
use crate::quarantine::{Quarantine, Reason};
use crate::store::{StoreError, StoreErrorKind};
use crate::unread::UnreadList;
use records::Tally;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// Where objects come from.
pub trait Feed: Send {
    /// The next object, waiting at most `wait`.
    fn next(&mut self, wait: Duration) -> Fed;

    /// Takes back an object that could not be read to its end. False: not again, it is given up.
    fn again(&mut self, object: &Arc<Object>) -> bool {
        let _ = object;
        false
    }

    /// True where an error of the store in the middle of an object is its end: trying again was given up.
    fn gives_up(&self) -> bool {
        false
    }

    /// Told when an object is through.
    fn ended(&mut self, object: &Arc<Object>) {
        let _ = object;
    }
}

/// What a feed has.
pub enum Fed {
    /// An object.
    Object(Arc<Object>, Payload),
    /// An object that cannot be had.
    Failed(Arc<Object>, StoreError),
    /// Nothing now.
    Nothing,
    /// Nothing any more.
    End,
}

/// Limits that a user sets.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `max_inflated_bytes`
    pub inflated_bytes: u64,
    /// `max_record_bytes`
    pub record_bytes: usize,
}

/// The worker's state.
pub struct Worker {
    pub out: SyncSender<Item>,
    pub budget: Arc<Budget>,
    pub counters: Arc<Counters>,
    pub unread: Arc<UnreadList>,
    pub dedup: Dedup,
    pub filter: Filter,
    pub limits: Limits,
    pub quarantine: Arc<Quarantine>,
    pub stop: Arc<AtomicBool>,
    pub inflater: Inflater,
}

/// The other side has gone.
struct Closed;

/// Why splitting stopped early.
enum Stop {
    Closed,
    Fault(Fault),
}

impl Worker {
    /// Works until the feed ends or nobody listens.
    pub fn run(mut self, mut feed: Box<dyn Feed>) {
        while !self.stop.load(Relaxed) {
            let going = match feed.next(Duration::from_millis(100)) {
                Fed::Nothing => Ok(()),
                Fed::End => {
                    let _ = self.out.send(Item::End);
                    return;
                }
                Fed::Failed(object, error) => self.failed(&object, &error, feed.as_mut()),
                Fed::Object(object, payload) => self.object(&object, payload, feed.as_mut()),
            };
            if going.is_err() {
                return;
            }
        }
    }

    fn object(&mut self, object: &Arc<Object>, payload: Payload, feed: &mut dyn Feed) -> Result<(), Closed> {
        let mut tally = Tally { upto: object.resume_bytes(), ..Tally::default() };
        // A panic here is a fault of ours; it must cost this object and not the thread.
        let split = catch_unwind(AssertUnwindSafe(|| self.split(object, payload, &mut tally)));
        object.set_resume(tally.upto);
        match split {
            Ok(Ok(())) => self.whole(object, &tally, feed),
            Ok(Err(Stop::Closed)) => Err(Closed),
            Ok(Err(Stop::Fault(fault))) => self.fault(object, &tally, fault, feed),
            Err(_) => {
                self.inflater = Inflater::default();
                let fault = Fault::Malformed("internal error while reading it; please report".into());
                self.fault(object, &tally, fault, feed)
            }
        }
    }

    fn whole(&mut self, object: &Arc<Object>, tally: &Tally, feed: &mut dyn Feed) -> Result<(), Closed> {
        if tally.records == 0
            && let Some((at, _, why)) = tally.early.first()
        {
            self.counters.malformed_object.add(1);
            self.quarantine.object(object, Reason::MalformedObject, &format!("{why} at byte {at}"));
            return self.end(object, Ended::Quarantined, tally.upto, feed);
        }
        // Broken records among good ones were counted one by one.
        self.counters.malformed_record.add(tally.broken);
        self.end(object, Ended::Done, tally.upto, feed)
    }

    fn fault(
        &mut self,
        object: &Arc<Object>,
        tally: &Tally,
        fault: Fault,
        feed: &mut dyn Feed,
    ) -> Result<(), Closed> {
        if self.stop.load(Relaxed) {
            // Bytes that stop coming because everything stops are no fault of the object.
            return Err(Closed);
        }
        self.counters.malformed_record.add(tally.broken);
        if let Fault::Store(error) = &fault
            && feed.gives_up()
        {
            return self.failed(object, error, feed);
        }
        if !matches!(fault, Fault::TooLarge { .. }) && feed.again(object) {
            self.counters.retries.add(1);
            return Ok(());
        }
        let (count, reason) = match fault {
            Fault::TooLarge { .. } => (&self.counters.object_too_large, Reason::ObjectTooLarge),
            Fault::Malformed(_) | Fault::Broken(_) | Fault::Store(_) => {
                (&self.counters.malformed_object, Reason::MalformedObject)
            }
        };
        count.add(1);
        self.quarantine.object(
            object,
            reason,
            &format!("{fault}; {} records before it were read", tally.records),
        );
        self.end(object, Ended::Quarantined, tally.upto, feed)
    }

    fn failed(
        &mut self,
        object: &Arc<Object>,
        error: &StoreError,
        feed: &mut dyn Feed,
    ) -> Result<(), Closed> {
        if self.stop.load(Relaxed) {
            return Err(Closed);
        }
        let (count, reason, how) = match error.kind {
            StoreErrorKind::NotFound => (&self.counters.not_found, Reason::NotFound, Ended::Gone),
            StoreErrorKind::TooLarge => {
                (&self.counters.object_too_large, Reason::ObjectTooLarge, Ended::Quarantined)
            }
            // Given up, as only what ends by itself does; it has no quarantine, so that the list alone names it.
            kind if kind.passes() || kind.waits() => {
                self.counters.object_given_up.add(1);
                if self.unread.add(object.to_string(), error) {
                    tracing::error!("given up, and named at the end with all others: {error}");
                }
                return self.end(object, Ended::Quarantined, object.resume_bytes(), feed);
            }
            _ => (&self.counters.malformed_object, Reason::MalformedObject, Ended::Quarantined),
        };
        count.add(1);
        self.quarantine.object(object, reason, &error.message);
        self.end(object, how, object.resume_bytes(), feed)
    }

    fn end(
        &mut self,
        object: &Arc<Object>,
        how: Ended,
        upto: u64,
        feed: &mut dyn Feed,
    ) -> Result<(), Closed> {
        self.out.send(Item::Ended { object: Arc::clone(object), how, upto }).map_err(|_| Closed)?;
        feed.ended(object);
        Ok(())
    }
}
