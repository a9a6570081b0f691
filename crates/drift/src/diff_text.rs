//! A change as one line that a person reads: `ingress: + tcp/22 from 0.0.0.0/0; tags.Env: "prod" -> "dev"`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{equal, policy};

const MAX_VALUE_CHARS: usize = 160;

/// The line for one attribute. One line whatever is in it: what breaks or turns a line is escaped.
pub fn attribute(name: &str, old: &Value, new: &Value, certain: bool) -> String {
    plain(&line(name, old, new, certain)).into_owned()
}

/// `text` with everything escaped that a terminal or a log would not show as a character: controls, line and paragraph
/// separators, marks that change the direction of text.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn line(name: &str, old: &Value, new: &Value, certain: bool) -> String {
    if !certain {
        return format!("{name}: changed, the new value is not in the record");
    }
    let mut parts = Vec::new();
    changes(name, old, new, &mut parts);
    if parts.is_empty() { format!("{name}: changed") } else { parts.join("; ") }
}

fn changes(path: &str, old: &Value, new: &Value, out: &mut Vec<String>) {
    if equal::is_empty(old) && new.is_object() {
        return maps(path, &Map::new(), new.as_object().unwrap_or(&Map::new()), out);
    }
    match (old, new) {
        (Value::Object(o), Value::Object(n)) => maps(path, o, n, out),
        (Value::Object(o), n) if equal::is_empty(n) => maps(path, o, &Map::new(), out),
        (Value::Array(o), Value::Array(n)) => lists(path, o, n, out),
        (Value::Array(o), n) if equal::is_empty(n) => lists(path, o, &[], out),
        (o, Value::Array(n)) if equal::is_empty(o) => lists(path, &[], n, out),
        (o, n) => match (policy::document(o), policy::document(n)) {
            (a, b) if is_policy(a.as_ref()) || is_policy(b.as_ref()) => {
                policies(path, a.as_ref(), b.as_ref(), out)
            }
            _ => out.push(format!("{path}: {} -> {}", show(o), show(n))),
        },
    }
}

fn maps(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, out: &mut Vec<String>) {
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    for k in keys {
        let path = format!("{path}.{k}");
        match (old.get(k), new.get(k)) {
            (Some(o), Some(n)) if equal::equal(None, o, n) => {}
            (Some(o), Some(n)) => changes(&path, o, n, out),
            (Some(o), None) if !equal::is_zero(o) => out.push(format!("{path}: - {}", show(o))),
            (None, Some(n)) if !equal::is_zero(n) => out.push(format!("{path}: + {}", show(n))),
            _ => {}
        }
    }
}

fn lists(path: &str, old: &[Value], new: &[Value], out: &mut Vec<String>) {
    if let ([o @ Value::Object(_)], [n @ Value::Object(_)]) = (old, new)
        && rule(o, path).is_none()
    {
        return changes(&format!("{path}.0"), o, n, out);
    }
    let (old, new) = (spread(old), spread(new));
    let mut left = old;
    let mut parts = Vec::new();
    for n in &new {
        match left.iter().position(|o| equal::equal(None, o, n)) {
            Some(i) => {
                left.swap_remove(i);
            }
            None => parts.push(format!("+ {}", rule(n, path).unwrap_or_else(|| show(n)))),
        }
    }
    parts.splice(0..0, left.iter().map(|o| format!("- {}", rule(o, path).unwrap_or_else(|| show(o)))));
    if parts.is_empty() {
        // the same elements in another order
        parts.push("another order".to_owned());
    }
    out.push(format!("{path}: {}", parts.join(", ")));
}

/// Rules of security groups one source each; anything else as it is.
fn spread(list: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for v in list {
        let Some(o) = v.as_object().filter(|o| o.contains_key("cidr_blocks") && o.contains_key("from_port"))
        else {
            out.push(v.clone());
            continue;
        };
        let mut base = o.clone();
        for k in SOURCES {
            base.insert((*k).into(), Value::Array(Vec::new()));
        }
        base.insert("self".into(), Value::Bool(false));
        for k in SOURCES {
            for source in o.get(*k).and_then(Value::as_array).into_iter().flatten() {
                let mut one = base.clone();
                one.insert((*k).into(), Value::Array(vec![source.clone()]));
                out.push(Value::Object(one));
            }
        }
        if o.get("self") == Some(&Value::Bool(true)) {
            base.insert("self".into(), Value::Bool(true));
            out.push(Value::Object(base));
        }
    }
    out
}

const SOURCES: &[&str] = &["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"];

/// `tcp/22 from 0.0.0.0/0` for a rule of a security group, `… to …` for one of `egress`.
fn rule(v: &Value, path: &str) -> Option<String> {
    let o = v.as_object().filter(|o| o.contains_key("cidr_blocks") && o.contains_key("from_port"))?;
    let text = |k: &str| o.get(k).and_then(equal::text).unwrap_or_default();
    let ports = match (text("protocol").as_str(), text("from_port"), text("to_port")) {
        ("-1", ..) => "all traffic".to_owned(),
        (p, a, b) if a == b => format!("{p}/{a}"),
        (p, a, b) => format!("{p}/{a}-{b}"),
    };
    let mut sources: Vec<String> =
        SOURCES.iter().filter_map(|k| o.get(*k)?.as_array()).flatten().filter_map(equal::text).collect();
    if o.get("self") == Some(&Value::Bool(true)) {
        sources.push("itself".to_owned());
    }
    let way = if path == "egress" { "to" } else { "from" };
    Some(format!("{ports} {way} {}", sources.join(", ")))
}

fn is_policy(v: Option<&Value>) -> bool {
    v.is_some_and(|v| v.get("Statement").is_some())
}

fn policies(path: &str, old: Option<&Value>, new: Option<&Value>, out: &mut Vec<String>) {
    // compared by meaning, shown as written
    let statements = |v: Option<&Value>| -> Vec<(Value, Value)> {
        let list = match v.and_then(|v| v.get("Statement")) {
            Some(Value::Array(a)) => a.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        list.into_iter().map(|s| (policy::canonical_statement(&s), s)).collect()
    };
    let (old, new) = (statements(old), statements(new));
    let missing = |of: &[(Value, Value)], from: &[(Value, Value)], sign: &str| -> Vec<String> {
        let gone = of.iter().filter(|s| !from.iter().any(|o| o.0 == s.0));
        gone.map(|s| format!("{sign} {}", statement(&s.1))).collect()
    };
    let mut parts = missing(&old, &new, "-");
    parts.extend(missing(&new, &old, "+"));
    out.push(format!("{path}: {}", if parts.is_empty() { "changed".to_owned() } else { parts.join(", ") }));
}

fn statement(s: &Value) -> String {
    let words = |keys: [&str; 2]| {
        keys.iter().find_map(|k| s.get(*k).map(|v| (*k, v))).map(|(k, v)| {
            let list: Vec<String> = match v {
                Value::Array(a) => a.iter().filter_map(equal::text).collect(),
                Value::Object(o) => o
                    .values()
                    .flat_map(|v| v.as_array().cloned().unwrap_or_default())
                    .filter_map(|v| equal::text(&v))
                    .collect(),
                v => equal::text(v).into_iter().collect(),
            };
            let not = if k.starts_with("Not") { "all but " } else { "" };
            cut(&format!("{not}{}", list.join(" ")))
        })
    };
    let mut text = s.get("Effect").and_then(equal::text).unwrap_or_default();
    text.push_str(&words(["Action", "NotAction"]).map(|a| format!(" {a}")).unwrap_or_default());
    text.push_str(&words(["Resource", "NotResource"]).map(|r| format!(" on {r}")).unwrap_or_default());
    text.push_str(&words(["Principal", "NotPrincipal"]).map(|p| format!(" to {p}")).unwrap_or_default());
    if s.get("Condition").is_some() {
        text.push_str(" if …");
    }
    text
}

fn show(v: &Value) -> String {
    match v {
        Value::String(s) => cut(&Value::String(s.clone()).to_string()),
        Value::Object(o) => {
            let given: Map<String, Value> =
                o.iter().filter(|(_, v)| !equal::is_zero(v)).map(|(k, v)| (k.clone(), v.clone())).collect();
            cut(&Value::Object(given).to_string())
        }
        v => cut(&v.to_string()),
    }
}

fn cut(s: &str) -> String {
    match s.char_indices().nth(MAX_VALUE_CHARS) {
        Some((at, _)) => format!("{}…", s.get(..at).unwrap_or("")),
        None => s.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_line_whatever_the_record_says() {
        let key = "x\n2026 CRITICAL fake\u{1b}[31m\u{202e}\u{2028}";
        let line = attribute("tags", &json!({}), &json!({key: "v\nw\u{202e}"}), true);
        assert_eq!(line, "tags.x\\n2026 CRITICAL fake\\u001b[31m\\u202e\\u2028: + \"v\\nw\\u202e\"");
        assert_eq!(plain("ä 😀 \"x\""), "ä 😀 \"x\"");
    }

    #[test]
    fn lines_that_a_person_reads() {
        let block = |cidrs: Value| json!({"cidr_blocks":cidrs,"description":"","from_port":22,"to_port":22,"protocol":"tcp","self":false});
        assert_eq!(
            attribute("ingress", &json!([]), &json!([block(json!(["0.0.0.0/0"]))]), true),
            "ingress: + tcp/22 from 0.0.0.0/0"
        );
        assert_eq!(
            attribute("tags", &json!({"Env":"prod","A":"1"}), &json!({"Env":"dev","B":"2"}), true),
            "tags.A: - \"1\"; tags.B: + \"2\"; tags.Env: \"prod\" -> \"dev\""
        );
        assert_eq!(attribute("size", &json!(1), &json!(2), true), "size: 1 -> 2");
        assert_eq!(
            attribute("v", &json!([{"enabled":true}]), &json!([{"enabled":false}]), true),
            "v.0.enabled: true -> false"
        );
        assert_eq!(attribute("l", &json!(["a"]), &json!(["b"]), true), "l: - \"a\", + \"b\"");
        assert_eq!(
            attribute(
                "policy",
                &json!(null),
                &json!(
                    "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\",\"Principal\":\"*\"}]}"
                ),
                true
            ),
            "policy: + Allow s3:* on * to *"
        );
        assert_eq!(
            attribute("user_data", &json!("a"), &json!(null), false),
            "user_data: changed, the new value is not in the record"
        );
    }
}
