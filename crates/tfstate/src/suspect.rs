//! Whether an instance may hold a secret: asked in passing, so that only those few are looked at closely.

use rustc_hash::FxHashMap;

use crate::compact::unescape;
use crate::sensitive::{names, values};

/// At most this many names are remembered: those of tags have no end.
const MAX_NAMES: usize = 20_000;

/// What the scanner hears of one instance, and names known from the others.
#[derive(Default)]
pub(crate) struct Suspect {
    names: FxHashMap<Box<str>, bool>,
    /// The last name was one beside which a `value` may stand.
    pair: bool,
    /// The last name speaks.
    named: bool,
    found: bool,
}

impl Suspect {
    /// A new instance begins. Says whether the one before may hold a secret.
    pub(crate) fn take(&mut self) -> bool {
        (self.pair, self.named) = (false, false);
        std::mem::take(&mut self.found)
    }

    /// A name, as it stands in the document, with its quotes.
    pub(crate) fn name(&mut self, token: &str) {
        if !self.found {
            self.pair = matches!(token, "\"name\"" | "\"Name\"" | "\"key\"" | "\"Key\"");
            self.named = self.speaks(token);
        }
    }

    /// What follows a name or stands in a list, as it stands in the document: a scalar, or the first byte of an object
    /// or list. A name that speaks of nothing (null, "", a switch) hides nothing: most attributes are not set.
    pub(crate) fn value(&mut self, token: &str) {
        if self.found {
            return;
        }
        let (pair, named) = (std::mem::take(&mut self.pair), std::mem::take(&mut self.named));
        let text = token.starts_with('"');
        self.found = (named && !matches!(token, "null" | "true" | "false" | "\"\"" | "0"))
            || (text && pair && self.speaks(token))
            || (text && values::may_speak(token));
    }

    fn speaks(&mut self, token: &str) -> bool {
        if let Some(&speaks) = self.names.get(token) {
            return speaks;
        }
        let plain = || token.get(1..token.len().checked_sub(1)?);
        let speaks = if token.contains('\\') {
            unescape(token).is_none_or(|name| names::may_speak(&name))
        } else {
            plain().is_none_or(names::may_speak)
        };
        if self.names.len() < MAX_NAMES {
            self.names.insert(token.into(), speaks);
        }
        speaks
    }
}
