//! What was found, and what the user is told.

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The trail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    /// Its bucket.
    pub bucket: String,
    /// What all keys of CloudTrail begin with: `[PREFIX/]AWSLogs/`.
    pub prefix: String,
    /// ARN of the key that encrypts it, where known.
    pub kms_key: Option<String>,
    /// True for a trail of an organisation.
    pub organisation: bool,
    /// Where that was read, for the user.
    pub from: String,
}

/// Where the state lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// A backend by its type, with the keys that the plugin takes; never a secret.
    Remote {
        /// `s3`, `gcs`, `azurerm`, `http`, `hcp`.
        kind: &'static str,
        /// The keys of the block.
        keys: Map<String, Value>,
    },
    /// A file or folder of files.
    Local(PathBuf),
    /// A backend that the plugin cannot read.
    Unknown(String),
}

/// All that was found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Where the states are.
    pub backends: Vec<Backend>,
    /// KMS keys of the state's bucket.
    pub state_keys: BTreeSet<String>,
    /// Literal regions of the provider blocks.
    pub regions: BTreeSet<String>,
    /// Roles that the provider takes on: Terraform's own.
    pub roles: BTreeSet<String>,
    /// The trail, when there is one.
    pub trail: Option<Trail>,
    /// The first trail whose place is not known, if none is.
    pub unresolved: Option<NotKnown>,
    /// Secrets of the backend that were left out, and what Falco is given instead.
    pub left_out: Vec<String>,
    /// Files and expressions that could not be understood.
    pub remarks: Vec<String>,
}

/// A trail in the configuration whose place only Terraform knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotKnown {
    /// Its block.
    pub from: String,
    /// Its attribute.
    pub key: &'static str,
    /// The part of the attribute that is not known.
    pub part: String,
    /// What to give with `--trail`.
    pub trail: String,
}

impl Findings {
    /// What is told after writing.
    pub fn said(&self, written: &[PathBuf], out: &Path) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = match &self.trail {
            Some(trail) => {
                let whose = if trail.organisation { "the organisation's trail" } else { "trail" };
                writeln!(text, "{whose}: s3://{}/{} ({})", trail.bucket, trail.prefix, trail.from)
            }
            None => match &self.unresolved {
                Some(NotKnown { from, key, part, trail }) => writeln!(
                    text,
                    "trail: {key} of {from} is not known: {part} is no literal here; give --trail {trail}"
                ),
                None => writeln!(
                    text,
                    "trail: none found; give --trail s3://BUCKET[/PREFIX], or put its bucket for YOUR-TRAIL-BUCKET into all three files"
                ),
            },
        };
        for backend in &self.backends {
            let _ = match backend {
                Backend::Remote { kind, keys } => {
                    writeln!(text, "state: {kind} {}", Value::Object(keys.clone()))
                }
                Backend::Local(path) => writeln!(text, "state: {}", path.display()),
                Backend::Unknown(kind) => {
                    writeln!(text, "state: backend {kind}, which the plugin cannot read")
                }
            };
        }
        if self.backends.is_empty() {
            let _ = writeln!(
                text,
                "state: none found; run `terraform init` there first, or name it in state.places"
            );
        }
        if !self.regions.is_empty() {
            let regions: Vec<&str> = self.regions.iter().map(String::as_str).collect();
            let _ = writeln!(text, "regions: {}", regions.join(", "));
        }
        for role in &self.roles {
            let _ = writeln!(text, "Terraform's role: {role}");
        }
        for left_out in &self.left_out {
            let _ = writeln!(text, "secret: {left_out}");
        }
        for remark in &self.remarks {
            let _ = writeln!(text, "remark: {remark}");
        }
        for path in written {
            let _ = writeln!(text, "wrote {}", path.display());
        }
        let _ = writeln!(text, "next: tfdrift doctor --config {}", out.join("tfdrift.yaml").display());
        text
    }
}
