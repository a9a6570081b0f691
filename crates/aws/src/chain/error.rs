//! Why the chain gave no credentials: each link's reason, or the role that refused.

use crate::config::Link;
use crate::failure::Failure;
use crate::why::Why;
use serde::Serialize;
use serde_json::json;
use std::fmt;

/// A link that was asked and gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The link.
    pub link: Link,
    /// Its reason.
    #[serde(flatten)]
    pub why: Why,
}

/// A role that could not be taken on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleRefused {
    /// The role.
    pub role_arn: String,
    /// Who asked: an ARN, or the name of the link.
    pub by: String,
    /// The IAM entity behind that ARN, for the role's trust policy; `None` where it is not known.
    pub principal: Option<String>,
    /// The external id that was sent, "" for none. It is no secret (AWS: "not sensitive information").
    pub external_id: String,
    /// The refusal.
    #[serde(flatten)]
    pub why: Why,
}

impl RoleRefused {
    /// The two smallest statements: the caller's, and the role's trust policy.
    fn statements(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allow = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": self.role_arn});
        let principal = self.principal.as_deref().unwrap_or("ARN-OF-THE-CALLER");
        let mut trust =
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
        if !self.external_id.is_empty() {
            trust["Condition"] = json!({"StringEquals": {"sts:ExternalId": self.external_id}});
        }
        for (title, statement) in
            [("the caller's policy needs:", allow), ("the role's trust policy needs:", trust)]
        {
            writeln!(f, "  {title}")?;
            let json = serde_json::to_string_pretty(&statement).map_err(|_| fmt::Error)?;
            for line in json.lines() {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}

/// No credentials. `Display` is the whole story on several lines, [`ChainError::short`] its essence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainError {
    /// The links asked, in order.
    pub tried: Vec<Tried>,
    /// The links that the configuration leaves out.
    pub not_asked: Vec<Link>,
    /// True when they are left out because `aws.profile` names a profile and `aws.chain` nothing.
    pub profile_is_meant: bool,
    /// Set when the chain gave credentials and a role of `assume_role` then refused them.
    pub role: Option<RoleRefused>,
}

impl std::error::Error for ChainError {}

impl ChainError {
    /// One line under 255 bytes, cause first: what Falco shows of a failed `open`.
    pub fn short(&self) -> String {
        if let Some(role) = &self.role {
            return crate::text::short(&format!(
                "role {} refused to {}: {}",
                role.role_arn, role.by, role.why
            ));
        }
        // A link that was set up and failed tells more than four that were not.
        let (telling, absent): (Vec<&Tried>, Vec<&Tried>) =
            self.tried.iter().partition(|t| !t.why.is_absence());
        let said: Vec<String> =
            telling.iter().chain(&absent).map(|t| format!("{}: {}", t.link, t.why)).collect();
        crate::text::short(&format!("no AWS credentials: {}", said.join("; ")))
    }

    /// What to do next, for the link that came nearest.
    pub fn next(&self) -> String {
        if let Some(role) = &self.role {
            let caller = role.principal.as_deref().unwrap_or("the caller");
            return format!(
                "both sides must agree: the role's trust policy, and sts:AssumeRole for {caller}"
            );
        }
        // The metadata service is unreachable everywhere but on EC2: it speaks last.
        self.tried
            .iter()
            .filter(|t| !t.why.is_absence() && t.link != Link::Imds)
            .find_map(|t| t.why.remedy())
            .or_else(|| self.tried.iter().filter(|t| t.link == Link::Imds).find_map(|t| t.why.remedy()))
            .unwrap_or_else(|| {
                "give one of the links what it needs (docs/credentials.md), for instance AWS_PROFILE with ~/.aws mounted"
                    .to_owned()
            })
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.role {
            Some(role) => {
                writeln!(f, "role {} could not be assumed", role.role_arn)?;
                writeln!(f, "  {:<13} {}", "asked by", role.by)?;
                if !role.external_id.is_empty() {
                    writeln!(f, "  {:<13} {}", "external id", role.external_id)?;
                }
                writeln!(f, "  {:<13} {}", "answer", role.why)?;
                role.statements(f)?;
            }
            None => {
                writeln!(f, "no AWS credentials: {} asked, none gave any", count(self.tried.len(), "link"))?
            }
        }
        for tried in &self.tried {
            writeln!(f, "  {:<13} {}", tried.link, tried.why)?;
        }
        if !self.not_asked.is_empty() {
            let names: Vec<&str> = self.not_asked.iter().map(|link| link.as_str()).collect();
            let why = match self.profile_is_meant {
                true => "aws.profile is set: it alone is asked, unless aws.chain names more",
                false => "aws.chain leaves them out",
            };
            writeln!(f, "  {:<13} {} ({why})", "not asked", names.join(", "))?;
        }
        write!(f, "  {:<13} {}", "next", self.next())
    }
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

pub(super) fn refused(error: &aws_credential_types::provider::error::CredentialsError) -> Why {
    let failure = Failure::of_error(error);
    let what = "sts:AssumeRole".to_owned();
    match (failure.transport, failure.code, failure.message) {
        (Some(fault), ..) => {
            Why::Unreachable { what: "STS".into(), at: "its endpoint".into(), problem: fault.to_string() }
        }
        (None, Some(code), Some(message)) => Why::Refused { what, problem: format!("{code}: {message}") },
        _ => Why::Refused { what, problem: failure.text },
    }
}
