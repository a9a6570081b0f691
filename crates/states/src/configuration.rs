//! What the Terraform configuration says and the state does not: where a resource's block stands, who owns the file, and
//! what `ignore_changes` leaves to others.

mod owners;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};
use tfdrift_tfstate::{Address, Mode};

use crate::error::PlaceError;
use owners::Owners;

/// Modules call modules less deep than this; a module that calls itself stops here.
const MAX_MODULE_DEPTH: usize = 16;

/// The blocks of some folders of configuration and of the local modules they call.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// By address without instance keys: `module.web.aws_instance.db`.
    blocks: BTreeMap<String, ConfiguredBlock>,
}

/// The block of a resource or data source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredBlock {
    /// File, as seen from the configured folder's path: `infra/main.tf`.
    pub file: String,
    /// Line of the block, from 1.
    pub line: usize,
    /// Owners of the file by CODEOWNERS, blanks between them. Absent where none is named.
    pub owner: Option<String>,
    /// Dotted paths under `ignore_changes`; `all` alone stands for every attribute.
    pub ignore_changes: Vec<String>,
    /// Source of the module that the block stands in, as written in the call. Absent in the root module.
    pub module_source: Option<String>,
}

impl ConfiguredBlock {
    /// `file.tf:line`, the value of `tf.source`.
    pub fn source(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

impl Configuration {
    /// Reads the `*.tf` files of each folder as a root module, and those of the modules it calls by a local path. A file that
    /// cannot be read loses only itself; its error names line and column.
    pub fn load(folders: &[String]) -> (Self, Vec<PlaceError>) {
        let mut loader = Loader::default();
        for folder in folders {
            let owners = Owners::find(Path::new(folder));
            loader.module(Path::new(folder), "", None, &owners, 0);
        }
        (Self { blocks: loader.blocks }, loader.errors)
    }

    /// The block behind an address as a state has it, instance keys included.
    pub fn find(&self, address: &str) -> Option<&ConfiguredBlock> {
        self.blocks.get(&without_keys(&Address::parse(address).ok()?))
    }

    /// All blocks, by address without instance keys.
    pub fn blocks(&self) -> impl Iterator<Item = (&str, &ConfiguredBlock)> {
        self.blocks.iter().map(|(address, block)| (address.as_str(), block))
    }

    /// What `ignore_changes` leaves to others, as rules: a pattern for addresses (`*` stands for any text) and an
    /// attribute, empty for all.
    pub fn ignored(&self) -> Vec<(String, String)> {
        let mut rules = Vec::new();
        for (address, block) in self.blocks().filter(|(_, block)| !block.ignore_changes.is_empty()) {
            let Ok(address) = Address::parse(address) else { continue };
            for pattern in patterns(&address) {
                rules.extend(
                    block.ignore_changes.iter().map(|path| {
                        (pattern.clone(), if path == "all" { String::new() } else { path.clone() })
                    }),
                );
            }
        }
        rules
    }
}

/// Patterns for all instances of an address: each step with and without a key.
fn patterns(address: &Address) -> Vec<String> {
    let mut heads = vec![String::new()];
    for step in &address.module {
        heads = heads
            .iter()
            .flat_map(|head| ["", "[*]"].map(|key| format!("{head}module.{}{key}.", step.name)))
            .collect();
    }
    let last = format!("{}.{}", address.rtype, address.name);
    heads.iter().flat_map(|head| ["", "[*]"].map(|key| format!("{head}{last}{key}"))).collect()
}

fn without_keys(address: &Address) -> String {
    let mut text = String::new();
    for step in &address.module {
        let _ = write!(text, "module.{}.", step.name);
    }
    let data = if address.mode == Mode::Data { "data." } else { "" };
    let _ = write!(text, "{data}{}.{}", address.rtype, address.name);
    text
}

#[derive(Default)]
struct Loader {
    blocks: BTreeMap<String, ConfiguredBlock>,
    errors: Vec<PlaceError>,
}

impl Loader {
    fn module(&mut self, folder: &Path, prefix: &str, source: Option<&str>, owners: &Owners, depth: usize) {
        let files = match tf_files(folder) {
            Ok(files) => files,
            Err(error) => {
                self.errors.push(PlaceError::io(folder.to_string_lossy(), &error));
                return;
            }
        };
        let mut calls = Vec::new();
        for path in files {
            let file = path.to_string_lossy().into_owned();
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) => {
                    self.errors.push(PlaceError::io(file, &error));
                    continue;
                }
            };
            let body: Body = match hcl_edit::parser::parse_body(&text) {
                Ok(body) => body,
                Err(error) => {
                    let at = error.location();
                    let problem = format!("not valid HCL at line {}, column {}", at.line(), at.column());
                    self.errors.push(PlaceError::Io { path: file, problem });
                    continue;
                }
            };
            let owner = owners.of(&path);
            for block in body.blocks() {
                let labels: Vec<&str> = block.labels.iter().map(|label| label.as_str()).collect();
                let address = match (block.ident.as_str(), labels.as_slice()) {
                    ("resource", [rtype, name]) => format!("{prefix}{rtype}.{name}"),
                    ("data", [rtype, name]) => format!("{prefix}data.{rtype}.{name}"),
                    ("module", [name]) => {
                        let target = text_of(&block.body, "source").unwrap_or_default();
                        calls.push((format!("{prefix}module.{name}."), target));
                        continue;
                    }
                    _ => continue,
                };
                let start = block.span().map_or(0, |span| span.start);
                let before = text.get(..start).unwrap_or_default();
                // A block's span begins with the white space and comments before it.
                let skipped = text.get(start..).map_or(0, leading_lines);
                self.blocks.insert(
                    address,
                    ConfiguredBlock {
                        file: file.clone(),
                        line: before.matches('\n').count() + skipped + 1,
                        owner: owner.clone(),
                        ignore_changes: ignore_changes(block),
                        module_source: source.map(str::to_owned),
                    },
                );
            }
        }
        for (prefix, target) in calls {
            // Registry and git modules lie in .terraform/modules, if at all, and are not this repository's to own.
            if (target.starts_with("./") || target.starts_with("../")) && depth < MAX_MODULE_DEPTH {
                self.module(&folder.join(&target), &prefix, Some(&target), owners, depth + 1);
            }
        }
    }
}

/// Lines of blanks and comments before the block itself.
fn leading_lines(text: &str) -> usize {
    let blank = |line: &&str| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with('#') || line.starts_with("//")
    };
    text.lines().take_while(blank).count()
}

fn tf_files(folder: &Path) -> std::io::Result<BTreeSet<PathBuf>> {
    let paths = std::fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|e| e == "tf")).collect())
}

fn text_of(body: &Body, key: &str) -> Option<String> {
    body.get_attribute(key)?.value.as_str().map(str::to_owned)
}

/// The paths in `lifecycle { ignore_changes = […] }`.
fn ignore_changes(block: &Block) -> Vec<String> {
    let Some(lifecycle) = block.body.get_blocks("lifecycle").next() else { return Vec::new() };
    let Some(attribute) = lifecycle.body.get_attribute("ignore_changes") else { return Vec::new() };
    match &attribute.value {
        Expression::Array(paths) => paths.iter().map(path_of).filter(|path| !path.is_empty()).collect(),
        // The keyword `all`.
        other => Some(path_of(other)).filter(|path| path == "all").into_iter().collect(),
    }
}

/// `tags["Env"]` → `tags.Env`; `ingress[0].cidr_blocks` → `ingress.0.cidr_blocks`; `"tags"`, as before 0.12, → `tags`.
fn path_of(expression: &Expression) -> String {
    let text = expression.to_string();
    let text = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).collect::<String>();
    text.replace("[\"", ".").replace("\"]", "").replace('[', ".").replace([']', '"', ' '], "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn blocks_modules_owners_and_ignored_attributes() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(".git/HEAD", "");
        write("CODEOWNERS", "* @all\n/infra/modules/ @net @sec # both\n*.md @docs\n");
        write(
            "infra/main.tf",
            "# the group\n\nresource \"aws_autoscaling_group\" \"web\" {\n  lifecycle {\n    ignore_changes = [desired_capacity, tags[\"Env\"], # why\n      ingress[0].cidr_blocks]\n  }\n}\n\nmodule \"net\" {\n  source = \"./modules/net\"\n}\nmodule \"far\" { source = \"registry/x/aws\" }\n",
        );
        write(
            "infra/modules/net/net.tf",
            "resource \"aws_vpc\" \"v\" {\n  lifecycle { ignore_changes = all }\n}\ndata \"aws_ami\" \"a\" {}\n",
        );
        write("infra/broken.tf", "resource \"a\" {\n  x = = 1\n}\n");
        let folder = dir.path().join("infra").to_str().unwrap().to_owned();
        let (configuration, errors) = Configuration::load(&[folder.clone(), "/nonexistent".to_owned()]);
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].to_string().contains("broken.tf: not valid HCL at line 2"), "{}", errors[0]);

        let web = configuration.find("aws_autoscaling_group.web[3]").unwrap();
        assert_eq!(web.source(), format!("{folder}/main.tf:3"));
        assert_eq!(web.owner.as_deref(), Some("@all"));
        assert_eq!(web.ignore_changes, ["desired_capacity", "tags.Env", "ingress.0.cidr_blocks"]);
        let vpc = configuration.find("module.net[\"a\"].aws_vpc.v").unwrap();
        assert_eq!(
            (vpc.line, vpc.owner.as_deref(), vpc.module_source.as_deref()),
            (1, Some("@net @sec"), Some("./modules/net"))
        );
        assert_eq!(configuration.find("module.net.data.aws_ami.a").unwrap().line, 4);
        assert!(configuration.find("aws_vpc.none").is_none());

        let ignored = configuration.ignored();
        assert!(ignored.contains(&("aws_autoscaling_group.web[*]".into(), "tags.Env".into())));
        assert!(ignored.contains(&("module.net[*].aws_vpc.v".into(), String::new())));
        assert_eq!(ignored.len(), 2 * 3 + 4);
    }
}
