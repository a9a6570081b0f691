//! Resources that are not as Terraform writes them: what can still be said of them.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::compact::readable;

/// Members of an object by name; none if it is not one. Of those that stand twice the last.
fn members(raw: &RawValue) -> HashMap<String, &RawValue> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// A member's text, if it is one.
fn text(members: &HashMap<String, &RawValue>, name: &str) -> Option<String> {
    readable(members.get(name)?.get())?.as_str().map(str::to_owned)
}

/// Address of a resource that could not be read, or which one of the list it is.
pub(super) fn address(raw: &RawValue, place: usize) -> String {
    let members = members(raw);
    if let Some(address) = text(&members, "address") {
        return address;
    }
    let module = text(&members, "module").filter(|m| !m.is_empty()).map(|m| m + ".").unwrap_or_default();
    let data = if text(&members, "mode").as_deref() == Some("data") { "data." } else { "" };
    match (text(&members, "type"), text(&members, "name")) {
        (None, None) => format!("resource {} of the list", place + 1),
        (rtype, name) => {
            let part = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
            format!("{module}{data}{}.{}", part(rtype), part(name))
        }
    }
}

/// Key of an instance that could not be read, as an address has it: `[0]`, `["a"]`; empty if there is none.
pub(super) fn key(raw: &RawValue) -> String {
    let members = members(raw);
    let key = members.get("index_key").map(|key| key.get()).filter(|key| *key != "null");
    key.map(|key| format!("[{}]", key.chars().take(64).collect::<String>())).unwrap_or_default()
}
