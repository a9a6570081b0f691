//! Values that are a piece of the record as it stands, which most are: found without a look at their bytes.

use super::field::{CtField, Plan};
use super::{find, identity};
use crate::json::{Json, Kind};
use crate::{Member, Record};

/// What [`piece`] knows of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The field has no value.
    Absent,
    /// The value is this text: UTF-8 without a NUL.
    Text(&'a [u8]),
    /// [`super::value`] has to be asked.
    Unknown,
}

/// What [`super::value`] would give for a field without an argument, if that needs no work; the same in both modes.
#[inline]
pub fn piece<'a>(record: &Record<'a>, field: CtField) -> Piece<'a> {
    let plan = field.plan();
    match plan {
        Plan::Top(_) | Plan::Identity(_) | Plan::Request(_) | Plan::Response(_) => {
            text(record, find(record, plan))
        }
        Plan::Bool(member) => match record.member(member).map(|value| (value.kind(), value)) {
            None => Piece::Absent,
            Some((Kind::True | Kind::False, value)) => Piece::Text(value.bytes()),
            Some(_) => Piece::Unknown,
        },
        Plan::Json(member) => match record.member(member) {
            None => Piece::Absent,
            // what has no blank at all has none between its tokens
            Some(whole) if record.head().is_sound() && !has_blank(whole.bytes()) => {
                Piece::Text(whole.bytes())
            }
            Some(_) => Piece::Unknown,
        },
        Plan::Inner(member, _) if record.member(member).is_none() => Piece::Absent,
        Plan::Inner(..) => Piece::Unknown,
        Plan::Derived => derived(record, field),
    }
}

#[inline]
fn text<'a>(record: &Record<'a>, value: Option<Json<'a>>) -> Piece<'a> {
    let Some(value) = value else { return Piece::Absent };
    record.head().plain(value).map_or(Piece::Unknown, Piece::Text)
}

fn derived<'a>(record: &Record<'a>, field: CtField) -> Piece<'a> {
    match field {
        CtField::ShortSrc => match text(record, record.member(Member::EventSource)) {
            Piece::Text(source) => Piece::Text(short_source(source)),
            other => other,
        },
        CtField::User => identity::user_piece(record),
        CtField::UserAccountId => text(record, identity::account_id_json(record)),
        _ => Piece::Unknown,
    }
}

fn short_source(source: &[u8]) -> &[u8] {
    source.strip_suffix(b".amazonaws.com").filter(|short| !short.is_empty()).unwrap_or(source)
}

/// Whether there is a blank or control character.
#[inline]
fn has_blank(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, byte| found | (*byte <= b' '))
}
