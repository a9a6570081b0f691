//! The providers of a module, as far as drift needs them: their `default_tags`.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::expr::{Expression, FuncCall, ObjectKey};
use hcl_edit::structure::{Block, Body};

use super::path_of;

/// The tags that a provider gives to every resource, as far as they can be told without running Terraform.
pub(super) type Tags = Arc<BTreeMap<String, String>>;

/// A local value may name another; not for ever.
const MAX_DEPTH: usize = 16;

/// The providers that a module sees, by the names that it calls them: `aws`, `aws.west`.
#[derive(Debug, Default, Clone)]
pub(super) struct Providers {
    by_name: BTreeMap<String, Tags>,
}

/// The local values of a module, by name.
type Locals<'b> = BTreeMap<String, &'b Expression>;

impl Providers {
    /// Those that are inherited, and those that the module's own files configure.
    pub(super) fn of_module(inherited: &Self, bodies: &[&Body]) -> Self {
        let blocks = |kind: &'static str| {
            bodies.iter().flat_map(|body| body.blocks()).filter(move |block| block.ident.as_str() == kind)
        };
        let locals: Locals<'_> = blocks("locals")
            .flat_map(|block| block.body.attributes())
            .map(|attribute| (attribute.key.to_string(), &attribute.value))
            .collect();
        let mut providers = inherited.clone();
        for block in blocks("provider") {
            let Some(kind) = block.labels.first() else { continue };
            let alias = block.body.get_attribute("alias").and_then(|a| a.value.as_str());
            let name =
                alias.map_or_else(|| kind.as_str().to_owned(), |alias| format!("{}.{alias}", kind.as_str()));
            providers.by_name.insert(name, Arc::new(default_tags(block, &locals)));
        }
        providers
    }

    /// What a called module sees: what `providers` hands it, and by default the providers without an alias.
    pub(super) fn of_call(&self, call: &Body) -> Self {
        let plain = self.by_name.iter().filter(|(name, _)| !name.contains('.'));
        let mut by_name: BTreeMap<String, Tags> = plain.map(|(n, t)| (n.clone(), t.clone())).collect();
        let handed = call.get_attribute("providers").and_then(|a| a.value.as_object());
        for (key, value) in handed.into_iter().flat_map(|object| object.iter()) {
            let inner = key_of(key);
            match self.by_name.get(&path_of(value.expr())) {
                Some(tags) => by_name.insert(inner, tags.clone()),
                None => by_name.remove(&inner),
            };
        }
        Self { by_name }
    }

    /// The tags of the provider that a resource of this type has: the one that its block names, else that of its type's
    /// first word.
    pub(super) fn of_resource(&self, rtype: &str, block: &Body) -> Tags {
        let named = block.get_attribute("provider").map(|attribute| path_of(&attribute.value));
        let name = named.unwrap_or_else(|| rtype.split('_').next().unwrap_or_default().to_owned());
        self.by_name.get(&name).cloned().unwrap_or_default()
    }
}

fn default_tags(provider: &Block, locals: &Locals<'_>) -> BTreeMap<String, String> {
    let blocks = provider.body.get_blocks("default_tags");
    let tags = blocks.filter_map(|block| block.body.get_attribute("tags"));
    tags.filter_map(|tags| map_of(&tags.value, locals, MAX_DEPTH)).flatten().collect()
}

/// The pairs of a map that are literals, or local values that are. `None` where even its keys cannot be told.
fn map_of(value: &Expression, locals: &Locals<'_>, depth: usize) -> Option<BTreeMap<String, String>> {
    let depth = depth.checked_sub(1)?;
    match value {
        Expression::Object(object) => {
            let pairs = object.iter();
            let known =
                pairs.filter_map(|(key, value)| Some((key_of(key), text_of(value.expr(), locals, depth)?)));
            Some(known.collect())
        }
        Expression::Parenthesis(inner) => map_of(inner.inner(), locals, depth),
        Expression::FuncCall(call) => merged(call, locals, depth),
        other => map_of(local(other, locals)?, locals, depth),
    }
}

/// `merge(…)`: the last one wins, so what stands before one that cannot be told cannot be told either.
fn merged(call: &FuncCall, locals: &Locals<'_>, depth: usize) -> Option<BTreeMap<String, String>> {
    if call.name.name.as_str() != "merge" {
        return None;
    }
    let mut all = BTreeMap::new();
    for argument in call.args.iter() {
        match map_of(argument, locals, depth) {
            Some(map) => all.extend(map),
            None => all.clear(),
        }
    }
    Some(all)
}

fn text_of(value: &Expression, locals: &Locals<'_>, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match value {
        Expression::String(text) => Some(text.value().clone()),
        Expression::Number(number) => Some(number.value().to_string()),
        Expression::Bool(flag) => Some(flag.value().to_string()),
        Expression::Parenthesis(inner) => text_of(inner.inner(), locals, depth),
        other => text_of(local(other, locals)?, locals, depth),
    }
}

/// The expression behind `local.NAME`.
fn local<'b>(value: &Expression, locals: &Locals<'b>) -> Option<&'b Expression> {
    let Expression::Traversal(_) = value else { return None };
    locals.get(path_of(value).strip_prefix("local.")?).copied()
}

fn key_of(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Ident(name) => name.as_str().to_owned(),
        ObjectKey::Expression(Expression::String(name)) => name.value().clone(),
        ObjectKey::Expression(expression) => path_of(expression),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers(text: &str) -> Providers {
        let body: Body = hcl_edit::parser::parse_body(text).unwrap();
        Providers::of_module(&Providers::default(), &[&body])
    }

    fn tags(providers: &Providers, name: &str) -> String {
        let block: Body = hcl_edit::parser::parse_body(&format!("provider = {name}")).unwrap();
        let tags = providers.of_resource("aws_vpc", &block);
        tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn literals_locals_and_merge() {
        let all = providers(
            "locals {\n  stage = \"prod\"\n  base = { Owner = \"platform\", (\"paren\") = \"p\" }\n  loop = local.loop\n}\n\
             provider \"aws\" {\n  default_tags {\n    tags = {\n      Owner = \"platform\" # who\n      \"cost:center\" = 42\n      Live = true\n      \
             Stage = local.stage\n      Who = var.who\n      Half = \"a-${var.x}\"\n      L = local.loop\n    }\n  }\n}\n\
             provider \"aws\" {\n  alias = \"west\"\n  default_tags {\n    tags = merge(local.base, { Owner = \"west\" })\n  }\n}\n\
             provider \"aws\" {\n  alias = \"dark\"\n  default_tags {\n    tags = merge({ A = \"1\" }, var.more, { B = \"2\" })\n  }\n}\n\
             provider \"aws\" {\n  alias = \"var\"\n  default_tags {\n    tags = var.tags\n  }\n}\n",
        );
        assert_eq!(tags(&all, "aws"), "Live=true Owner=platform Stage=prod cost:center=42");
        assert!(tags(&all, "aws.west").contains("Owner=west"));
        assert_eq!(tags(&all, "aws.dark"), "B=2");
        assert_eq!((tags(&all, "aws.var"), tags(&all, "aws.none")), (String::new(), String::new()));
        let none: Body = hcl_edit::parser::parse_body("").unwrap();
        assert_eq!(all.of_resource("aws_vpc", &none).len(), 4);
        assert_eq!(all.of_resource("google_x", &none).len(), 0);
    }

    #[test]
    fn modules_get_what_they_are_handed() {
        let all = providers(
            "provider \"aws\" {\n  default_tags {\n    tags = { P = \"plain\" }\n  }\n}\n\
             provider \"aws\" {\n  alias = \"west\"\n  default_tags {\n    tags = { P = \"west\" }\n  }\n}\n",
        );
        let call = |text: &str| all.of_call(&hcl_edit::parser::parse_body(text).unwrap());
        assert_eq!(tags(&call("source = \"./m\"\n"), "aws"), "P=plain");
        assert_eq!(tags(&call("source = \"./m\"\n"), "aws.west"), "");
        let handed = call("providers = {\n  aws = aws.west\n  aws.other = aws\n}\n");
        assert_eq!((tags(&handed, "aws"), tags(&handed, "aws.other")), ("P=west".into(), "P=plain".into()));
        assert_eq!(tags(&call("providers = { aws = aws.unknown }\n"), "aws"), "");
    }
}
