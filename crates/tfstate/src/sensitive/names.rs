//! Names that speak: whose value is a secret.
//!
//! A name that the provider declares (`master_password`, `secret_arn`) is one of a finite list, so what only refers to a
//! secret can be told by its words. A name that people chose (tags, environment variables, documents) may mean anything:
//! there `TOKEN_PROVIDER` is masked too, unless its value can be no secret.

use serde_json::Value;

/// Parts of names that say that the value is a secret, without `_`.
const SPEAKING: &[&str] = &[
    "passw",
    "passphrase",
    "passcode",
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

/// The same, but only in names that people chose: the provider's `encryption_key` is an ARN.
const SPEAKING_FREE: &[&str] = &[
    "signingkey",
    "encryptionkey",
    "decryptionkey",
    "masterkey",
    "sharedkey",
    "sessionkey",
    "licensekey",
    "deploykey",
    "servicekey",
    "accountkey",
    "hmackey",
    "sshkey",
    "jwtkey",
    "otpseed",
    "webhookurl",
];

/// Whole words that say it in names that people chose, when they stand last: `DB_PWD`, `userJwt`.
const LAST_FREE: &[&str] =
    &["pass", "pwd", "jwt", "authorization", "bearer", "cookie", "dsn", "salt", "assertion"];

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

/// Names that contain a word of the list and are none: IMDSv2's switch, which must stay readable, a block of references,
/// tokens that are published in DNS, and a database's choice of a hash.
const NO_SECRETS: &[&str] = &[
    "http_tokens",
    "master_user_secret",
    "dkim_tokens",
    "access_control_allow_credentials",
    "password_encryption",
];

/// Last words of the names of attributes in which people choose the names: `tags`, `environment_variables`.
const FREE_LAST: &[&str] = &[
    "tags",
    "all",
    "tag",
    "add",
    "environment",
    "variables",
    "secrets",
    "parameters",
    "params",
    "properties",
    "headers",
    "metadata",
    "options",
    "arguments",
    "attributes",
    "labels",
    "details",
    "settings",
    "outputs",
    "triggers",
    "templates",
    "map",
    "mapping",
    "mappings",
    "claims",
    "configuration",
    "configurations",
    "context",
    "subset",
    "equals",
    "overrides",
    "data",
    "providers",
    "credentials",
    "requests",
    "inputs",
    "paths",
    "uris",
    "endpoints",
    "fields",
    "keys",
    "limits",
    "passthrough",
    "hyperparameters",
    "dimensions",
    "models",
    "opts",
    "list",
    "maps",
    "permissions",
    "ports",
    "preference",
    "retention",
    "roles",
    "weights",
];

/// Whether people choose the names inside the attribute of this name, or this name is none that the provider declares:
/// all of those are lower case with `_`.
pub(crate) fn is_free(name: &str) -> bool {
    let declared = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !name.bytes().all(declared) || name.rsplit('_').next().is_some_and(|last| FREE_LAST.contains(&last))
}

/// Whether a name (one step of a path) says that its value is a secret, and not only a reference to one. `free`: people
/// chose the name.
pub(crate) fn name_speaks(name: &str, free: bool, value: &Value) -> bool {
    if name.ends_with("_wo") {
        return true;
    }
    let free = free || is_free(name);
    let squashed: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if NO_SECRETS.contains(&name) {
        return false;
    }
    let words = words(name);
    let last = words.last().map(|w| &**w).unwrap_or_default();
    if SPEAKING.iter().any(|part| squashed.contains(part)) {
        let refers = words.len() > 1 && REFERRING_LAST.contains(&last);
        let switches = words.len() > 1 && words.first().is_some_and(|w| SWITCH_FIRST.contains(&&**w));
        return !(refers || switches) || (free && !is_harmless(value));
    }
    // `MYSQLPASS`, but not `bypass`
    let ends = |word: &str| squashed.strip_suffix(word).is_some_and(|before| !before.ends_with("by"));
    free && (SPEAKING_FREE.iter().any(|part| squashed.contains(part))
        || LAST_FREE.contains(&last)
        || ends("pwd")
        || (ends("pass") && !squashed.ends_with("compass")))
        && !is_harmless(value)
}

/// Whether the name may say so with some value: quick, and never wrong the other way.
pub(crate) fn may_speak(name: &str) -> bool {
    name_speaks(name, true, &Value::String("?".into()))
}

/// A value that is a setting or a reference: a switch, a short number, an ARN, a KMS alias.
fn is_harmless(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(n) => n.to_string().len() <= 6,
        Value::String(text) => {
            let short_number = text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
            let switch = ["true", "false", "yes", "no", "on", "off", "enabled", "disabled", "none"];
            short_number
                || switch.iter().any(|s| text.eq_ignore_ascii_case(s))
                || (text.starts_with("arn:") && !text.contains(char::is_whitespace))
                || text.starts_with("alias/")
        }
        Value::Array(list) => list.iter().all(is_harmless),
        Value::Object(_) => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(name: &str) -> bool {
        name_speaks(name, false, &Value::String("x".into()))
    }

    fn chosen(name: &str, value: impl Into<Value>) -> bool {
        name_speaks(name, true, &value.into())
    }

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
            assert!(declared(name), "{name}");
        }
        for name in [
            "secret_id",
            "secret_arn",
            "admin_password_secret_arn",
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
            "encryption_key",
            "authorization",
            "pass_request_headers",
        ] {
            assert!(!declared(name), "{name}");
        }
    }

    #[test]
    fn names_that_people_chose() {
        for name in [
            "DB_PASS",
            "DB_PWD",
            "pwd",
            "MYSQLPASS",
            "passcode",
            "SIGNING_KEY",
            "ENCRYPTION_KEY",
            "jwt",
            "Authorization",
            "api.key",
            "TOKEN_PROVIDER",
            "secret_config",
            "PASSWORD_TYPE",
            "MinPassword",
            "NoSecret",
            "use_token",
            "secretArn",
            "SENTRY_DSN",
        ] {
            assert!(chosen(name, "hunter2"), "{name}");
        }
        for (name, value) in [
            ("use_token", "true"),
            ("TOKEN_TTL", "3600"),
            ("secretArn", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"),
            ("ENCRYPTION_KEY", "alias/app"),
            ("BYPASS", "x"),
            ("Compass", "x"),
            ("Environment", "prod"),
            ("Owner", "author"),
            ("KEY_NAME", "x"),
        ] {
            assert!(!chosen(name, value), "{name}");
        }
        assert!(chosen("TOKEN_MAP", serde_json::json!({"a": "b"})), "what is below may be anything");
    }

    #[test]
    fn where_people_choose_names() {
        for name in ["tags", "tags_all", "environment_variables", "DB_PASS", "api.key", "x-team"] {
            assert!(is_free(name), "{name}");
        }
        for name in ["password", "ingress", "cidr_blocks", "default_action"] {
            assert!(!is_free(name), "{name}");
        }
    }
}
