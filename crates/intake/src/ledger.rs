//! What was handed out, and what of it was taken: the one book that lister, keeper and hand-out share.

mod lane;
mod waiting;

pub use lane::{Lane, LaneState, Want};
pub use waiting::WaitingObject;

use crate::checkpoint::Journal;
use crate::dedup::IdMark;
use crate::object::Object;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one batch took, told when the next one is asked for.
#[derive(Debug, Default)]
pub struct Taken {
    /// Marks of the records' ids.
    pub ids: Vec<IdMark>,
    /// How far objects were read, in order.
    pub steps: Vec<Step>,
}

impl Taken {
    /// True when there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.steps.is_empty()
    }
}

/// How far one object was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The lane of its key.
    pub lane: Arc<str>,
    /// The rest of its key.
    pub name: String,
    /// Stands for its content.
    pub stamp: u64,
    /// Inflated bytes that were taken.
    pub upto: u64,
    /// True when nothing of it is left.
    pub done: bool,
}

impl Step {
    /// Of an object.
    pub fn of(object: &Object, upto: u64, done: bool) -> Self {
        let (lane, name) = (Arc::clone(&object.lane), object.name.clone());
        Self { lane, name, stamp: object.stamp, upto, done }
    }
}

/// The book.
#[derive(Debug, Default)]
pub struct Ledger {
    lanes: BTreeMap<Arc<str>, Lane>,
    journal: Option<Journal>,
    /// Where reading began, when there was nothing to go on from; nanoseconds since 1970.
    pub start_ns: u64,
    /// True when something was taken since the last snapshot.
    pub changed: bool,
}

impl Ledger {
    /// A book that goes on from an earlier one.
    pub fn new(lanes: BTreeMap<Arc<str>, Lane>, journal: Option<Journal>, start_ns: u64) -> Self {
        Self { lanes, journal, start_ns, changed: false }
    }

    /// The lane of that name, made when it is new.
    pub fn lane(&mut self, lane: &Arc<str>, floor_minute: u64) -> &mut Lane {
        self.lanes.entry(Arc::clone(lane)).or_insert_with(|| Lane::new(floor_minute))
    }

    /// All lanes.
    pub fn lanes(&self) -> &BTreeMap<Arc<str>, Lane> {
        &self.lanes
    }

    /// All lanes, to be changed.
    pub fn lanes_mut(&mut self) -> impl Iterator<Item = (&Arc<str>, &mut Lane)> {
        self.lanes.iter_mut()
    }

    /// The journal, where one is kept.
    pub fn journal(&mut self) -> Option<&mut Journal> {
        self.journal.as_mut()
    }

    /// Writes down what was taken.
    ///
    /// # Errors
    /// When the journal cannot be written; what was taken is remembered in memory all the same.
    pub fn commit(&mut self, taken: &Taken) -> std::io::Result<()> {
        self.changed = true;
        let written = match &mut self.journal {
            Some(journal) => journal.append(taken),
            None => Ok(()),
        };
        for step in &taken.steps {
            self.apply(step);
        }
        written
    }

    /// Takes note of a step.
    pub fn apply(&mut self, step: &Step) {
        // A lane that only the journal knows: where it begins is for the lister to say.
        self.lane(&step.lane, 0).apply(step);
    }
}
