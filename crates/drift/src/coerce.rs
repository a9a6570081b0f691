//! A value from a record in the form in which a Terraform state holds it.

use serde_json::{Map, Number, Value};
use tfdrift_mapping::{Attribute, Kind, Nesting};

use crate::equal;
use crate::params;

/// `value` as the attribute holds it: texts to numbers and back, single elements to lists, absent members of blocks as the provider
/// writes them.
pub fn coerce(attribute: &Attribute, value: Value) -> Value {
    kind(&attribute.kind, value)
}

/// `value` as an element of the attribute's list, set or block.
pub fn element(attribute: &Attribute, value: Value) -> Value {
    match &attribute.kind {
        Kind::List(e) | Kind::Set(e) | Kind::Map(e) => kind(e, value),
        Kind::Block(_, members) => object(members, value),
        _ => kind(&attribute.kind, value),
    }
}

fn kind(kind_: &Kind, value: Value) -> Value {
    match (kind_, value) {
        (_, Value::Null) => Value::Null,
        (_, v) if is_unknown(&v) => v,
        (Kind::Any, v) => v,
        (Kind::Text, v) => scalar_text(v),
        (Kind::Number, Value::String(s)) => number(&s).map_or(Value::String(s), Value::Number),
        (Kind::Number, v) => v,
        (Kind::Bool, Value::String(s)) => match s.to_ascii_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(s),
        },
        (Kind::Bool, v) => v,
        (Kind::List(e) | Kind::Set(e), v) => {
            Value::Array(as_list(v).into_iter().map(|x| kind(e, x)).collect())
        }
        (Kind::Map(e), Value::Object(o)) => {
            Value::Object(o.into_iter().map(|(k, x)| (k, kind(e, x))).collect())
        }
        (Kind::Map(_), v) => v,
        (Kind::Block(Nesting::Single, members), v) => match as_list(v).into_iter().next() {
            Some(one) => object(members, one),
            None => Value::Null,
        },
        (Kind::Block(Nesting::Map, _), v) => v,
        (Kind::Block(_, members), v) => {
            Value::Array(as_list(v).into_iter().map(|x| object(members, x)).collect())
        }
    }
}

fn object(members: &[(String, Attribute)], value: Value) -> Value {
    let Value::Object(mut given) = value else { return value };
    let mut out = Map::new();
    for (name, attribute) in members {
        let v = match given.remove(name) {
            None | Some(Value::Null) => zero(&attribute.kind),
            Some(v) => kind(&attribute.kind, v),
        };
        out.insert(name.clone(), v);
    }
    Value::Object(out)
}

/// What a provider writes for an attribute of a block that is not set.
pub fn zero(kind: &Kind) -> Value {
    match kind {
        Kind::Text => Value::String(String::new()),
        Kind::Number => Value::from(0),
        Kind::Bool => Value::Bool(false),
        Kind::List(_) | Kind::Set(_) | Kind::Block(Nesting::List | Nesting::Set, _) => {
            Value::Array(Vec::new())
        }
        Kind::Map(_) | Kind::Any | Kind::Block(..) => Value::Null,
    }
}

/// A list as it is; nothing as an empty list; anything else as a list of one.
pub fn as_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(a) => a,
        v if equal::is_empty(&v) => Vec::new(),
        v => vec![v],
    }
}

fn scalar_text(v: Value) -> Value {
    match v {
        Value::Number(_) | Value::Bool(_) => Value::String(equal::text(&v).unwrap_or_default()),
        // a document in a text attribute (a policy that AWS's record shows parsed)
        Value::Object(_) | Value::Array(_) => Value::String(v.to_string()),
        v => v,
    }
}

/// A text as a JSON number.
pub fn number(s: &str) -> Option<Number> {
    if let Ok(n) = s.parse::<i64>() {
        return Some(n.into());
    }
    let f = s.parse::<f64>().ok()?;
    if f.fract() == 0.0 && f.abs() < 9e15 { Some((f as i64).into()) } else { Number::from_f64(f) }
}

/// Takes what AWS or the provider computes from the old elements: a member that is `computed` and that the record does not give keeps
/// its old value in the element that is most like it. Call it before [`coerce`] fills in the zeros.
pub fn inherit(attribute: &Attribute, old: &Value, new: &mut Value) {
    let Kind::Block(_, members) = &attribute.kind else { return };
    let old: Vec<&Value> = match old {
        Value::Array(a) => a.iter().collect(),
        Value::Object(_) => vec![old],
        _ => return,
    };
    let elements: Vec<&mut Value> = match new {
        Value::Array(a) => a.iter_mut().collect(),
        o @ Value::Object(_) => vec![o],
        _ => return,
    };
    let alone = old.len() == 1 && elements.len() == 1;
    let mut used = vec![false; old.len()];
    for element in elements {
        let Value::Object(given) = element else { continue };
        let likeness = |candidate: &Value| {
            given
                .iter()
                .filter(|(k, v)| {
                    candidate.get(*k).is_some_and(|o| !equal::is_zero(o) && equal::equal(None, o, v))
                })
                .count()
        };
        let best = (0..old.len())
            .filter(|i| !used.get(*i).copied().unwrap_or(true))
            .map(|i| (i, old.get(i).map_or(0, |o| likeness(o))))
            .max_by_key(|(i, n)| (*n, usize::MAX - i));
        let Some((i, n)) = best else { continue };
        if n == 0 && !alone {
            continue;
        }
        if let Some(u) = used.get_mut(i) {
            *u = true;
        }
        let Some(Value::Object(before)) = old.get(i).copied() else { continue };
        for (name, inner) in members {
            let Some(kept) = before.get(name) else { continue };
            match given.get_mut(name) {
                None if inner.computed => {
                    given.insert(name.clone(), kept.clone());
                }
                Some(v) => inherit(inner, kept, v),
                None => {}
            }
        }
    }
}

/// A structure of the record as a block: each attribute is looked for under its own name, in any case and punctuation.
pub fn by_names(kind_: &Kind, value: &Value) -> Value {
    match (kind_, value) {
        (Kind::Block(..), Value::Array(list)) => {
            Value::Array(list.iter().map(|v| by_names(kind_, v)).collect())
        }
        (Kind::Block(_, members), Value::Object(o)) => {
            let mut out = Map::new();
            for (name, attribute) in members {
                if let Some(v) = params::member(o, name).filter(|v| !v.is_null()) {
                    // AWS's {"Quantity":n,"Items":[…]}
                    let v = items(v).unwrap_or(v);
                    out.insert(name.clone(), by_names(&attribute.kind, v));
                }
            }
            Value::Object(out)
        }
        (_, v) => items(v).unwrap_or(v).clone(),
    }
}

/// The list inside CloudFront's `{"quantity":n,"items":[…]}`.
pub fn items(v: &Value) -> Option<&Value> {
    static NONE: Value = Value::Null;
    let o = v.as_object()?;
    params::member(o, "quantity")?;
    Some(params::member(o, "items").unwrap_or(&NONE))
}

/// The mark of a value that changes to something that the record does not show.
pub const UNKNOWN: &str = "\u{0}unknown";

/// The mark as a value.
pub fn unknown() -> Value {
    Value::String(UNKNOWN.to_owned())
}

/// Whether a value is hidden: our own mark, or one of CloudTrail's.
pub fn is_unknown(v: &Value) -> bool {
    match v.as_str() {
        Some(UNKNOWN) => true,
        Some(s) => {
            s.eq_ignore_ascii_case("HIDDEN_DUE_TO_SECURITY_REASONS")
                || s.eq_ignore_ascii_case("<sensitiveDataRemoved>")
                || s.eq_ignore_ascii_case("sensitiveDataRemoved")
                || s == "HIDDEN_FOR_SECURITY_REASONS"
                || (s.len() >= 3 && s.bytes().all(|b| b == b'*'))
        }
        None => false,
    }
}

/// Whether something in the value is hidden.
pub fn has_unknown(v: &Value) -> bool {
    match v {
        Value::Array(a) => a.iter().any(has_unknown),
        Value::Object(o) => o.values().any(has_unknown),
        v => is_unknown(v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tfdrift_mapping::Schema;

    fn attribute(schema: &str) -> Attribute {
        let s = Schema::parse(&format!(r#"{{"aws_x":{{"a":{schema}}}}}"#)).unwrap();
        s.attribute("aws_x", &["a".into()]).unwrap().clone()
    }

    #[test]
    fn values_take_the_schema_s_form() {
        assert_eq!(coerce(&attribute("\"n\""), json!("30")), json!(30));
        assert_eq!(coerce(&attribute("\"s\""), json!(30)), json!("30"));
        assert_eq!(coerce(&attribute("\"b\""), json!("true")), json!(true));
        assert_eq!(coerce(&attribute("\"ls\""), json!("x")), json!(["x"]));
        assert_eq!(
            coerce(&attribute(r#"{"*":"l","b":"s","c":"ls","d":"b"}"#), json!({"b":1})),
            json!([{"b":"1","c":[],"d":false}])
        );
        assert_eq!(coerce(&attribute(r#"{"*":"l","b":"s"}"#), json!({})), json!([]));
    }

    #[test]
    fn blocks_are_found_by_name() {
        let a = attribute(r#"{"*":"t","allowed_headers":"ls","max_age_seconds":"n","origins":"ts"}"#);
        let rule = json!({"AllowedHeader":"*","MaxAgeSeconds":"3","Origins":{"Quantity":1,"Items":["o"]}});
        assert_eq!(
            coerce(&a, by_names(&a.kind, &rule)),
            json!([{"allowed_headers":["*"],"max_age_seconds":3,"origins":["o"]}])
        );
    }

    #[test]
    fn computed_members_are_kept() {
        let a = attribute(r#"{"*":"l","name":"s","id":"s/c","size":"n"}"#);
        let mut new = json!([{"name":"b","size":2}]);
        inherit(&a, &json!([{"name":"a","id":"1"},{"name":"b","id":"2"}]), &mut new);
        assert_eq!(new, json!([{"name":"b","size":2,"id":"2"}]));
    }
}
