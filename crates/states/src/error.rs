//! What can go wrong with a place.

use tfdrift_tfstate::StateError;

/// A setting of the section `state` that can never work: fatal at start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("state.{key}: {problem}")]
pub struct ConfigError {
    /// The key, below `state`.
    pub key: String,
    /// What is wrong with it and what is allowed.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into() }
    }
}

/// Why a place or one state in it could not be read now. Never fatal: what was read before stays, and it is tried
/// again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// A local file or folder could not be read.
    #[error("{path}: {problem}")]
    Io {
        /// The path.
        path: String,
        /// What happened and what to do.
        problem: String,
    },
    /// A pattern that matches no file.
    #[error("{pattern}: no file matches; the pattern is taken from the folder that tfdrift was started in")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// A local file changed while it was read, twice in a row.
    #[error("{path}: changed while it was read; it is read again at the next poll")]
    Changing {
        /// The path.
        path: String,
    },
    /// Nothing but blanks, and never anything else as long as we looked.
    #[error(
        "{name}: is empty, which says nothing about any resource; if nobody is writing it just now, restore it from its backup, or name another state"
    )]
    Empty {
        /// Name of the state.
        name: String,
    },
    /// Empty, where a state with resources was.
    #[error(
        "{name}: is empty now, and was not; Terraform is writing it, or it was cut off: restore it from its backup"
    )]
    Emptied {
        /// Name of the state.
        name: String,
    },
    /// Compressed and broken, or too large when inflated.
    #[error("{name}: {problem}")]
    Inflate {
        /// Name of the state.
        name: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The bytes are no state.
    #[error(transparent)]
    State(#[from] StateError),
    /// A server refused, or could not be reached.
    #[error("{name}: {problem}")]
    Remote {
        /// Name of the state or of the place.
        name: String,
        /// The cause first, then what to do.
        problem: String,
        /// The full story, of several lines, where there is one: the answer, the identity, the permission needed.
        detail: Option<String>,
    },
    /// Took longer than any state should.
    #[error("{name}: no answer within {secs} seconds; it is tried again at the next poll")]
    Timeout {
        /// Name of the state or of the place.
        name: String,
        /// Seconds waited.
        secs: u64,
    },
}

impl PlaceError {
    pub(crate) fn remote(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Remote { name: name.into(), problem: problem.into(), detail: None }
    }

    /// The full story, where there is more than the message.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Remote { detail, .. } => detail.as_deref(),
            _ => None,
        }
    }

    /// An error of the file system, with its remedy.
    pub(crate) fn io(path: impl Into<String>, error: &std::io::Error) -> Self {
        let problem = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "no such file or folder; check the path (--state, or state.places)".to_owned()
            }
            std::io::ErrorKind::PermissionDenied => {
                "permission denied; let the user that tfdrift runs as read it".to_owned()
            }
            std::io::ErrorKind::IsADirectory => "is a folder; use `dir:` for folders".to_owned(),
            std::io::ErrorKind::NotADirectory => "is no folder; use `file:` for a state file".to_owned(),
            _ => error.to_string(),
        };
        Self::Io { path: path.into(), problem }
    }

    /// Whether the same bytes will fail again: then they are not fetched again before they change.
    pub(crate) fn is_of_content(&self) -> bool {
        matches!(self, Self::State(_) | Self::Inflate { .. } | Self::Empty { .. } | Self::Emptied { .. })
    }

    /// Whether it is what a file shows while somebody writes it in place.
    pub(crate) fn may_be_half_written(&self) -> bool {
        match self {
            Self::Empty { .. } | Self::Emptied { .. } | Self::Changing { .. } => true,
            Self::State(error) => matches!(error, StateError::Syntax { .. }),
            _ => false,
        }
    }
}
