//! The words in which the table of settings is written.

/// One setting of `init_config`.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name, as the user writes it.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Its default, as JSON; for a section or a list of maps the text is only shown.
    pub default: &'static str,
    /// One or two sentences for the person who writes the configuration.
    pub doc: &'static str,
    /// Whether a map without this key is refused (members of list items only).
    pub required: bool,
    /// Whether a configuration without this key gets the default. Not where leaving it out says something else.
    pub filled_in: bool,
}

/// The values that a setting takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A whole number within these bounds, both included.
    Int {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// Text with a form of its own.
    Form(Form),
    /// A list of texts; a single text counts as a list of one.
    Texts,
    /// A list of texts of one form.
    Forms(Form),
    /// A list of words out of a few.
    Words(&'static [&'static str]),
    /// A map with these keys.
    Section(&'static [Key]),
    /// A list of maps with these keys.
    Sections(&'static [Key]),
    /// Text, or a map whose keys belong to whoever reads it (a Terraform backend block).
    TextOrMap,
}

/// Texts with a form of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Twelve digits.
    Account,
    /// `s3AccountList`: twelve-digit accounts with commas between, or nothing.
    Accounts,
    /// `s3Interval`: `A` or `A-B`, or nothing.
    Interval,
    /// `source.since`: `now`, a distance into the past or a time.
    Since,
    /// A day, `2026-01-31`.
    Day,
}

impl Form {
    /// The form in words, for an error.
    pub fn wanted(self) -> &'static str {
        match self {
            Form::Account => "an account of twelve digits, quoted",
            Form::Accounts => "accounts of twelve digits with commas between",
            Form::Interval => {
                "START or START-END, each like 2h, 3d or 2026-01-31T00:00:00Z, the start before the end"
            }
            Form::Since => "now, a time ago like 30m, 12h or 7d, or a time like 2026-01-31T00:00:00Z",
            Form::Day => "a day like 2026-01-31",
        }
    }
}

impl Key {
    pub(super) const fn new(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, kind, default, doc, required: false, filled_in: true }
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn not_filled_in(mut self) -> Self {
        self.filled_in = false;
        self
    }
}
