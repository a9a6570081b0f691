//! The log: lines on stderr in Falco's form, `Tue Nov 24 05:58:56 2026: [info] tfdrift: …`.
//!
//! Not through the SDK: its logger keeps a pointer to the newest instance, and reads freed memory once a reload
//! failed. One subscriber serves the whole process, whatever instances come and go.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Once;
use std::sync::atomic::{AtomicU8, Ordering};

use jiff::Zoned;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::config::LogLevel;

/// 1 (errors alone) to 5 (everything).
static LEVEL: AtomicU8 = AtomicU8::new(3);

/// Makes this the process's log, and the panics of our entries part of it. Only the first call has an effect.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // either may be taken in a program that has a log of its own: then that one is right
        let _ = log::set_logger(&Facade);
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Stderr));
        crate::guard::install_hook();
    });
}

/// Sets how much is logged, for all instances.
pub fn set_level(level: LogLevel) {
    let n = match level {
        LogLevel::Error => 1,
        LogLevel::Warn => 2,
        LogLevel::Info => 3,
        LogLevel::Debug => 4,
        LogLevel::Trace => 5,
    };
    // the SDK sets the facade's level at each init
    log::set_max_level(match n {
        ..=3 => log::LevelFilter::Warn,
        4 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    });
    if LEVEL.swap(n, Ordering::Relaxed) != n {
        tracing::callsite::rebuild_interest_cache();
    }
}

/// Our own lines by the level set; those of libraries from `warn` on, or at `debug` and below with the rest.
fn wanted(target: &str, severity: u8) -> bool {
    let level = LEVEL.load(Ordering::Relaxed);
    let ours = target.starts_with("tfdrift");
    severity <= if ours || level >= 4 { level } else { level.min(2) }
}

fn severity(level: &tracing::Level) -> u8 {
    match *level {
        tracing::Level::ERROR => 1,
        tracing::Level::WARN => 2,
        tracing::Level::INFO => 3,
        tracing::Level::DEBUG => 4,
        tracing::Level::TRACE => 5,
    }
}

fn write_line(severity: u8, text: &str) {
    let line = line(&Zoned::now(), severity, text);
    // a log that cannot be written must not stop anything
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

fn line(now: &Zoned, severity: u8, text: &str) -> String {
    let word = match severity {
        1 => "error",
        2 => "warning",
        3 => "info",
        4 => "debug",
        _ => "trace",
    };
    let time = now.strftime("%a %b %e %H:%M:%S %Y");
    format!("{time}: [{word}] tfdrift: {}\n", text.replace(['\n', '\r', '\0'], " "))
}

struct Stderr;

impl<S: Subscriber> Layer<S> for Stderr {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_event() && wanted(metadata.target(), severity(metadata.level()))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match LEVEL.load(Ordering::Relaxed) {
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        write_line(severity(event.metadata().level()), &format!("{}{}", text.message, text.fields));
    }
}

/// `message key=value key=value`.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // writing to a String cannot fail
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// Libraries that use the `log` facade, the SDK among them.
struct Facade;

impl log::Log for Facade {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        // the SDK repeats what Falco prints anyway
        let least = if metadata.target().starts_with("falco_plugin") { 4 } else { 1 };
        LEVEL.load(Ordering::Relaxed) >= least && wanted(metadata.target(), metadata.level() as u8)
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            write_line(record.level() as u8, &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_look_like_falcos() {
        let now = "2026-11-04T05:58:56+00:00[UTC]".parse().unwrap();
        assert_eq!(line(&now, 3, "two\nlines"), "Wed Nov  4 05:58:56 2026: [info] tfdrift: two lines\n");
    }

    #[test]
    fn libraries_are_quiet_until_asked() {
        set_level(LogLevel::Info);
        assert!(wanted("tfdrift_intake::s3", 3) && !wanted("tfdrift_intake::s3", 4));
        assert!(wanted("hyper", 2) && !wanted("hyper", 3));
        set_level(LogLevel::Debug);
        assert!(wanted("hyper", 4));
        set_level(LogLevel::Error);
        assert!(wanted("hyper", 1) && !wanted("hyper", 2));
        set_level(LogLevel::Info);
    }
}
