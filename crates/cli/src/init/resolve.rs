//! What simple expressions of one folder come to: references to attributes with a literal, variables with a value,
//! locals, and texts made of these. Terraform itself would be needed for more.

use hcl_edit::Ident;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::structure::{Block, Body};
use hcl_edit::template::{Element, StringTemplate};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// References that lead to references: more than this is a circle.
const MAX_DEPTH: usize = 16;
/// Resources whose `id` is the bucket's name, in their attribute `bucket`.
const ID_IS_BUCKET: &str = "aws_s3_bucket";

/// Everything in a folder that has a name.
#[derive(Debug, Default)]
pub struct Values {
    /// Values of variables: the default, unless a file of variables says otherwise.
    variables: BTreeMap<String, Expression>,
    locals: BTreeMap<String, Expression>,
    /// Attributes of resources and data sources, by `TYPE.NAME` and `data.TYPE.NAME`.
    blocks: BTreeMap<String, BTreeMap<String, Expression>>,
}

/// The expression that could not be resolved, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved(pub String);

impl Values {
    /// Of the files of a folder, and of the files of variables beside them.
    pub fn of(folder: &Path, files: &[(PathBuf, Body)]) -> Values {
        let mut values = Values::default();
        for block in files.iter().flat_map(|(_, body)| body.blocks()) {
            values.add(block);
        }
        values.add_variable_files(folder);
        values
    }

    fn add(&mut self, block: &Block) {
        let label = |n: usize| block.labels.get(n).map(|label| label.as_str().to_owned()).unwrap_or_default();
        match block.ident.as_str() {
            "variable" => {
                if let Some(default) = block.body.get_attribute("default") {
                    self.variables.insert(label(0), default.value.clone());
                }
            }
            "locals" => {
                let all = block.body.attributes().map(|a| (a.key.as_str().to_owned(), a.value.clone()));
                self.locals.extend(all);
            }
            kind @ ("resource" | "data") => {
                let name = format!("{}{}.{}", if kind == "data" { "data." } else { "" }, label(0), label(1));
                let all = block.body.attributes().map(|a| (a.key.as_str().to_owned(), a.value.clone()));
                self.blocks.insert(name, all.collect());
            }
            _ => {}
        }
    }

    /// `terraform.tfvars`, then `*.auto.tfvars` by name, each also with `.json`: the later one counts, as for Terraform.
    fn add_variable_files(&mut self, folder: &Path) {
        let mut names: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        names.sort();
        let ends = |path: &Path, end: &str| path.to_str().is_some_and(|name| name.ends_with(end));
        let given = ["terraform.tfvars", "terraform.tfvars.json"].map(|name| folder.join(name));
        let auto = names.iter().filter(|p| ends(p, ".auto.tfvars") || ends(p, ".auto.tfvars.json"));
        for path in given.iter().chain(auto) {
            let Ok(text) = std::fs::read_to_string(path) else { continue };
            if ends(path, ".json") {
                let Ok(Value::Object(map)) = serde_json::from_str(&text) else { continue };
                let texts = map.into_iter().filter_map(|(k, v)| Some((k, Expression::from(v.as_str()?))));
                self.variables.extend(texts);
            } else if let Ok(body) = text.parse::<Body>() {
                let all = body.attributes().map(|a| (a.key.as_str().to_owned(), a.value.clone()));
                self.variables.extend(all);
            }
        }
    }

    /// The text that an expression comes to; numbers and truth values as Terraform writes them.
    ///
    /// # Errors
    /// The part of it that is not known here.
    pub fn text(&self, expression: &Expression) -> Result<String, Unresolved> {
        self.resolve(expression, 0)
    }

    fn resolve(&self, expression: &Expression, depth: usize) -> Result<String, Unresolved> {
        let unknown = || Unresolved(expression.to_string().trim().to_owned());
        if depth > MAX_DEPTH {
            return Err(unknown());
        }
        match expression {
            Expression::String(text) => Ok(text.value().clone()),
            Expression::Bool(value) => Ok(value.value().to_string()),
            Expression::Number(value) => Ok(value.value().to_string()),
            Expression::Parenthesis(inner) => self.resolve(inner.inner(), depth + 1),
            Expression::StringTemplate(template) => self.template(template, depth + 1),
            Expression::Traversal(traversal) => {
                let target = self.target(traversal).ok_or_else(unknown)?;
                self.resolve(target, depth + 1)
            }
            _ => Err(unknown()),
        }
    }

    fn template(&self, template: &StringTemplate, depth: usize) -> Result<String, Unresolved> {
        let mut out = String::new();
        for element in template.iter() {
            match element {
                Element::Literal(text) => out.push_str(text.value()),
                Element::Interpolation(part) => out.push_str(&self.resolve(&part.expr, depth)?),
                Element::Directive(_) => return Err(Unresolved(template.to_string().trim().to_owned())),
            }
        }
        Ok(out)
    }

    /// What a reference points to, when that stands in this folder.
    fn target(&self, traversal: &Traversal) -> Option<&Expression> {
        let Expression::Variable(root) = &traversal.expr else { return None };
        let mut path: Vec<&str> = vec![root.value().as_str()];
        for operator in &traversal.operators {
            match operator.value() {
                TraversalOperator::GetAttr(name) => path.push(Ident::as_str(name.value())),
                // Of `count` and `for_each`: all of them are made by the same block.
                TraversalOperator::Index(_) | TraversalOperator::LegacyIndex(_) => {}
                _ => return None,
            }
        }
        match *path {
            ["var", name] => self.variables.get(name),
            ["local", name] => self.locals.get(name),
            ["data", kind, name, attribute] => {
                self.attribute(&format!("data.{kind}.{name}"), kind, attribute)
            }
            [kind, name, attribute] => self.attribute(&format!("{kind}.{name}"), kind, attribute),
            _ => None,
        }
    }

    fn attribute(&self, block: &str, kind: &str, attribute: &str) -> Option<&Expression> {
        let attribute = match attribute {
            "id" if kind.starts_with(ID_IS_BUCKET) => "bucket",
            other => other,
        };
        self.blocks.get(block)?.get(attribute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(files: &[(&str, &str)], expression: &str) -> Result<String, Unresolved> {
        let folder = tempfile::tempdir().unwrap();
        let mut bodies = Vec::new();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
            if name.ends_with(".tf") {
                bodies.push((PathBuf::from(name), text.parse().unwrap()));
            }
        }
        let body: Body = format!("x = {expression}\n").parse().unwrap();
        Values::of(folder.path(), &bodies).text(&body.get_attribute("x").unwrap().value)
    }

    const FILES: &[(&str, &str)] = &[
        (
            "a.tf",
            r#"
            variable "env" { default = "dev" }
            variable "unset" {}
            locals {
              name   = "${var.env}-logs"
              circle = local.circle
              nested = lower("X")
            }
            resource "aws_s3_bucket" "logs" { bucket = local.name }
            resource "aws_s3_bucket" "other" { bucket_prefix = "x" }
            resource "aws_s3_bucket_policy" "logs" { bucket = aws_s3_bucket.logs.id }
            data "aws_s3_bucket" "there" { bucket = "there" }
            "#,
        ),
        ("terraform.tfvars", "env = \"prod\"\n"),
    ];

    #[test]
    fn references_lead_to_literals() {
        for (expression, text) in [
            ("\"x\"", "x"),
            ("var.env", "prod"),
            ("local.name", "prod-logs"),
            ("aws_s3_bucket.logs.id", "prod-logs"),
            ("aws_s3_bucket.logs.bucket", "prod-logs"),
            ("aws_s3_bucket.logs[0].bucket", "prod-logs"),
            ("aws_s3_bucket_policy.logs.bucket", "prod-logs"),
            ("(\"a/${local.name}/${var.env}\")", "a/prod-logs/prod"),
            ("data.aws_s3_bucket.there.id", "there"),
            ("true", "true"),
        ] {
            assert_eq!(resolved(FILES, expression).as_deref(), Ok(text), "{expression}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (expression, unknown) in [
            ("var.unset", "var.unset"),
            ("aws_s3_bucket.other.id", "aws_s3_bucket.other.id"),
            ("module.logs.bucket", "module.logs.bucket"),
            ("\"a-${random_id.x.hex}\"", "random_id.x.hex"),
            ("local.nested", "lower(\"X\")"),
            ("local.circle", "local.circle"),
        ] {
            assert_eq!(resolved(FILES, expression), Err(Unresolved(unknown.into())), "{expression}");
        }
    }

    #[test]
    fn later_files_of_variables_count() {
        let mut files = FILES.to_vec();
        files.push(("a.auto.tfvars", "env = \"a\"\n"));
        files.push(("b.auto.tfvars.json", "{\"env\": \"b\", \"list\": []}"));
        assert_eq!(resolved(&files, "var.env").as_deref(), Ok("b"));
        files.pop();
        assert_eq!(resolved(&files, "var.env").as_deref(), Ok("a"));
    }
}
