//! The JSON schema of `init_config`, for `falco --plugin-info`.
//!
//! libsinsp checks a configuration against it before the plugin sees it, and says little when it fails. So it
//! describes keys and types and refuses nothing that our own check would explain better.

use serde_json::{Map, Value, json};

use super::spec::{Key, Kind};
use super::table::KEYS;

/// The schema, as JSON text.
pub fn schema() -> String {
    let mut root = object(KEYS);
    if let Some(map) = root.as_object_mut() {
        map.insert("$schema".into(), json!("https://json-schema.org/draft-07/schema#"));
        map.insert("title".into(), json!("TFDrift"));
    }
    serde_json::to_string_pretty(&root).unwrap_or_default()
}

fn object(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|k| (k.name.to_owned(), property(k))).collect();
    // no "type": an empty map arrives as null
    json!({ "properties": properties })
}

fn property(key: &Key) -> Value {
    let mut value = match key.kind {
        Kind::Section(keys) => object(keys),
        Kind::Sections(keys) => json!({ "items": object(keys) }),
        _ => json!({}),
    };
    if let Some(map) = value.as_object_mut() {
        map.insert("description".into(), json!(format!("{} Takes {}.", key.doc, takes(&key.kind))));
        if let Ok(default) = serde_json::from_str::<Value>(key.default)
            && !matches!(key.kind, Kind::Section(_))
        {
            map.insert("default".into(), default);
        }
    }
    value
}

/// The allowed values in words.
pub(super) fn takes(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Word(words) => words.join(", "),
        Kind::Bool => "true or false".into(),
        Kind::Int { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Form(form) => form.wanted().into(),
        Kind::Texts => "a list of texts".into(),
        Kind::Forms(form) => format!("a list, each {}", form.wanted()),
        Kind::Words(words) => format!("a list of {}", words.join(", ")),
        Kind::Section(_) => "a map".into(),
        Kind::Sections(_) => "a list of maps".into(),
        Kind::TextOrMap => "text or a map".into(),
    }
}
