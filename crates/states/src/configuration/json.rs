//! Configuration in Terraform's JSON syntax (`*.tf.json`, as CDKTF writes it): what is of use here, as HCL.

use serde_json::{Map, Value};

/// The blocks of a `*.tf.json` file as HCL text: resources with `provider` and `ignore_changes`, module calls, providers
/// with their `default_tags`, local values. The lines of the result are not those of the file.
///
/// # Errors
/// The text is no JSON object: the parser's words with line and column.
pub(super) fn as_hcl(text: &str) -> Result<String, String> {
    let document: Map<String, Value> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut out = String::new();
    for (kind, blocks) in &document {
        match kind.as_str() {
            "resource" | "data" => {
                for (rtype, named) in each(blocks) {
                    for (name, body) in each(named) {
                        bodies(body).for_each(|body| resource(&mut out, kind, rtype, name, body));
                    }
                }
            }
            "module" | "provider" => {
                for (name, body) in each(blocks) {
                    bodies(body).for_each(|body| labelled(&mut out, kind, name, body));
                }
            }
            "locals" => {
                for (name, value) in each(blocks).filter(|(name, _)| is_name(name)) {
                    out.push_str(&format!("locals {{\n{name} = {}\n}}\n", expression(value)));
                }
            }
            _ => {}
        }
    }
    Ok(out)
}

fn resource(out: &mut String, kind: &str, rtype: &str, name: &str, body: &Map<String, Value>) {
    if !is_name(rtype) || !is_name(name) {
        return;
    }
    out.push_str(&format!("{kind} \"{rtype}\" \"{name}\" {{\n"));
    if let Some(provider) = body.get("provider").and_then(path) {
        out.push_str(&format!("provider = {provider}\n"));
    }
    for lifecycle in body.get("lifecycle").into_iter().flat_map(bodies) {
        let ignored = match lifecycle.get("ignore_changes") {
            Some(Value::String(all)) if all == "all" => "all".to_owned(),
            Some(Value::Array(paths)) => {
                format!("[{}]", paths.iter().filter_map(path).collect::<Vec<_>>().join(", "))
            }
            _ => continue,
        };
        out.push_str(&format!("lifecycle {{\nignore_changes = {ignored}\n}}\n"));
    }
    out.push_str("}\n");
}

fn labelled(out: &mut String, kind: &str, name: &str, body: &Map<String, Value>) {
    if !is_name(name) {
        return;
    }
    out.push_str(&format!("{kind} \"{name}\" {{\n"));
    for key in ["source", "version", "alias"] {
        if let Some(value @ Value::String(_)) = body.get(key) {
            out.push_str(&format!("{key} = {}\n", expression(value)));
        }
    }
    if let Some(Value::Object(providers)) = body.get("providers") {
        let pairs = providers.iter().filter_map(|(inner, outer)| {
            Some(format!("{} = {}", path(&Value::from(inner.as_str()))?, path(outer)?))
        });
        out.push_str(&format!("providers = {{\n{}\n}}\n", pairs.collect::<Vec<_>>().join("\n")));
    }
    for tags in body.get("default_tags").into_iter().flat_map(bodies).filter_map(|block| block.get("tags")) {
        out.push_str(&format!("default_tags {{\ntags = {}\n}}\n", expression(tags)));
    }
    out.push_str("}\n");
}

/// The members of an object, or of each object in a list.
fn each(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    bodies(value).flatten()
}

/// A block, or the blocks of a list.
fn bodies(value: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().filter_map(Value::as_object)
}

/// A value as HCL. A text that is one template alone is that template's expression.
fn expression(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            match inner.and_then(|inner| path(&Value::from(inner))) {
                Some(path) => path,
                None => value.to_string(),
            }
        }
        Value::Object(map) => {
            let pairs = map
                .iter()
                .map(|(key, value)| format!("{} = {}", Value::from(key.as_str()), expression(value)));
            format!("{{\n{}\n}}", pairs.collect::<Vec<_>>().join("\n"))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(expression).collect::<Vec<_>>().join(", ")),
        plain => plain.to_string(),
    }
}

/// A path such as `tags["Env"]` or `aws.west`, if it is one.
fn path(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let text = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let plain = |c: char| c.is_alphanumeric() || "_-.[]\"*:/".contains(c);
    let begins = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    (begins && text.chars().all(plain)).then(|| text.to_owned())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_every_kind() {
        let hcl = as_hcl(
            r#"{"resource": {"aws_instance": {"web": {"ami": "x", "provider": "aws.west",
                  "lifecycle": {"ignore_changes": ["tags[\"Env\"]", "ami", "bad; }"]}},
                 "all": [{"lifecycle": [{"ignore_changes": "all"}]}]}},
                "provider": {"aws": [{"alias": "west", "default_tags": {"tags": {"Env": "${local.env}", "a b": "c"}}}]},
                "locals": {"env": "prod"},
                "module": {"net": {"source": "./net", "providers": {"aws": "aws.west"}}},
                "terraform": {"backend": {"s3": {}}}}"#,
        )
        .unwrap();
        let body = hcl_edit::parser::parse_body(&hcl).unwrap_or_else(|e| panic!("{e}\n{hcl}"));
        let kinds: Vec<&str> = body.blocks().map(|block| block.ident.as_str()).collect();
        assert_eq!(kinds, ["resource", "resource", "provider", "locals", "module"]);
        assert!(hcl.contains("ignore_changes = [tags[\"Env\"], ami]"), "{hcl}");
        assert!(hcl.contains("\"Env\" = local.env\n") && hcl.contains("ignore_changes = all"), "{hcl}");
        assert!(as_hcl("{").unwrap_err().contains("line 1"));
    }
}
