//! A piece of an inflated object, shared by the records in it.

use crate::budget::Held;
use crate::object::Object;
use std::sync::Arc;

/// Bytes of an object, and which of its bytes they are. They count against the budget as long as one record of them is
/// held.
#[derive(Debug)]
pub struct Chunk {
    bytes: Vec<u8>,
    object: Arc<Object>,
    /// Inflated bytes of the object before these.
    base: u64,
    _held: Held,
}

impl Chunk {
    pub fn new(bytes: Vec<u8>, object: &Arc<Object>, base: u64, held: Held) -> Arc<Self> {
        Arc::new(Self { bytes, object: Arc::clone(object), base, _held: held })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn object(&self) -> &Arc<Object> {
        &self.object
    }

    pub fn base(&self) -> u64 {
        self.base
    }
}
