//! Checks operations against the provider's schema.

use std::collections::BTreeSet;

use crate::{Operation, Root, Schema, Target, schema::attribute_at};

/// One thing that a mapping says and the schema does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintFinding {
    /// `file:line`.
    pub place: String,
    /// The operation.
    pub operation: String,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for LintFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: [[{}]]: {}", self.place, self.operation, self.what)
    }
}

/// Everything in `operations` that names a type or an attribute which the provider does not have. A target may list types that lack
/// some of its attributes (a line then holds only for those that have it), but each attribute must be in one of them.
/// `known_operations` holds `source:name` of AWS's own operations; `None` skips that check.
pub fn lint(
    operations: &[Operation],
    schema: &Schema,
    known_operations: Option<&BTreeSet<String>>,
) -> Vec<LintFinding> {
    let mut out = Vec::new();
    for op in operations {
        if let Some(known) = known_operations
            && !known.contains(&crate::operation_key(&op.source, &op.name))
        {
            let line = op.targets.first().map_or(1, |t| t.line);
            out.push(LintFinding {
                place: format!("{}:{line}", op.file),
                operation: op.name.clone(),
                what: format!("{} has no operation of that name", op.source),
            });
        }
        for t in &op.targets {
            for what in target(t, schema) {
                out.push(LintFinding {
                    place: format!("{}:{}", op.file, t.line),
                    operation: op.name.clone(),
                    what,
                });
            }
        }
    }
    out.sort_by(|a, b| a.place.cmp(&b.place).then(a.what.cmp(&b.what)));
    out.dedup();
    out
}

fn target(t: &Target, schema: &Schema) -> Vec<String> {
    let mut out = Vec::new();
    if t.types.len() == 1 && t.types.iter().any(|x| x == "*") {
        return out;
    }
    for rtype in &t.types {
        if schema.attributes(rtype).is_none() {
            out.push(format!("there is no type {rtype}"));
        }
    }
    let mut need = |path: &[String], part: &str| {
        let known = t
            .types
            .iter()
            .any(|rtype| schema.attributes(rtype).is_some_and(|a| attribute_at(a, path).is_some()));
        if !known && t.types.iter().any(|r| schema.attributes(r).is_some()) {
            out.push(format!("{part}: no attribute {} in {}", path.join("."), t.types.join(", ")));
        }
    };
    for part in t.ids.iter().flatten().filter(|p| p.attribute != "*") {
        need(&part.attribute.split('.').map(str::to_owned).collect::<Vec<_>>(), "id");
    }
    for line in &t.sets {
        need(&line.path, "set");
        let mut seen = Vec::new();
        line.value.walk(&mut |e| {
            if let crate::Expr::Path(Root::Resource, path) = e {
                seen.push(path.clone());
            }
        });
        for path in seen {
            need(&path, "set");
        }
    }
    out
}
