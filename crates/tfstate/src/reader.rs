//! Bytes of a document → [`State`]. Borrowed parsing: at no time is there a value tree of the whole document.

mod encoding;
mod odd;
mod show;
mod v4;

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use crate::builder::{Builder, Refusal, Text};
use crate::error::StateError;
use crate::plan::IndexPlan;
use crate::state::{State, StateMeta};

/// Reads a state: a state file of version 4, or the output of `terraform show -json` or `tofu show -json`, of a
/// state or (its prior state) of a plan. Terraform's empty file is an empty state. UTF-16, as PowerShell's `>`
/// writes it, is taken too. A compressed document is the caller's to inflate.
///
/// A resource that cannot be read (a member of another type than Terraform writes, attributes nested over 100 deep) is left
/// out with a warning ([`State::warnings`]).
///
/// # Errors
/// See [`StateError`]: each says where and what to do. Nothing is returned of a document that is not JSON, or in which no
/// resource at all can be read.
pub fn read_state(bytes: &[u8], meta: StateMeta, plan: &IndexPlan) -> Result<State, StateError> {
    let text = encoding::decode(bytes, &meta.name)?;
    let read = match read(&text, meta.clone(), plan, Care::None) {
        // Perhaps only one resource is odd: once more, each by itself. A text that is cut off stays so.
        Err(Unread { retry: true, .. }) => read(&text, meta, plan, Care::Each),
        read => read,
    };
    read.map_err(|unread| unread.error)
}

/// How carefully lists of resources are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// In one go: what is wrong with one resource ends it.
    None,
    /// Each by itself, which takes more time.
    Each,
}

/// Why nothing was read.
struct Unread {
    error: StateError,
    /// It may be one resource's fault.
    retry: bool,
}

impl From<StateError> for Unread {
    fn from(error: StateError) -> Self {
        Self { error, retry: false }
    }
}

fn read(text: &[u8], meta: StateMeta, plan: &IndexPlan, care: Care) -> Result<State, Unread> {
    let mut builder = Builder::new(meta, plan);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(builder.finish());
    }
    let mut head = Head::default();
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = Document { builder: &mut builder, head: &mut head, care }.deserialize(&mut json);
    let read = read.and_then(|()| json.end());
    let state = builder.state_name();
    // What the head says explains an error further down better than the error does.
    if head.encrypted {
        return Err(StateError::Encrypted { state }.into());
    }
    match head.version {
        Some(version @ 0..=3) => return Err(StateError::OldVersion { state, version }.into()),
        Some(version @ 5..) => return Err(StateError::NewVersion { state, version }.into()),
        _ => {}
    }
    if let Err(error) = read {
        let retry = head.failed.is_none() && !error.is_eof();
        return Err(Unread { error: json_error(state, &error, head.failed), retry });
    }
    match (&head.version, head.format_version) {
        (Some(_), _) => {}
        (None, Some(format)) if format.starts_with("0.") || format.starts_with("1.") => {}
        (None, Some(format)) => {
            let format_version = format.chars().take(32).collect();
            return Err(StateError::FormatVersion { state, format_version }.into());
        }
        (None, None) => {
            return Err(StateError::NotAState {
                state,
                hint: head.records.map_or_else(String::new, str::to_owned),
            }
            .into());
        }
    }
    if let Some((address, problem)) = builder.nothing_but() {
        return Err(StateError::Resource { state, address, problem }.into());
    }
    Ok(builder.finish())
}

/// What the top level says about the document.
#[derive(Default)]
struct Head {
    version: Option<u64>,
    format_version: Option<String>,
    encrypted: bool,
    /// `values` was seen: a plan's prior state, which may come too, is not the state then.
    values: bool,
    /// The state cannot take more.
    failed: Option<StateError>,
    /// What a document that is no state looks like.
    records: Option<&'static str>,
}

struct Document<'b, 'p> {
    builder: &'b mut Builder<'p>,
    head: &'b mut Head,
    care: Care,
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
        let Self { builder, head, care } = self;
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
                    map.next_value_seed(v4::Resources { builder, failed: &mut head.failed, care })?;
                }
                "values" => {
                    head.values = true;
                    map.next_value_seed(show::Values { builder, failed: &mut head.failed, care })?;
                }
                "prior_state" if !head.values => {
                    map.next_value_seed(show::PriorState { builder, failed: &mut head.failed, care })?;
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

/// Takes one instance, or notes that it is left out. An error when the state cannot take more, which stops the parser.
fn settle<E: serde::de::Error>(
    added: Result<(), Refusal>,
    failed: &mut Option<StateError>,
    builder: &mut Builder<'_>,
    address: &str,
) -> Result<(), E> {
    match added {
        Ok(()) => Ok(()),
        Err(Refusal::Odd(problem)) => {
            builder.leave_out(address, problem);
            Ok(())
        }
        Err(Refusal::Full(what)) => {
            *failed = Some(StateError::TooLarge { state: builder.state_name(), what });
            Err(E::custom("full"))
        }
    }
}

/// serde_json's error in our words. Its own may quote a value of the document, which may be a secret.
fn json_error(state: String, error: &serde_json::Error, failed: Option<StateError>) -> StateError {
    if let Some(failed) = failed {
        return failed;
    }
    let (line, column) = (error.line(), error.column());
    let text = words(error);
    match error.classify() {
        serde_json::error::Category::Eof => {
            StateError::Syntax { state, line, column, problem: "the text ends too early".to_owned() }
        }
        serde_json::error::Category::Data => {
            let hint = hint(&text);
            StateError::Shape { state, line, column, hint }
        }
        _ => StateError::Syntax { state, line, column, problem: text },
    }
}

/// What serde_json says, without the place.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text).to_owned()
}

/// "invalid type: string "…", expected u64": only what was expected may be told.
fn hint(text: &str) -> String {
    match text.rsplit_once(", expected ") {
        // A type of this program.
        Some((_, expected)) if expected.starts_with("struct ") => "expected an object".to_owned(),
        Some((_, expected)) => format!("expected {}", expected.chars().take(60).collect::<String>()),
        None if text.starts_with("missing field") || text.starts_with("duplicate field") => {
            text.chars().take(60).collect()
        }
        None => "unexpected value".to_owned(),
    }
}
