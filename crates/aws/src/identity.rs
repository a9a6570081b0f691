//! Who the credentials belong to.

use crate::failure::Failure;
use aws_types::SdkConfig;
use serde::Serialize;

/// The answer of `sts:GetCallerIdentity`, a call that needs no permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    /// `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`, `arn:aws:iam::ACCOUNT:user/NAME`, …
    pub arn: String,
}

impl Identity {
    pub(crate) async fn ask(sdk: &SdkConfig) -> Result<Identity, Failure> {
        let client = aws_sdk_sts::Client::new(sdk);
        let answer = client.get_caller_identity().send().await.map_err(|e| Failure::of(&e))?;
        Ok(Identity {
            account: answer.account().unwrap_or_default().to_owned(),
            arn: answer.arn().unwrap_or_default().to_owned(),
        })
    }

    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).filter(|p| p.starts_with("aws")).unwrap_or("aws")
    }

    /// The IAM entity to put into a policy: the role behind a session, else the ARN itself. A role's path is
    /// not part of a session's ARN and is missing here.
    pub fn principal(&self) -> String {
        let mut parts = self.arn.splitn(6, ':');
        let resource = parts.nth(5).unwrap_or_default();
        match resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()) {
            Some(role) => format!("arn:{}:iam::{}:role/{role}", self.partition(), self.account),
            None => self.arn.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_behind_a_session() {
        let identity = Identity {
            account: "111122223333".into(),
            arn: "arn:aws-cn:sts::111122223333:assumed-role/falco/tfdrift".into(),
        };
        assert_eq!(identity.principal(), "arn:aws-cn:iam::111122223333:role/falco");
        let user = Identity { account: "1".into(), arn: "arn:aws:iam::1:user/alice".into() };
        assert_eq!(user.principal(), "arn:aws:iam::1:user/alice");
    }
}
