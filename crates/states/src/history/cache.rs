//! What is kept of the past: states by version, and the snapshots put together from them, bounded in bytes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tfdrift_tfstate::{Snapshot, State};

use super::timeline::Span;

/// Snapshots kept: enough for events that come a little out of order.
const MAX_SNAPSHOTS: usize = 8;

/// States and snapshots of the past. A state that must go takes the snapshots that hold it along.
#[derive(Debug)]
pub(crate) struct Cache {
    limit_bytes: u64,
    /// By item and ETag, with the number of its last use.
    states: HashMap<(String, String), (Arc<State>, u64)>,
    state_bytes: u64,
    uses: u64,
    /// The one used last comes first.
    snapshots: Vec<Assembled>,
}

/// All states as of a span of time.
#[derive(Debug)]
pub(crate) struct Assembled {
    /// The newest snapshot when this one was made: it says what states there are, and gives those without versions.
    pub(crate) base: Arc<Snapshot>,
    pub(crate) span: Span,
    pub(crate) snapshot: Arc<Snapshot>,
    /// When to try again: something could not be read, and the newest state stands in for it.
    pub(crate) retry_at: Option<Instant>,
}

impl Cache {
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, states: HashMap::new(), state_bytes: 0, uses: 0, snapshots: Vec::new() }
    }

    /// The snapshot of a time, if it is there.
    pub(crate) fn find(&mut self, base: &Arc<Snapshot>, time_ns: u64, now: Instant) -> Option<Arc<Snapshot>> {
        let fits = |a: &Assembled| a.span.holds(time_ns) && Arc::ptr_eq(&a.base, base);
        let at = self.snapshots.iter().position(fits)?;
        if self.snapshots.get(at)?.retry_at.is_some_and(|retry| retry <= now) {
            self.snapshots.remove(at);
            return None;
        }
        self.snapshots.get_mut(..=at)?.rotate_right(1);
        self.snapshots.first().map(|assembled| assembled.snapshot.clone())
    }

    /// Keeps a snapshot, and as many others as there is room for.
    pub(crate) fn keep(&mut self, assembled: Assembled) {
        self.snapshots.retain(|a| Arc::ptr_eq(&a.base, &assembled.base) && a.span != assembled.span);
        self.snapshots.truncate(MAX_SNAPSHOTS - 1);
        self.snapshots.insert(0, assembled);
        while self.bytes() > self.limit_bytes && self.snapshots.len() > 1 {
            self.snapshots.pop();
        }
        self.shrink();
    }

    /// A state of the past, if it is there.
    pub(crate) fn state(&mut self, item: &str, etag: &str) -> Option<Arc<State>> {
        self.uses += 1;
        let (state, used) = self.states.get_mut(&(item.to_owned(), etag.to_owned()))?;
        *used = self.uses;
        Some(state.clone())
    }

    /// Keeps a state that is not larger than everything may be together.
    pub(crate) fn keep_state(&mut self, item: &str, etag: &str, state: &Arc<State>) {
        self.uses += 1;
        let key = (item.to_owned(), etag.to_owned());
        self.state_bytes += bytes_of(state);
        if let Some((old, _)) = self.states.insert(key, (state.clone(), self.uses)) {
            self.state_bytes -= bytes_of(&old);
        }
        self.shrink();
    }

    /// Drops the snapshots that were put together beside another newest one: they would keep old states alive.
    pub(crate) fn forget_others(&mut self, base: &Arc<Snapshot>) {
        self.snapshots.retain(|a| Arc::ptr_eq(&a.base, base));
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.limit_bytes);
    }

    /// Drops states, those not used for longest first, until all that is kept is within the limit.
    fn shrink(&mut self) {
        while self.bytes() > self.limit_bytes {
            let oldest = self.states.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            let Some((state, _)) = oldest.and_then(|key| self.states.remove(&key)) else {
                self.snapshots.clear();
                return;
            };
            self.state_bytes -= bytes_of(&state);
            self.snapshots.retain(|a| !a.snapshot.states().iter().any(|held| Arc::ptr_eq(held, &state)));
        }
    }

    pub(crate) fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Number of states kept.
    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    /// Bytes of the states kept, and of the snapshots' own indexes.
    pub(crate) fn bytes(&self) -> u64 {
        let indexes = self.snapshots.iter().filter(|a| !Arc::ptr_eq(&a.base, &a.snapshot));
        self.state_bytes + indexes.map(|a| a.snapshot.resident_bytes() as u64).sum::<u64>()
    }
}

/// What a state takes, and a little for what stands around it.
pub(crate) fn bytes_of(state: &State) -> u64 {
    state.resident_bytes() as u64 + 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfdrift_tfstate::{IndexPlan, StateMeta, read_state};

    fn state(n: usize) -> Arc<State> {
        let text = format!(
            r#"{{"version":4,"serial":{n},"lineage":"l","resources":[{{"mode":"managed","type":"aws_vpc","name":"v{n}",
            "provider":"provider[\"registry.terraform.io/hashicorp/aws\"]","instances":[{{"attributes":{{"id":"vpc-{n}"}}}}]}}]}}"#
        );
        Arc::new(read_state(text.as_bytes(), StateMeta::named("s"), &IndexPlan::new()).unwrap())
    }

    fn assembled(base: &Arc<Snapshot>, from_ns: u64, state: &Arc<State>) -> Assembled {
        let snapshot = Arc::new(Snapshot::new(vec![state.clone()]));
        Assembled {
            base: base.clone(),
            span: Span { from_ns, until_ns: from_ns + 10 },
            snapshot,
            retry_at: None,
        }
    }

    #[test]
    fn the_bound_holds_and_the_oldest_goes_with_its_snapshot() {
        let base = Arc::new(Snapshot::new(vec![state(0)]));
        let now = Instant::now();
        let mut cache = Cache::new(bytes_of(&state(1)) * 2 + 100);
        for n in 1..=3 {
            let state = state(n);
            cache.keep_state("s", &n.to_string(), &state);
            cache.keep(assembled(&base, n as u64 * 10, &state));
            assert!(cache.bytes() <= cache.limit_bytes());
        }
        assert_eq!((cache.len(), cache.state("s", "1").is_none()), (2, true));
        assert!(cache.find(&base, 15, now).is_none(), "its state is not kept alive");
        assert_eq!(cache.find(&base, 39, now).unwrap().states()[0].serial(), Some(3));
        assert_eq!(cache.find(&base, 20, now).unwrap().states()[0].serial(), Some(2));
        assert!(cache.find(&base, 40, now).is_none());
        let other = Arc::new(Snapshot::new(vec![state(0)]));
        assert!(cache.find(&other, 25, now).is_none(), "made for another set of states");
        // used last: stays
        cache.state("s", "2");
        cache.keep_state("s", "4", &state(4));
        assert!(cache.state("s", "2").is_some() && cache.state("s", "3").is_none());
    }

    #[test]
    fn what_stands_in_is_tried_again() {
        let base = Arc::new(Snapshot::new(vec![state(0)]));
        let mut cache = Cache::new(1 << 20);
        let now = Instant::now();
        let later = now + std::time::Duration::from_secs(60);
        cache.keep(Assembled { retry_at: Some(later), ..assembled(&base, 10, &state(1)) });
        assert!(cache.find(&base, 12, now).is_some());
        assert!(cache.find(&base, 12, later).is_none());
    }
}
