//! A Terraform folder: its blocks, what `terraform init` wrote, local states.

use super::InitError;
use super::findings::{Backend, Findings, Trail};
use super::trail;
use hcl_edit::structure::{Block, Body};
use serde_json::{Map, Value};
use std::path::Path;

/// The keys of each backend that the plugin takes; everything else, secrets above all, is left out.
const BACKENDS: [(&str, &str, &[&str]); 4] = [
    ("s3", "s3", &["bucket", "key", "region", "workspace_key_prefix"]),
    ("gcs", "gcs", &["bucket", "prefix"]),
    ("azurerm", "azurerm", &["storage_account_name", "container_name", "key"]),
    ("http", "http", &["address"]),
];

/// Looks at one folder; subfolders are modules and have no backend.
pub fn look(folder: &Path) -> Result<Findings, InitError> {
    let wrong = |e: std::io::Error| InitError::Folder {
        folder: folder.display().to_string(),
        problem: e.to_string(),
    };
    let mut names: Vec<_> =
        std::fs::read_dir(folder).map_err(wrong)?.flatten().map(|entry| entry.path()).collect();
    names.sort();
    let mut findings = Findings::default();
    for path in names.iter().filter(|p| p.extension().is_some_and(|e| e == "tf" || e == "tofu")) {
        let text = std::fs::read_to_string(path).map_err(wrong)?;
        match text.parse::<Body>() {
            Ok(body) => read_body(&body, path, &mut findings),
            Err(error) => {
                let why = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
                findings.remarks.push(format!("{} was passed over: {why}", path.display()));
            }
        }
    }
    read_initialised(folder, &mut findings);
    read_local(folder, &mut findings);
    Ok(findings)
}

fn read_body(body: &Body, path: &Path, findings: &mut Findings) {
    for block in body.blocks() {
        match block.ident.as_str() {
            "terraform" => read_terraform(block, findings),
            "provider" if label(block, 0) == Some("aws") => read_provider(block, findings),
            "resource" if label(block, 0) == Some("aws_cloudtrail") => {
                let name = label(block, 1).unwrap_or_default();
                read_trail(block, &format!("aws_cloudtrail.{name} in {}", path.display()), findings);
            }
            _ => {}
        }
    }
}

fn read_terraform(block: &Block, findings: &mut Findings) {
    for inner in block.body.blocks() {
        match inner.ident.as_str() {
            "backend" => {
                let kind = label(inner, 0).unwrap_or_default().to_owned();
                let keys = inner.body.attributes().filter_map(|a| {
                    Some((a.key.as_str().to_owned(), Value::String(a.value.as_str()?.to_owned())))
                });
                add_backend(&kind, &keys.collect(), findings);
            }
            "cloud" => {
                let organization = text(inner, "organization").unwrap_or_default();
                let workspace =
                    inner.body.get_blocks("workspaces").find_map(|w| text(w, "name")).unwrap_or_default();
                let mut keys = Map::new();
                keys.insert("organization".to_owned(), organization.into());
                keys.insert("workspace".to_owned(), workspace.into());
                add_backend("cloud", &keys, findings);
            }
            _ => {}
        }
    }
}

fn read_provider(block: &Block, findings: &mut Findings) {
    findings.regions.extend(text(block, "region"));
    for role in block.body.get_blocks("assume_role") {
        findings.roles.extend(text(role, "role_arn"));
    }
}

fn read_trail(block: &Block, from: &str, findings: &mut Findings) {
    // A name made by an expression is only known from a state.
    let Some(bucket) = text(block, "s3_bucket_name") else { return };
    let organisation = block.body.get_attribute("is_organization_trail").and_then(|a| a.value.as_bool());
    findings.trail.get_or_insert(Trail {
        bucket,
        prefix: trail::prefix(&text(block, "s3_key_prefix").unwrap_or_default()),
        kms_key: text(block, "kms_key_id").filter(|key| key.starts_with("arn:")),
        organisation: organisation.unwrap_or(false),
        from: from.to_owned(),
    });
}

fn label(block: &Block, n: usize) -> Option<&str> {
    block.labels.get(n).map(|label| label.as_str())
}

/// An attribute that is a plain text.
fn text(block: &Block, key: &str) -> Option<String> {
    block.body.get_attribute(key)?.value.as_str().map(str::to_owned)
}

fn add_backend(kind: &str, keys: &Map<String, Value>, findings: &mut Findings) {
    if let Some(key) = keys.get("kms_key_id").and_then(Value::as_str).filter(|key| key.starts_with("arn:")) {
        findings.state_keys.insert(key.to_owned());
    }
    findings.backends.retain(|backend| matches!(backend, Backend::Local(_)));
    if kind == "local" {
        return;
    }
    if matches!(kind, "cloud" | "remote") {
        let part = |key: &str| keys.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut kept = Map::new();
        kept.insert("organization".to_owned(), part("organization").into());
        kept.insert("workspace".to_owned(), part("workspace").into());
        findings.backends.push(Backend::Remote { kind: "hcp", keys: kept });
        return;
    }
    let found = BACKENDS.iter().find(|(name, ..)| *name == kind);
    findings.backends.push(match found {
        Some((_, place, wanted)) => {
            let kept = keys.iter().filter(|(key, value)| wanted.contains(&key.as_str()) && !value.is_null());
            let kept = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
            Backend::Remote { kind: place, keys: kept }
        }
        None => Backend::Unknown(kind.to_owned()),
    });
}

/// `.terraform/terraform.tfstate`, where `terraform init` keeps the backend with all its settings.
fn read_initialised(folder: &Path, findings: &mut Findings) {
    let Ok(bytes) = std::fs::read(folder.join(".terraform/terraform.tfstate")) else { return };
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { return };
    let Some(backend) = value.get("backend") else { return };
    let kind = backend.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some(config) = backend.get("config").and_then(Value::as_object) else { return };
    let mut config = config.clone();
    if kind == "cloud"
        && let Some(name) = config.get("workspaces").and_then(|w| w.get("name")).cloned()
    {
        config.insert("workspace".to_owned(), name);
    }
    // Absent settings stand there as null or "".
    config.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
    add_backend(kind, &config, findings);
}

/// `terraform.tfstate` and the workspaces in `terraform.tfstate.d`; a trail that is managed there is the one.
fn read_local(folder: &Path, findings: &mut Findings) {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let file = folder.join("terraform.tfstate");
    if file.is_file() {
        if let Ok(bytes) = std::fs::read(&file) {
            trail::of_state(&bytes, &file, findings);
        }
        findings.backends.push(Backend::Local(absolute(&file)));
    }
    let workspaces = folder.join("terraform.tfstate.d");
    if workspaces.is_dir() {
        findings.backends.push(Backend::Local(absolute(&workspaces)));
    }
}
