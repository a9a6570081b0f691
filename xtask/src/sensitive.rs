//! `crates/tfstate/src/sensitive_attributes.txt`, from a provider's schema.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Output of `terraform providers schema -json`, as far as it is read.
#[derive(Deserialize)]
struct Document {
    provider_schemas: BTreeMap<String, Provider>,
}

#[derive(Deserialize)]
struct Provider {
    #[serde(default)]
    resource_schemas: BTreeMap<String, Schema>,
}

#[derive(Deserialize)]
struct Schema {
    block: Block,
}

#[derive(Deserialize, Default)]
struct Block {
    #[serde(default)]
    attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    block_types: BTreeMap<String, BlockType>,
}

#[derive(Deserialize)]
struct BlockType {
    block: Block,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    write_only: bool,
    #[serde(default)]
    nested_type: Option<Block>,
}

/// The list for the schema in `json`: `TYPE PATH…`, one type a line, sorted. `version` is told in its head.
///
/// # Errors
/// The text is not a provider schema with a provider of HashiCorp's `aws`.
pub fn list(json: &str, version: &str) -> Result<String, String> {
    let document: Document = serde_json::from_str(json)
        .map_err(|e| format!("not the output of `terraform providers schema -json`: {e}"))?;
    let aws = document.provider_schemas.iter().find(|(source, _)| source.ends_with("/hashicorp/aws"));
    let (_, provider) = aws.ok_or("the schema has no provider hashicorp/aws")?;
    let mut out = format!(
        "# Attributes that terraform-provider-aws {version} declares sensitive or write-only: TYPE PATH…, paths through blocks\n\
         # without indexes. Written by `terraform providers schema -json | cargo run -p xtask -- sensitive --provider {version}`;\n\
         # do not edit.\n"
    );
    for (rtype, schema) in &provider.resource_schemas {
        let mut paths = Vec::new();
        walk(&schema.block, "", &mut paths);
        paths.sort_unstable();
        if !paths.is_empty() {
            out.push_str(&format!("{rtype} {}\n", paths.join(" ")));
        }
    }
    Ok(out)
}

fn walk(block: &Block, prefix: &str, paths: &mut Vec<String>) {
    for (name, attribute) in &block.attributes {
        if attribute.sensitive || attribute.write_only {
            paths.push(format!("{prefix}{name}"));
        } else if let Some(nested) = &attribute.nested_type {
            walk(nested, &format!("{prefix}{name}."), paths);
        }
    }
    for (name, inner) in &block.block_types {
        walk(&inner.block, &format!("{prefix}{name}."), paths);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn blocks_and_nested_types() {
        let schema = r#"{"provider_schemas":{"registry.terraform.io/hashicorp/aws":{"resource_schemas":{
            "aws_b":{"block":{"attributes":{"z":{"sensitive":true},"a":{"write_only":true},"n":{"nested_type":{"attributes":{"s":{"sensitive":true}}}}},
                "block_types":{"l":{"block":{"attributes":{"p":{"sensitive":true},"q":{}}}}}}},
            "aws_a":{"block":{"attributes":{"q":{}}}}}}}}"#;
        let list = super::list(schema, "1.2.3").unwrap();
        assert_eq!(list.lines().next_back(), Some("aws_b a l.p n.s z"));
        assert!(super::list("{}", "1").is_err());
    }
}
