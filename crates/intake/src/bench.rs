//! Parts of the way alone, for `benches/`. No part of the interface.

use crate::dedup::{Dedup, mark};
use crate::inflate;
use crate::scan::{Found, Scanner};

/// Inflates whole objects.
#[derive(Default)]
pub struct Inflater(inflate::Inflater);

impl Inflater {
    /// The inflated bytes, as far as they are whole.
    pub fn inflate(&mut self, gzip: &[u8]) -> Vec<u8> {
        let whole = inflate::whole_size(gzip).and_then(|size| self.0.whole(gzip, size));
        whole.unwrap_or_else(|| {
            let mut plain = inflate::Plain::new(gzip, inflate::is_gzip(gzip), u64::MAX - 1);
            let mut out = Vec::new();
            while matches!(plain.read_more(&mut out, 1 << 20), Ok(false)) {}
            out
        })
    }
}

/// Records of an object.
pub fn count_records(object: &[u8]) -> usize {
    let mut scanner = Scanner::new(1 << 20);
    let mut records = 0;
    loop {
        match scanner.next(object, true) {
            Found::Record(..) => records += 1,
            Found::End | Found::More { .. } => return records,
            Found::Broken { .. } | Found::TooLarge { .. } => {}
        }
    }
}

/// Records whose ids are new; splits, too.
pub fn is_new(objects: &[Vec<u8>]) -> usize {
    let mut dedup = Dedup::new(1_000_000);
    let mut fresh = 0;
    for object in objects {
        let mut scanner = Scanner::new(1 << 20);
        loop {
            match scanner.next(object, true) {
                Found::Record(_, head) => fresh += usize::from(dedup.insert(mark(head.event_id.of(object)))),
                Found::End | Found::More { .. } => break,
                Found::Broken { .. } | Found::TooLarge { .. } => {}
            }
        }
    }
    fresh
}
