//! The fields that put record and states together.

use std::borrow::Cow;

use tfdrift_cloudtrail::Record;

use super::answer::Value;

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

/// The value of a field that needs no state.
pub(super) fn of_record<'a>(field: TfField, record: &Record<'a>) -> Option<Value<'a>> {
    match field {
        TfField::Via => Some(Value::Text(Cow::Borrowed(record.via().as_str()))),
        TfField::Actor => record.actor().map(|a| Value::Text(Cow::Owned(a))),
        _ => None,
    }
}
