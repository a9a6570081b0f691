//! What is known of the event in hand, so that each of its fields does not find it out again.

use std::sync::atomic::Ordering::Relaxed;

use tfdrift_cloudtrail::{Head, Record, ct};

use crate::config::Compat;
use crate::drift::Judgement;
use crate::metrics::Shared;

/// The event in hand. libsinsp asks for one field at a time and shares nothing between two questions.
pub struct Cache {
    compat: ct::Compat,
    key: Option<Key>,
    head: Head,
    /// Whether the event is a record at all.
    readable: bool,
    /// What the record means for Terraform, once that was asked; none inside if no state is known.
    judgement: Option<Option<Judgement>>,
}

/// Event number, address and length of its record. The number alone would do for Falco; with the address, a host
/// that counts otherwise gets right answers too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    number: usize,
    address: usize,
    len: usize,
}

impl Cache {
    /// Nothing in hand.
    pub fn new(compat: Compat) -> Self {
        let compat = match compat {
            Compat::Normal => ct::Compat::Normal,
            Compat::Strict => ct::Compat::Strict,
        };
        Self { compat, key: None, head: Head::default(), readable: false, judgement: None }
    }

    pub(crate) fn compat(&self) -> ct::Compat {
        self.compat
    }

    /// Called when the memory of the events handed out may be used again.
    #[inline]
    pub(crate) fn forget(&mut self) {
        self.key = None;
        self.judgement = None;
    }

    /// Takes an event in hand, unless it is already. Its record is scanned once.
    #[inline(always)]
    pub(super) fn take(&mut self, number: usize, bytes: &[u8], shared: &Shared) {
        let key = Key { number, address: bytes.as_ptr() as usize, len: bytes.len() };
        if self.key != Some(key) {
            self.scan(key, bytes, shared);
        }
    }

    #[inline(never)]
    fn scan(&mut self, key: Key, bytes: &[u8], shared: &Shared) {
        // not the new key yet: a panic in between must not leave a half-made answer
        self.forget();
        self.readable = self.head.scan(bytes).is_ok();
        if !self.readable {
            shared.unreadable.fetch_add(1, Relaxed);
        }
        self.key = Some(key);
    }

    /// The record taken in hand, whose bytes must be given again; none if it is not a record.
    #[inline(always)]
    pub(super) fn record<'a>(&'a self, bytes: &'a [u8]) -> Option<Record<'a>> {
        self.readable.then(|| Record::with_head(bytes, &self.head))
    }

    /// The same, and the place for its judgement.
    pub(super) fn record_and_judgement<'a>(
        &'a mut self,
        bytes: &'a [u8],
    ) -> Option<(Record<'a>, &'a mut Option<Option<Judgement>>)> {
        self.readable.then(|| (Record::with_head(bytes, &self.head), &mut self.judgement))
    }
}
