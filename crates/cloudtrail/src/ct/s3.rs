//! Fields of S3 calls: the object and the bytes moved.

use super::Compat;
use crate::json::{Json, Kind};
use crate::{Member, Record};

pub(super) const BYTES_IN: &str = "bytesTransferredIn";
pub(super) const BYTES_OUT: &str = "bytesTransferredOut";

/// `s3.uri`: `s3://BUCKET/KEY` if both are there.
pub(super) fn uri(record: &Record<'_>) -> Option<String> {
    let (bucket, key) = (record.request("bucketName")?.text()?, record.request("key")?.text()?);
    Some(format!("s3://{bucket}/{key}"))
}

/// `s3.bytes`: what was moved in either direction.
pub(super) fn bytes(record: &Record<'_>, compat: Compat) -> Option<u64> {
    match (bytes_in(record, compat), bytes_out(record, compat)) {
        (None, None) => None,
        (a, b) => {
            let (a, b) = (a.unwrap_or(0), b.unwrap_or(0));
            Some(if compat == Compat::Strict { a.wrapping_add(b) } else { a.saturating_add(b) })
        }
    }
}

/// `s3.bytes.in`.
pub(super) fn bytes_in(record: &Record<'_>, compat: Compat) -> Option<u64> {
    number(transferred(record, BYTES_IN)?, compat)
}

/// `s3.bytes.out`.
pub(super) fn bytes_out(record: &Record<'_>, compat: Compat) -> Option<u64> {
    number(transferred(record, BYTES_OUT)?, compat)
}

/// The member of `additionalEventData` with the number of bytes, of whatever kind.
pub(super) fn transferred<'a>(record: &Record<'a>, key: &str) -> Option<Json<'a>> {
    record.member(Member::AdditionalEventData)?.get(key)
}

fn number(value: Json<'_>, compat: Compat) -> Option<u64> {
    let text = match value.kind() {
        Kind::Number => std::str::from_utf8(value.bytes()).unwrap_or(""),
        _ if compat == Compat::Strict => return Some(0),
        _ => return None,
    };
    if let Ok(whole) = text.parse() {
        return Some(whole);
    }
    let float: f64 = text.parse().unwrap_or(0.0);
    match compat {
        Compat::Strict => Some(go_uint64(float)),
        // `as` rounds towards zero and stops at the ends of the range.
        Compat::Normal => (float >= 0.0).then_some(float as u64),
    }
}

/// `uint64(float)` as Go compiles it for x86-64: numbers below zero wrap, too large ones become 2^63.
fn go_uint64(float: f64) -> u64 {
    const TWO_63: u64 = 1 << 63;
    let truncate = |float: f64| {
        let fits = float >= -(TWO_63 as f64) && float < TWO_63 as f64;
        if fits { float as i64 as u64 } else { TWO_63 }
    };
    if float < TWO_63 as f64 { truncate(float) } else { truncate(float - TWO_63 as f64) | TWO_63 }
}

/// A kind of S3 call that is counted.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Call {
    /// `GetObject`
    Get,
    /// `PutObject`
    Put,
    /// Any other
    Other,
}

/// `s3.cnt.get`, `s3.cnt.put`, `s3.cnt.other`: 1 if the record is such a call, else no value. As in the Go plugin,
/// the calls of every other service count as `other`.
pub(super) fn count(record: &Record<'_>, counted: Call) -> Option<u64> {
    let call = match record.event_name().as_deref() {
        Some("GetObject") => Call::Get,
        Some("PutObject") => Call::Put,
        _ => Call::Other,
    };
    (call == counted).then_some(1)
}

#[cfg(test)]
mod tests {
    use super::go_uint64;

    #[test]
    fn floats_as_go_on_x86_64() {
        for (float, want) in [
            (1.5, 1),
            (-1.5, u64::MAX),
            (1e30, 1 << 63),
            (-1e30, 1 << 63),
            (1e19, 10_000_000_000_000_000_000),
            (f64::NAN, 1 << 63),
        ] {
            assert_eq!(go_uint64(float), want, "{float}");
        }
    }
}
