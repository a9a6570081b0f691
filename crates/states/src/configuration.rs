//! What the Terraform configuration says and the state does not: where a resource's block stands, who owns the file, what
//! `ignore_changes` leaves to others, and which tags its provider adds.

mod installed;
mod json;
mod owners;
mod plan;
mod providers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};
use tfdrift_tfstate::{Configured, ConfiguredMap};

use crate::error::PlaceError;
use installed::Installed;
use owners::Owners;
use providers::Providers;

/// Modules call modules less deep than this; a module that calls itself stops here.
const MAX_MODULE_DEPTH: usize = 16;

/// Reads each folder's `*.tf` and `*.tf.json` files as a root module, with the modules that it calls: those with a local path, and those that
/// `terraform init` installed. Anything else is taken for a plan's JSON. A file that cannot be read loses only itself; its
/// error names line and column.
pub fn read_configuration(paths: &[String]) -> (ConfiguredMap, Vec<PlaceError>) {
    let mut loader = Loader::default();
    let (plans, folders): (Vec<&String>, Vec<&String>) =
        paths.iter().partition(|path| Path::new(path).is_file());
    for path in folders {
        let root = Path::new(path);
        loader.installed = Installed::find(root);
        let owners = Owners::find(root);
        let scope = Scope { prefix: "", owners: &owners, via: None, depth: 0 };
        let before = std::mem::take(&mut loader.blocks);
        loader.module(root, &Providers::default(), &scope);
        loader.merge(before, path);
    }
    // Last: what a folder says wins.
    plans.into_iter().for_each(|path| loader.plan(path));
    (loader.blocks.into_iter().collect(), loader.errors)
}

#[derive(Default)]
struct Loader {
    blocks: BTreeMap<String, Configured>,
    errors: Vec<PlaceError>,
    installed: Installed,
}

/// Where a module is called.
struct Scope<'s> {
    /// `module.net.`
    prefix: &'s str,
    owners: &'s Owners,
    /// The call of the outermost module that lies outside the repository: nobody looks for its blocks' lines.
    via: Option<&'s Configured>,
    depth: usize,
}

/// A file of a module.
struct File {
    path: PathBuf,
    text: String,
    body: Body,
    /// False for JSON, whose blocks have none.
    has_lines: bool,
}

/// A call of a module.
struct Call {
    prefix: String,
    target: String,
    version: Option<String>,
    providers: Providers,
    /// `file.tf:line` of the call, and the owner of the file.
    at: String,
    owner: Option<String>,
}

impl Loader {
    fn plan(&mut self, path: &str) {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) => return self.errors.push(PlaceError::io(path, &error)),
        };
        match plan::read(&text) {
            Ok(blocks) => {
                for (address, mut block) in blocks {
                    // Of a module that is not installed a folder knows the call alone.
                    if let Some(call) = self.call_of(&address) {
                        (block.source, block.owner) = (call.source.clone(), call.owner.clone());
                    }
                    self.blocks.entry(address).or_insert(block);
                }
            }
            Err(problem) => self.errors.push(PlaceError::Io { path: path.to_owned(), problem }),
        }
    }

    /// What a folder says of the innermost module that an address lies in.
    fn call_of(&self, address: &str) -> Option<&Configured> {
        let mut module = address;
        while let Some((outer, _)) = module.rsplit_once('.') {
            module = outer;
            if let Some(call) = self.blocks.get(module) {
                return Some(call);
            }
        }
        None
    }

    /// Adds what the roots before the last one said. Nobody says which root a state belongs to: where two differ about an
    /// address in what decides over drift, neither counts.
    fn merge(&mut self, before: BTreeMap<String, Configured>, root: &str) {
        let mut differ = Vec::new();
        for (address, old) in before {
            let Some(block) = self.blocks.get_mut(&address) else {
                self.blocks.insert(address, old);
                continue;
            };
            if (&block.ignore_changes, &block.default_tags) != (&old.ignore_changes, &old.default_tags) {
                differ.push((address, old.source));
                (block.ignore_changes, block.default_tags) = Default::default();
            }
        }
        if let Some((address, other)) = differ.first() {
            let problem = format!(
                "{} addresses stand in another folder of state.config with other ignore_changes or default_tags, which \
                 count for neither ({address}: {other}); name the folders of one root module only",
                differ.len()
            );
            self.errors.push(PlaceError::Io { path: root.to_owned(), problem });
        }
    }

    /// The files of a folder that can be read.
    fn files(&mut self, folder: &Path) -> Vec<File> {
        let paths = match tf_files(folder) {
            Ok(paths) => paths,
            Err(error) => {
                self.errors.push(unreadable(folder, &error));
                return Vec::new();
            }
        };
        let mut files = Vec::new();
        for path in paths {
            let shown = path.to_string_lossy().into_owned();
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) => {
                    self.errors.push(unreadable(&path, &error));
                    continue;
                }
            };
            let has_lines = path.extension().is_some_and(|e| e == "tf");
            let body = if has_lines {
                hcl_edit::parser::parse_body(&text).map_err(|error| {
                    let at = error.location();
                    format!("not valid HCL at line {}, column {}", at.line(), at.column())
                })
            } else {
                json::body(&text).map_err(|problem| format!("not valid JSON: {problem}"))
            };
            match body {
                Ok(body) => files.push(File { path, text, body, has_lines }),
                Err(problem) => self.errors.push(PlaceError::Io { path: shown, problem }),
            }
        }
        files
    }

    fn module(&mut self, folder: &Path, inherited: &Providers, scope: &Scope<'_>) {
        let files = self.files(folder);
        let bodies: Vec<&Body> = files.iter().map(|file| &file.body).collect();
        let providers = Providers::of_module(inherited, &bodies);
        let prefix = scope.prefix;
        let mut calls = Vec::new();
        for file in &files {
            let (at, owner) = match scope.via {
                Some(via) => (None, via.owner.clone()),
                None => (Some(file.path.to_string_lossy()), scope.owners.of(&file.path)),
            };
            let source = |block: &Block| match (&at, scope.via) {
                (Some(path), _) if file.has_lines => format!("{path}:{}", line_of(block, &file.text)),
                (Some(path), _) => path.to_string(),
                (None, via) => via.map(|via| via.source.clone()).unwrap_or_default(),
            };
            for block in file.body.blocks() {
                let labels: Vec<&str> = block.labels.iter().map(|label| label.as_str()).collect();
                let (address, rtype) = match (block.ident.as_str(), labels.as_slice()) {
                    ("resource", [rtype, name]) => (format!("{prefix}{rtype}.{name}"), *rtype),
                    ("data", [rtype, name]) => (format!("{prefix}data.{rtype}.{name}"), *rtype),
                    ("module", [name]) => {
                        calls.push(Call {
                            prefix: format!("{prefix}module.{name}."),
                            target: text_of(&block.body, "source").unwrap_or_default(),
                            version: text_of(&block.body, "version"),
                            providers: providers.of_call(&block.body),
                            at: source(block),
                            owner: owner.clone(),
                        });
                        continue;
                    }
                    _ => continue,
                };
                let configured = Configured {
                    source: source(block),
                    owner: owner.clone(),
                    ignore_changes: ignore_changes(block),
                    default_tags: providers.of_resource(rtype, &block.body),
                };
                self.blocks.insert(address, configured);
            }
        }
        for call in calls {
            self.call(folder, &call, scope);
        }
    }

    fn call(&mut self, folder: &Path, call: &Call, scope: &Scope<'_>) {
        let scope = Scope { prefix: &call.prefix, depth: scope.depth + 1, ..*scope };
        if scope.depth > MAX_MODULE_DEPTH {
            return;
        }
        if call.target.starts_with("./") || call.target.starts_with("../") {
            return self.module(&folder.join(&call.target), &call.providers, &scope);
        }
        let installed = self.installed.get(&call.prefix);
        let installed = installed.map(|(folder, version)| (folder.to_owned(), version.map(str::to_owned)));
        let (folder, version) = installed.map_or((None, None), |(folder, version)| (Some(folder), version));
        // A registry's or git's module: what people can change is its call.
        let source = match (scope.via, version.as_ref().or(call.version.as_ref())) {
            (Some(via), _) => via.source.clone(),
            (None, Some(version)) => format!("{} ({} {version})", call.at, call.target),
            (None, None) => format!("{} ({})", call.at, call.target),
        };
        let via = Configured { source, owner: call.owner.clone(), ..Configured::default() };
        if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
            self.module(&folder, &call.providers, &Scope { via: Some(&via), ..scope });
        }
        // Stands for every resource of it that is not found.
        self.blocks.insert(call.prefix.trim_end_matches('.').to_owned(), via);
    }
}

/// The line that a block begins at.
fn line_of(block: &Block, text: &str) -> usize {
    let start = block.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    // A block's span begins with the white space and comments before it.
    let skipped = text.get(start..).map_or(0, leading_lines);
    before.matches('\n').count() + skipped + 1
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
    let is_tf = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.ends_with(".tf") || name.ends_with(".tf.json")
    };
    Ok(paths.filter(is_tf).collect())
}

/// An error of the file system, with the key that names the folder.
fn unreadable(path: &Path, error: &std::io::Error) -> PlaceError {
    let path = path.to_string_lossy().into_owned();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            let problem = "no such folder or file; check the path in state.config".to_owned();
            PlaceError::Io { path, problem }
        }
        _ => PlaceError::io(path, error),
    }
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
        write(
            "infra/cdk.tf.json",
            "{\"resource\": {\"aws_sns_topic\": {\"t\": {\"lifecycle\": {\"ignore_changes\": [\"policy\"]}}}}}",
        );
        let folder = dir.path().join("infra").to_str().unwrap().to_owned();
        let (configuration, errors) = read_configuration(&[folder.clone(), "/nonexistent".to_owned()]);
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[1].to_string().contains("state.config"), "{}", errors[1]);
        let topic = configuration.get("aws_sns_topic.t").unwrap();
        assert_eq!(
            (topic.source.as_str(), topic.owner.as_deref()),
            (&*format!("{folder}/cdk.tf.json"), Some("@all"))
        );
        assert_eq!(topic.ignore_changes, ["policy"]);
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
        let far = configuration.get("module.far[0].aws_vpc.this").unwrap();
        assert_eq!(far.source, format!("{folder}/main.tf:13 (registry/x/aws)"));
        assert_eq!((far.owner.as_deref(), far.ignore_changes.len()), (Some("@all"), 0));
    }

    #[test]
    fn installed_modules_plans_and_the_tags_of_providers() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "main.tf",
            "provider \"aws\" {\n  default_tags {\n    tags = { Owner = \"platform\" }\n  }\n}\n\
             provider \"aws\" {\n  alias = \"west\"\n  default_tags {\n    tags = { Owner = \"west\" }\n  }\n}\n\
             module \"far\" {\n  source = \"x/net/aws\"\n  version = \"~> 5.0\"\n  providers = { aws = aws.west }\n}\n\
             module \"git\" { source = \"git::https://example.com/m.git\" }\n",
        );
        write(
            ".terraform/modules/modules.json",
            r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"far","Source":"registry.terraform.io/x/net/aws","Version":"5.1.2","Dir":".terraform/modules/far"},
               {"Key":"far.sub","Source":"./sub","Dir":".terraform/modules/far/sub"}]}"#,
        );
        write(".terraform/modules/far/m.tf", "module \"sub\" { source = \"./sub\" }\n");
        write(
            ".terraform/modules/far/sub/s.tf",
            "resource \"aws_autoscaling_group\" \"g\" {\n  lifecycle { ignore_changes = [desired_capacity] }\n}\n",
        );
        let plan = "{\"configuration\":{\"provider_config\":{},\"root_module\":{\"resources\":[{\"address\":\"aws_vpc.p\"}]}}}";
        write("plan.json", plan);
        write("other.json", "[1]");
        let path = |name: &str| dir.path().join(name).to_str().unwrap().trim_end_matches('/').to_owned();
        let (configuration, errors) = read_configuration(&[path(""), path("plan.json"), path("other.json")]);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].to_string().contains("other.json: is no plan's JSON"), "{}", errors[0]);

        let group = configuration.get("module.far.module.sub[1].aws_autoscaling_group.g[0]").unwrap();
        assert_eq!(group.source, format!("{}:12 (x/net/aws 5.1.2)", path("main.tf")));
        assert_eq!(group.ignore_changes, ["desired_capacity"]);
        assert_eq!(group.default_tags.get("Owner").map(String::as_str), Some("west"));
        let git = configuration.get("module.git.aws_vpc.v").unwrap();
        assert!(git.source.ends_with("main.tf:17 (git::https://example.com/m.git)"), "{}", git.source);
        assert!(configuration.get("aws_vpc.p").is_some());
    }

    #[test]
    fn a_plan_does_not_hide_the_call_of_a_module() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        fs::create_dir_all(path("r/.git")).unwrap();
        fs::write(path("r/CODEOWNERS"), "* @net\n").unwrap();
        fs::write(path("r/main.tf"), "module \"far\" {\n  source = \"x/net/aws\"\n}\n").unwrap();
        let plan = r#"{"configuration":{"provider_config":{"aws":{"expressions":{"default_tags":[{"tags":{"constant_value":{"Owner":"net"}}}]}}},
            "root_module":{"module_calls":{"far":{"source":"x/net/aws","module":{"resources":[{"address":"aws_vpc.v","provider_config_key":"aws"}],
              "module_calls":{"sub":{"source":"./sub","module":{"resources":[{"address":"aws_vpc.s","provider_config_key":"aws"}]}}}}}}}}}"#;
        fs::write(path("plan.json"), plan).unwrap();
        for order in [["r", "plan.json"], ["plan.json", "r"]] {
            let (configuration, errors) = read_configuration(&order.map(path));
            assert!(errors.is_empty(), "{errors:?}");
            for address in ["module.far[0].aws_vpc.v", "module.far.module.sub[\"a\"].aws_vpc.s"] {
                let block = configuration.get(address).unwrap();
                assert_eq!(
                    block.source,
                    format!("{}:1 (x/net/aws)", path("r/main.tf")),
                    "{address} {order:?}"
                );
                assert_eq!(block.owner.as_deref(), Some("@net"));
                assert_eq!(block.default_tags.get("Owner").map(String::as_str), Some("net"));
            }
        }
    }

    #[test]
    fn two_roots_that_differ_about_an_address_decide_nothing_about_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let same = "resource \"aws_vpc\" \"same\" {\n  lifecycle { ignore_changes = [tags] }\n}\n";
        for (root, ignored) in [("a", "[cidr_block]"), ("b", "all")] {
            fs::create_dir_all(path(root)).unwrap();
            let own =
                format!("resource \"aws_vpc\" \"v\" {{\n  lifecycle {{ ignore_changes = {ignored} }}\n}}\n");
            let alone =
                format!("resource \"aws_vpc\" \"{root}\" {{\n  lifecycle {{ ignore_changes = all }}\n}}\n");
            fs::write(path(root) + "/main.tf", [same, &own, &alone].concat()).unwrap();
        }
        let (configuration, errors) = read_configuration(&["a", "b", "a"].map(path));
        let ignored = |address: &str| configuration.get(address).unwrap().ignore_changes.join(" ");
        assert_eq!((ignored("aws_vpc.v"), ignored("aws_vpc.same")), (String::new(), "tags tags_all".into()));
        assert_eq!((ignored("aws_vpc.a"), ignored("aws_vpc.b")), ("*".into(), "*".into()));
        assert!(errors[0].to_string().contains("aws_vpc.v"), "{errors:?}");
        assert_eq!(read_configuration(&["a", "b"].map(path)).1.len(), 1);
    }
}
