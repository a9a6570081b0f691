//! Configuration in Terraform's JSON syntax (`*.tf.json`, as CDKTF writes it): what is of use here, as blocks of HCL.

use hcl_edit::expr::{Array, Expression, Object, ObjectKey};
use hcl_edit::parser::parse_expr;
use hcl_edit::structure::{Attribute, Block, Body};
use hcl_edit::{Ident, Number};
use serde_json::{Map, Value};

/// The blocks of a `*.tf.json` file: resources with `provider` and `ignore_changes`, module calls, providers with their
/// `default_tags`, local values. They have no lines. What cannot be said in HCL is left out by itself.
///
/// # Errors
/// The text is no JSON object: the parser's words with line and column.
pub(super) fn body(text: &str) -> Result<Body, String> {
    let document: Map<String, Value> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut blocks = Vec::new();
    for (kind, of_kind) in &document {
        match kind.as_str() {
            "resource" | "data" => {
                for (rtype, named) in each(of_kind) {
                    for (name, body) in each(named) {
                        blocks.extend(bodies(body).filter_map(|body| resource(kind, rtype, name, body)));
                    }
                }
            }
            "module" | "provider" => {
                for (name, body) in each(of_kind) {
                    blocks.extend(bodies(body).filter_map(|body| labelled(kind, name, body)));
                }
            }
            "locals" => {
                let values = each(of_kind).filter_map(|(name, value)| attribute(name, expression(value)));
                blocks.push(Block::builder(Ident::new_sanitized(kind)).attributes(values).build());
            }
            _ => {}
        }
    }
    Ok(Body::builder().blocks(blocks).build())
}

fn resource(kind: &str, rtype: &str, name: &str, body: &Map<String, Value>) -> Option<Block> {
    if !is_name(rtype) || !is_name(name) {
        return None;
    }
    let provider = body.get("provider").and_then(path).and_then(|path| attribute("provider", path));
    let lifecycles = body.get("lifecycle").into_iter().flat_map(bodies).filter_map(|lifecycle| {
        let ignored = match lifecycle.get("ignore_changes")? {
            Value::Array(paths) => {
                Expression::Array(paths.iter().filter_map(path).collect::<Vec<_>>().into())
            }
            all => path(all)?,
        };
        let ignored = attribute("ignore_changes", ignored)?;
        Some(Block::builder(Ident::try_new("lifecycle").ok()?).attribute(ignored).build())
    });
    let block = Block::builder(Ident::try_new(kind).ok()?).labels([rtype, name]);
    Some(block.attributes(provider).blocks(lifecycles).build())
}

fn labelled(kind: &str, name: &str, body: &Map<String, Value>) -> Option<Block> {
    if !is_name(name) {
        return None;
    }
    let texts = ["source", "version", "alias"].into_iter().filter_map(|key| {
        let value = body.get(key).filter(|value| value.is_string())?;
        attribute(key, expression(value))
    });
    let providers = body.get("providers").and_then(Value::as_object).and_then(|providers| {
        let pairs = providers.iter().filter_map(|(inner, outer)| Some((key(inner)?, path(outer)?)));
        attribute("providers", Expression::Object(pairs.collect()))
    });
    let tags = body.get("default_tags").into_iter().flat_map(bodies).filter_map(|block| {
        let tags = attribute("tags", expression(block.get("tags")?))?;
        Some(Block::builder(Ident::try_new("default_tags").ok()?).attribute(tags).build())
    });
    let block = Block::builder(Ident::try_new(kind).ok()?).label(name).attributes(texts);
    Some(block.attributes(providers).blocks(tags).build())
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

/// None if HCL has no such name.
fn attribute(name: &str, value: Expression) -> Option<Attribute> {
    Some(Attribute::new(Ident::try_new(name).ok()?, value))
}

/// A value as HCL. A text that is one template alone is that template's expression; one with a template in it, or with one that
/// cannot be read, is not known: null.
fn expression(value: &Value) -> Expression {
    match value {
        Value::Null => Expression::null(),
        Value::Bool(flag) => Expression::from(*flag),
        Value::Number(number) => {
            let whole = number.as_i64().map(Number::from).or_else(|| number.as_u64().map(Number::from));
            let number = whole.or_else(|| number.as_f64().and_then(Number::from_f64));
            number.map_or_else(Expression::null, Expression::from)
        }
        Value::String(text) if !has_template(text) => Expression::from(text.as_str()),
        Value::String(text) => {
            template(text).and_then(|inner| parse_expr(inner).ok()).unwrap_or_else(Expression::null)
        }
        Value::Array(list) => Expression::Array(Array::from(list.iter().map(expression).collect::<Vec<_>>())),
        Value::Object(map) => {
            let pairs = map.iter().filter_map(|(name, value)| Some((key(name)?, expression(value))));
            Expression::Object(pairs.collect::<Object>())
        }
    }
}

/// A key of a map. None if it is a template, of which nothing is known.
fn key(name: &str) -> Option<ObjectKey> {
    (!has_template(name)).then(|| ObjectKey::Expression(Expression::from(name)))
}

fn has_template(text: &str) -> bool {
    text.contains("${") || text.contains("%{")
}

/// What stands in a text that is one template alone.
fn template(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}')
}

/// A path such as `tags["Env"]` or `aws.west`, if it is one.
fn path(value: &Value) -> Option<Expression> {
    let text = value.as_str()?;
    let path = parse_expr(template(text).unwrap_or(text)).ok()?;
    matches!(path, Expression::Variable(_) | Expression::Traversal(_)).then_some(path)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::super::providers::Providers;
    use super::super::{ignore_changes, read_configuration};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn blocks_of_every_kind() {
        let body = body(
            r#"{"resource": {"aws_instance": {"web": {"ami": "x", "provider": "aws.west",
                  "lifecycle": {"ignore_changes": ["tags[\"Env\"]", "ami", "bad; }", "tags[", "${root_block_device[0].size}"]}},
                 "all": [{"lifecycle": [{"ignore_changes": "all"}]}]}},
                "provider": {"aws": [{"alias": "west", "default_tags": {"tags": {"Env": "${local.env}", "a b": "c"}}}]},
                "locals": {"env": "prod"},
                "module": {"net": {"source": "./net", "providers": {"aws": "aws.west"}}},
                "terraform": {"backend": {"s3": {}}}}"#,
        )
        .unwrap();
        let kinds: Vec<&str> = body.blocks().map(|block| block.ident.as_str()).collect();
        assert_eq!(kinds, ["resource", "resource", "provider", "locals", "module"]);
        let ignored: Vec<Vec<String>> = body.get_blocks("resource").map(ignore_changes).collect();
        assert_eq!(ignored[0], ["tags.Env", "ami", "root_block_device.0.size", "tags_all.Env"]);
        assert_eq!(ignored[1], ["*"]);
        let providers = Providers::of_module(&Providers::default(), &[&body]);
        let web = body.get_blocks("resource").next().unwrap();
        let tags = providers.of_resource("aws_instance", &web.body);
        assert_eq!(tags.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["Env=prod", "a b=c"]);
        let net = providers.of_call(&body.get_blocks("module").next().unwrap().body);
        let none = Body::builder().build();
        assert_eq!(net.of_resource("aws_vpc", &none), tags);
        assert!(super::body("{").unwrap_err().contains("line 1"));
    }

    #[test]
    fn templates_are_their_expression_or_not_known() {
        let tags = |tags: Value| {
            let provider = json!({"aws": {"default_tags": {"tags": tags}}});
            let locals = json!({"a": {"Owner": "platform", "N": 1.5}, "1a": "x", "quote": "${format(\"%s-x\", var.env)}"});
            let body = body(&json!({"provider": provider, "locals": locals}).to_string()).unwrap();
            let tags = Providers::of_module(&Providers::default(), &[&body])
                .of_resource("aws_vpc", &Body::builder().build());
            tags.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(tags(json!("${merge(local.a, {B = \"2\"})}")), "B=2 N=1.5 Owner=platform");
        assert_eq!(tags(json!("${merge(local.a, {B = \"2\"}")), "");
        let odd = json!({"format": "${format(\"%s-x\", var.env)}", "bell": "a\u{8}\u{c}\n\"\\", "open": "%{", "half": "${",
            "two": "${local.a}${local.a}", "${local.a}": "x", "quote": "${local.quote}", "live": true, "none": null});
        assert_eq!(tags(odd), "bell=a\u{8}\u{c}\n\"\\ live=true");
    }

    /// Texts that are hard on a parser of HCL.
    fn text() -> impl Strategy<Value = String> {
        let odd = [
            "${", "%{", "}", "\"", "\\", "\n", "\u{8}", "\u{c}", "[", "]", "tags", ".", "*", "1a", "local.a",
            "all", "(", "<<EOT", "#", "$${", "é", "\u{0}", "~", " ", "?:", "for x in", "=>", "...",
        ];
        prop_oneof![
            prop::collection::vec(prop::sample::select(odd.to_vec()), 0..6).prop_map(|p| p.concat()),
            any::<String>()
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let names = [
            "resource",
            "data",
            "aws_vpc",
            "lifecycle",
            "ignore_changes",
            "provider",
            "providers",
            "aws",
            "default_tags",
            "tags",
            "locals",
            "module",
            "source",
            "version",
            "alias",
        ];
        let name =
            prop_oneof![3 => prop::sample::select(names.to_vec()).prop_map(str::to_owned), 1 => text()];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever else stands in a file, its resources are found.
        #[test]
        fn no_object_loses_the_file(parts in prop::collection::vec((text(), value()), 0..4), resource in value(), locals in value(),
            provider in value(), module in value(), ignored in prop::collection::vec(text(), 0..4)) {
            let mut document: Map<String, Value> = parts.into_iter().collect();
            let mut paths: Vec<Value> = ignored.into_iter().map(Value::from).collect();
            paths.push(json!("kept"));
            let kept = json!({"aws_kept": {"kept": {"lifecycle": {"ignore_changes": paths}}}});
            document.insert("resource".into(), json!([resource, kept]));
            document.insert("locals".into(), locals);
            document.insert("provider".into(), json!({"aws": {"default_tags": {"tags": provider}}}));
            // A call's folder is not there: that is an error of the call, not of this file.
            let calls = json!({"m": {"version": module.clone(), "providers": module}});
            document.insert("module".into(), calls);
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("main.tf.json"), Value::Object(document).to_string()).unwrap();
            let (configuration, errors) = read_configuration(&[dir.path().to_str().unwrap().to_owned()]);
            prop_assert!(errors.is_empty(), "{errors:?}");
            let kept = configuration.get("aws_kept.kept").map(|block| block.ignore_changes.clone());
            prop_assert!(kept.is_some_and(|paths| paths.iter().any(|path| path == "kept")));
        }
    }
}
