//! A Terraform folder: its blocks, what `terraform init` wrote, local states.

use super::InitError;
use super::findings::{Backend, Findings, NotKnown, Trail};
use super::resolve::{Unresolved, Values};
use super::{backend, trail};
use hcl_edit::structure::{Block, Body};
use serde_json::{Map, Value};
use std::path::Path;

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
    let mut files = Vec::new();
    for path in names.into_iter().filter(|p| p.extension().is_some_and(|e| e == "tf" || e == "tofu")) {
        let wrong = |problem: String| InitError::Folder { folder: path.display().to_string(), problem };
        let text = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
        match text.parse::<Body>() {
            Ok(body) => files.push((path, body)),
            Err(error) => {
                // Not the line itself: it may hold a secret.
                let (at, what) = (error.location(), error.message());
                let (line, column) = (at.line(), at.column());
                findings.remarks.push(format!(
                    "{} was passed over: line {line}, column {column}: {what}",
                    path.display()
                ));
            }
        }
    }
    let values = Values::of(folder, &files);
    for (path, body) in &files {
        read_body(body, path, &values, &mut findings);
    }
    read_initialised(folder, &mut findings);
    read_local(folder, &mut findings);
    Ok(findings)
}

fn read_body(body: &Body, path: &Path, values: &Values, findings: &mut Findings) {
    for block in body.blocks() {
        match block.ident.as_str() {
            "terraform" => read_terraform(block, values, findings),
            "provider" if label(block, 0) == Some("aws") => read_provider(block, values, findings),
            "resource" if label(block, 0) == Some("aws_cloudtrail") => {
                let name = label(block, 1).unwrap_or_default();
                let from = format!("aws_cloudtrail.{name} in {}", path.display());
                read_trail(block, from, values, findings);
            }
            _ => {}
        }
    }
}

fn read_terraform(block: &Block, values: &Values, findings: &mut Findings) {
    for inner in block.body.blocks() {
        let kind = match inner.ident.as_str() {
            "backend" => label(inner, 0).unwrap_or_default(),
            "cloud" => "cloud",
            _ => continue,
        };
        let mut keys: Map<String, Value> = inner
            .body
            .attributes()
            .filter_map(|a| Some((a.key.as_str().to_owned(), values.text(&a.value).ok()?.into())))
            .collect();
        if let Some(Ok(name)) = inner.body.get_blocks("workspaces").find_map(|w| text(w, "name", values)) {
            keys.insert("workspace".to_owned(), name.into());
        }
        backend::add(kind, &keys, findings);
    }
}

fn read_provider(block: &Block, values: &Values, findings: &mut Findings) {
    findings.regions.extend(text(block, "region", values).and_then(Result::ok));
    for role in block.body.get_blocks("assume_role") {
        match text(role, "role_arn", values) {
            Some(Ok(role)) => {
                findings.roles.insert(role);
            }
            Some(Err(Unresolved(part))) => findings.remarks.push(format!(
                "role_arn of the provider is not known: {part} is no literal here; add Terraform's role to drift.roles in tfdrift.yaml"
            )),
            None => {}
        }
    }
}

fn read_trail(block: &Block, from: String, values: &Values, findings: &mut Findings) {
    if findings.trail.is_some() {
        return;
    }
    let get = |key: &str| text(block, key, values);
    let bucket = match get("s3_bucket_name") {
        Some(Ok(bucket)) => bucket,
        Some(Err(Unresolved(part))) => {
            let trail = "s3://BUCKET[/PREFIX]".to_owned();
            findings.unresolved.get_or_insert(NotKnown { from, key: "s3_bucket_name", part, trail });
            return;
        }
        None => return,
    };
    let prefix = match get("s3_key_prefix") {
        Some(Ok(prefix)) => prefix,
        Some(Err(Unresolved(part))) => {
            let trail = format!("s3://{bucket}/PREFIX");
            findings.unresolved.get_or_insert(NotKnown { from, key: "s3_key_prefix", part, trail });
            return;
        }
        None => String::new(),
    };
    let kms_key = match get("kms_key_id") {
        Some(Err(Unresolved(part))) => {
            findings.remarks.push(format!(
                "kms_key_id of {from} is not known: {part} is no literal here; add kms:Decrypt on that key's ARN to iam-policy.json"
            ));
            None
        }
        known => known.and_then(Result::ok).filter(|key| key.starts_with("arn:")),
    };
    findings.trail = Some(Trail {
        bucket,
        prefix: trail::prefix(&prefix),
        kms_key,
        organisation: matches!(get("is_organization_trail"), Some(Ok(value)) if value == "true"),
        from,
    });
}

fn label(block: &Block, n: usize) -> Option<&str> {
    block.labels.get(n).map(|label| label.as_str())
}

/// What an attribute comes to; `None` where it is absent or null.
fn text(block: &Block, key: &str, values: &Values) -> Option<Result<String, Unresolved>> {
    let expression = &block.body.get_attribute(key)?.value;
    (!expression.is_null()).then(|| values.text(expression))
}

/// `.terraform/terraform.tfstate`, where `terraform init` keeps the backend with all its settings.
fn read_initialised(folder: &Path, findings: &mut Findings) {
    let Ok(bytes) = std::fs::read(folder.join(".terraform/terraform.tfstate")) else { return };
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { return };
    let Some(backend) = value.get("backend") else { return };
    let kind = backend.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some(config) = backend.get("config").and_then(Value::as_object) else { return };
    let mut config = config.clone();
    // `cloud` keeps an object there, `remote` a list of one.
    let workspaces = config.get("workspaces").map(|w| w.get(0).unwrap_or(w));
    if let Some(name) = workspaces.and_then(|w| w.get("name")).cloned() {
        config.insert("workspace".to_owned(), name);
    }
    // Absent settings stand there as null or "".
    config.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
    backend::add(kind, &config, findings);
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
