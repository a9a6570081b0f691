//! Bytes of a document → [`State`]. Borrowed parsing: at no time is there a value tree of the whole document.

mod show;
mod v4;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use crate::builder::{Builder, Text};
use crate::error::StateError;
use crate::plan::IndexPlan;
use crate::state::{State, StateMeta};

/// Reads a state: a state file of version 4, or the output of `terraform show -json` or `tofu show -json`, of a
/// state or (its prior state) of a plan. Terraform's empty file is an empty state. UTF-16, as PowerShell's `>`
/// writes it, is taken too. A compressed document is the caller's to inflate.
///
/// # Errors
/// See [`StateError`]: each says where and what to do. Nothing is returned of a document that is only partly good.
pub fn read_state(bytes: &[u8], meta: StateMeta, plan: &IndexPlan) -> Result<State, StateError> {
    let text = decode(bytes, &meta.name)?;
    let mut builder = Builder::new(meta, plan);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(builder.finish());
    }
    let mut head = Head::default();
    let mut json = serde_json::Deserializer::from_slice(&text);
    let read = Document { builder: &mut builder, head: &mut head }.deserialize(&mut json);
    let read = read.and_then(|()| json.end());
    let state = builder.state_name();
    // What the head says explains an error further down better than the error does.
    if head.encrypted {
        return Err(StateError::Encrypted { state });
    }
    match head.version {
        Some(version @ 0..=3) => return Err(StateError::OldVersion { state, version }),
        Some(version @ 5..) => return Err(StateError::NewVersion { state, version }),
        _ => {}
    }
    if let Err(error) = read {
        return Err(json_error(state, &error, head.failed));
    }
    match (&head.version, head.format_version) {
        (Some(_), _) => {}
        (None, Some(format)) if format.starts_with("0.") || format.starts_with("1.") => {}
        (None, Some(format)) => {
            let format_version = format.chars().take(32).collect();
            return Err(StateError::FormatVersion { state, format_version });
        }
        (None, None) => {
            return Err(StateError::NotAState {
                state,
                hint: head.records.map_or_else(String::new, str::to_owned),
            });
        }
    }
    Ok(builder.finish())
}

/// The document as UTF-8, or what it is instead.
fn decode<'b>(bytes: &'b [u8], name: &str) -> Result<Cow<'b, [u8]>, StateError> {
    let not_text = |what, remedy| StateError::NotText { state: name.to_owned(), what, remedy };
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return Ok(Cow::Borrowed(rest));
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Err(not_text("compressed with gzip more than once", "inflate it first"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(not_text(
            "a saved plan, not a state",
            "give the output of `terraform show -json PLANFILE`",
        ));
    }
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some(b"\xff\xfe") => u16::from_le_bytes,
        Some(b"\xfe\xff") => u16::from_be_bytes,
        _ => return Ok(Cow::Borrowed(bytes)),
    };
    let units =
        bytes.get(2..).unwrap_or_default().chunks_exact(2).filter_map(|c| c.try_into().ok()).map(unit);
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map(|text| Cow::Owned(text.into_bytes()))
        .map_err(|_| not_text("not valid UTF-16", "write it again as UTF-8"))
}

/// What the top level says about the document.
#[derive(Default)]
struct Head {
    version: Option<u64>,
    format_version: Option<String>,
    encrypted: bool,
    /// `values` was seen: a plan's prior state, which may come too, is not the state then.
    values: bool,
    /// A resource that could not be read.
    failed: Option<StateError>,
    /// What a document that is no state looks like.
    records: Option<&'static str>,
}

struct Document<'b, 'p> {
    builder: &'b mut Builder<'p>,
    head: &'b mut Head,
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { builder, head } = self;
        while let Some(name) = map.next_key::<Text<'de>>()? {
            match &*name.0 {
                "version" => head.version = Some(map.next_value()?),
                "format_version" => head.format_version = map.next_value()?,
                "terraform_version" => builder.terraform_version = map.next_value()?,
                "serial" => builder.serial = map.next_value()?,
                "lineage" => {
                    builder.lineage =
                        map.next_value::<Option<String>>()?.filter(|lineage| !lineage.is_empty());
                }
                "encrypted_data" => {
                    map.next_value::<IgnoredAny>()?;
                    head.encrypted = true;
                }
                "resources" if head.version == Some(4) || head.version.is_none() => {
                    map.next_value_seed(v4::Resources { builder, failed: &mut head.failed })?;
                }
                "values" => {
                    head.values = true;
                    map.next_value_seed(show::Values { builder, failed: &mut head.failed })?;
                }
                "prior_state" if !head.values => {
                    map.next_value_seed(show::PriorState { builder, failed: &mut head.failed })?;
                }
                other => {
                    if other == "Records" {
                        head.records =
                            Some("; `Records` looks like a CloudTrail file: give it with --events");
                    }
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Notes why a resource could not be read, and gives the error that stops the parser.
fn refuse<E: serde::de::Error>(
    failed: &mut Option<StateError>,
    builder: &Builder<'_>,
    address: &str,
    problem: &str,
) -> E {
    *failed = Some(StateError::Resource {
        state: builder.state_name(),
        address: address.chars().take(256).collect(),
        problem: problem.to_owned(),
    });
    E::custom("resource refused")
}

/// serde_json's error in our words. Its own may quote a value of the document, which may be a secret.
fn json_error(state: String, error: &serde_json::Error, failed: Option<StateError>) -> StateError {
    if let Some(failed) = failed {
        return failed;
    }
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text);
    match error.classify() {
        serde_json::error::Category::Eof => {
            StateError::Syntax { state, line, column, problem: "the text ends too early".to_owned() }
        }
        serde_json::error::Category::Data => {
            // "invalid type: string "…", expected u64": only what was expected may be told.
            let hint = match text.rsplit_once(", expected ") {
                Some((_, expected)) => format!("expected {}", expected.chars().take(60).collect::<String>()),
                None if text.starts_with("missing field") => text.chars().take(60).collect(),
                None => "unexpected value".to_owned(),
            };
            StateError::Shape { state, line, column, hint }
        }
        _ => StateError::Syntax { state, line, column, problem: text.to_owned() },
    }
}
