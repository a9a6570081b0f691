//! The field table as the plugin API takes it, and how each field is answered.

use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use tfdrift_cloudtrail::ct::CtField;
use tfdrift_fields::{Arg, FIELDS, FieldDef, Kind};

use super::tf::TfField;

/// Fields that Falco is advised to add to the output of every rule on this source.
const ADD_OUTPUT: &[&str] = &["tf.address", "tf.attr_diff", "tf.actor"];

/// How a field is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// From the record.
    Ct(CtField),
    /// From the record and the states.
    Tf(TfField),
    /// Never: a field of the table that nothing answers. A test shows that there is none.
    Nobody,
}

/// How the field of that number (its place in the table) is answered.
#[inline]
pub(super) fn answer(number: u32) -> Answer {
    static ANSWERS: OnceLock<Vec<Answer>> = OnceLock::new();
    let answers = ANSWERS.get_or_init(|| {
        let answer = |f: &FieldDef| {
            let ct = CtField::from_name(f.name).map(Answer::Ct);
            ct.or_else(|| TfField::from_name(f.name).map(Answer::Tf)).unwrap_or(Answer::Nobody)
        };
        FIELDS.iter().map(answer).collect()
    });
    answers.get(number as usize).copied().unwrap_or(Answer::Nobody)
}

/// The table as JSON, for `plugin_get_fields`.
pub(super) fn json() -> &'static CStr {
    static JSON: OnceLock<CString> = OnceLock::new();
    JSON.get_or_init(|| {
        let list = Value::Array(FIELDS.iter().map(row).collect());
        CString::new(list.to_string()).unwrap_or_default()
    })
}

fn row(field: &FieldDef) -> Value {
    let mut row = Map::new();
    row.insert("name".into(), json!(field.name));
    let kind = match field.kind {
        Kind::String | Kind::StringList => "string",
        Kind::U64 => "uint64",
        Kind::Bool => "bool",
    };
    row.insert("type".into(), json!(kind));
    row.insert("isList".into(), json!(field.kind == Kind::StringList));
    let arg = match field.arg {
        Arg::None => None,
        Arg::OptionalKey => Some(json!({ "isKey": true })),
        Arg::RequiredKey => Some(json!({ "isKey": true, "isRequired": true })),
        Arg::OptionalIndex => Some(json!({ "isIndex": true })),
    };
    if let Some(arg) = arg {
        row.insert("arg".into(), arg);
    }
    row.insert("desc".into(), json!(field.description));
    if !field.properties.is_empty() {
        let properties: Vec<_> = field.properties.iter().map(|p| p.as_str()).collect();
        row.insert("properties".into(), json!(properties));
    }
    if ADD_OUTPUT.contains(&field.name) {
        row.insert("addOutput".into(), json!(true));
    }
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_answered() {
        for (number, field) in FIELDS.iter().enumerate() {
            assert_ne!(answer(number as u32), Answer::Nobody, "{}", field.name);
        }
        assert_eq!(answer(FIELDS.len() as u32), Answer::Nobody);
    }

    #[test]
    fn the_suggestions_are_fields() {
        for name in ADD_OUTPUT {
            assert!(tfdrift_fields::find(name).is_some(), "{name}");
        }
        assert!(json().to_str().unwrap().contains(r#""addOutput":true"#));
    }
}
