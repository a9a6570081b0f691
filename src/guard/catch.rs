//! Stopping a panic, telling of it and counting it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::metrics;

/// The entries of the plugin, and the places inside it where a panic is stopped earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Entry {
    GetRequiredApiVersion,
    GetVersion,
    GetName,
    GetDescription,
    GetContact,
    GetInitSchema,
    Init,
    Destroy,
    GetLastError,
    GetMetrics,
    GetId,
    GetEventSource,
    ListOpenParams,
    Open,
    Close,
    NextBatch,
    GetProgress,
    EventToString,
    GetExtractEventTypes,
    GetExtractEventSources,
    GetFields,
    ExtractFields,
    /// The second call of `init` or `open`, which only leaves a message.
    Retry,
    /// Within `next_batch`: the records of one batch.
    Batch,
    /// Within `extract_fields`: one field.
    Field,
}

impl Entry {
    /// Called for every event or field, and only after `init`.
    #[inline(always)]
    const fn is_hot(self) -> bool {
        matches!(self, Entry::ExtractFields | Entry::NextBatch | Entry::Batch | Entry::Field)
    }

    /// The name in logs and in `TFDRIFT_PANIC`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Entry::GetRequiredApiVersion => "get_required_api_version",
            Entry::GetVersion => "get_version",
            Entry::GetName => "get_name",
            Entry::GetDescription => "get_description",
            Entry::GetContact => "get_contact",
            Entry::GetInitSchema => "get_init_schema",
            Entry::Init => "init",
            Entry::Destroy => "destroy",
            Entry::GetLastError => "get_last_error",
            Entry::GetMetrics => "get_metrics",
            Entry::GetId => "get_id",
            Entry::GetEventSource => "get_event_source",
            Entry::ListOpenParams => "list_open_params",
            Entry::Open => "open",
            Entry::Close => "close",
            Entry::NextBatch => "next_batch",
            Entry::GetProgress => "get_progress",
            Entry::EventToString => "event_to_string",
            Entry::GetExtractEventTypes => "get_extract_event_types",
            Entry::GetExtractEventSources => "get_extract_event_sources",
            Entry::GetFields => "get_fields",
            Entry::ExtractFields => "extract_fields",
            Entry::Retry => "retry",
            Entry::Batch => "batch",
            Entry::Field => "field",
        }
    }
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static WHERE: Cell<Option<(u32, u32)>> = const { Cell::new(None) };
    static FILE: RefCell<String> = const { RefCell::new(String::new()) };
    static FORCED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `f`; a panic in it is logged, counted and becomes the error, one line.
#[inline(always)]
pub(crate) fn run<R>(entry: Entry, f: impl FnOnce() -> R) -> Result<R, String> {
    // an entry before `new`, which sets the logger up and its hook with it, needs it too
    if !entry.is_hot() {
        install_hook();
    }
    DEPTH.set(DEPTH.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(|| {
        super::inject(entry);
        f()
    }));
    DEPTH.set(DEPTH.get().saturating_sub(1));
    result.map_err(|payload| tell(entry, payload))
}

#[cold]
fn tell(entry: Entry, payload: Box<dyn Any + Send>) -> String {
    let text = text(&*payload).to_owned();
    // a payload's own drop may panic: then it stays where it is
    std::mem::forget(payload);
    metrics::panics().fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let file = FILE.with_borrow_mut(std::mem::take);
    // not known before the first init
    let place = WHERE.take().map(|(line, column)| format!(" at {file}:{line}:{column}")).unwrap_or_default();
    let told = format!("a bug of tfdrift: panic in {}{place}: {text}", entry.name());
    tracing::error!("{told}");
    crate::config::flatten(&told)
}

/// As [`run`], with an answer for the case of a panic.
pub(crate) fn guarded<R>(entry: Entry, fallback: R, f: impl FnOnce() -> R) -> R {
    run(entry, f).unwrap_or(fallback)
}

/// Whether a panic on this thread is going to be stopped here.
fn panics_here() -> bool {
    DEPTH.get() > 0
}

/// Makes the next `new` or `open` on this thread fail with that message while `f` runs.
pub(super) fn with_forced_error<R>(why: String, f: impl FnOnce() -> R) -> R {
    FORCED.set(Some(why));
    let result = f();
    FORCED.set(None);
    result
}

/// The message with which `new` or `open` has to fail, if there is one.
pub(crate) fn take_forced_error() -> Option<String> {
    FORCED.take()
}

/// Has panics that are stopped here told in one line of the log instead of by the default hook.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if !panics_here() {
                let thread = std::thread::current();
                match thread.name().filter(|name| name.starts_with("tfdrift")) {
                    Some(name) => tracing::error!("a bug of tfdrift: panic in thread {name}: {info}"),
                    None => before(info),
                }
                return;
            }
            if let Some(at) = info.location() {
                WHERE.set(Some((at.line(), at.column())));
                FILE.with_borrow_mut(|file| {
                    file.clear();
                    file.push_str(at.file());
                });
            }
        }));
    });
}

fn text(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "no message",
    }
}
