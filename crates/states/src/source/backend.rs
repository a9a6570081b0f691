//! What the backends of Terraform have in common: a text or a map of a backend block's keys.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::ConfigError;
use crate::place::{Place, PlaceKind};

/// The first of these variables that is set and not empty, else "": what a backend takes where its block is silent.
pub(crate) fn env(names: &[&str]) -> String {
    let set = names.iter().filter(|name| !name.is_empty()).filter_map(|name| std::env::var(name).ok());
    set.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
}

/// The keys of a backend block. Numbers and booleans may be texts, as in environment variables.
pub(crate) struct Keys<'p> {
    kind: PlaceKind,
    map: &'p Map<String, Value>,
}

impl<'p> Keys<'p> {
    /// The map of a place. A key that is neither in `used` nor in `accepted` is an error, unless Terraform wrote it: then
    /// it is one that a later Terraform knows. `accepted` ones matter only to writing.
    pub(crate) fn of(
        place: &'p Place,
        used: &[&str],
        accepted: &[&str],
    ) -> Result<Option<Self>, ConfigError> {
        let Value::Object(map) = &place.target else { return Ok(None) };
        for key in map.keys() {
            if !place.noted_by_terraform && !used.contains(&&**key) && !accepted.contains(&&**key) {
                let problem =
                    format!("is no key of the {} backend; known are {}", place.kind, used.join(", "));
                return Err(ConfigError::new(format!("{}.{key}", place.kind), problem));
            }
        }
        Ok(Some(Self { kind: place.kind, map }))
    }

    /// Those of `keys` that are set, joined by commas.
    pub(crate) fn set(&self, keys: &[&str]) -> String {
        let filled = |value: &Value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => true,
        };
        let set: Vec<&str> =
            keys.iter().filter(|key| self.map.get(**key).is_some_and(filled)).copied().collect();
        set.join(", ")
    }

    /// A text. "" where it is absent or null.
    pub(crate) fn text(&self, key: &str) -> Result<String, ConfigError> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(_) => Err(self.wrong(key, "is not a text")),
        }
    }

    /// A text that must be there.
    pub(crate) fn needed(&self, key: &str) -> Result<String, ConfigError> {
        let text = self.text(key)?;
        if text.is_empty() { Err(self.wrong(key, "is missing")) } else { Ok(text) }
    }

    /// A boolean. False where it is absent.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
            Some(_) => Err(self.wrong(key, "is neither true nor false")),
        }
    }

    /// Anything else. The default where it is absent. A block in a list of one, as `.terraform/terraform.tfstate` has it,
    /// counts as the block.
    pub(crate) fn value<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T, ConfigError> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(T::default()),
            Some(value) => serde_json::from_value(value.clone())
                .or_else(|error| match value.as_array().map(Vec::as_slice) {
                    Some([one]) => serde_json::from_value(one.clone()),
                    _ => Err(error),
                })
                .map_err(|error| self.wrong(key, &error.to_string())),
        }
    }

    pub(crate) fn wrong(&self, key: &str, problem: &str) -> ConfigError {
        ConfigError::new(format!("{}.{key}", self.kind), problem)
    }
}
