//! The `aws:` section of the configuration.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One source of credentials. The chain asks them in the order given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    Environment,
    /// The shared files (`~/.aws/config`, `~/.aws/credentials`): keys, SSO, `credential_process`, roles.
    Profile,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN` (IRSA on EKS, GitHub Actions).
    WebIdentity,
    /// The container endpoint of ECS and of EKS Pod Identity (`AWS_CONTAINER_CREDENTIALS_*_URI`).
    Container,
    /// The instance metadata service of EC2, version 2 only.
    Imds,
}

impl Link {
    /// All links, in the order of the default chain.
    pub const ALL: [Link; 5] =
        [Link::Environment, Link::Profile, Link::WebIdentity, Link::Container, Link::Imds];

    /// The name used in `chain:` and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Link::Environment => "environment",
            Link::Profile => "profile",
            Link::WebIdentity => "web_identity",
            Link::Container => "container",
            Link::Imds => "imds",
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A role taken on after the chain has given credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssumeRole {
    /// `arn:aws:iam::ACCOUNT:role/NAME`.
    pub role_arn: String,
    /// The external id that the role's trust policy asks for; "" sends none.
    #[serde(default)]
    pub external_id: String,
    /// Name of the session, seen in CloudTrail.
    #[serde(default = "default_session_name")]
    pub session_name: String,
}

fn default_session_name() -> String {
    "tfdrift".to_owned()
}

/// The `aws:` section. Every key may be left out; the SDK's own variables (`AWS_PROFILE`, `AWS_REGION`,
/// `AWS_ENDPOINT_URL_S3`, …) then hold.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AwsConfig {
    /// Profile of the shared files. When set, and `chain` is the default one, the profile is asked first.
    pub profile: String,
    /// Region for STS and the default for buckets whose own region cannot be found.
    pub region: String,
    /// Path of the shared configuration file instead of `AWS_CONFIG_FILE` or `~/.aws/config`.
    pub config: String,
    /// Path of the shared credentials file instead of `AWS_SHARED_CREDENTIALS_FILE` or `~/.aws/credentials`.
    pub credentials: String,
    /// The links to ask, in order. A link that is not named is never asked.
    pub chain: Vec<Link>,
    /// Roles taken on one after the other, each with the credentials of the one before.
    pub assume_role: Vec<AssumeRole>,
    /// Endpoint of a server that is not AWS, for all services.
    pub endpoint_url: String,
    /// `https://host/bucket/key` instead of `https://bucket.host/key`.
    pub path_style: bool,
    /// FIPS endpoints.
    pub fips: bool,
    /// Dual-stack (IPv6) endpoints.
    pub dual_stack: bool,
    /// Proxy for calls to AWS (never for metadata services); "" takes `HTTPS_PROXY` and friends.
    pub proxy_url: String,
    /// PEM file of the certificate authorities to trust, instead of the system's.
    pub ca_bundle: String,
}

impl Default for AwsConfig {
    fn default() -> Self {
        AwsConfig {
            profile: String::new(),
            region: String::new(),
            config: String::new(),
            credentials: String::new(),
            chain: Link::ALL.to_vec(),
            assume_role: Vec::new(),
            endpoint_url: String::new(),
            path_style: false,
            fips: false,
            dual_stack: false,
            proxy_url: String::new(),
            ca_bundle: String::new(),
        }
    }
}

impl fmt::Debug for AwsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URLs may carry a password.
        f.debug_struct("AwsConfig")
            .field("profile", &self.profile)
            .field("region", &self.region)
            .field("config", &self.config)
            .field("credentials", &self.credentials)
            .field("chain", &self.chain)
            .field("assume_role", &self.assume_role)
            .field("endpoint_url", &crate::text::without_userinfo(&self.endpoint_url))
            .field("path_style", &self.path_style)
            .field("fips", &self.fips)
            .field("dual_stack", &self.dual_stack)
            .field("proxy_url", &crate::text::without_userinfo(&self.proxy_url))
            .field("ca_bundle", &self.ca_bundle)
            .finish()
    }
}

/// A value of the `aws:` section that cannot be used. The only fatal kind of fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("aws.{key}: {problem}")]
pub struct ConfigError {
    /// The key, as in the configuration file: `assume_role[0].role_arn`.
    pub key: String,
    /// What is wrong with it and what is allowed.
    pub problem: String,
}

impl AwsConfig {
    /// Checks what can be checked without the network or the disk.
    ///
    /// # Errors
    /// The first key whose value can never work.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, problem: String| Err(ConfigError { key: key.to_owned(), problem });
        if self.chain.is_empty() {
            return wrong("chain", format!("is empty; name at least one of {}", all_links()));
        }
        for (n, link) in self.chain.iter().enumerate() {
            if self.chain.iter().take(n).any(|earlier| earlier == link) {
                return wrong("chain", format!("names {link} twice"));
            }
        }
        if self.region.chars().any(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')) {
            return wrong(
                "region",
                format!("{:?} is not a region; a region looks like eu-west-1", self.region),
            );
        }
        for (key, url) in [("endpoint_url", &self.endpoint_url), ("proxy_url", &self.proxy_url)] {
            if !(url.is_empty() || url.starts_with("http://") || url.starts_with("https://")) {
                let shown = crate::text::without_userinfo(url);
                return wrong(key, format!("{shown:?} must begin with http:// or https://"));
            }
        }
        for (n, role) in self.assume_role.iter().enumerate() {
            if !(role.role_arn.starts_with("arn:") && role.role_arn.contains(":role/")) {
                let problem =
                    format!("{:?} is not a role; give arn:aws:iam::ACCOUNT:role/NAME", role.role_arn);
                return wrong(&format!("assume_role[{n}].role_arn"), problem);
            }
            let name = &role.session_name;
            let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
            if !fits || name.len() < 2 || name.len() > 64 {
                let problem = format!("{name:?} must be 2 to 64 letters, digits or _+=,.@-");
                return wrong(&format!("assume_role[{n}].session_name"), problem);
            }
        }
        Ok(())
    }

    /// The links in the order in which they are asked: as configured, but a profile that the configuration
    /// names goes before the default chain's environment, as with `aws --profile`.
    pub fn order(&self) -> Vec<Link> {
        let mut order = self.chain.clone();
        if !self.profile.is_empty() && order == Link::ALL {
            order.swap(0, 1);
        }
        order
    }
}

fn all_links() -> String {
    Link::ALL.map(Link::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_the_default() {
        let read: AwsConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(read, AwsConfig::default());
        assert_eq!(read.order(), Link::ALL);
    }

    #[test]
    fn a_link_can_be_pinned_and_an_unknown_one_is_refused() {
        let read: AwsConfig = serde_json::from_str(r#"{"chain":["web_identity"]}"#).unwrap();
        assert_eq!(read.order(), [Link::WebIdentity]);
        let error = serde_json::from_str::<AwsConfig>(r#"{"chain":["irsa"]}"#).unwrap_err().to_string();
        assert!(error.contains("web_identity"), "{error}");
    }

    #[test]
    fn a_named_profile_goes_first_only_in_the_default_chain() {
        let mut config = AwsConfig { profile: "audit".into(), ..AwsConfig::default() };
        assert_eq!(config.order()[0], Link::Profile);
        config.chain = vec![Link::Imds, Link::Profile];
        assert_eq!(config.order(), [Link::Imds, Link::Profile]);
    }

    #[test]
    fn impossible_values_are_named() {
        let check =
            |json: &str| serde_json::from_str::<AwsConfig>(json).unwrap().check().unwrap_err().to_string();
        assert!(check(r#"{"chain":[]}"#).starts_with("aws.chain: is empty"));
        assert!(check(r#"{"chain":["imds","imds"]}"#).contains("twice"));
        assert!(check(r#"{"region":"EU West"}"#).contains("looks like eu-west-1"));
        assert!(
            check(r#"{"assume_role":[{"role_arn":"audit"}]}"#).starts_with("aws.assume_role[0].role_arn")
        );
        let shown = check(r#"{"proxy_url":"socks5://me:hunter2@proxy:1080"}"#);
        assert!(shown.contains("must begin with http") && !shown.contains("hunter2"), "{shown}");
    }
}
