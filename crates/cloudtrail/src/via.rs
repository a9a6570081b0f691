//! The tool with which a call was made.

use crate::Record;

/// The tool with which a call was made (`tf.via`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// Terraform, told by its user agent. A user agent can be forged.
    Terraform,
    /// OpenTofu, told by its user agent.
    OpenTofu,
    /// The web console, the sign-in page included.
    Console,
    /// The AWS command line.
    Cli,
    /// A program with an AWS SDK.
    Sdk,
    /// An AWS service, on its own or for somebody.
    Service,
    /// Nothing of these is known.
    Unknown,
}

impl Via {
    /// The value of `tf.via`.
    pub fn as_str(self) -> &'static str {
        match self {
            Via::Terraform => "terraform",
            Via::OpenTofu => "opentofu",
            Via::Console => "console",
            Via::Cli => "cli",
            Via::Sdk => "sdk",
            Via::Service => "service",
            Via::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for Via {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(crate) fn via(record: &Record<'_>) -> Via {
    let agent = record.user_agent().unwrap_or_default();
    let has = |text: &str| agent.contains(text);
    if has("OpenTofu/") {
        Via::OpenTofu
    } else if has("HashiCorp Terraform") || has("HashiCorp/1.0 Terraform/") || has("terraform-provider-aws") {
        Via::Terraform
    } else if has("aws-cli/") {
        Via::Cli
    } else if has("console.amazonaws.com") || has("[S3Console") {
        Via::Console
    } else if has("aws-sdk") || has("Boto") {
        Via::Sdk
    } else if agent.ends_with(".amazonaws.com") {
        Via::Service
    } else {
        Via::Unknown
    }
}
