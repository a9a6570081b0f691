//! The steps and how they are shown.

use serde::Serialize;
use std::fmt::Write;
use tfdrift_intake::OriginError;

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// As it may be; somebody should know.
    Note,
    /// Not as it should be.
    Failed,
    /// Not tried, since an earlier step failed.
    Untried,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `parse`, `config`, `checkpoint`, `credentials`, `identity`, `region`, `clock`, `list`, `layout`, `newest`, `get`,
    /// `decrypt`, `state`, `history`.
    pub step: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What was found, or the cause of the failure, in one clause.
    pub what: String,
    /// More lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Step {
    fn new(step: &'static str, outcome: Outcome, what: impl Into<String>) -> Step {
        Step { step, outcome, what: what.into(), details: Vec::new(), next: None }
    }

    /// A step that went well.
    pub fn good(step: &'static str, what: impl Into<String>) -> Step {
        Step::new(step, Outcome::Ok, what)
    }

    /// A step that went well, with something that somebody should know.
    pub fn note(step: &'static str, what: impl Into<String>) -> Step {
        Step::new(step, Outcome::Note, what)
    }

    /// A step that did not.
    pub fn bad(step: &'static str, what: impl Into<String>) -> Step {
        Step::new(step, Outcome::Failed, what)
    }

    /// Adds a line.
    pub fn detail(mut self, line: impl Into<String>) -> Step {
        self.details.push(line.into());
        self
    }

    /// Says what to do.
    pub fn next(mut self, next: impl Into<String>) -> Step {
        self.next = Some(next.into());
        self
    }

    /// A failure whose text has its cause in the first line and, at its end, `  next      …`.
    pub fn of_text(step: &'static str, text: &str) -> Step {
        let mut lines = text.lines();
        let mut made = Step::bad(step, lines.next().unwrap_or_default());
        for line in lines {
            match line.strip_prefix("  next ") {
                Some(next) => made.next = Some(next.trim().to_owned()),
                None => made.details.push(line.strip_prefix("  ").unwrap_or(line).to_owned()),
            }
        }
        made
    }

    /// Open parameters that name no source.
    pub fn parse_error(error: &OriginError) -> Step {
        let text = error.to_string();
        let (cause, accepted) = text.split_once("; accepted: ").unwrap_or((&text, ""));
        let mut step = Step::bad("parse", cause);
        if !accepted.is_empty() {
            step = step.detail(format!("accepted: {accepted}"));
        }
        if let OriginError::Unknown { hint: Some(hint), .. } = error {
            step = step.next(format!("set open_params to {hint}"));
        }
        step
    }
}

/// All steps so far.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    steps: Vec<Step>,
}

impl Report {
    /// Adds a step.
    pub fn add(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Adds steps that were not tried, and why.
    pub fn untried(&mut self, steps: &[&'static str], why: &str) {
        for step in steps {
            self.add(Step::new(step, Outcome::Untried, format!("not tried: {why}")));
        }
    }

    /// True when no step failed; a note is no failure.
    pub fn well(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.outcome, Outcome::Ok | Outcome::Note))
    }

    /// `{"ok":…,"steps":[…]}`.
    pub fn json(&self) -> String {
        serde_json::json!({"ok": self.well(), "steps": self.steps}).to_string()
    }

    /// Lines for a person.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for step in &self.steps {
            let mark = match step.outcome {
                Outcome::Ok => '✔',
                Outcome::Note => '!',
                Outcome::Failed => '✘',
                Outcome::Untried => '–',
            };
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{mark} {:<12} {}", step.step, step.what);
            for line in &step.details {
                let _ = writeln!(out, "{:15}{line}", "");
            }
            if let Some(next) = &step.next {
                let _ = writeln!(out, "{:15}next: {next}", "");
            }
        }
        out
    }
}

/// `90 s`, `12 min`, `3 h`, `2 days`.
pub fn age(secs: u64) -> String {
    match secs {
        0..=119 => format!("{secs} s"),
        120..=7199 => format!("{} min", secs / 60),
        7200..=172_799 => format!("{} h", secs / 3600),
        _ => format!("{} days", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_a_next_step_is_taken_apart() {
        let step = Step::of_text("list", "denied\n  call      ListObjectsV2\n  next      add it");
        assert_eq!((step.what.as_str(), step.next.as_deref()), ("denied", Some("add it")));
        assert_eq!(step.details, ["call      ListObjectsV2"]);
    }

    #[test]
    fn untried_steps_are_not_well() {
        let mut report = Report::default();
        assert!(report.well());
        report.untried(&["get"], "list failed");
        assert!(!report.well() && report.text() == "– get          not tried: list failed\n");
    }

    #[test]
    fn ages() {
        assert_eq!([age(5), age(600), age(7200), age(172_800)], ["5 s", "10 min", "2 h", "2 days"]);
    }
}
