//! Modules that do not lie in the repository: `terraform init` puts them below `.terraform/modules`, and notes where.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The installed modules of one root, by their keys: `net`, `net.subnets`.
#[derive(Default)]
pub(super) struct Installed {
    by_key: BTreeMap<String, Module>,
}

struct Module {
    folder: PathBuf,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "Modules", default)]
    modules: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Dir")]
    dir: String,
    #[serde(rename = "Version")]
    version: Option<String>,
}

impl Installed {
    /// What `terraform init` noted in this folder; nothing where it was not run.
    pub(super) fn find(root: &Path) -> Self {
        let text = std::fs::read_to_string(root.join(".terraform/modules/modules.json")).unwrap_or_default();
        let Ok(manifest) = serde_json::from_str::<Manifest>(&text) else { return Self::default() };
        let module =
            |entry: Entry| (entry.key, Module { folder: root.join(entry.dir), version: entry.version });
        Self { by_key: manifest.modules.into_iter().map(module).collect() }
    }

    /// Folder and version of the module at `module.net.module.subnets.`.
    pub(super) fn get(&self, prefix: &str) -> Option<(&Path, Option<&str>)> {
        let key: Vec<&str> = prefix.split('.').filter(|step| !step.is_empty() && *step != "module").collect();
        let module = self.by_key.get(&key.join("."))?;
        Some((&module.folder, module.version.as_deref()))
    }
}
