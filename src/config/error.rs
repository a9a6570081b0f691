//! What can be wrong with a configuration.

use thiserror::Error;

/// Falco cuts a plugin's message at 255 bytes.
const MAX_MESSAGE_BYTES: usize = 254;

/// A mistake in `init_config`. The text is one line, cause first, below 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The text is not JSON.
    #[error("init_config is not JSON: {reason}")]
    NotJson {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// What the part that uses it says against a setting.
    #[error("{reason}")]
    Unread {
        /// Which, and why.
        reason: String,
    },
    /// A key that no setting has.
    #[error("unknown key {key:?} in {section}{hint}")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The section it stands in.
        section: String,
        /// The nearest known key, or the known ones.
        hint: String,
    },
    /// A value of a wrong type, or one that is not allowed.
    #[error("{key} is {got}, but takes {wanted}")]
    WrongValue {
        /// Path of the setting, such as `source.order`.
        key: String,
        /// The value, cut short; only its type where it may be a secret.
        got: String,
        /// The allowed values.
        wanted: String,
    },
    /// A list item without a key that it needs.
    #[error("{item} has no {wanted}")]
    Missing {
        /// The list item, such as `aws.assume_role[0]`.
        item: String,
        /// The key or keys of which one is needed.
        wanted: String,
    },
    /// A place with two kinds.
    #[error("{item} has both {first} and {second}: make two places of it")]
    TwoKinds {
        /// The list item, such as `state.places[0]`.
        item: String,
        /// The first kind.
        first: String,
        /// The second kind.
        second: String,
    },
}

impl ConfigError {
    /// The message as Falco can show it.
    pub fn flat(&self) -> String {
        flatten(&self.to_string())
    }
}

/// One line without NUL, at most 254 bytes, cut between characters.
pub fn flatten(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_MESSAGE_BYTES));
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if line.len() + c.len_utf8() > MAX_MESSAGE_BYTES - '…'.len_utf8() {
            line.push('…');
            break;
        }
        line.push(c);
    }
    line
}
