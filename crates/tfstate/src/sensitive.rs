//! What is sensitive though the state does not say so: the provider's own list, and names that speak.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

/// TYPE PATH…, one type a line.
const KNOWN: &str = include_str!("sensitive_attributes.txt");

/// Paths that the provider declares sensitive or write-only in `rtype`. Whether Terraform writes all of them to
/// `sensitive_attributes` was never settled, and it does not before 0.14.
pub(crate) fn known_paths(rtype: &str) -> &'static [&'static str] {
    static PATHS: OnceLock<FxHashMap<&'static str, Vec<&'static str>>> = OnceLock::new();
    let paths = PATHS.get_or_init(|| {
        let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once(' ')).map(|(t, p)| (t, p.split(' ').collect())).collect()
    });
    paths.get(rtype).map(Vec::as_slice).unwrap_or_default()
}

/// Parts of names that say that the value is a secret, without `_`.
const SPEAKING: &[&str] = &[
    "passw",
    "passphrase",
    "secret",
    "token",
    "privatekey",
    "apikey",
    "authkey",
    "accesskey",
    "presharedkey",
    "credential",
    "userdata",
    "connectionstring",
];

/// Last words of names that only refer to a secret or say something about it: `secret_id`, `admin_password_secret_arn`,
/// `token_validity_units`, `user_data_replace_on_change`.
const REFERRING_LAST: &[&str] = &[
    "arn",
    "arns",
    "id",
    "ids",
    "name",
    "names",
    "version",
    "versions",
    "type",
    "types",
    "policy",
    "length",
    "size",
    "count",
    "required",
    "enabled",
    "enable",
    "validity",
    "units",
    "ttl",
    "duration",
    "days",
    "hours",
    "minutes",
    "age",
    "status",
    "strategy",
    "prevention",
    "change",
    "encryption",
    "source",
    "provider",
    "configuration",
    "config",
    "endpoint",
    "issuer",
    "domains",
    "rotation",
    "expression",
    "generation",
    "preferences",
    "only",
    "parameter",
];

/// First words of names of switches: `manage_master_user_password`, `require_…`.
const SWITCH_FIRST: &[&str] = &[
    "allow", "enable", "require", "manage", "get", "has", "is", "use", "expire", "generate", "force", "no",
    "minimum", "min", "maximum", "max", "disable", "overlap",
];

/// Names that contain a word of the list and are none: IMDSv2's switch, which must stay readable, a block of references, and
/// tokens that are published in DNS.
const NO_SECRETS: &[&str] =
    &["http_tokens", "master_user_secret", "dkim_tokens", "access_control_allow_credentials"];

/// Whether a name (one step of a path) says that its value is a secret, and not only a reference to one.
pub(crate) fn name_speaks(name: &str) -> bool {
    if name.ends_with("_wo") {
        return true;
    }
    let squashed: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if !SPEAKING.iter().any(|part| squashed.contains(part)) || NO_SECRETS.contains(&name) {
        return false;
    }
    let words = words(name);
    let refers = words.len() > 1 && words.last().is_some_and(|w| REFERRING_LAST.contains(&&**w));
    let switches = words.len() > 1 && words.first().is_some_and(|w| SWITCH_FIRST.contains(&&**w));
    !refers && !switches
}

/// `DB_PASSWORD` → db password; `secretArn` → secret arn.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        lower_before = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a text is a secret by its form: a private key, or a URL with a password.
pub(crate) fn value_speaks(text: &str) -> bool {
    if text.contains("PRIVATE KEY-----") {
        return true;
    }
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', '"', ' ']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':') && !user.ends_with(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaking_names() {
        for name in [
            "password",
            "master_password",
            "DB_PASSWORD",
            "dbPassword",
            "secret",
            "client_secret",
            "auth_token",
            "apiKey",
            "private_key",
            "private_key_pem",
            "credentials",
            "user_data",
            "user_data_base64",
            "secret_string_wo",
            "password_wo",
            "connection_string",
            "secret_access_key",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "passwords",
        ] {
            assert!(name_speaks(name), "{name}");
        }
        for name in [
            "secret_id",
            "secret_arn",
            "admin_password_secret_arn",
            "secretArn",
            "http_tokens",
            "password_reset_required",
            "manage_master_user_password",
            "minimum_password_length",
            "max_password_age",
            "password_reuse_prevention",
            "require_symbols",
            "master_user_secret",
            "token_validity_units",
            "user_data_replace_on_change",
            "cidr_blocks",
            "allow_users_to_change_password",
            "password_policy",
            "access_key_id",
            "name",
            "secret_name",
            "password_wo_version",
            "global_endpoint_token_version",
            "auth_token_enabled",
            "authorizer_credentials_arn",
            "connection_id",
        ] {
            assert!(!name_speaks(name), "{name}");
        }
    }

    #[test]
    fn speaking_values() {
        assert!(value_speaks("postgres://app:hunter2@db.internal:5432/x"));
        assert!(value_speaks("-----BEGIN RSA PRIVATE KEY-----\nMII"));
        assert!(!value_speaks("https://example.com/a:b@c"));
        assert!(!value_speaks("arn:aws:iam::111122223333:role/x"));
        assert!(!value_speaks("https://user@example.com/"));
    }

    #[test]
    fn the_providers_list_is_read() {
        assert!(known_paths("aws_iam_access_key").contains(&"secret"));
        assert!(known_paths("aws_db_instance").contains(&"password"));
        assert!(known_paths("aws_alb_listener").contains(&"default_action.authenticate_oidc.client_secret"));
        assert!(known_paths("aws_vpc").is_empty());
    }
}
