//! What readers have to say on the way, as lines on standard error for a person: cause first, nothing twice.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Prints warnings and errors from now on; with `quiet` errors only, for commands whose own report has the rest.
pub fn start(quiet: bool) {
    let level = if quiet { Level::ERROR } else { Level::WARN };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level).event_format(Plain).init();
}

struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Line::default();
        event.record(&mut line);
        let level = if *event.metadata().level() == Level::ERROR { "error: " } else { "warning: " };
        // The lines of a story are set in below the one that they belong to.
        let level = if line.message.starts_with("  ") { "" } else { level };
        writeln!(writer, "{level}{line}")
    }
}

/// An event: its message, the cause, and what it is about. Nothing that it says is left out.
#[derive(Debug, Default)]
struct Line {
    message: String,
    cause: String,
    about: Vec<String>,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "error" | "problem" | "warning" => write!(self.cause, "{value:?}"),
            "object" | "path" | "folder" | "state" | "place" | "bucket" => {
                self.about.push(format!("{value:?}"));
                Ok(())
            }
            name => {
                self.about.push(format!("{name} {value:?}"));
                Ok(())
            }
        };
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if value {
            self.about.push(field.name().to_owned());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.cause.is_empty() {
            write!(f, ": {}", self.cause)?;
        }
        // The message or the error may have it already.
        let said = |about: &String| self.message.contains(about) || self.cause.contains(about);
        let about: Vec<&str> = self.about.iter().filter(|about| !said(about)).map(String::as_str).collect();
        if !about.is_empty() {
            write!(f, " ({})", about.join(", "))?;
        }
        Ok(())
    }
}
