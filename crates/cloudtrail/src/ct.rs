//! The fields that are read from a record alone: `ct.*`, `s3.*`, `ec2.*`, `ecr.*`, `iam.*`.
//!
//! Names, types and values are those of Falco's Go plugin `cloudtrail` 0.17.1, so that rules written for it keep
//! their meaning. [`Compat::Strict`] repeats its oddities too; [`Compat::Normal`] differs as `docs/fields.md` lists.
//! A value that does not exist is `None`.

mod ec2;
mod field;
mod identity;
mod info;
mod path;
mod piece;
mod s3;

use std::borrow::Cow;
use std::ops::Range;

pub use field::CtField;
pub(crate) use identity::session_name;
pub use info::event_text;
pub use piece::{Piece, piece};

use crate::json::{Json, Kind};
use crate::record::boolean;
use crate::{Member, Record};
use field::Plan;

/// How faithful to be to the Go plugin where it errs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compat {
    /// Its values without its errors.
    #[default]
    Normal,
    /// Its values, errors included.
    Strict,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CtValue<'a> {
    /// A string without NUL.
    Text(Cow<'a, str>),
    /// An unsigned number.
    Number(u64),
    /// A list of strings without NUL, never empty.
    List(Vec<Cow<'a, str>>),
}

/// The value of `field` in `record`.
///
/// `arg` is what stands between the brackets: an index for `ec2.imageids`, a path (JSON pointer or keys with dots)
/// for `ct.request`, `ct.response` and `ct.additionaleventdata`; others ignore it.
pub fn value<'a>(
    record: &Record<'a>,
    field: CtField,
    arg: Option<&str>,
    compat: Compat,
) -> Option<CtValue<'a>> {
    let plan = field.plan();
    match plan {
        Plan::Top(_) | Plan::Inner(..) | Plan::Identity(_) | Plan::Request(_) | Plan::Response(_) => {
            short_text(find(record, plan)?, compat)
        }
        Plan::Bool(member) => flag(record.member(member)?, compat),
        Plan::Json(member) => {
            let whole = record.member(member)?;
            match arg {
                None => text(whole.compact()),
                Some(path) => text(path::text(path::find(whole, path)?)?),
            }
        }
        Plan::Derived => derived(record, field, arg, compat),
    }
}

fn derived<'a>(
    record: &Record<'a>,
    field: CtField,
    arg: Option<&str>,
    compat: Compat,
) -> Option<CtValue<'a>> {
    match field {
        CtField::ShortSrc => text(short_source(record.event_source_text(compat)?)),
        CtField::User => text(identity::user(record, compat)?),
        CtField::OriginalUser => text(identity::original_user(record, compat)?),
        CtField::UserAccountId => text(identity::account_id(record, compat)?),
        CtField::SessionName => text(identity::session_name(record)?),
        CtField::Mfa => text(if identity::mfa(record)? { "true".into() } else { "false".into() }),
        CtField::RequestDocumentName if compat == Compat::Normal => {
            short_text(record.request("documentName")?, compat)
        }
        CtField::Info => text(info::info(record, compat).into()),
        CtField::Resources => text(resources(record)?),
        CtField::ResourcesArns => list(resource_arns(record)),
        CtField::S3Uri => text(s3::uri(record)?.into()),
        CtField::S3Bytes => s3::bytes(record, compat).map(CtValue::Number),
        CtField::S3BytesIn => s3::bytes_in(record, compat).map(CtValue::Number),
        CtField::S3BytesOut => s3::bytes_out(record, compat).map(CtValue::Number),
        CtField::S3CountGet => s3::count(record, s3::Call::Get).map(CtValue::Number),
        CtField::S3CountPut => s3::count(record, s3::Call::Put).map(CtValue::Number),
        CtField::S3CountOther => s3::count(record, s3::Call::Other).map(CtValue::Number),
        CtField::Ec2Name => text(ec2::name(record)?),
        CtField::Ec2ImageId => text(ec2::image_id(record, 0, compat)?),
        CtField::Ec2ImageIds => match arg {
            None => list(ec2::image_ids(record, compat)),
            Some(index) => {
                let one = ec2::image_id(record, index.parse().ok()?, compat)?;
                Some(CtValue::List(vec![until_nul(one)]))
            }
        },
        _ => None,
    }
}

/// Where in the record's bytes the value of `field` stands, quotes of a string included; `None` if it is absent or
/// is not one piece of the record.
pub fn range(record: &Record<'_>, field: CtField, arg: Option<&str>) -> Option<Range<usize>> {
    let found = match (field.plan(), field) {
        (plan @ Plan::Json(_), _) => path::find(find(record, plan)?, arg.unwrap_or_default())?,
        (_, CtField::User) => identity::user_json(record)?,
        (_, CtField::RequestDocumentName) => record.request("documentName")?,
        (_, CtField::UserAccountId) => identity::account_id_json(record)?,
        (_, CtField::S3BytesIn) => s3::transferred(record, s3::BYTES_IN)?,
        (_, CtField::S3BytesOut) => s3::transferred(record, s3::BYTES_OUT)?,
        (_, CtField::Ec2ImageId) => ec2::image_id_json(record, 0)?,
        (_, CtField::Ec2ImageIds) => ec2::image_id_json(record, arg?.parse().ok()?)?,
        (plan, _) => find(record, plan)?,
    };
    let start = (found.bytes().as_ptr() as usize).checked_sub(record.bytes().as_ptr() as usize)?;
    Some(start..start + found.bytes().len())
}

/// The value that a plan points at, if it is one piece of the record.
#[inline]
fn find<'a>(record: &Record<'a>, plan: Plan) -> Option<Json<'a>> {
    match plan {
        Plan::Top(member) | Plan::Bool(member) | Plan::Json(member) => record.member(member),
        Plan::Inner(member, key) => record.member(member)?.get(key),
        Plan::Identity(member) => record.identity(member),
        Plan::Request(key) => record.request(key),
        Plan::Response(key) => record.response(key),
        Plan::Derived => None,
    }
}

/// The text of a value that should be a string. Otherwise: the Go plugin has an empty text; we leave out null and
/// give the JSON of the rest.
pub(crate) fn plain(value: Json<'_>, compat: Compat) -> Option<Cow<'_, str>> {
    match (value.kind(), compat) {
        (Kind::String, _) => value.text(),
        (_, Compat::Strict) => Some("".into()),
        (Kind::Null, Compat::Normal) => None,
        (_, Compat::Normal) => Some(value.compact()),
    }
}

/// `true` or `false`. The Go plugin says false to everything but JSON's true; AWS also writes the text "true".
fn flag<'a>(value: Json<'_>, compat: Compat) -> Option<CtValue<'a>> {
    let set = is_set(value, compat)?;
    Some(CtValue::Text(if set { "true".into() } else { "false".into() }))
}

/// What [`flag`] says, as a boolean.
fn is_set(value: Json<'_>, compat: Compat) -> Option<bool> {
    match (value.kind(), compat) {
        (kind, Compat::Strict) => Some(kind == Kind::True),
        (Kind::Null, Compat::Normal) => None,
        (_, Compat::Normal) => Some(boolean(value) == Some(true)),
    }
}

/// The source without `.amazonaws.com`, if something stands before that.
fn short_source(source: Cow<'_, str>) -> Cow<'_, str> {
    let Some(len) = source.strip_suffix(".amazonaws.com").map(str::len).filter(|len| *len > 0) else {
        return source;
    };
    match source {
        Cow::Borrowed(text) => text.get(..len).unwrap_or(text).into(),
        Cow::Owned(mut text) => {
            text.truncate(len);
            text.into()
        }
    }
}

/// The items of `resources` as JSON with commas between, without the brackets of the list.
fn resources<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    let whole = record.member(Member::Resources).filter(|list| list.kind() == Kind::Array)?.compact();
    let inner = |text: &str| text.get(1..text.len() - 1).map(str::len).filter(|len| *len > 0);
    let len = inner(&whole)?;
    match whole {
        Cow::Borrowed(text) => text.get(1..=len).map(Cow::Borrowed),
        Cow::Owned(text) => text.get(1..=len).map(|t| t.to_owned().into()),
    }
}

/// `ARN` of every item of `resources` that has one.
fn resource_arns<'a>(record: &Record<'a>) -> Vec<Cow<'a, str>> {
    let items = record.member(Member::Resources).into_iter().flat_map(Json::items);
    let arns = items.filter_map(|item| item.get("ARN").or_else(|| item.get("arn"))?.text());
    arns.filter(|arn| !arn.is_empty() && !arn.starts_with('\0')).collect()
}

impl<'a> Record<'a> {
    fn event_source_text(&self, compat: Compat) -> Option<Cow<'a, str>> {
        plain(self.member(Member::EventSource)?, compat)
    }
}

/// The usual case: a string without escape or NUL, found with one look at its bytes.
#[inline]
fn short_text(value: Json<'_>, compat: Compat) -> Option<CtValue<'_>> {
    match value.plain_text() {
        Some(plain) => Some(CtValue::Text(Cow::Borrowed(plain))),
        None => text(plain(value, compat)?),
    }
}

fn text(value: Cow<'_, str>) -> Option<CtValue<'_>> {
    Some(CtValue::Text(until_nul(value)))
}

fn list(values: Vec<Cow<'_, str>>) -> Option<CtValue<'_>> {
    (!values.is_empty()).then(|| CtValue::List(values.into_iter().map(until_nul).collect()))
}

/// Falco takes strings of C: a NUL ends the value, as it does for the Go plugin.
fn until_nul(value: Cow<'_, str>) -> Cow<'_, str> {
    match memchr::memchr(0, value.as_bytes()) {
        None => value,
        Some(len) => match value {
            Cow::Borrowed(text) => text.get(..len).unwrap_or(text).into(),
            Cow::Owned(mut text) => {
                text.truncate(len);
                text.into()
            }
        },
    }
}
