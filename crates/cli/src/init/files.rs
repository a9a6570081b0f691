//! The files that are written.

use super::InitError;
use super::findings::{Backend, Findings};
use super::{iam, trail};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// The shipped configuration of a Falco that does nothing else; its `plugins:` are replaced by ours.
const FALCO_YAML: &str = include_str!("../../../../falco.yaml");

/// Stands in all three files where no trail was found.
pub const UNKNOWN_BUCKET: &str = "YOUR-TRAIL-BUCKET";

/// Writes all three files, or none.
pub fn write(out: &Path, force: bool, findings: &Findings) -> Result<Vec<PathBuf>, InitError> {
    let plugins = plugins(findings);
    let policy = format!("{:#}\n", iam::policy(findings));
    let files =
        [("tfdrift.yaml", fragment(&plugins)), ("falco.yaml", whole(&plugins)), ("iam-policy.json", policy)]
            .map(|(name, text)| (out.join(name), text));
    if !force && let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(InitError::Exists { path: path.display().to_string() });
    }
    let wrong = |path: &Path, e: std::io::Error| InitError::Write {
        path: path.display().to_string(),
        problem: e.to_string(),
    };
    std::fs::create_dir_all(out).map_err(|e| wrong(out, e))?;
    for (path, text) in &files {
        std::fs::write(path, text).map_err(|e| wrong(path, e))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// The `plugins:` section as YAML.
fn plugins(findings: &Findings) -> String {
    let places: Vec<Value> = findings.backends.iter().filter_map(place).collect();
    let mut init = Map::new();
    init.insert("state".to_owned(), json!({"places": places}));
    init.insert("drift".to_owned(), json!({"roles": findings.roles}));
    let open = match &findings.trail {
        Some(trail) => format!("s3://{}/{}", trail.bucket, trail.prefix),
        None => format!("s3://{UNKNOWN_BUCKET}/{}", trail::prefix("")),
    };
    let plugin = json!({"plugins": [{
        "name": "tfdrift", "library_path": "libtfdrift.so", "init_config": init, "open_params": open,
    }]});
    // A map of texts and lists cannot fail to become YAML.
    serde_yaml_ng::to_string(&plugin).unwrap_or_default()
}

fn place(backend: &Backend) -> Option<Value> {
    match backend {
        Backend::Remote { kind: "hcp", keys } => {
            let part = |key: &str| keys.get(key).and_then(Value::as_str).unwrap_or_default();
            Some(json!({"hcp": format!("{}/{}", part("organization"), part("workspace"))}))
        }
        Backend::Remote { kind: "http", keys } => Some(json!({"http": keys.get("address")})),
        Backend::Remote { kind, keys } => {
            let mut place = Map::new();
            place.insert((*kind).to_owned(), Value::Object(keys.clone()));
            Some(Value::Object(place))
        }
        Backend::Local(path) if path.is_dir() => Some(json!({"dir": path})),
        Backend::Local(path) => Some(json!({"file": path})),
        Backend::Unknown(_) => None,
    }
}

fn fragment(plugins: &str) -> String {
    format!(
        "# Written by `tfdrift init`. Into /etc/falco/config.d of a Falco that watches other things as well; falco.yaml\n\
         # beside it is for a Falco that does nothing else. Settings: docs/configuration.md. Check: tfdrift doctor.\n\
         {plugins}\nload_plugins: [tfdrift]\n\nrules_files:\n- /etc/falco/tfdrift_rules.yaml\n"
    )
}

/// The shipped file with our plugin in the place of its own.
fn whole(plugins: &str) -> String {
    let (head, rest) = FALCO_YAML.split_once("\nplugins:\n").unwrap_or((FALCO_YAML, ""));
    let tail = rest.find("\nload_plugins:").and_then(|at| rest.get(at..)).unwrap_or_default();
    format!("{head}\n{plugins}{tail}")
}
