//! When two values of an attribute are the same for Terraform.

use serde_json::Value;
use tfdrift_mapping::{Attribute, Kind, Nesting};
use tfdrift_tfstate::same_secret;

use crate::policy;

/// Whether Terraform sees no difference between `a` and `b`: `null`, `""`, `[]` and `{}` are equal, numbers and bools equal their
/// texts, sets have no order, JSON texts are compared by meaning. A member that one side lacks equals the type's zero.
pub fn equal(attribute: Option<&Attribute>, a: &Value, b: &Value) -> bool {
    equal_kind(attribute.map(|x| &x.kind), a, b)
}

fn equal_kind(kind: Option<&Kind>, a: &Value, b: &Value) -> bool {
    if a == b || (is_zero(a) && is_zero(b)) || same_secret(a, b) == Some(true) {
        return true;
    }
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let keys = x.keys().chain(y.keys().filter(|k| !x.contains_key(*k)));
            let mut all = keys.map(|k| {
                let inner = match kind {
                    Some(Kind::Block(_, members)) => members
                        .binary_search_by(|m| m.0.as_str().cmp(k))
                        .ok()
                        .and_then(|i| members.get(i))
                        .map(|m| &m.1.kind),
                    Some(Kind::Map(e)) => Some(&**e),
                    _ => None,
                };
                match (x.get(k), y.get(k)) {
                    (Some(v), Some(w)) => equal_kind(inner, v, w),
                    // a map's key with an empty value is not a missing key
                    (Some(Value::String(_)), None) | (None, Some(Value::String(_)))
                        if matches!(kind, Some(Kind::Map(_))) =>
                    {
                        false
                    }
                    (Some(v), None) | (None, Some(v)) => is_zero(v),
                    (None, None) => true,
                }
            });
            all.all(|same| same)
        }
        (Value::Array(x), Value::Array(y)) => match kind {
            Some(Kind::List(e)) => ordered(Some(e), x, y),
            Some(Kind::Set(e)) => unordered(Some(e), x, y),
            Some(Kind::Block(Nesting::Set, _)) => unordered(kind, x, y),
            Some(Kind::Block(..)) => ordered(kind, x, y),
            _ => unordered(None, x, y),
        },
        (Value::Array(x), one) | (one, Value::Array(x)) if !one.is_null() => {
            x.len() == 1 && x.first().is_some_and(|v| equal_kind(kind, v, one))
        }
        _ => scalars(a, b),
    }
}

/// Whether two values are the very same. A sensitive one, of which a state keeps only a keyed hash, is the same as the value
/// that it was.
pub fn same_value(a: &Value, b: &Value) -> bool {
    same_secret(a, b).unwrap_or_else(|| a == b)
}

fn ordered(kind: Option<&Kind>, x: &[Value], y: &[Value]) -> bool {
    x.len() == y.len() && x.iter().zip(y).all(|(v, w)| equal_kind(kind, v, w))
}

fn unordered(kind: Option<&Kind>, x: &[Value], y: &[Value]) -> bool {
    if x.len() != y.len() {
        return false;
    }
    let mut left: Vec<&Value> = y.iter().collect();
    x.iter().all(|v| match left.iter().position(|w| equal_kind(kind, v, w)) {
        Some(i) => {
            left.swap_remove(i);
            true
        }
        None => false,
    })
}

/// Nothing, or what a provider writes for nothing.
pub fn is_zero(v: &Value) -> bool {
    match v {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.iter().all(is_empty),
        Value::Object(o) => o.values().all(is_zero),
    }
}

/// Nothing at all: `null`, `""`, `[]`, `{}`.
pub fn is_empty(v: &Value) -> bool {
    match v {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        _ => false,
    }
}

fn scalars(a: &Value, b: &Value) -> bool {
    if let Some(same) = same_secret(a, b) {
        return same;
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return x == y;
    }
    if let (Some(x), Some(y)) = (policy::document(a), policy::document(b)) {
        return policy::equal(&x, &y);
    }
    match (text(a), text(b)) {
        (Some(x), Some(y)) => x == y,
        _ => false,
    }
}

fn number(v: &Value) -> Option<f64> {
    match v {
        Value::Number(n) => n.as_f64(),
        // an id with leading zeros, an account, a hash in digits is text: both sides must read as the same digits anyway
        Value::String(s) if s.len() < 16 && !s.starts_with('+') => {
            s.parse().ok().filter(|f: &f64| f.is_finite())
        }
        _ => None,
    }
}

/// A scalar as text.
pub fn text(v: &Value) -> Option<String> {
    match v {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// Whether a resource's attribute answers to a value by which a record names it: equal, one of a list, or ARN and name of one thing.
pub fn names(attribute: &Value, value: &Value) -> bool {
    if let Value::Array(list) = attribute {
        return list.iter().any(|v| names(v, value));
    }
    if scalars(attribute, value) {
        return true;
    }
    let (Some(a), Some(b)) = (text(attribute), text(value)) else { return false };
    match (a.starts_with("arn:"), b.starts_with("arn:")) {
        (true, false) => tail(&a) == b,
        (false, true) => a == tail(&b),
        _ => false,
    }
}

/// The last part of an ARN.
pub fn tail(arn: &str) -> &str {
    arn.rsplit([':', '/']).next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_equals_nothing() {
        for (a, b) in [
            (json!(null), json!("")),
            (json!([]), json!(null)),
            (json!({}), json!([])),
            (json!(false), json!(null)),
        ] {
            assert!(equal(None, &a, &b), "{a} {b}");
        }
        assert!(!equal(None, &json!("x"), &json!(null)));
        assert!(!equal(None, &json!(true), &json!(null)));
    }

    #[test]
    fn texts_numbers_and_bools() {
        assert!(equal(None, &json!(30), &json!("30")));
        assert!(equal(None, &json!("true"), &json!(true)));
        assert!(!equal(None, &json!("1e3"), &json!("1000x")));
        assert!(equal(None, &json!("{\"a\": 1}"), &json!("{\"a\":1}")));
    }

    #[test]
    fn sets_have_no_order_and_lists_do() {
        let set = Attribute { kind: Kind::Set(Box::new(Kind::Text)), computed: false, sensitive: false };
        let list = Attribute { kind: Kind::List(Box::new(Kind::Text)), computed: false, sensitive: false };
        assert!(equal(Some(&set), &json!(["a", "b"]), &json!(["b", "a"])));
        assert!(!equal(Some(&list), &json!(["a", "b"]), &json!(["b", "a"])));
        assert!(!equal(Some(&set), &json!(["a", "a"]), &json!(["b", "a"])));
    }

    #[test]
    fn a_missing_member_is_its_zero() {
        assert!(equal(None, &json!([{"a":"x","b":false,"c":[]}]), &json!([{"a":"x"}])));
        assert!(!equal(None, &json!([{"a":"x","b":true}]), &json!([{"a":"x"}])));
    }

    #[test]
    fn an_empty_tag_is_not_a_missing_one() {
        let tags = Attribute { kind: Kind::Map(Box::new(Kind::Text)), computed: false, sensitive: false };
        assert!(
            !equal(Some(&tags), &json!({"a":""}), &json!({}))
                || equal(Some(&tags), &json!({}), &json!({"a":""}))
        );
        assert!(!equal(Some(&tags), &json!({"a":"","b":"x"}), &json!({"b":"x"})));
    }

    #[test]
    fn arn_and_name_are_one_thing() {
        assert!(names(&json!("arn:aws:lambda:us-east-1:1:function:f"), &json!("f")));
        assert!(names(&json!(["a", "b"]), &json!("b")));
        assert!(!names(&json!("arn:aws:iam::1:role/a"), &json!("arn:aws:iam::2:role/a")));
    }
}
