//! A panic where a test wants it: builds with the feature `panic-injection` only.

use super::Entry;

#[cfg(feature = "panic-injection")]
mod on {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    #[derive(Default)]
    struct State {
        wanted: Option<String>,
        calls: BTreeMap<&'static str, u64>,
    }

    static STATE: Mutex<Option<State>> = Mutex::new(None);

    fn state() -> MutexGuard<'static, Option<State>> {
        STATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Panics come where `wanted` says from now on, whatever `TFDRIFT_PANIC` says; counts start anew.
    pub fn panic_at(wanted: &str) {
        *state() = Some(State { wanted: Some(wanted.into()), calls: BTreeMap::new() });
    }

    /// Whether this call of an entry is one that has to panic.
    pub(super) fn is_due(entry: &'static str) -> bool {
        let mut state = state();
        let state = state.get_or_insert_with(|| State {
            wanted: std::env::var("TFDRIFT_PANIC").ok(),
            calls: BTreeMap::new(),
        });
        let call = state.calls.entry(entry).or_default();
        *call += 1;
        state.wanted.iter().flat_map(|w| w.split(',')).any(|one| match one.split_once(':') {
            None => one == entry,
            Some((name, at)) => name == entry && at.parse() == Ok(*call),
        })
    }
}

#[cfg(feature = "panic-injection")]
pub use on::panic_at;

/// Panics if `TFDRIFT_PANIC` names this entry: `next_batch` each time, `next_batch:3` at the third call alone;
/// several with commas between.
#[cfg(feature = "panic-injection")]
#[allow(clippy::panic, reason = "that is what it is for")]
pub(crate) fn inject(entry: Entry) {
    if on::is_due(entry.name()) {
        panic!("injected");
    }
}

/// Nothing, in a build for users.
#[cfg(not(feature = "panic-injection"))]
#[inline(always)]
pub(crate) fn inject(_: Entry) {}
