//! Checks a configuration against the table and fills in the defaults.

use serde_json::{Map, Number, Value};

use super::error::ConfigError;
use super::form;
use super::spec::{Form, Key, Kind};
use super::table::{KEYS, PLACE_KINDS};

/// The whole configuration with every default filled in.
///
/// # Errors
/// The first key that is unknown or has a value that is not allowed.
pub(super) fn check(value: &Value) -> Result<Value, ConfigError> {
    match value {
        Value::Null => section(&Map::new(), KEYS, ""),
        Value::Object(map) => section(map, KEYS, ""),
        other => Err(wrong("init_config", other, "a map of settings".into())),
    }
}

fn section(map: &Map<String, Value>, keys: &[Key], path: &str) -> Result<Value, ConfigError> {
    for name in map.keys() {
        if !keys.iter().any(|k| k.name == name) {
            return Err(unknown(name, keys, path));
        }
    }
    let mut out = Map::new();
    for key in keys {
        let path = join(path, key.name);
        match map.get(key.name) {
            None | Some(Value::Null) => {
                if let Some(default) = default(key, &path)? {
                    out.insert(key.name.into(), default);
                }
            }
            Some(value) => {
                out.insert(key.name.into(), one(value, key, &path)?);
            }
        }
    }
    Ok(Value::Object(out))
}

/// The default of a setting; none for those that have none (the kinds of a place).
fn default(key: &Key, path: &str) -> Result<Option<Value>, ConfigError> {
    if !key.filled_in {
        return Ok(None);
    }
    if let Kind::Section(keys) = key.kind
        && !key.default.is_empty()
    {
        return section(&Map::new(), keys, path).map(Some);
    }
    Ok(serde_json::from_str(key.default).ok())
}

fn one(value: &Value, key: &Key, path: &str) -> Result<Value, ConfigError> {
    match key.kind {
        Kind::Text => text(value).map(Value::String).ok_or_else(|| wrong(path, value, "text".into())),
        Kind::Word(words) => word(value, words, path),
        Kind::Bool => match value {
            Value::Bool(b) => Ok(Value::Bool(*b)),
            // ${VAR} in falco.yaml arrives as text
            Value::String(s) if s == "true" || s == "false" => Ok(Value::Bool(s == "true")),
            other => Err(wrong(path, other, "true or false".into())),
        },
        Kind::Int { min, max } => {
            let number = match value {
                Value::Number(n) => whole(n),
                Value::String(s) => s.trim().parse().ok(),
                _ => None,
            };
            match number {
                Some(n) if n >= min && n <= max => Ok(Value::from(n)),
                _ => Err(wrong(path, value, format!("a whole number from {min} to {max}"))),
            }
        }
        Kind::Form(form) => {
            let found = formed(value, form).filter(|t| t.is_empty() || form::matches(form, t));
            found.map(Value::String).ok_or_else(|| wrong(path, value, form.wanted().into()))
        }
        Kind::Texts => list(value, path, "a list of texts", |v, p| {
            text(v).map(Value::String).ok_or_else(|| wrong(p, v, "text".into()))
        }),
        Kind::Forms(form) => list(value, path, "a list", |v, p| {
            let found = formed(v, form).filter(|t| form::matches(form, t));
            found.map(Value::String).ok_or_else(|| wrong(p, v, form.wanted().into()))
        }),
        Kind::Words(words) => list(value, path, "a list of words", |v, p| word(v, words, p)),
        Kind::Section(keys) => match value {
            Value::Object(map) => section(map, keys, path),
            other => Err(wrong(path, other, format!("a map of {}", names(keys)))),
        },
        Kind::Sections(keys) => sections(value, keys, path),
        Kind::TextOrMap => match value {
            Value::String(_) | Value::Object(_) => Ok(value.clone()),
            other => Err(wrong(path, other, "text or a map".into())),
        },
    }
}

fn sections(value: &Value, keys: &[Key], path: &str) -> Result<Value, ConfigError> {
    let Value::Array(items) = value else {
        return Err(wrong(path, value, format!("a list of maps with {}", names(keys))));
    };
    let mut out = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let Value::Object(map) = item else {
            return Err(wrong(&path, item, format!("a map with {}", names(keys))));
        };
        if let Some(key) = keys.iter().find(|k| k.required && !map.contains_key(k.name)) {
            return Err(ConfigError::Missing { item: path, wanted: key.name.into() });
        }
        if keys.iter().any(|k| k.name == "auto") {
            place_kind(map, &path)?;
        }
        out.push(section(map, keys, &path)?);
    }
    Ok(Value::Array(out))
}

/// A place has exactly one of the kinds. An unknown key is told first: it may be a kind misspelt.
fn place_kind(map: &Map<String, Value>, path: &str) -> Result<(), ConfigError> {
    let mut kinds = PLACE_KINDS.iter().filter(|k| map.get(**k).is_some_and(|v| !v.is_null()));
    match (kinds.next(), kinds.next()) {
        (Some(_), None) => Ok(()),
        (Some(first), Some(second)) => {
            Err(ConfigError::TwoKinds { item: path.into(), first: (*first).into(), second: (*second).into() })
        }
        (None, _) => {
            let known = super::table::place_keys();
            match map.keys().find(|name| !known.iter().any(|k| k.name == name.as_str())) {
                Some(name) => Err(unknown(name, known, path)),
                None => Err(ConfigError::Missing {
                    item: path.into(),
                    wanted: format!("kind: it needs one of {}", PLACE_KINDS.join(", ")),
                }),
            }
        }
    }
}

fn list(
    value: &Value,
    path: &str,
    wanted: &str,
    check: impl Fn(&Value, &str) -> Result<Value, ConfigError>,
) -> Result<Value, ConfigError> {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, v)| check(v, &format!("{path}[{i}]")))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        Value::String(s) if s.is_empty() => Ok(Value::Array(Vec::new())),
        Value::String(_) => check(value, path).map(|v| Value::Array(vec![v])),
        other => Err(wrong(path, other, wanted.into())),
    }
}

fn word(value: &Value, words: &[&str], path: &str) -> Result<Value, ConfigError> {
    match value.as_str() {
        Some(s) if words.contains(&s) => Ok(Value::String(s.into())),
        got => {
            let near = got.and_then(|g| nearest(g, words.iter().copied()));
            let hint = near.map(|n| format!(" (did you mean {n}?)")).unwrap_or_default();
            Err(wrong(path, value, format!("{}{hint}", one_of(words))))
        }
    }
}

/// Text, or a number that Falco made of one.
///
/// Falco turns YAML into JSON by trying int (of 32 bits), then double, then bool, and quotes do not count: the account
/// `"111122223333"` arrives as `111122223333.0`.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(whole(n).map_or_else(|| n.to_string(), |whole| whole.to_string())),
        _ => None,
    }
}

/// As [`text`]; an account that became a number gets its leading zeros back.
fn formed(value: &Value, form: Form) -> Option<String> {
    let text = text(value)?;
    let account = matches!(form, Form::Account | Form::Accounts) && value.is_number();
    Some(if account { format!("{text:0>12}") } else { text })
}

/// A whole number, also one that arrives as a double because it needs more than 32 bits.
fn whole(n: &Number) -> Option<u64> {
    // 2^53: above it a double cannot tell one whole number from the next
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole and in range"
    )]
    let of_double =
        |f: f64| ((0.0..=9_007_199_254_740_992.0).contains(&f) && f.fract() == 0.0).then_some(f as u64);
    n.as_u64().or_else(|| n.as_f64().and_then(of_double))
}

fn wrong(path: &str, value: &Value, wanted: String) -> ConfigError {
    let got = match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) if s.len() <= 60 => format!("{s:?}"),
        Value::String(_) => "a long text".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a map".into(),
    };
    ConfigError::WrongValue { key: path.into(), got, wanted }
}

fn unknown(name: &str, keys: &[Key], path: &str) -> ConfigError {
    let hint = match nearest(name, keys.iter().map(|k| k.name)) {
        Some(near) => format!(": did you mean {}?", join(path, near)),
        None => match elsewhere(name, KEYS, "") {
            Some(place) => format!(": it belongs at {place}"),
            None => format!(": it takes {}", names(keys)),
        },
    };
    let section = if path.is_empty() { "init_config".into() } else { path.into() };
    ConfigError::UnknownKey { key: name.chars().take(60).collect(), section, hint }
}

/// Where a key of that name stands, for one that was written in the wrong section.
fn elsewhere(name: &str, keys: &[Key], path: &str) -> Option<String> {
    keys.iter().find_map(|k| match k.kind {
        _ if k.name == name => Some(join(path, k.name)),
        Kind::Section(inner) => elsewhere(name, inner, &join(path, k.name)),
        _ => None,
    })
}

/// The name that differs least, when it differs little enough to be a slip of the pen.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.to_lowercase().replace(['_', '-'], "");
    let written = plain(name);
    names
        .map(|n| (strsim::damerau_levenshtein(&written, &plain(n)), n))
        .filter(|(distance, n)| *distance <= 1 + n.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, n)| n)
}

fn names(keys: &[Key]) -> String {
    keys.iter().map(|k| k.name).collect::<Vec<_>>().join(", ")
}

fn one_of(words: &[&str]) -> String {
    match words {
        [head @ .., last] if !head.is_empty() => format!("{} or {last}", head.join(", ")),
        _ => words.join(""),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}.{name}") }
}
