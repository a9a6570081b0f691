//! Why a link of the credential chain gave nothing.

use serde::Serialize;
use std::path::PathBuf;

/// What became of one file that a link looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileState {
    /// The path asked for, `~` resolved.
    pub path: PathBuf,
    /// Where that path came from: `aws.credentials`, `AWS_CONFIG_FILE`, `default`.
    pub from: String,
    /// The fault, or `None` when it was read.
    pub problem: Option<String>,
}

impl std::fmt::Display for FileState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}", self.path.display(), self.from)?;
        match &self.problem {
            Some(problem) => write!(f, ": {problem})"),
            None => write!(f, ")"),
        }
    }
}

/// The reason why a link gave no credentials. `Display` is one clause without a capital or a full stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// The variables that switch the link on are not there: the ordinary case.
    #[error("{vars} not set")]
    NotSet {
        /// Names of the variables, as a phrase.
        vars: String,
    },
    /// One of two variables that only work together.
    #[error("{set} is set, {missing} is not")]
    HalfSet {
        /// The variable that is there.
        set: String,
        /// The variable that is missing or blank.
        missing: String,
    },
    /// `~` cannot be resolved.
    #[error("HOME is not set, so ~/.aws cannot be found")]
    NoHome,
    /// None of the shared files could be read.
    #[error("file not found: {}", list(files))]
    FilesMissing {
        /// All files looked for.
        files: Vec<FileState>,
    },
    /// A shared file exists but is not a valid one.
    #[error("{problem}")]
    FileInvalid {
        /// Parser's message with path and line, without the line's text.
        problem: String,
    },
    /// The profile does not exist in the files.
    #[error("profile \"{profile}\" ({from}) is not in {}; profiles there: {}", list(files), names(present))]
    ProfileMissing {
        /// The profile asked for.
        profile: String,
        /// Where the name came from: `aws.profile`, `AWS_PROFILE`, `default`.
        from: String,
        /// The files looked at.
        files: Vec<FileState>,
        /// The profiles that the files do have, sorted.
        present: Vec<String>,
    },
    /// The profile exists and names no source of credentials.
    #[error("profile \"{profile}\" in {} has no keys, SSO, credential_process or role_arn", list(files))]
    ProfileEmpty {
        /// The profile asked for.
        profile: String,
        /// The files looked at.
        files: Vec<FileState>,
    },
    /// A token file could not be read.
    #[error("token file {}: {problem} ({from})", path.display())]
    TokenFile {
        /// Its path.
        path: PathBuf,
        /// The variable that names it.
        from: String,
        /// The system's message.
        problem: String,
    },
    /// A token or key has run out.
    #[error("{what} expired at {at}")]
    Expired {
        /// What ran out, with its place.
        what: String,
        /// RFC 3339, UTC.
        at: String,
    },
    /// There is no SSO login.
    #[error("{problem}; the SSO session \"{session}\" needs a login")]
    SsoLogin {
        /// Name of the session or its start URL.
        session: String,
        /// The profile that uses it.
        profile: String,
        /// What the SDK or the cache says.
        problem: String,
    },
    /// The SSO portal knows the login and does not give it the role.
    #[error("SSO does not give role {role} in account {account} to this login: {code}")]
    SsoRole {
        /// `sso_role_name`: a permission set.
        role: String,
        /// `sso_account_id`.
        account: String,
        /// The profile that asks for it.
        profile: String,
        /// The portal's error code.
        code: String,
    },
    /// Nothing answers at the address.
    #[error("{what} unreachable at {at}: {problem}")]
    Unreachable {
        /// `metadata service`, `container credentials endpoint`, `STS`.
        what: String,
        /// URL or host.
        at: String,
        /// Refused, timed out, no such host, …
        problem: String,
    },
    /// Somebody answered, with a refusal.
    #[error("{what}: {problem}")]
    Refused {
        /// Who refused, and what was asked.
        what: String,
        /// The answer, code first.
        problem: String,
    },
    /// The link is switched off by a variable.
    #[error("switched off by {by}")]
    SwitchedOff {
        /// The variable and its value.
        by: String,
    },
    /// The instance has no role.
    #[error("the metadata service answers, but this instance has no IAM role")]
    NoInstanceRole,
    /// The bound on one link's time.
    #[error("no answer within {secs} s ({what})")]
    TimedOut {
        /// The bound.
        secs: u64,
        /// What was waited for.
        what: String,
    },
    /// Anything else the SDK reports.
    #[error("{problem}")]
    Other {
        /// The SDK's words.
        problem: String,
    },
}

impl Why {
    /// True where the link was simply not set up, so that it says little about the fault.
    pub fn is_absence(&self) -> bool {
        matches!(self, Why::NotSet { .. } | Why::SwitchedOff { .. })
    }

    /// What to do about it, where something can be said.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Why::HalfSet { missing, .. } => format!("set {missing} too, or unset the other"),
            Why::NoHome => "set HOME, or AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE to full paths".to_owned(),
            Why::FilesMissing { files } => {
                if files.iter().all(|f| f.problem.as_deref().is_some_and(|p| p.contains("ermission"))) {
                    "let the user that runs Falco read the files".to_owned()
                } else {
                    "mount ~/.aws read-only at that place, or set AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE to \
                     where it is"
                        .to_owned()
                }
            }
            Why::FileInvalid { .. } => "mend that line".to_owned(),
            Why::ProfileMissing { present, .. } if present.is_empty() => {
                "the files hold no profile at all: run `aws configure`, or mount the right files".to_owned()
            }
            Why::ProfileMissing { present, .. } => {
                format!("set aws.profile or AWS_PROFILE to one of {}", names(present))
            }
            Why::ProfileEmpty { profile, .. } => {
                format!("run `aws configure --profile {profile}` or `aws configure sso --profile {profile}`")
            }
            Why::TokenFile { .. } => {
                "check the projected volume of the pod (service account, eks.amazonaws.com/role-arn) and its mount"
                    .to_owned()
            }
            Why::Expired { .. } => "renew it; a new file is picked up without a restart".to_owned(),
            Why::SsoLogin { profile, .. } => {
                format!("run `aws sso login --profile {profile}` where ~/.aws/sso/cache is shared with this process")
            }
            Why::SsoRole { profile, .. } => format!(
                "assign that permission set for that account in IAM Identity Center, or mend sso_role_name and \
                 sso_account_id of profile {profile}"
            ),
            Why::Unreachable { what, .. } if what.starts_with("metadata") => {
                "on EC2: enable the metadata service; in a container on EC2: set HttpPutResponseHopLimit to 2; \
                 elsewhere: nothing to do"
                    .to_owned()
            }
            Why::Unreachable { .. } => "check the network path, the proxy (aws.proxy_url) and DNS".to_owned(),
            Why::NoInstanceRole => "attach an instance profile to the instance".to_owned(),
            Why::TimedOut { .. } => "check the network path and the proxy (aws.proxy_url)".to_owned(),
            Why::Refused { what, .. } if what.contains("WebIdentity") => {
                "let the role's trust policy admit the token: Principal Federated = the OIDC provider, condition on its \
                 :sub (system:serviceaccount:NAMESPACE:NAME on EKS)"
                    .to_owned()
            }
            Why::Refused { what, .. } if what.starts_with("container") => {
                "check the pod identity association (EKS) or the task role (ECS); the agent's log says more".to_owned()
            }
            Why::Refused { what, .. } if what.starts_with("credential_process") => {
                "run the command of credential_process as the user that runs Falco".to_owned()
            }
            Why::NotSet { .. } | Why::Refused { .. } | Why::SwitchedOff { .. } | Why::Other { .. } => return None,
        })
    }
}

fn list(files: &[FileState]) -> String {
    files.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn names(present: &[String]) -> String {
    const SHOWN: usize = 12;
    if present.is_empty() {
        return "none".to_owned();
    }
    let mut text = present.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if present.len() > SHOWN {
        text.push_str(&format!(", and {} more", present.len() - SHOWN));
    }
    text
}
