//! The index: hash of (type, attribute path, value) → instances.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

/// One key for the whole process: what stands in a record is chosen by whoever made the call, so a fixed hash
/// would let them aim for collisions. Nothing that is printed depends on it.
fn keyed() -> &'static RandomState {
    static KEYED: OnceLock<RandomState> = OnceLock::new();
    KEYED.get_or_init(RandomState::new)
}

/// Keyed hash of anything, stable within this process.
pub(crate) fn keyed_hash(value: &(impl Hash + ?Sized)) -> u64 {
    keyed().hash_one(value)
}

/// First half of a key: what stays the same for all instances of a type.
pub(crate) fn seed(rtype: &str, attr_path: &str) -> u64 {
    keyed_hash(&(rtype, attr_path))
}

/// First half of the keys for "id or arn of any type".
pub(crate) fn any_seed() -> u64 {
    seed("", "")
}

/// A whole key.
pub(crate) fn key(seed: u64, value: &str) -> u64 {
    let mut hasher = keyed().build_hasher();
    hasher.write_u64(seed);
    hasher.write(value.as_bytes());
    hasher.finish()
}

/// Sorted keys with a table over their top bits. 13 bytes per key; a lookup touches two cache lines.
///
/// 64-bit keys are taken as equal when their hashes are: among 500,000 keys a wrong hit has a chance of 3e-14 per
/// lookup.
#[derive(Default)]
pub(crate) struct KeyIndex {
    hashes: Box<[u64]>,
    ordinals: Box<[u32]>,
    /// `starts[p]` is the place of the first key whose top `bits` bits are ≥ p.
    starts: Box<[u32]>,
    bits: u32,
}

impl KeyIndex {
    /// Sorts `pairs` of (key, ordinal) and drops repeated ones.
    pub(crate) fn new(mut pairs: Vec<(u64, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        // About four keys per slot.
        let bits = (pairs.len() / 4).max(1).ilog2().min(28);
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0usize;
        for prefix in 0..=(1u64 << bits) {
            while pairs.get(at).is_some_and(|&(hash, _)| top(hash, bits) < prefix) {
                at += 1;
            }
            starts.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        Self {
            hashes: pairs.iter().map(|p| p.0).collect(),
            ordinals: pairs.iter().map(|p| p.1).collect(),
            starts: starts.into_boxed_slice(),
            bits,
        }
    }

    /// Ordinals under a key, ascending.
    pub(crate) fn find(&self, key: u64) -> &[u32] {
        let prefix = top(key, self.bits) as usize;
        let (Some(&from), Some(&to)) = (self.starts.get(prefix), self.starts.get(prefix + 1)) else {
            return &[];
        };
        let (from, to) = (from as usize, to as usize);
        let slot = self.hashes.get(from..to).unwrap_or_default();
        let first = slot.partition_point(|&h| h < key);
        let count = slot.get(first..).unwrap_or_default().partition_point(|&h| h == key);
        self.ordinals.get(from + first..from + first + count).unwrap_or_default()
    }

    /// All pairs, ordinals raised by `base`.
    pub(crate) fn pairs(&self, base: u32) -> impl Iterator<Item = (u64, u32)> {
        self.hashes.iter().zip(&self.ordinals).map(move |(&h, &o)| (h, o.saturating_add(base)))
    }

    /// Number of keys.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }
}

fn top(hash: u64, bits: u32) -> u64 {
    // A shift by 64 is not defined, and with no bits there is one slot.
    hash.checked_shr(64 - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_key_and_no_other() {
        for n in [0u32, 1, 3, 4, 1000, 33_333] {
            let pairs: Vec<_> = (0..n).map(|i| (keyed_hash(&(i / 2)), i)).collect();
            let index = KeyIndex::new(pairs);
            for i in 0..n {
                let found = index.find(keyed_hash(&(i / 2)));
                assert!(found.contains(&i), "{i} of {n}");
                assert!(found.len() <= 2 && found.is_sorted());
            }
            assert!(index.find(keyed_hash("nothing")).is_empty());
            assert_eq!(index.len(), n as usize);
        }
    }

    #[test]
    fn extreme_keys() {
        let index = KeyIndex::new(vec![(0, 1), (u64::MAX, 2), (u64::MAX, 1), (0, 1)]);
        assert_eq!(index.find(0), [1]);
        assert_eq!(index.find(u64::MAX), [1, 2]);
        assert!(index.find(7).is_empty());
    }
}
