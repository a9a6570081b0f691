//! The plugin's configuration: `init_config` of Falco, and the same sections of `tfdrift.yaml`.

mod check;
mod doc;
mod error;
mod form;
mod schema;
mod spec;
mod table;
mod time;
mod types;

use serde_json::Value;

pub use doc::markdown;
pub use error::{ConfigError, flatten};
pub use schema::schema;
pub use types::{Compat, Config, LogLevel};

impl Config {
    /// Reads `init_config` as Falco hands it over: JSON, nothing at all, `null`, or JSON within a JSON string.
    ///
    /// # Errors
    /// The first mistake, with the nearest known key or the allowed values.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.trim().is_empty() {
            return Self::from_value(&Value::Null);
        }
        let value: Value =
            serde_json::from_str(text).map_err(|e| ConfigError::NotJson { reason: e.to_string() })?;
        match value {
            Value::String(inner) => Self::parse(&inner),
            value => Self::from_value(&value),
        }
    }

    /// Reads a configuration that is already JSON (a YAML file, say).
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn from_value(value: &Value) -> Result<Self, ConfigError> {
        let filled = check::check(value)?;
        types::read(filled)
    }
}

#[cfg(test)]
mod tests;
