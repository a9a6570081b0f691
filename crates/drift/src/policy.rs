//! JSON documents by meaning: IAM policies above all.

use serde_json::{Map, Value};

use crate::equal::same_value;

/// The document behind a value: an object or array as it is, a text if it holds one.
pub fn document(value: &Value) -> Option<Value> {
    match value {
        Value::Object(_) | Value::Array(_) => Some(value.clone()),
        Value::String(s) if matches!(s.trim_start().as_bytes().first(), Some(b'{' | b'[')) => {
            serde_json::from_str(s).ok()
        }
        _ => None,
    }
}

/// One form for all documents that mean the same: IAM's single elements and lists, order in sets, principals, empty members.
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(o) if o.contains_key("Statement") => policy(o),
        Value::Object(o) => {
            let mut members: Vec<(&String, Value)> =
                o.iter().filter(|(_, v)| !is_empty(v)).map(|(k, v)| (k, canonical(v))).collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(members.into_iter().map(|(k, v)| (k.clone(), v)).collect())
        }
        Value::Array(a) => Value::Array(a.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

fn is_empty(v: &Value) -> bool {
    match v {
        Value::Null => true,
        Value::Object(o) => o.is_empty(),
        Value::Array(a) => a.is_empty(),
        _ => false,
    }
}

fn policy(o: &Map<String, Value>) -> Value {
    let mut out = Map::new();
    // without Version IAM takes the older language
    let version = o.get("Version").cloned().unwrap_or_else(|| "2008-10-17".into());
    out.insert("Version".into(), version);
    let mut statements: Vec<Value> = as_list(o.get("Statement")).iter().map(|s| statement(s)).collect();
    statements.sort_by_cached_key(Value::to_string);
    statements.dedup();
    out.insert("Statement".into(), Value::Array(statements));
    if let Some(id) = o.get("Id").filter(|v| v.as_str() != Some("")) {
        out.insert("Id".into(), id.clone());
    }
    Value::Object(out)
}

fn as_list(v: Option<&Value>) -> Vec<&Value> {
    match v {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(a)) => a.iter().collect(),
        Some(one) => vec![one],
    }
}

fn texts(v: &Value, lower: bool) -> Value {
    let mut out: Vec<String> = as_list(Some(v))
        .into_iter()
        .map(|x| {
            let text = x.as_str().map_or_else(|| x.to_string(), str::to_owned);
            if lower { text.to_ascii_lowercase() } else { text }
        })
        .collect();
    out.sort();
    out.dedup();
    Value::from(out)
}

/// One form for all statements that mean the same.
pub fn canonical_statement(s: &Value) -> Value {
    statement(s)
}

fn statement(s: &Value) -> Value {
    let Some(o) = s.as_object() else { return s.clone() };
    let mut members: Vec<(&String, Value)> = Vec::new();
    for (k, v) in o {
        if is_empty(v) || (k == "Sid" && v.as_str() == Some("")) {
            continue;
        }
        members.push((
            k,
            match k.as_str() {
                "Action" | "NotAction" => texts(v, true),
                "Resource" | "NotResource" => texts(v, false),
                "Principal" | "NotPrincipal" => principal(v),
                "Condition" => condition(v),
                _ => canonical(v),
            },
        ));
    }
    members.sort_by(|a, b| a.0.cmp(b.0));
    Value::Object(members.into_iter().map(|(k, v)| (k.clone(), v)).collect())
}

/// `"*"` is `{"AWS":"*"}`; an account's number is its root ARN.
fn principal(v: &Value) -> Value {
    let Some(o) = v.as_object() else { return principal_object(std::iter::once((&"AWS".to_owned(), v))) };
    principal_object(o.iter())
}

fn principal_object<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>) -> Value {
    let mut sorted: Vec<(String, Value)> = members
        .map(|(k, v)| {
            let mut ids: Vec<String> = as_list(Some(v))
                .into_iter()
                .filter_map(Value::as_str)
                .map(|p| {
                    if k == "AWS" && p.len() == 12 && p.bytes().all(|b| b.is_ascii_digit()) {
                        format!("arn:aws:iam::{p}:root")
                    } else {
                        p.to_owned()
                    }
                })
                .collect();
            ids.sort();
            ids.dedup();
            (k.clone(), Value::from(ids))
        })
        .collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(sorted.into_iter().collect())
}

fn condition(v: &Value) -> Value {
    let Some(operators) = v.as_object() else { return v.clone() };
    let mut out: Vec<(String, Value)> = operators
        .iter()
        .map(|(operator, keys)| {
            let mut inner: Vec<(String, Value)> = keys
                .as_object()
                .into_iter()
                .flatten()
                .map(|(k, values)| (k.to_ascii_lowercase(), texts(values, false)))
                .collect();
            inner.sort_by(|a, b| a.0.cmp(&b.0));
            (operator.clone(), Value::Object(inner.into_iter().collect()))
        })
        .collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(out.into_iter().collect())
}

/// Whether two documents mean the same.
pub fn equal(a: &Value, b: &Value) -> bool {
    a == b || same(&canonical(a), &canonical(b))
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| same(v, w)))
        }
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(v, w)| same(v, w)),
        _ => same_value(a, b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_of_one_policy_are_equal() {
        let a = json!({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333"]},"Action":["s3:GetObject","s3:PutObject"],"Resource":["a"],
            "Condition":{"Bool":{"aws:SecureTransport":true}}}]});
        let b = json!({"Statement":{"Sid":"","Action":["s3:putobject","s3:GetObject"],"Effect":"Allow","Resource":"a","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
            "Condition":{"Bool":{"aws:securetransport":["true"]}}},"Version":"2012-10-17"});
        assert!(equal(&a, &b));
        assert!(equal(
            &json!({"Statement":[{"Principal":"*"}]}),
            &json!({"Statement":[{"Principal":{"AWS":"*"}}]})
        ));
    }

    #[test]
    fn different_policies_are_not() {
        let p = |action: &str, version: &str| json!({"Version":version,"Statement":[{"Effect":"Allow","Action":action,"Resource":"*"}]});
        assert!(!equal(&p("s3:*", "2012-10-17"), &p("s3:Get*", "2012-10-17")));
        assert!(!equal(&p("s3:*", "2012-10-17"), &p("s3:*", "2008-10-17")));
    }
}
