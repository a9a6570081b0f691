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

/// The links of a chain, in the order in which they are asked, and whether somebody chose them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Links {
    links: Vec<Link>,
    chosen: bool,
}

impl Links {
    /// True when the configuration has the key, whatever it says.
    pub fn is_chosen(&self) -> bool {
        self.chosen
    }
}

impl Default for Links {
    fn default() -> Self {
        Links { links: Link::ALL.to_vec(), chosen: false }
    }
}

impl From<Vec<Link>> for Links {
    fn from(links: Vec<Link>) -> Self {
        Links { links, chosen: true }
    }
}

impl std::ops::Deref for Links {
    type Target = [Link];
    fn deref(&self) -> &[Link] {
        &self.links
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.links.fmt(f)
    }
}

impl Serialize for Links {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.links.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Links {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Links::from)
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

fn is_left_out(links: &Links) -> bool {
    !links.is_chosen()
}

fn default_session_name() -> String {
    "tfdrift".to_owned()
}

/// The `aws:` section. Every key may be left out; the SDK's own variables (`AWS_PROFILE`, `AWS_REGION`,
/// `AWS_ENDPOINT_URL_S3`, …) then hold.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AwsConfig {
    /// Profile of the shared files. When set, and `chain` is not, the profile is the only link asked.
    pub profile: String,
    /// Region for STS and the default for buckets whose own region cannot be found.
    pub region: String,
    /// Path of the shared configuration file instead of `AWS_CONFIG_FILE` or `~/.aws/config`.
    pub config: String,
    /// Path of the shared credentials file instead of `AWS_SHARED_CREDENTIALS_FILE` or `~/.aws/credentials`.
    pub credentials: String,
    /// The links to ask, in order. A link that is not named is never asked. Written only where it was chosen.
    #[serde(skip_serializing_if = "is_left_out")]
    pub chain: Links,
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
            if !url.is_empty() && !has_host(url) {
                let shown = crate::text::without_userinfo(url);
                return wrong(key, format!("{shown:?} is not a URL; it looks like http://HOST:PORT"));
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

    /// The links in the order in which they are asked: as `chain` says. Without it, a profile that the configuration
    /// names is meant, as with `aws --profile`: nothing else is asked, so that nobody else's key takes its place.
    pub fn order(&self) -> Vec<Link> {
        match self.profile_is_meant() {
            true => vec![Link::Profile],
            false => self.chain.to_vec(),
        }
    }

    pub(crate) fn profile_is_meant(&self) -> bool {
        !self.profile.is_empty() && !self.chain.is_chosen()
    }
}

/// Whether a URL with a scheme has a host, and a port that is one.
fn has_host(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (place, None),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~[]:%".contains(c);
    !host.is_empty()
        && host.chars().all(fits)
        && !rest.contains(char::is_whitespace)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
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
    fn what_is_written_is_read_as_it_was() {
        for json in [r"{}", r#"{"profile":"audit"}"#, r#"{"chain":["imds"]}"#, r#"{"chain":[]}"#] {
            let read: AwsConfig = serde_json::from_str(json).unwrap();
            let again: AwsConfig = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
            assert_eq!(again, read, "{json}");
            assert_eq!((again.order(), again.chain.is_chosen()), (read.order(), read.chain.is_chosen()));
        }
    }

    #[test]
    fn a_link_can_be_pinned_and_an_unknown_one_is_refused() {
        let read: AwsConfig = serde_json::from_str(r#"{"chain":["web_identity"]}"#).unwrap();
        assert_eq!(read.order(), [Link::WebIdentity]);
        let error = serde_json::from_str::<AwsConfig>(r#"{"chain":["irsa"]}"#).unwrap_err().to_string();
        assert!(error.contains("web_identity"), "{error}");
    }

    #[test]
    fn a_named_profile_is_meant_unless_a_chain_is_named_too() {
        let read = |json: &str| serde_json::from_str::<AwsConfig>(json).unwrap().order();
        assert_eq!(read(r#"{"profile":"audit"}"#), [Link::Profile]);
        assert_eq!(read(r#"{"profile":"audit","chain":["imds","profile"]}"#), [Link::Imds, Link::Profile]);
        let all =
            r#"{"profile":"audit","chain":["environment","profile","web_identity","container","imds"]}"#;
        assert_eq!(read(all), Link::ALL, "the usual chain, when it is asked for");
        assert_eq!(read(r#"{"chain":["imds"]}"#), [Link::Imds]);
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
        for url in
            ["http://", "https:///path", "http://a b", "http://host:", "http://host:99999", "http://u:p@:80"]
        {
            for key in ["proxy_url", "endpoint_url"] {
                let shown = check(&format!("{{\"{key}\":{url:?}}}"));
                assert!(shown.starts_with(&format!("aws.{key}: ")) && shown.contains("HOST:PORT"), "{shown}");
            }
        }
        for url in [
            "http://127.0.0.1:9000",
            "https://s3.local/",
            "http://u:p@proxy:3128",
            "http://[::1]:9000",
            "http://[::1]",
        ] {
            let config =
                AwsConfig { endpoint_url: url.into(), proxy_url: url.into(), ..AwsConfig::default() };
            assert_eq!(config.check(), Ok(()), "{url}");
        }
        let shown = check(r#"{"proxy_url":"socks5://me:hunter2@proxy:1080"}"#);
        assert!(shown.contains("must begin with http") && !shown.contains("hunter2"), "{shown}");
    }
}
