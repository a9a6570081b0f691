//! Why a document could not be read as a state.

/// Why a document could not be read as a state. Every message names the state and says what to do next; no
/// message holds an attribute's value.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum StateError {
    /// Not JSON, or JSON that ends too early.
    #[error(
        "{state}: not valid JSON at line {line}, column {column}: {problem}; if the file was being written, it is read again at the next poll"
    )]
    Syntax {
        /// Name of the state, from its [`StateMeta`](crate::StateMeta).
        state: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The parser's words; never a value of the document.
        problem: String,
    },
    /// JSON, but a member has another type than Terraform writes.
    #[error(
        "{state}: line {line}, column {column}: a member has another type than Terraform writes there ({hint}); is this file a Terraform state?"
    )]
    Shape {
        /// Name of the state.
        state: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was expected; never a value of the document.
        hint: String,
    },
    /// A state of a format before version 4 (Terraform 0.11 and older).
    #[error(
        "{state}: state format version {version} (Terraform 0.11 or older) is not read; open it once with Terraform 0.12 or newer (`terraform apply -refresh-only`), which rewrites it as version 4"
    )]
    OldVersion {
        /// Name of the state.
        state: String,
        /// The `version` member.
        version: u64,
    },
    /// A state of a later format than this build knows.
    #[error(
        "{state}: state format version {version} is newer than this build reads (4); give the output of `terraform show -json` instead, or update tfdrift"
    )]
    NewVersion {
        /// Name of the state.
        state: String,
        /// The `version` member.
        version: u64,
    },
    /// `show -json` output of a major version this build does not know.
    #[error("{state}: `show -json` format {format_version} is not read, only 0.x and 1.x; update tfdrift")]
    FormatVersion {
        /// Name of the state.
        state: String,
        /// The `format_version` member, cut to 32 characters.
        format_version: String,
    },
    /// OpenTofu wrote this state encrypted.
    #[error(
        "{state}: encrypted by OpenTofu; give the output of `tofu show -json` instead (run where the encryption key is configured)"
    )]
    Encrypted {
        /// Name of the state.
        state: String,
    },
    /// JSON, but no state.
    #[error(
        "{state}: no Terraform state: neither `version` (a state file) nor `format_version` (`terraform show -json`) is there{hint}"
    )]
    NotAState {
        /// Name of the state.
        state: String,
        /// What it looks like, or empty.
        hint: String,
    },
    /// Bytes that are no text, such as a plan file or a compressed state.
    #[error("{state}: {what}; {remedy}")]
    NotText {
        /// Name of the state.
        state: String,
        /// What the bytes look like.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// One resource could not be read.
    #[error("{state}: {address}: {problem}")]
    Resource {
        /// Name of the state.
        state: String,
        /// Address of the resource, as far as it is known.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// More text or instances than one state may hold (4 GiB, 4 thousand million).
    #[error("{state}: too large for one state: {what}; split the state")]
    TooLarge {
        /// Name of the state.
        state: String,
        /// Which limit.
        what: &'static str,
    },
}

impl StateError {
    /// Line and column (from 1) where the document stops being readable, where that is known.
    pub fn position(&self) -> Option<(usize, usize)> {
        match self {
            Self::Syntax { line, column, .. } | Self::Shape { line, column, .. } => Some((*line, *column)),
            _ => None,
        }
    }
}
