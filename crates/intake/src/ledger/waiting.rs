//! Objects that wait for a permission: known by name, so that the floor need not wait for them.

use super::lane::pending_key;
use super::{Lane, Ledger};
use crate::object::Object;
use serde::{Deserialize, Serialize};

/// An object that waits for a permission: what is needed to ask for it again.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingObject {
    /// Stands for its content.
    pub stamp: u64,
    /// Bytes as stored.
    pub size_bytes: u64,
    /// When it was written, nanoseconds since 1970.
    pub modified_ns: u64,
}

impl Ledger {
    /// Notes that an object waits.
    pub fn wait(&mut self, object: &Object) {
        self.changed = true;
        let (stamp, size_bytes, modified_ns) = (object.stamp, object.size_bytes, object.modified_ns);
        self.lane(&object.lane, 0).wait(&object.name, WaitingObject { stamp, size_bytes, modified_ns });
    }
}

impl Lane {
    fn wait(&mut self, name: &str, object: WaitingObject) {
        self.pending.remove(&pending_key(name));
        self.state.waiting.insert(name.to_owned(), object);
    }

    /// Inflated bytes of an object that were taken.
    pub fn resume(&self, name: &str, stamp: u64) -> u64 {
        self.state.open.get(name).filter(|(known, _)| *known == stamp).map_or(0, |&(_, upto)| upto)
    }
}
