//! The functions of the mapping language that need no evaluation of their own.

mod sg;
mod tags;
mod text;

use serde_json::Value;
use tfdrift_mapping::Function;
use tfdrift_tfstate::holds_secret_digest;

pub use sg::{RULE_TYPES, add, flat_or_permissions, remove, rules, rules_by_id};
pub use tags::{pairs, tags};

use crate::view::View;
use crate::{coerce, equal, params, policy};

/// Whether a function makes another text or number of its arguments. Of a sensitive value that is not kept nothing can be
/// made that would be right, and nothing may be made that shows a part of what stands for it.
fn makes_text(function: Function) -> bool {
    !matches!(
        function,
        Function::Eq
            | Function::Ne
            | Function::In
            | Function::At
            | Function::Flat
            | Function::Count
            | Function::Bool
            | Function::Json
            | Function::Parse
            | Function::Tags
            | Function::Pairs
            | Function::Kv
            | Function::Patch
            | Function::Keys
            | Function::Omit
    )
}

/// Functions of values alone. `None` stands for an absent argument or result.
pub fn plain(function: Function, args: Vec<Option<Value>>) -> Option<Value> {
    if makes_text(function) && args.iter().flatten().any(holds_secret_digest) {
        return Some(coerce::unknown());
    }
    let mut args = args.into_iter();
    let mut next = || args.next().flatten();
    match function {
        Function::Eq | Function::Ne => {
            let (a, b) = (next()?, next()?);
            Some((equal::equal(None, &a, &b) == (function == Function::Eq)).into())
        }
        Function::In => {
            let x = next()?;
            let text = equal::text(&x)?;
            let same =
                |y: &Value| equal::same_value(&x, y) || equal::text(y).as_deref() == Some(text.as_str());
            let mut hit = false;
            while let Some(y) = next() {
                hit |= coerce::as_list(y).iter().any(same);
            }
            Some(hit.into())
        }
        Function::At => {
            let (list, n) = (coerce::as_list(next()?), next()?.as_u64()?);
            list.into_iter().nth(usize::try_from(n).ok()?)
        }
        Function::Flat => Some(coerce::as_list(next()?).into_iter().flat_map(coerce::as_list).collect()),
        Function::Count => Some(coerce::as_list(next()?).len().into()),
        Function::Add | Function::Mul | Function::Div => {
            let (a, b) = (number(&next()?)?, number(&next()?)?);
            let out = match function {
                Function::Add => a + b,
                Function::Mul => a * b,
                _ if b == 0.0 => return None,
                _ => a / b,
            };
            coerce::number(&out.to_string()).map(Value::Number)
        }
        Function::Num => coerce::number(&equal::text(&next()?)?).map(Value::Number),
        Function::Bool => match next()? {
            Value::String(s) => Some(s.eq_ignore_ascii_case("true").into()),
            b @ Value::Bool(_) => Some(b),
            _ => None,
        },
        Function::Json => {
            let x = next()?;
            if equal::is_empty(&x) {
                return Some(Value::String(String::new()));
            }
            if coerce::is_unknown(&x) {
                return Some(x);
            }
            Some(match policy::document(&x) {
                Some(d) => d.to_string().into(),
                None => x,
            })
        }
        Function::Parse => {
            let x = next()?;
            Some(policy::document(&x).unwrap_or(x))
        }
        Function::Tags => Some(tags(&next()?)),
        Function::Pairs => {
            let x = next()?;
            let name = next().and_then(|v| equal::text(&v));
            let value = next().and_then(|v| equal::text(&v));
            Some(pairs(&x, name.as_deref(), value.as_deref()))
        }
        Function::Kv => {
            let (x, key) = (next()?, equal::text(&next()?)?);
            pairs(&x, None, None).get(&key).filter(|v| !v.is_null()).cloned()
        }
        Function::Patch => {
            let (operations, path) = (coerce::as_list(next()?), equal::text(&next()?)?);
            let field =
                |o: &Value, n: &str| o.as_object().and_then(|o| params::member(o, n)).and_then(equal::text);
            let last = operations
                .iter()
                .rfind(|o| field(o, "path").is_some_and(|p| text::same_pointer(&p, &path)))?;
            match field(last, "op").as_deref() {
                Some("remove") => Some(Value::Null),
                _ => Some(field(last, "value").map_or(Value::Null, Value::String)),
            }
        }
        Function::Keys => keys(next()?),
        Function::Omit => {
            let Value::Object(mut map) = next()? else { return None };
            let gone = keys(next()?)?;
            map.retain(|k, _| !gone.as_array().is_some_and(|a| a.iter().any(|g| g == k.as_str())));
            Some(Value::Object(map))
        }
        Function::Split => {
            let (x, mark) = (equal::text(&next()?)?, equal::text(&next()?)?);
            Some(x.split(mark.as_str()).map(str::trim).filter(|s| !s.is_empty()).map(Value::from).collect())
        }
        Function::Join => {
            let (x, mark) = (coerce::as_list(next()?), equal::text(&next()?)?);
            Some(x.iter().filter_map(equal::text).collect::<Vec<_>>().join(&mark).into())
        }
        Function::Text => {
            let mut out = String::new();
            for x in args {
                out.push_str(&equal::text(&x?)?);
            }
            Some(out.into())
        }
        Function::Enum => {
            let x = equal::text(&next()?)?;
            while let Some(pair) = next() {
                let pair = equal::text(&pair)?;
                if let Some((from, to)) = pair.split_once('=')
                    && from == x
                {
                    return Some(to.into());
                }
            }
            Some(x.into())
        }
        _ => text::plain(
            function,
            &equal::text(&next()?)?,
            next().and_then(|v| equal::text(&v)),
            next().and_then(|v| equal::text(&v)),
        ),
    }
}

/// The keys of tags or of a map; a text, or a list of texts, as it is.
fn keys(v: Value) -> Option<Value> {
    match v {
        Value::Array(a) if a.iter().all(Value::is_string) => Some(Value::Array(a)),
        s @ Value::String(_) => Some(Value::Array(vec![s])),
        x => Some(tags(&x).as_object()?.keys().map(|k| Value::String(k.clone())).collect()),
    }
}

fn number(v: &Value) -> Option<f64> {
    equal::text(v)?.parse().ok()
}

/// Attribute `wanted` of the resources of that type whose `attribute` has that value, as they are now.
pub fn references<'v>(
    view: &'v View<'v>,
    rtype: &'v str,
    attribute: &'v str,
    value: &Value,
    wanted: &'v str,
) -> impl Iterator<Item = Value> + 'v {
    let ids: Vec<_> =
        equal::text(value).map(|v| view.snapshot().find(rtype, attribute, &v).collect()).unwrap_or_default();
    let path: Vec<String> = wanted.split('.').map(str::to_owned).collect();
    ids.into_iter().filter_map(move |id| {
        let attributes = view.current(id, view.snapshot().resource(id)?);
        let (head, rest) = path.split_first()?;
        params::get(attributes.get(head)?, rest).cloned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call(function: Function, args: &[Value]) -> Option<Value> {
        plain(function, args.iter().cloned().map(Some).collect())
    }

    #[test]
    fn lists_and_maps() {
        assert_eq!(call(Function::In, &[json!("b"), json!("a"), json!(["c", "b"])]), Some(json!(true)));
        assert_eq!(call(Function::In, &[json!("x"), json!("a"), json!(["c", "b"])]), Some(json!(false)));
        let map = json!({"a":"1","b":"2","c":"3"});
        assert_eq!(
            call(Function::Omit, &[map.clone(), json!([{"Key":"a"}])]),
            Some(json!({"b":"2","c":"3"}))
        );
        assert_eq!(call(Function::Omit, &[map, json!(["a", "c"])]), Some(json!({"b":"2"})));
        assert_eq!(call(Function::Omit, &[json!("no map"), json!("a")]), None);
    }
}
