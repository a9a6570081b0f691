//! Threads that leave signals to their host.

use crate::intake::OpenError;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use std::thread::{Builder, JoinHandle};

/// Runs `start` with all signals blocked that a host may want to handle: threads started in it inherit that, so
/// that Falco's handlers run on Falco's threads.
pub fn quiet<T>(start: impl FnOnce() -> T) -> T {
    let mut signals = SigSet::all();
    for own in
        [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGABRT, Signal::SIGPROF]
    {
        signals.remove(own);
    }
    let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let started = start();
    if let Ok(before) = before
        && let Err(error) = before.thread_set_mask()
    {
        tracing::warn!("cannot set the signal mask back: {error}");
    }
    started
}

/// Starts a named thread in which signals are blocked.
pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    let thread = quiet(|| Builder::new().name(name.into()).spawn(run));
    thread.map_err(|error| OpenError::Thread(error.to_string()))
}
