//! What the Terraform configuration says and the state does not: where a resource's block stands, who owns the file, and
//! what `ignore_changes` leaves to others.

mod owners;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};
use tfdrift_tfstate::{Configured, ConfiguredMap};

use crate::error::PlaceError;
use owners::Owners;

/// Modules call modules less deep than this; a module that calls itself stops here.
const MAX_MODULE_DEPTH: usize = 16;

/// Reads the `*.tf` files of each folder as a root module, and those of the modules it calls by a local path. A file that
/// cannot be read loses only itself; its error names line and column.
pub fn read_configuration(folders: &[String]) -> (ConfiguredMap, Vec<PlaceError>) {
    let mut loader = Loader::default();
    for folder in folders {
        let owners = Owners::find(Path::new(folder));
        loader.module(Path::new(folder), "", &owners, 0);
    }
    (loader.blocks.into_iter().collect(), loader.errors)
}

#[derive(Default)]
struct Loader {
    blocks: BTreeMap<String, Configured>,
    errors: Vec<PlaceError>,
}

impl Loader {
    fn module(&mut self, folder: &Path, prefix: &str, owners: &Owners, depth: usize) {
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
                let line = before.matches('\n').count() + skipped + 1;
                let source = format!("{file}:{line}");
                let configured =
                    Configured { source, owner: owner.clone(), ignore_changes: ignore_changes(block) };
                self.blocks.insert(address, configured);
            }
        }
        for (prefix, target) in calls {
            // Registry and git modules lie in .terraform/modules, if at all, and are not this repository's to own.
            if (target.starts_with("./") || target.starts_with("../")) && depth < MAX_MODULE_DEPTH {
                self.module(&folder.join(&target), &prefix, owners, depth + 1);
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

/// The paths in `lifecycle { ignore_changes = […] }`; `*` for `all`. What holds for `tags` holds for `tags_all`, in which
/// Terraform shows the same change.
fn ignore_changes(block: &Block) -> Vec<String> {
    let Some(lifecycle) = block.body.get_blocks("lifecycle").next() else { return Vec::new() };
    let Some(attribute) = lifecycle.body.get_attribute("ignore_changes") else { return Vec::new() };
    let Expression::Array(list) = &attribute.value else {
        return if path_of(&attribute.value) == "all" { vec!["*".to_owned()] } else { Vec::new() };
    };
    let mut paths: Vec<String> = list.iter().map(path_of).filter(|path| !path.is_empty()).collect();
    let tags = |path: &String| {
        let rest = path.strip_prefix("tags").filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
        Some(format!("tags_all{rest}"))
    };
    let more: Vec<String> = paths.iter().filter_map(tags).filter(|path| !paths.contains(path)).collect();
    paths.extend(more);
    paths
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
        let (configuration, errors) = read_configuration(&[folder.clone(), "/nonexistent".to_owned()]);
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].to_string().contains("broken.tf: not valid HCL at line 2"), "{}", errors[0]);

        let web = configuration.get("aws_autoscaling_group.web[3]").unwrap();
        assert_eq!(web.source, format!("{folder}/main.tf:3"));
        assert_eq!(web.owner.as_deref(), Some("@all"));
        assert_eq!(
            web.ignore_changes,
            ["desired_capacity", "tags.Env", "ingress.0.cidr_blocks", "tags_all.Env"]
        );
        let vpc = configuration.get("module.net[\"a\"].aws_vpc.v").unwrap();
        assert_eq!(
            (vpc.source.rsplit('/').next(), vpc.owner.as_deref()),
            (Some("net.tf:1"), Some("@net @sec"))
        );
        assert_eq!(vpc.ignore_changes, ["*"]);
        assert!(configuration.get("module.net.data.aws_ami.a").unwrap().source.ends_with("net.tf:4"));
        assert!(configuration.get("aws_vpc.none").is_none());
    }
}
