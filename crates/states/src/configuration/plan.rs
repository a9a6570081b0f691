//! The configuration in a plan's JSON: `terraform show -json PLANFILE`. It has neither files nor lines nor `lifecycle`, but
//! which provider each resource has, with its literal `default_tags`, and where modules come from.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tfdrift_tfstate::Configured;

use super::providers::Tags;

/// Modules call modules less deep than this.
const MAX_DEPTH: usize = 64;

#[derive(Deserialize)]
struct Plan {
    configuration: Configuration,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    provider_config: HashMap<String, Provider>,
    #[serde(default)]
    root_module: Module,
}

#[derive(Deserialize)]
struct Provider {
    #[serde(default)]
    expressions: Expressions,
}

#[derive(Deserialize, Default)]
struct Expressions {
    #[serde(default)]
    default_tags: Vec<DefaultTags>,
}

#[derive(Deserialize)]
struct DefaultTags {
    #[serde(default)]
    tags: Expression,
}

/// An expression that names anything has references in place of a value.
#[derive(Deserialize, Default)]
struct Expression {
    #[serde(default)]
    constant_value: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize, Default)]
struct Module {
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default)]
    module_calls: BTreeMap<String, Call>,
}

#[derive(Deserialize)]
struct Resource {
    address: String,
    #[serde(default)]
    provider_config_key: String,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    source: String,
    #[serde(default)]
    version_constraint: Option<String>,
    #[serde(default)]
    module: Module,
}

/// The blocks of a plan's JSON, by address.
///
/// # Errors
/// What is wrong with the text, in words for people.
pub(super) fn read(text: &[u8]) -> Result<BTreeMap<String, Configured>, String> {
    let plan: Plan = serde_json::from_slice(text).map_err(|error| {
        format!(
            "is no plan's JSON at line {}, column {}; write one with `terraform show -json PLANFILE`, or give a folder of \
             *.tf files",
            error.line(),
            error.column()
        )
    })?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let tags = |provider: Provider| -> Tags {
        let maps = provider.expressions.default_tags.into_iter().filter_map(|d| d.tags.constant_value);
        Arc::new(maps.flatten().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, text(v))).collect())
    };
    let providers = plan.configuration.provider_config.into_iter().map(|(key, p)| (key, tags(p))).collect();
    let mut blocks = BTreeMap::new();
    module(&plan.configuration.root_module, "", "", &providers, &mut blocks, MAX_DEPTH);
    Ok(blocks)
}

fn module(
    module_: &Module,
    prefix: &str,
    source: &str,
    providers: &HashMap<String, Tags>,
    blocks: &mut BTreeMap<String, Configured>,
    depth: usize,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for resource in &module_.resources {
        let default_tags = providers.get(&resource.provider_config_key).cloned().unwrap_or_default();
        let configured = Configured { source: source.to_owned(), default_tags, ..Configured::default() };
        blocks.insert(format!("{prefix}{}", resource.address), configured);
    }
    for (name, call) in &module_.module_calls {
        let source = match &call.version_constraint {
            Some(version) => format!("{} {version}", call.source),
            None => call.source.clone(),
        };
        module(&call.module, &format!("{prefix}module.{name}."), &source, providers, blocks, depth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by Terraform 1.11.4 and its AWS provider 5.100.0, the parts that are read here.
    const PLAN: &str = include_str!("plan.json");

    #[test]
    fn providers_and_module_sources() {
        let blocks = read(PLAN.as_bytes()).unwrap();
        let said = |address: &str| {
            let block = blocks.get(address).unwrap();
            let tags: Vec<String> = block.default_tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
            (block.source.clone(), tags.join(" "))
        };
        assert_eq!(said("aws_vpc.a"), (String::new(), "N=1 Owner=platform".into()));
        // Its tags name a variable.
        assert_eq!(said("aws_vpc.b"), (String::new(), String::new()));
        assert_eq!(said("module.n.aws_vpc.e"), ("./mod/deep".into(), "N=1 Owner=platform".into()));
        assert_eq!(said("module.m.module.deep.aws_vpc.e"), ("./deep".into(), String::new()));
        assert_eq!(blocks.len(), 6);
    }

    #[test]
    fn what_is_no_plan() {
        for text in ["", "{}", "[]", "{\"configuration\": 1}", "{\"version\": 4, \"resources\": []}"] {
            assert!(read(text.as_bytes()).unwrap_err().contains("terraform show -json"), "{text}");
        }
    }
}
