//! Tags and other key/value pairs, in all of AWS's forms.

use serde_json::{Map, Value};

use crate::params;

/// Tags as a map: `[{key,value}]`, `{"tagSet":…}` members, `{"k":"v"}`, a single `{key,value}`. A tag without a value has `null`.
pub fn tags(v: &Value) -> Value {
    pairs(v, None, None)
}

/// Key/value pairs as a map. `name` and `value` are the members' names where they are not `Key`/`Name`… and `Value`….
pub fn pairs(v: &Value, name: Option<&str>, value: Option<&str>) -> Value {
    let mut out = Map::new();
    match v {
        Value::Array(list) => {
            for item in list {
                one(item, name, value, &mut out);
            }
        }
        Value::Object(o)
            if o.len() <= 3 && key(o, name).is_some_and(|k| k.is_string()) && only_pair(o, name) =>
        {
            one(v, name, value, &mut out);
        }
        // {"TagList":[…]}, {"Tag":[…]}: a wrapper around the list
        Value::Object(o)
            if o.len() == 1
                && o.values().all(|x| x.is_array() && o.keys().all(|k| params::fold(k).contains("tag"))) =>
        {
            return o.values().next().map_or(Value::Null, |x| pairs(x, name, value));
        }
        Value::Object(o) => return Value::Object(o.clone()),
        _ => {}
    }
    Value::Object(out)
}

const KEYS: &[&str] = &["Key", "TagKey", "Name", "ParameterName", "AttributeName"];
const VALUES: &[&str] = &["Value", "TagValue", "ParameterValue", "AttributeValue"];

fn key<'v>(o: &'v Map<String, Value>, name: Option<&str>) -> Option<&'v Value> {
    match name {
        Some(n) => params::member(o, n),
        None => KEYS.iter().find_map(|k| params::member(o, k)),
    }
}

fn only_pair(o: &Map<String, Value>, name: Option<&str>) -> bool {
    name.is_some()
        || o.keys().all(|k| {
            let f = params::fold(k);
            KEYS.iter().chain(VALUES).any(|x| params::fold(x) == f)
                || f == "propagateatlaunch"
                || f == "resourceid"
        })
}

fn one(item: &Value, name: Option<&str>, value: Option<&str>, out: &mut Map<String, Value>) {
    let Some(o) = item.as_object() else { return };
    let Some(k) = key(o, name).and_then(crate::equal::text) else { return };
    let v = match value {
        Some(n) => params::member(o, n),
        None => VALUES.iter().find_map(|x| params::member(o, x)),
    };
    out.insert(k, v.cloned().unwrap_or(Value::Null));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_forms_are_one() {
        let want = json!({"Env":"prod"});
        for form in [
            json!([{"key":"Env","value":"prod"}]),
            json!({"Env":"prod"}),
            json!([{"TagKey":"Env","TagValue":"prod"}]),
            json!({"key":"Env","value":"prod"}),
            json!({"TagSet":[{"Key":"Env","Value":"prod"}]}),
        ] {
            assert_eq!(tags(&form), want, "{form}");
        }
        assert_eq!(tags(&json!([{"key":"Env"}])), json!({"Env":null}));
    }
}
