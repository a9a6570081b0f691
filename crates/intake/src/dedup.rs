//! Which event ids were seen, within a bound.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// 64 bits that stand for an event id; 0 is never one. CloudTrail's ids are random UUIDs: that one of a million
/// remembered ids has the same 64 bits as a new one happens once in 2·10¹³ records.
pub type IdMark = u64;

/// The mark of an `eventID`. Stable over versions: marks lie on disk.
pub fn mark(id: &[u8]) -> IdMark {
    let mut hash = 0x9e37_79b9_7f4a_7c15 ^ id.len() as u64;
    for piece in id.chunks(8) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(piece) {
            *to = *from;
        }
        hash = fold(hash ^ u64::from_le_bytes(word), 0xa076_1d64_78bd_642f);
    }
    fold(hash, 0xe703_7ed1_a0b4_28db).max(1)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x2d35_8dcc_aa6c_78a5).wrapping_mul(u128::from(b));
    (product as u64) ^ ((product >> 64) as u64)
}

/// The last event ids, between half of and all `entries`: when the newer half is full, the older one is let go.
#[derive(Debug)]
pub struct Dedup {
    newer: Marks,
    older: Marks,
    half: usize,
}

type Marks = HashSet<IdMark, BuildHasherDefault<AsIs>>;

impl Dedup {
    /// Remembers up to `entries` ids; 0 remembers none.
    pub fn new(entries: usize) -> Self {
        Self { newer: Marks::default(), older: Marks::default(), half: entries.div_ceil(2) }
    }

    /// Remembers a mark. False if it was known.
    pub fn insert(&mut self, mark: IdMark) -> bool {
        if self.half == 0 {
            return true;
        }
        if self.older.contains(&mark) || !self.newer.insert(mark) {
            return false;
        }
        if self.newer.len() >= self.half {
            self.older = std::mem::take(&mut self.newer);
        }
        true
    }

    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.newer.len() + self.older.len()
    }
}

/// Marks are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = mark(bytes);
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_known() {
        let mut dedup = Dedup::new(10);
        assert!(dedup.insert(mark(b"a")));
        assert!(!dedup.insert(mark(b"a")));
        assert!(dedup.insert(mark(b"b")));
        assert_eq!(dedup.len(), 2);
    }

    #[test]
    fn memory_is_bounded_and_the_newest_half_stays() {
        let mut dedup = Dedup::new(100);
        for n in 0..10_000u64 {
            assert!(dedup.insert(mark(&n.to_le_bytes())));
            assert!(dedup.len() <= 100);
        }
        for n in 9_950..10_000u64 {
            assert!(!dedup.insert(mark(&n.to_le_bytes())), "{n}");
        }
    }

    #[test]
    fn marks_differ_and_stay() {
        let marks: HashSet<u64> =
            (0..200_000u32).map(|n| mark(format!("{n:08x}-1111-4222-8333").as_bytes())).collect();
        assert_eq!(marks.len(), 200_000);
        // On disk in checkpoints of earlier versions.
        assert_eq!(mark(b"8f7d3c1a-0000-4000-8000-000000000001"), MARK_OF_VERSION_1);
    }

    const MARK_OF_VERSION_1: u64 = 16835810086011176755;
}
