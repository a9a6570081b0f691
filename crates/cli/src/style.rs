//! Colours, where a terminal takes them.

use std::io::IsTerminal;

use tfdrift_drift::Severity;

/// Colours for standard output; none where it is no terminal, or `NO_COLOR` is set.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    colours: bool,
}

impl Style {
    /// As standard output wants it.
    pub fn of_stdout() -> Style {
        let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| v != "0");
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        Style { colours: forced || (std::io::stdout().is_terminal() && !refused) }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// What stands out.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What stays in the background.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// A severity, padded to one width.
    pub fn severity(self, severity: Option<Severity>) -> String {
        let (code, word) = match severity {
            Some(Severity::Critical) => ("1;97;41", "critical"),
            Some(Severity::High) => ("1;31", "high"),
            Some(Severity::Medium) => ("33", "medium"),
            Some(Severity::Low) => ("36", "low"),
            None => ("2", "-"),
        };
        self.paint(code, &format!("{word:<8}"))
    }
}
