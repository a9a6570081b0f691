//! The compiled mappings: which operation does what, and what the attributes of the types look like.

use std::sync::{Arc, LazyLock};

use rustc_hash::FxHashMap;
use tfdrift_mapping::{
    Attribute, Confidence, Expr, Function, LintFinding, MappingError, Operation, Schema, Table, attribute_at,
    lint, operation_key, parse_file,
};
use tfdrift_tfstate::IndexPlan;

static BLOB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/table.bin"));
static BUILTIN: LazyLock<Arc<Mappings>> = LazyLock::new(|| {
    // The build wrote the blob with the same types; if it cannot be read, nothing is mapped and the tests fail.
    Arc::new(Mappings::new(postcard::from_bytes::<Table>(BLOB).unwrap_or_default()))
});
static SCHEMA: &str = include_str!("../../../mappings/schema/aws.json");

type Attributes = Arc<[(String, Attribute)]>;

/// All operations, looked up by `eventSource` and `eventName`.
#[derive(Debug, Default, Clone)]
pub struct Mappings {
    operations: FxHashMap<String, Arc<Operation>>,
    types: FxHashMap<String, Attributes>,
}

/// Why a folder of own mappings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingsError {
    /// A file or the folder cannot be read.
    #[error("{path}: {error}; `mappings` must be a folder with *.toml files that this user may read")]
    Read {
        /// File or folder.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file is wrong.
    #[error("{0}; `tfdrift mappings --lint FOLDER` checks a folder, docs/mappings.md describes the format")]
    File(#[from] MappingError),
    /// A file names what the provider does not have.
    #[error("the mappings do not fit the AWS provider: {}; `tfdrift mappings --lint FOLDER` shows all of it", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Lint(Vec<LintFinding>),
}

impl Mappings {
    /// The built-in mappings. Decoded once per process.
    pub fn builtin() -> &'static Mappings {
        &BUILTIN
    }

    /// A table as it stands.
    pub fn new(table: Table) -> Mappings {
        let operations =
            table.operations.into_iter().map(|o| (operation_key(&o.source, &o.name), Arc::new(o))).collect();
        let types = table.types.into_iter().map(|(t, a)| (t, a.into())).collect();
        Mappings { operations, types }
    }

    /// The built-in mappings with those of a user's folder (`init_config.mappings`): an operation there takes the place of ours.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be read or does not fit the provider's schema.
    pub fn with_folder(folder: &std::path::Path) -> Result<Mappings, MappingsError> {
        let schema = Schema::parse(SCHEMA).unwrap_or_default();
        let operations = read_folder(folder)?;
        let findings = lint(&operations, &schema, None);
        if !findings.is_empty() {
            return Err(MappingsError::Lint(findings));
        }
        let mut all = Mappings::builtin().clone();
        for op in operations {
            for rtype in op.targets.iter().flat_map(|t| &t.types) {
                if let (None, Some(a)) = (all.types.get(rtype), schema.attributes(rtype)) {
                    all.types.insert(rtype.clone(), a.into());
                }
            }
            all.operations.insert(operation_key(&op.source, &op.name), Arc::new(op));
        }
        Ok(all)
    }

    /// What is wrong in a folder of own mappings; empty if nothing is.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be read at all.
    pub fn lint_folder(folder: &std::path::Path) -> Result<Vec<LintFinding>, MappingsError> {
        Ok(lint(&read_folder(folder)?, &Schema::parse(SCHEMA).unwrap_or_default(), None))
    }

    /// What an operation does; `event_name` without its version suffix.
    pub fn operation(&self, event_source: &str, event_name: &str) -> Option<&Arc<Operation>> {
        self.operations.get(&operation_key(event_source, event_name))
    }

    /// All operations, sorted by source and name.
    pub fn operations(&self) -> Vec<&Operation> {
        let mut all: Vec<&Operation> = self.operations.values().map(|o| &**o).collect();
        all.sort_by(|a, b| (&a.source, &a.name).cmp(&(&b.source, &b.name)));
        all
    }

    /// The attribute of a type at a path; `None` for what the schema does not know.
    pub fn attribute(&self, rtype: &str, path: &[String]) -> Option<&Attribute> {
        attribute_at(self.types.get(rtype)?, path)
    }

    /// By which attributes the resources of which type must be found: what a state's index has to hold.
    pub fn index_plan(&self) -> IndexPlan {
        let mut plan = IndexPlan::new();
        for target in self.operations.values().flat_map(|o| &o.targets) {
            for alternative in &target.ids {
                for rtype in &target.types {
                    if let Some(part) = alternative.first().filter(|p| p.attribute != "*") {
                        plan.add(rtype, &part.attribute);
                    }
                }
            }
            let values =
                target.sets.iter().map(|s| &s.value).chain(target.ids.iter().flatten().map(|p| &p.value));
            for value in values.chain(&target.new).chain(&target.each).chain(&target.when) {
                value.walk(&mut |e| references(e, &mut plan));
            }
        }
        plan
    }
}

fn references(e: &Expr, plan: &mut IndexPlan) {
    match e {
        Expr::Call(Function::Ref | Function::Refs, args) => {
            if let [Expr::Text(rtype), Expr::Text(attribute), ..] = args.as_slice() {
                plan.add(rtype, attribute);
            }
        }
        Expr::Call(Function::SgRulesById, _) => {
            for rtype in crate::functions::RULE_TYPES {
                plan.add(rtype, "security_group_rule_id");
            }
        }
        _ => {}
    }
}

fn read_folder(folder: &std::path::Path) -> Result<Vec<Operation>, MappingsError> {
    let read = |path: &std::path::Path| {
        let path = path.display().to_string();
        move |error| MappingsError::Read { path, error }
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read(folder))? {
        let path = entry.map_err(read(folder))?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            files.push(path);
        }
    }
    files.sort();
    let mut out = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(read(&file))?;
        out.extend(parse_file(&file.display().to_string(), &text, Confidence::Core)?);
    }
    Ok(out)
}
