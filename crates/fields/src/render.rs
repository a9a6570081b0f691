//! The table as Markdown and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{FieldDef, Group};

/// One Markdown table for each group of `fields`, with a heading before it.
pub fn to_markdown(fields: &[FieldDef]) -> String {
    let mut out = String::new();
    for (group, title) in [(Group::Ct, "The record"), (Group::Tf, "Terraform")] {
        let mut rows = fields.iter().filter(|field| field.group == group).peekable();
        if rows.peek().is_none() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        // Writing to a String cannot fail.
        let _ = write!(out, "### {title}\n\n| field | type | value | absent when |\n|---|---|---|---|\n");
        for field in rows {
            let name = format!("{}{}", field.name, field.arg.as_str());
            let (kind, value, absent) = (field.kind.as_str(), cell(field.description), cell(field.absent));
            let _ = writeln!(out, "| `{name}` | {kind} | {value} | {absent} |");
        }
    }
    out
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A JSON array with one object a field: `name`, `type`, `list`, `arg`, `description`, `absent`, `group`,
/// `properties`, `since`.
pub fn to_json(fields: &[FieldDef]) -> String {
    let rows: Vec<Value> = fields.iter().map(row).collect();
    let mut out = String::from("[\n");
    for (at, row) in rows.iter().enumerate() {
        let comma = if at + 1 < rows.len() { "," } else { "" };
        let _ = writeln!(out, "  {row}{comma}");
    }
    out.push_str("]\n");
    out
}

fn row(field: &FieldDef) -> Value {
    let list = field.kind == crate::Kind::StringList;
    let properties: Vec<&str> = field.properties.iter().map(|p| p.as_str()).collect();
    let arg = match field.arg {
        crate::Arg::None => Value::Null,
        crate::Arg::OptionalKey => json!({"kind": "key", "required": false}),
        crate::Arg::RequiredKey => json!({"kind": "key", "required": true}),
        crate::Arg::OptionalIndex => json!({"kind": "index", "required": false}),
    };
    json!({
        "name": field.name,
        "type": if list { "string" } else { field.kind.as_str() },
        "list": list,
        "arg": arg,
        "description": field.description,
        "absent": field.absent,
        "group": field.group.as_str(),
        "properties": properties,
        "since": field.since,
    })
}
