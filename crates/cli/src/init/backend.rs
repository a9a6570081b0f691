//! Backends: what is copied of them, and what never is.

use super::findings::{Backend, Findings};
use serde_json::{Map, Value};

/// The keys of each backend that the plugin takes; everything else, secrets above all, is left out.
const BACKENDS: [(&str, &[&str]); 4] = [
    ("s3", &["bucket", "key", "region", "workspace_key_prefix"]),
    ("gcs", &["bucket", "prefix"]),
    ("azurerm", &["storage_account_name", "container_name", "key"]),
    ("http", &["address"]),
];

/// Keys that hold secrets, and what Falco is given instead; it reads the same as Terraform does.
const SECRETS: [(&str, &str, &str); 17] = [
    ("s3", "access_key", "AWS_ACCESS_KEY_ID, or a profile in `aws`"),
    ("s3", "secret_key", "AWS_SECRET_ACCESS_KEY, or a profile in `aws`"),
    ("s3", "token", "AWS_SESSION_TOKEN, or a profile in `aws`"),
    ("s3", "sse_customer_key", "nothing: such states cannot be read"),
    ("gcs", "credentials", "GOOGLE_BACKEND_CREDENTIALS"),
    ("gcs", "access_token", "GOOGLE_BACKEND_CREDENTIALS"),
    ("gcs", "encryption_key", "nothing: such states cannot be read"),
    ("azurerm", "access_key", "ARM_ACCESS_KEY"),
    ("azurerm", "sas_token", "ARM_SAS_TOKEN"),
    ("azurerm", "client_secret", "ARM_CLIENT_SECRET"),
    ("azurerm", "client_certificate_password", "ARM_ACCESS_KEY or ARM_CLIENT_SECRET"),
    ("azurerm", "oidc_token", "ARM_OIDC_TOKEN_FILE_PATH"),
    ("azurerm", "oidc_request_token", "ARM_OIDC_TOKEN_FILE_PATH"),
    ("http", "username", "TF_HTTP_USERNAME"),
    ("http", "password", "TF_HTTP_PASSWORD"),
    ("cloud", "token", "TFE_TOKEN"),
    ("remote", "token", "TFE_TOKEN"),
];

/// Parts of the names of an address's parameters whose values are secrets.
const SECRET_PARAMETERS: [&str; 8] =
    ["token", "secret", "password", "passwd", "key", "sig", "auth", "credential"];

/// Notes a backend of `kind` with the keys of its block. The last one counts.
pub fn add(kind: &str, keys: &Map<String, Value>, findings: &mut Findings) {
    if let Some(key) = keys.get("kms_key_id").and_then(Value::as_str).filter(|key| key.starts_with("arn:")) {
        findings.state_keys.insert(key.to_owned());
    }
    findings.backends.retain(|backend| matches!(backend, Backend::Local(_)));
    findings.left_out.clear();
    if kind == "local" {
        return;
    }
    for (_, key, instead) in SECRETS.iter().filter(|(of, key, _)| *of == kind && keys.contains_key(*key)) {
        findings.left_out.push(format!("{key} of the backend {kind} was not copied; Falco needs {instead}"));
    }
    if matches!(kind, "cloud" | "remote") {
        let part = |key: &str| keys.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut kept = Map::new();
        kept.insert("organization".to_owned(), part("organization").into());
        kept.insert("workspace".to_owned(), part("workspace").into());
        findings.backends.push(Backend::Remote { kind: "hcp", keys: kept });
        return;
    }
    let Some((kind, wanted)) = BACKENDS.iter().find(|(name, _)| *name == kind) else {
        findings.backends.push(Backend::Unknown(kind.to_owned()));
        return;
    };
    let kept = keys.iter().filter(|(key, value)| wanted.contains(&key.as_str()) && !value.is_null());
    let mut kept: Map<String, Value> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    if *kind == "http"
        && let Some(Value::String(address)) = kept.get_mut("address")
    {
        let (clean, left_out) = without_secrets(address);
        *address = clean;
        findings.left_out.extend(left_out);
    }
    findings.backends.push(Backend::Remote { kind, keys: kept });
}

/// An address without user, password, and parameters that are secrets; and what that means.
fn without_secrets(address: &str) -> (String, Vec<String>) {
    let mut said = Vec::new();
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (mut host, path) = rest.split_at(end);
    if let Some((_, after)) = host.rsplit_once('@') {
        host = after;
        said.push(
            "user and password in the address of the backend http were not copied; Falco needs \
             TF_HTTP_USERNAME and TF_HTTP_PASSWORD"
                .to_owned(),
        );
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (query, fragment) = query.split_once('#').unwrap_or((query, ""));
    let secret = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
        SECRET_PARAMETERS.iter().any(|part| name.contains(part))
    };
    let (secrets, kept): (Vec<&str>, Vec<&str>) =
        query.split('&').filter(|parameter| !parameter.is_empty()).partition(secret);
    for parameter in secrets {
        let name = parameter.split('=').next().unwrap_or_default();
        said.push(format!(
            "?{name}=… in the address of the backend http was not copied; add it to the address in tfdrift.yaml by \
             ${{NAME}}, which Falco takes from its environment"
        ));
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    (format!("{scheme}{host}{path}{query}{fragment}"), said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_secrets_and_nothing_else() {
        for (address, clean, said) in [
            ("https://h/x", "https://h/x", 0),
            ("https://u:pw@h/x", "https://h/x", 1),
            ("https://u:p@w@h:8443/x?lock=no", "https://h:8443/x?lock=no", 1),
            ("https://h/x?private_token=pw&id=1", "https://h/x?id=1", 1),
            ("https://u@h?SIG=pw", "https://h", 2),
            ("h/a@b", "h/a@b", 0),
        ] {
            let (found, left_out) = without_secrets(address);
            assert_eq!((found.as_str(), left_out.len()), (clean, said), "{address}");
            assert!(!left_out.concat().contains("pw"), "{left_out:?}");
        }
    }

    #[test]
    fn no_secret_of_any_backend_is_kept() {
        for kind in ["s3", "gcs", "azurerm", "http", "cloud", "remote", "consul"] {
            let mut keys = Map::new();
            for (_, key, _) in SECRETS {
                keys.insert(key.to_owned(), "hunter2".into());
            }
            let mut findings = Findings::default();
            add(kind, &keys, &mut findings);
            assert!(!format!("{findings:?}").contains("hunter2"), "{findings:?}");
            let told = SECRETS.iter().filter(|(of, ..)| *of == kind).count();
            assert_eq!(findings.left_out.len(), told, "{findings:?}");
        }
    }
}
