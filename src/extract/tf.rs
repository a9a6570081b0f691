//! The fields that put record and states together.

use std::borrow::Cow;

use serde_json::Value as Json;
use tfdrift_cloudtrail::Record;
use tfdrift_drift::Confidence;
use tfdrift_tfstate::Resource;

use super::answer::Value;
use crate::drift::Judgement;

macro_rules! fields {
    ($($variant:ident $name:literal,)*) => {
        /// A `tf.*` field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum TfField { $($variant,)* }

        impl TfField {
            /// The field of that name.
            pub(super) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(TfField::$variant),)* _ => None }
            }
        }
    };
}

fields! {
    Managed "tf.managed",
    Drift "tf.drift",
    Kind "tf.kind",
    Change "tf.change",
    Address "tf.address",
    Addresses "tf.addresses",
    Type "tf.type",
    Name "tf.name",
    Module "tf.module",
    Id "tf.id",
    Arn "tf.arn",
    Provider "tf.provider",
    Attrs "tf.attrs",
    AttrDiff "tf.attr_diff",
    AttrOld "tf.attr_old",
    AttrNew "tf.attr_new",
    AttrDiffJson "tf.attr_diff_json",
    Via "tf.via",
    Expected "tf.expected",
    Actor "tf.actor",
    Severity "tf.severity",
    Confidence "tf.confidence",
    Reconciled "tf.reconciled",
    State "tf.state",
    Workspace "tf.workspace",
    Owner "tf.owner",
    Source "tf.source",
    Serial "tf.serial",
}

impl TfField {
    /// Whether the value needs the states; the others are read from the record.
    pub(super) fn needs_states(self) -> bool {
        !matches!(self, TfField::Via | TfField::Actor)
    }
}

/// The value of a field that needs no state.
pub(super) fn of_record<'a>(field: TfField, record: &Record<'a>) -> Option<Value<'a>> {
    match field {
        TfField::Via => Some(Value::Text(Cow::Borrowed(record.via().as_str()))),
        TfField::Actor => record.actor().map(|a| Value::Text(Cow::Owned(a))),
        _ => None,
    }
}

/// The value of a field that puts record and states together.
pub(super) fn of_judgement<'a>(
    field: TfField,
    key: Option<&str>,
    judgement: &'a Judgement,
) -> Option<Value<'a>> {
    let finding = judgement.finding.as_ref();
    match field {
        TfField::Managed => return Some(Value::Bool(finding.is_some_and(|f| f.managed))),
        TfField::Drift => return Some(Value::Bool(finding.is_some_and(|f| f.drift))),
        TfField::Expected => return Some(Value::Bool(judgement.expected)),
        _ => {}
    }
    let finding = finding?;
    let first = finding.first();
    let created = finding.created.first().filter(|_| first.is_none());
    let resource = || -> Option<Resource<'a>> { judgement.snapshot.resource(first?.id) };
    match field {
        TfField::Kind => finding.kind.map(|k| text(k.as_str())),
        TfField::Change => non_empty(&finding.change),
        TfField::Address => first.map(|r| text(&r.address)),
        TfField::Addresses => list(finding.resources.iter().map(|r| r.address.as_str())),
        TfField::Type => resource().map(|r| r.rtype()).or(created.map(|c| c.rtype.as_str())).map(text),
        TfField::Name => resource().map(|r| text(r.name())),
        TfField::Module => resource()?.module().map(text),
        TfField::Id => match created {
            Some(created) => non_empty(&created.id),
            None => resource().and_then(|r| Some(Value::Text(r.shown(r.id()?, "id")))),
        },
        TfField::Arn => resource().and_then(|r| Some(Value::Text(r.shown(r.arn()?, "arn")))),
        TfField::Provider => resource().map(|r| text(r.provider())),
        TfField::Attrs => list(finding.attribute_names().into_iter()),
        TfField::AttrDiff => match key {
            None => non_empty(&first?.diff),
            Some(path) => finding.diff_of(path).map(|d| Value::Text(Cow::Owned(d))),
        },
        TfField::AttrOld => plain(finding.attribute(key?)?.0),
        TfField::AttrNew => plain(finding.attribute(key?)?.1),
        TfField::AttrDiffJson => {
            let attrs = Some(&first?.attrs).filter(|a| !a.is_empty())?;
            serde_json::to_string(attrs).ok().map(|t| Value::Text(Cow::Owned(t)))
        }
        TfField::Severity => finding.severity.map(|s| text(s.as_str())),
        TfField::Confidence => first.map(|_| {
            text(match finding.confidence {
                Confidence::Core => "core",
                Confidence::Generated => "generated",
                Confidence::IdOnly => "id-only",
            })
        }),
        TfField::Reconciled => finding.reconciled.map(Value::Bool),
        TfField::State => first.map(|r| text(&r.state)),
        TfField::Workspace => resource()?.state().workspace().map(text),
        TfField::Serial => resource()?.state().serial().map(Value::Number),
        TfField::Owner => resource()?.configured()?.owner.as_deref().map(text),
        TfField::Source => non_empty(&resource()?.configured()?.source),
        TfField::Managed | TfField::Drift | TfField::Expected | TfField::Via | TfField::Actor => None,
    }
}

fn text(text: &str) -> Value<'_> {
    Value::Text(Cow::Borrowed(text))
}

fn non_empty(value: &str) -> Option<Value<'_>> {
    (!value.is_empty()).then(|| text(value))
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Value<'a>> {
    let list: Vec<_> = texts.map(Cow::Borrowed).collect();
    (!list.is_empty()).then_some(Value::List(list))
}

/// A scalar as it is, anything else as JSON; nothing for null.
fn plain(value: Json) -> Option<Value<'static>> {
    let text = match value {
        Json::Null => return None,
        Json::String(text) => text,
        other => other.to_string(),
    };
    Some(Value::Text(Cow::Owned(text)))
}
