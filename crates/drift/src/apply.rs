//! Carries out the `set` lines of a target on the attributes of a resource.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tfdrift_mapping::{Assign, Attribute, Kind, SetLine};

use crate::{coerce, equal};

/// What a set line did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The state's resource has no such attribute (another version of the provider).
    NoAttribute,
    /// The attribute was written (perhaps with the value that it had).
    Written,
}

/// Lays `value` into the attributes as the line says. `attribute` describes the line's whole path, `top` its first segment;
/// `default_tags` are those that the configuration says the provider adds, where it is known.
pub fn apply(
    line: &SetLine,
    value: Value,
    attributes: &mut Map<String, Value>,
    top: Option<&Attribute>,
    attribute: Option<&Attribute>,
    default_tags: Option<&BTreeMap<String, String>>,
) -> Applied {
    let Some((name, inner)) = line.path.split_first() else { return Applied::NoAttribute };
    if !attributes.contains_key(name) {
        return Applied::NoAttribute;
    }
    if name == "tags" && inner.is_empty() {
        tags(line.assign, value, attributes, default_tags);
        return Applied::Written;
    }
    let Some(here) = attributes.get_mut(name) else { return Applied::NoAttribute };
    let old = here.clone();
    at(here, top, inner, |slot| assign(line, value, slot, attribute));
    if inner.is_empty() && coerce::has_unknown(here) && !coerce::is_unknown(here) && equal::is_empty(&old) {
        *here = coerce::unknown();
    }
    Applied::Written
}

/// Calls `f` with the place at the end of a path. Empty blocks on the way are made, with their attributes at zero.
fn at(here: &mut Value, attribute: Option<&Attribute>, path: &[String], f: impl FnOnce(&mut Value)) {
    let Some((segment, rest)) = path.split_first() else { return f(here) };
    if let Ok(n) = segment.parse::<usize>() {
        let mut list = coerce::as_list(here.take());
        while list.len() <= n.min(64) {
            list.push(attribute.map_or(Value::Null, |a| coerce::element(a, Value::Object(Map::new()))));
        }
        if let Some(element) = list.get_mut(n) {
            at(element, attribute, rest, f);
        }
        *here = Value::Array(list);
    } else {
        if !here.is_object() {
            *here = Value::Object(Map::new());
        }
        if let Value::Object(o) = here {
            at(
                o.entry(segment.clone()).or_insert(Value::Null),
                attribute.and_then(|a| a.member(segment)),
                rest,
                f,
            );
        }
    }
}

fn assign(line: &SetLine, value: Value, slot: &mut Value, attribute: Option<&Attribute>) {
    match line.assign {
        Assign::Replace => {
            let mut value = value;
            if let Some(a) = attribute {
                coerce::inherit(a, slot, &mut value);
                value = coerce::coerce(a, value);
            }
            *slot = value;
        }
        Assign::Merge => merge(slot, value, attribute),
        Assign::Add if slot.is_object() || matches!(attribute.map(|a| &a.kind), Some(Kind::Map(_))) => {
            merge(slot, value, attribute)
        }
        Assign::Remove if slot.is_object() => {
            if let Value::Object(o) = slot {
                let keys: Vec<String> = match &value {
                    Value::Object(k) => k.keys().cloned().collect(),
                    v => coerce::as_list(v.clone()).iter().filter_map(equal::text).collect(),
                };
                o.retain(|k, _| !keys.contains(k));
            }
        }
        Assign::Add => add(slot, value, &line.by, attribute),
        Assign::Remove => remove(slot, value, &line.by),
    }
}

fn merge(slot: &mut Value, value: Value, attribute: Option<&Attribute>) {
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let (Value::Object(o), Value::Object(more)) = (slot, value) {
        for (k, v) in more {
            let v = match attribute {
                _ if v.is_null() => "".into(),
                Some(a) if matches!(a.kind, Kind::Map(_)) => coerce::element(a, v),
                _ => v,
            };
            o.insert(k, v);
        }
    }
}

fn same_by(a: &Value, b: &Value, by: &[String]) -> bool {
    by.iter().all(|k| equal::equal(None, a.get(k).unwrap_or(&Value::Null), b.get(k).unwrap_or(&Value::Null)))
}

fn add(slot: &mut Value, value: Value, by: &[String], attribute: Option<&Attribute>) {
    let mut list = coerce::as_list(slot.take());
    for new in coerce::as_list(value) {
        let same = list
            .iter_mut()
            .find(|old| if by.is_empty() { equal::equal(None, old, &new) } else { same_by(old, &new, by) });
        match (same, new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                for (k, v) in new {
                    let v = match attribute.and_then(|a| a.member(&k)) {
                        Some(a) => coerce::coerce(a, v),
                        None => v,
                    };
                    old.insert(k, v);
                }
            }
            (Some(_), _) => {}
            (None, new) => list.push(match attribute {
                Some(a) => coerce::element(a, new),
                None => new,
            }),
        }
    }
    *slot = Value::Array(list);
}

fn remove(slot: &mut Value, value: Value, by: &[String]) {
    let gone = coerce::as_list(value);
    let mut list = coerce::as_list(slot.take());
    list.retain(|old| {
        !gone.iter().any(|g| match (old, g) {
            _ if !by.is_empty() && g.is_object() => same_by(old, g, by),
            // a text removes the block whose one key has it
            (Value::Object(o), g) if !by.is_empty() => {
                by.iter().any(|k| o.get(k).is_some_and(|v| equal::equal(None, v, g)))
            }
            (Value::Object(o), Value::Object(g)) => {
                g.iter().all(|(k, v)| equal::equal(None, o.get(k).unwrap_or(&Value::Null), v))
            }
            (old, g) => equal::names(old, g),
        })
    });
    *slot = Value::Array(list);
}

fn map_of(attributes: &Map<String, Value>, name: &str) -> Map<String, Value> {
    attributes.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Tags are two attributes: `tags_all` is what AWS holds, `tags` is that without what the provider's `default_tags` account for.
///
/// The state tells a default from a tag of the resource's own only where the resource does not name its key; for the others
/// `configured` does. The provider keeps a tag in `tags` that the resource names with the very value of a default, also when
/// it is gone from AWS (`KeyValueTags.ResolveDuplicates` of terraform-provider-aws; tests/truth/more, `m8-*`).
fn tags(
    assign: Assign,
    value: Value,
    attributes: &mut Map<String, Value>,
    configured: Option<&BTreeMap<String, String>>,
) {
    let has = |map: &Map<String, Value>, k: &String, v: &Value| {
        map.get(k).is_some_and(|known| equal::same_value(known, v))
    };
    let own = map_of(attributes, "tags");
    let has_all = attributes.contains_key("tags_all");
    let before = if has_all { map_of(attributes, "tags_all") } else { own.clone() };
    let mut defaults = before.clone();
    defaults.retain(|k, _| !own.contains_key(k));
    let named: Map<String, Value> = configured
        .into_iter()
        .flatten()
        .filter(|(k, _)| has_all && own.contains_key(*k))
        .map(|(k, v)| (k.clone(), Value::String(v.clone())))
        .collect();
    let kept = named.clone().into_iter().filter(|(k, v)| has(&own, k, v));
    let kept: Vec<(String, Value)> = kept.collect();
    defaults.extend(named);

    let mut all = before;
    match (assign, value) {
        (Assign::Replace, Value::Object(new)) => all = new,
        (Assign::Replace, _) => all.clear(),
        (Assign::Add | Assign::Merge, Value::Object(new)) => all.extend(new),
        (Assign::Remove, Value::Object(gone)) => {
            // EC2 removes a tag that is named with a value only if it has that value
            all.retain(|k, v| !gone.get(k).is_some_and(|g| g.is_null() || equal::same_value(g, v)));
        }
        (Assign::Remove, gone) => {
            let keys: Vec<String> = coerce::as_list(gone).iter().filter_map(equal::text).collect();
            all.retain(|k, _| !keys.contains(k));
        }
        _ => {}
    }
    all.retain(|k, _| !k.starts_with("aws:"));
    for v in all.values_mut() {
        if let Some(t) = if v.is_null() { Some(String::new()) } else { equal::text(v) } {
            *v = Value::String(t);
        }
    }
    let mut tags = all.clone();
    tags.retain(|k, v| !has(&defaults, k, v));
    for (k, v) in kept {
        tags.entry(k).or_insert(v);
    }
    attributes.insert("tags".into(), Value::Object(tags));
    if has_all {
        attributes.insert("tags_all".into(), Value::Object(all));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tfdrift_mapping::{Confidence, Schema, parse_file};

    fn run(schema: &str, state: Value, line: &str, value: Value) -> Value {
        run_with(None, schema, state, line, value)
    }

    fn run_with(
        defaults: Option<&BTreeMap<String, String>>,
        schema: &str,
        state: Value,
        line: &str,
        value: Value,
    ) -> Value {
        let text =
            format!("source = \"s\"\n[[X]]\nupdate = \"aws_x\"\nid = [\"id = A\"]\nset = [\"{line}\"]\n");
        let op = parse_file("x", &text, Confidence::Core).unwrap().remove(0);
        let line = &op.targets[0].sets[0];
        let schema = Schema::parse(&format!(r#"{{"aws_x":{schema}}}"#)).unwrap();
        let mut attributes = state.as_object().unwrap().clone();
        apply(
            line,
            value,
            &mut attributes,
            schema.attribute("aws_x", &line.path[..1]),
            schema.attribute("aws_x", &line.path),
            defaults,
        );
        Value::Object(attributes)
    }

    /// What a state keeps of a tag whose value is sensitive.
    fn sealed(text: &str) -> Value {
        let state = json!({"version": 4, "resources": [{"mode": "managed", "type": "aws_vpc", "name": "v",
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"attributes": {
                "id": "v", "tags": {"password": text}}}]}]});
        let plan = tfdrift_tfstate::IndexPlan::new();
        let meta = tfdrift_tfstate::StateMeta::named("s");
        let state = tfdrift_tfstate::read_state(state.to_string().as_bytes(), meta, &plan).unwrap();
        let snapshot = tfdrift_tfstate::Snapshot::new(vec![std::sync::Arc::new(state)]);
        let resource = snapshot.resource(snapshot.resources().next().unwrap()).unwrap();
        let attributes: Value = serde_json::from_str(resource.attributes_json()).unwrap();
        let kept = attributes["tags"]["password"].clone();
        assert!(tfdrift_tfstate::holds_secret_digest(&kept), "{kept}");
        kept
    }

    #[test]
    fn a_path_makes_the_blocks_on_its_way() {
        let schema = r#"{"v":{"*":"l","status":"s","mfa":"s"}}"#;
        assert_eq!(
            run(schema, json!({"v":[]}), "v.0.status = X", json!("on")),
            json!({"v":[{"mfa":"","status":"on"}]})
        );
        assert_eq!(run(schema, json!({"w":1}), "v.0.status = X", json!("on")), json!({"w":1}));
    }

    #[test]
    fn elements_are_added_replaced_and_removed_by_key() {
        let schema = r#"{"v":{"*":"t","name":"s","policy":"s"}}"#;
        let state = json!({"v":[{"name":"a","policy":"1"}]});
        let both = run(
            schema,
            state.clone(),
            "v += X by name",
            json!([{"name":"a","policy":"2"},{"name":"b","policy":"3"}]),
        );
        assert_eq!(both, json!({"v":[{"name":"a","policy":"2"},{"name":"b","policy":"3"}]}));
        assert_eq!(
            run(schema, both.clone(), "v -= X by name", json!("b")),
            json!({"v":[{"name":"a","policy":"2"}]})
        );
        assert_eq!(
            run(schema, both, "v -= X by name", json!([{"name":"a"}])),
            json!({"v":[{"name":"b","policy":"3"}]})
        );
    }

    #[test]
    fn default_tags_stay_out_of_tags() {
        let schema = r#"{"tags":"ms","tags_all":"ms"}"#;
        let state = json!({"tags":{"a":"1"},"tags_all":{"a":"1","d":"x"}});
        assert_eq!(
            run(schema, state.clone(), "tags |= X", json!({"d":"y"})),
            json!({"tags":{"a":"1","d":"y"},"tags_all":{"a":"1","d":"y"}})
        );
        assert_eq!(
            run(schema, state.clone(), "tags -= X", json!(["d"])),
            json!({"tags":{"a":"1"},"tags_all":{"a":"1"}})
        );
        assert_eq!(run(schema, state.clone(), "tags -= X", json!({"a":"other"})), state);
        assert_eq!(
            run(schema, state, "tags = X", json!({"a":"1","d":"x","aws:s":"i"})),
            json!({"tags":{"a":"1"},"tags_all":{"a":"1","d":"x"}})
        );
    }

    #[test]
    fn a_sensitive_tag_is_compared_by_what_it_was() {
        let schema = r#"{"tags":"ms","tags_all":"ms"}"#;
        let state = json!({"tags":{},"tags_all":{"token":sealed("x")}});
        let same = run(schema, state.clone(), "tags = X", json!({"token":"x"}));
        assert_eq!(same["tags"], json!({}));
        let other = run(schema, state.clone(), "tags |= X", json!({"token":"y"}));
        assert_eq!(other["tags"], json!({"token":"y"}));
        // EC2's DeleteTags with a value
        let gone = run(schema, state.clone(), "tags -= X", json!({"token":"x"}));
        assert_eq!(gone, json!({"tags":{},"tags_all":{}}));
        assert_eq!(run(schema, state.clone(), "tags -= X", json!({"token":"y"})), state);
    }

    #[test]
    fn default_tags_that_the_resource_names_too() {
        let schema = r#"{"tags":"ms","tags_all":"ms"}"#;
        let defaults =
            BTreeMap::from([("o".to_owned(), "p".to_owned()), ("s".to_owned(), "prod".to_owned())]);
        let tags = |own: Value, all: Value, line: &str, value: Value| {
            let state = json!({"tags": own, "tags_all": all});
            run_with(Some(&defaults), schema, state, line, value)
        };
        // The same value: it stays in `tags` when it is gone from AWS, and follows when it is changed.
        let all = json!({"o":"p","s":"prod"});
        assert_eq!(
            tags(json!({"o":"p"}), all.clone(), "tags -= X", json!(["o"])),
            json!({"tags":{"o":"p"},"tags_all":{"s":"prod"}})
        );
        assert_eq!(
            tags(json!({"o":"p"}), all.clone(), "tags |= X", json!({"o":"q"})),
            json!({"tags":{"o":"q"},"tags_all":{"o":"q","s":"prod"}})
        );
        // Another value: once it is the default's, it is no tag of the resource's own.
        assert_eq!(
            tags(json!({"s":"test"}), json!({"o":"p","s":"test"}), "tags |= X", json!({"s":"prod"})),
            json!({"tags":{},"tags_all":{"o":"p","s":"prod"}})
        );
        // A state keeps a keyed hash of what is sensitive.
        for (line, value, expected) in [
            ("tags -= X", json!(["o"]), json!({"tags":{"o":"p"},"tags_all":{"s":"prod"}})),
            ("tags -= X", json!({"o":"p"}), json!({"tags":{"o":"p"},"tags_all":{"s":"prod"}})),
            (
                "tags = X",
                json!({"o":"p","s":"prod"}),
                json!({"tags":{"o":"p"},"tags_all":{"o":"p","s":"prod"}}),
            ),
            ("tags |= X", json!({"s":"prod"}), json!({"tags":{"o":"p"},"tags_all":{"o":"p","s":"prod"}})),
        ] {
            let after =
                tags(json!({"o": sealed("p")}), json!({"o": sealed("p"), "s": sealed("prod")}), line, value);
            assert!(equal::equal(None, &after, &expected), "{line}: {after}");
        }
        // A provider without tags_all has no default_tags.
        let old = run_with(
            Some(&defaults),
            r#"{"tags":"ms"}"#,
            json!({"tags":{"o":"p"}}),
            "tags -= X",
            json!(["o"]),
        );
        assert_eq!(old, json!({"tags":{}}));
    }
}
