//! The steps of one evaluation in words, for `tfdrift scan --explain`.

/// Collects lines if somebody wants them; costs nothing otherwise.
#[derive(Debug, Default)]
pub struct Trace(Option<Vec<String>>);

impl Trace {
    /// One that keeps the lines.
    pub fn on() -> Trace {
        Trace(Some(Vec::new()))
    }

    /// One that drops them.
    pub fn off() -> Trace {
        Trace(None)
    }

    /// Adds a line.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push(line());
        }
    }

    /// The lines.
    pub fn into_lines(self) -> Vec<String> {
        self.0.unwrap_or_default()
    }
}
