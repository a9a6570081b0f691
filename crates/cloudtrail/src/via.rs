//! The tool with which a call was made.

use crate::Record;
use crate::head::Identity;

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

/// Told by the user agent, where that names a tool; else by what AWS says of the session and of who called on whose behalf.
///
/// The console gives itself away by `sessionCredentialFromConsole`, by `AwsConsoleSignIn`, or, for services whose console calls
/// through AWS's own network, by the agent `AWS Internal` with a person's address; a service by `invokedBy`.
pub(crate) fn via(record: &Record<'_>) -> Via {
    let agent = record.user_agent().unwrap_or_default();
    let has = |text: &str| agent.contains(text);
    if has("OpenTofu/") {
        return Via::OpenTofu;
    }
    if has("HashiCorp Terraform") || has("HashiCorp/1.0 Terraform/") || has("terraform-provider-aws") {
        return Via::Terraform;
    }
    if by_service(record, &agent) {
        return Via::Service;
    }
    if has("aws-cli/") {
        return Via::Cli;
    }
    if by_console(record, &agent) {
        return Via::Console;
    }
    // Botocore, Boto3, aws-sdk-go-v2, APN/1.0 … aws-sdk, @aws-sdk/client
    if ["aws-sdk", "aws sdk", "Boto", "rusoto/", "PowerShell/"].iter().any(|text| has(text)) {
        return Via::Sdk;
    }
    Via::Unknown
}

fn by_service(record: &Record<'_>, agent: &str) -> bool {
    let text = |member| record.identity(member).and_then(|value| value.text());
    // the console's own calls name these there, too
    let console = |name: &str| name == "AWS Internal" || name.starts_with("signin.");
    text(Identity::Type).as_deref() == Some("AWSService")
        || text(Identity::InvokedBy).is_some_and(|by| !by.is_empty() && !console(&by))
        // what a service does with the role that it made for itself
        || record.principal_arn().is_some_and(|arn| arn.contains(":role/aws-service-role/"))
        // signin.amazonaws.com and console.amazonaws.com are people
        || agent.ends_with(".amazonaws.com")
            && !agent.starts_with("signin.")
            && !agent.starts_with("console.")
            && !text(Identity::InvokedBy).is_some_and(|by| by.starts_with("signin."))
        || record.event_type().as_deref() == Some("AwsServiceEvent")
}

fn by_console(record: &Record<'_>, agent: &str) -> bool {
    let invoked_by = record.identity(Identity::InvokedBy).and_then(|value| value.text());
    let from_console = record.get("sessionCredentialFromConsole").and_then(crate::record::boolean);
    from_console == Some(true)
        || matches!(record.event_type().as_deref(), Some("AwsConsoleSignIn" | "AwsConsoleAction"))
        || agent == "AWS Internal"
        || agent.starts_with("Mozilla")
        || agent.starts_with("[Mozilla")
        || invoked_by.as_deref().is_some_and(|by| by.starts_with("signin."))
        || agent.starts_with("console.")
        || ["console.amazonaws.com", "signin.amazonaws.com", "[S3Console", "aws-internal/"]
            .iter()
            .any(|text| agent.contains(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use crate::Record;

    fn via(agent: &str, more: &str) -> &'static str {
        let json = format!(r#"{{"eventTime":"2026-11-03T10:00:00Z","userAgent":"{agent}"{more}}}"#);
        Record::parse(json.as_bytes()).unwrap().via().as_str()
    }

    #[test]
    fn tools() {
        let browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36";
        let console = r#","sessionCredentialFromConsole":"true""#;
        for (agent, more, want) in [
            (
                "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 terraform-provider-aws/5.100.0 aws-sdk-go-v2/1.36.3",
                "",
                "terraform",
            ),
            ("APN/1.0 OpenTofu/1.9.0 terraform-provider-aws/5.100.0 aws-sdk-go-v2/1.36.3", "", "opentofu"),
            ("aws-cli/2.15.30 Python/3.11.8 exec-env/CloudShell", console, "cli"),
            ("Boto3/1.34.69 md/Botocore#1.34.69", "", "sdk"),
            ("aws-sdk-go/1.44.0 (go1.20; linux; amd64)", "", "sdk"),
            (browser, "", "console"),
            ("AWS Internal", console, "console"),
            ("AWS Internal", "", "console"),
            ("something new", r#","sessionCredentialFromConsole":true"#, "console"),
            ("console.amazonaws.com", "", "console"),
            ("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11]", "", "console"),
            ("autoscaling.amazonaws.com", "", "service"),
            (
                "AWS Internal",
                r#","userIdentity":{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#,
                "service",
            ),
            (
                "AWS Internal",
                r#","userIdentity":{"type":"AssumedRole","invokedBy":"cloudformation.amazonaws.com"}"#,
                "service",
            ),
            (
                "AWS Internal",
                r#","userIdentity":{"type":"AssumedRole","invokedBy":"AWS Internal"}"#,
                "console",
            ),
            (
                "signin.amazonaws.com",
                r#","userIdentity":{"type":"IAMUser","invokedBy":"signin.amazonaws.com"}"#,
                "console",
            ),
            (
                "sqs.amazonaws.com",
                r#","userIdentity":{"type":"IAMUser","invokedBy":"signin.amazonaws.com"}"#,
                "console",
            ),
            (
                "aws-sdk-java/1.12",
                r#","userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"}}}"#,
                "service",
            ),
            ("[aws-cli/2.15.30 Python/3.11.8]", "", "cli"),
            ("console.ec2.amazonaws.com", "", "console"),
            ("curl/8.5.0", "", "unknown"),
        ] {
            assert_eq!(via(agent, more), want, "{agent} {more}");
        }
    }
}
