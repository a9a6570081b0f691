//! All states at one moment.

use std::sync::Arc;

use crate::configured::ConfiguredMap;
use crate::index::{KeyIndex, any_seed, key, seed};
use crate::resource::Resource;
use crate::state::State;

/// All states at one moment, with one index over them. Immutable; a new one replaces it when a state changes, and
/// the states that did not change are shared between the two.
#[derive(Default)]
pub struct Snapshot {
    states: Vec<Arc<State>>,
    /// Ordinal of the first resource of each state, and one more: the number of resources.
    bases: Vec<u32>,
    /// The index over several states. A single state's own serves as it is.
    merged: Option<KeyIndex>,
    configured: Arc<ConfiguredMap>,
    /// Of a snapshot of the past: when the newest version of each state was written. Empty otherwise.
    newest_ns: Vec<Option<u64>>,
}

/// One resource of one snapshot. Means nothing in another snapshot. Ordered by state, then by place in the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(u32);

impl Snapshot {
    /// Puts states together. Costs time in the number of index keys, when there are several states; nothing
    /// otherwise.
    pub fn new(states: Vec<Arc<State>>) -> Self {
        let mut bases = Vec::with_capacity(states.len() + 1);
        let mut base = 0u32;
        bases.push(base);
        for state in &states {
            base = base.saturating_add(u32::try_from(state.len()).unwrap_or(u32::MAX));
            bases.push(base);
        }
        let merged = (states.len() > 1).then(|| {
            let mut pairs = Vec::with_capacity(states.iter().map(|s| s.index.len()).sum());
            for (state, &base) in states.iter().zip(&bases) {
                pairs.extend(state.index.pairs(base));
            }
            KeyIndex::new(pairs)
        });
        Self { states, bases, merged, configured: Arc::default(), newest_ns: Vec::new() }
    }

    /// The same with what the configuration says.
    #[must_use]
    pub fn with_configuration(mut self, configured: Arc<ConfiguredMap>) -> Self {
        self.configured = configured;
        self
    }

    /// The same as a snapshot of the past, whose states may have been written again since: when the newest version
    /// of each was written (or deleted), in nanoseconds since the epoch, in the order of the states.
    #[must_use]
    pub fn with_newest_writes(mut self, newest_ns: Vec<Option<u64>>) -> Self {
        self.newest_ns = newest_ns;
        self
    }

    /// When the state that a resource stands in was written last, in nanoseconds since the epoch. In a snapshot of
    /// the past that is the newest version's time, not the one's in hand. `None` where it is not known.
    pub fn last_written_ns(&self, id: ResourceId) -> Option<u64> {
        let at = self.state_of(id)?;
        let newest = self.newest_ns.get(at).copied().flatten();
        newest.or_else(|| self.states.get(at)?.written_at_ns())
    }

    /// Bytes of the index over several states, without the states themselves.
    pub fn resident_bytes(&self) -> usize {
        self.merged.as_ref().map_or(0, |index| index.len() * 13)
    }

    /// What the configuration says; empty where none was given.
    pub fn configuration(&self) -> &Arc<ConfiguredMap> {
        &self.configured
    }

    /// The states, in the order they were given.
    pub fn states(&self) -> &[Arc<State>] {
        &self.states
    }

    /// Number of resources in all states, those of other providers and data sources included.
    pub fn len(&self) -> usize {
        self.bases.last().map_or(0, |&n| n as usize)
    }

    /// Whether no state holds anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Managed AWS resources of type `rtype` whose attribute `attr_path` (`id`, `arn`, or one of the
    /// [`IndexPlan`](crate::IndexPlan)) is `value`. A number or boolean is written as JSON writes it; a path through
    /// a list matches any element.
    pub fn find(
        &self,
        rtype: &str,
        attr_path: &str,
        value: &str,
    ) -> impl Iterator<Item = ResourceId> + use<'_> {
        self.lookup(key(seed(rtype, attr_path), value))
    }

    /// Managed AWS resources of any type whose `id` or `arn` is `value`.
    pub fn find_any(&self, value: &str) -> impl Iterator<Item = ResourceId> + use<'_> {
        self.lookup(key(any_seed(), value))
    }

    fn lookup(&self, key: u64) -> impl Iterator<Item = ResourceId> + use<'_> {
        let index = self.merged.as_ref().or_else(|| self.states.first().map(|s| &s.index));
        index.map(|i| i.find(key)).unwrap_or_default().iter().copied().map(ResourceId)
    }

    /// The resource behind an id of this snapshot. `None` for an id of another snapshot that is out of range here.
    pub fn resource(&self, id: ResourceId) -> Option<Resource<'_>> {
        let at = self.state_of(id)?;
        let state = self.states.get(at)?;
        let entry = state.entries.get((id.0 - self.bases.get(at)?) as usize)?;
        Some(Resource { state, entry, configured: &self.configured })
    }

    fn state_of(&self, id: ResourceId) -> Option<usize> {
        self.bases.partition_point(|&base| base <= id.0).checked_sub(1)
    }

    /// Ids of all resources, those of other providers and data sources included.
    pub fn resources(&self) -> impl Iterator<Item = ResourceId> + use<> {
        (0..self.bases.last().copied().unwrap_or(0)).map(ResourceId)
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("states", &self.states).finish()
    }
}
