//! A panic where a test wants it: builds with the feature `panic-injection` only.

use super::Entry;

/// Panics if `TFDRIFT_PANIC` names this entry: `next_batch` each time, `next_batch:3` at the third call alone.
#[cfg(feature = "panic-injection")]
#[allow(clippy::panic, reason = "that is what it is for")]
pub(crate) fn inject(entry: Entry) {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    static CALLS: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());
    let Some(wanted) = std::env::var_os("TFDRIFT_PANIC") else { return };
    let wanted = wanted.to_string_lossy();
    for one in wanted.split(',') {
        let (name, at) = one.split_once(':').unwrap_or((one, ""));
        if name != entry.name() {
            continue;
        }
        let call = {
            let mut calls = CALLS.lock().unwrap_or_else(|e| e.into_inner());
            let call = calls.entry(entry.name()).or_default();
            *call += 1;
            *call
        };
        if at.is_empty() || at.parse() == Ok(call) {
            panic!("injected");
        }
    }
}

/// Nothing, in a build for users.
#[cfg(not(feature = "panic-injection"))]
#[inline(always)]
pub(crate) fn inject(_: Entry) {}
