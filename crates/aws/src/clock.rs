//! How far the clock of this machine is from AWS's: signatures older than fifteen minutes are refused.

use crate::clients::Bucket;
use crate::failure::Failure;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::{DateTime, Format};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// A person is told of a difference above this.
const LIMIT_SECS: u64 = 300;

/// Keeps the `Date` header of the last answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct DateHeader(Arc<Mutex<Option<String>>>);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for DateHeader {
    fn name(&self) -> &'static str {
        "DateHeader"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

impl DateHeader {
    /// Seconds by which this machine's clock is ahead of the `Date` of the last answer.
    pub(crate) fn clock_ahead_secs(&self) -> Option<i64> {
        let date = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(DateTime::from(SystemTime::now()).secs() - secs(&date)?)
    }
}

impl Bucket {
    /// A sentence on the clock of this machine where it is off by more than five minutes; `None` where it is not,
    /// or the server tells no time. AWS refuses more than 15 minutes. The SDK then signs by the server's `Date`,
    /// so that calls work all the same; what is reckoned by this machine's clock is still off.
    pub fn clock_is_off(&self) -> Option<String> {
        let ahead = self.clock_ahead_secs.filter(|secs| secs.unsigned_abs() > LIMIT_SECS)?;
        Some(format!("this machine is {} the server", apart(ahead)))
    }
}

/// `7200 s behind` or `7200 s ahead of`.
fn apart(ahead_secs: i64) -> String {
    format!("{} s {}", ahead_secs.unsigned_abs(), if ahead_secs > 0 { "ahead of" } else { "behind" })
}

/// How far this machine's clock is from AWS's, by a refused call: from the two times in its body, else from our
/// own time and the answer's. `None` where these are not far apart.
pub(crate) fn apart_by(failure: &Failure) -> Option<String> {
    let theirs = secs(failure.server_time.as_deref()?)?;
    let ours = match failure.request_time.as_deref() {
        Some(ours) => secs(ours)?,
        None => DateTime::from(SystemTime::now()).secs(),
    };
    Some(ours - theirs).filter(|ahead| ahead.unsigned_abs() > LIMIT_SECS).map(apart)
}

/// Seconds since 1970 of a time as the answers of S3 write it: `Tue, 24 Nov 2026 06:00:00 GMT`,
/// `2026-11-24T06:00:00Z` or `20261124T060000Z`.
fn secs(text: &str) -> Option<i64> {
    let long = match text.as_bytes() {
        [_, _, _, _, _, _, _, _, b'T', .., b'Z'] if text.len() == 16 && text.is_ascii() => {
            let part = |range| text.get(range).unwrap_or_default();
            format!(
                "{}-{}-{}T{}:{}:{}Z",
                part(0..4),
                part(4..6),
                part(6..8),
                part(9..11),
                part(11..13),
                part(13..15)
            )
        }
        _ => text.to_owned(),
    };
    let parsed = DateTime::from_str(&long, Format::DateTime);
    Some(parsed.or_else(|_| DateTime::from_str(text, Format::HttpDate)).ok()?.secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_time_is_read() {
        for text in ["Tue, 24 Nov 2026 06:00:00 GMT", "2026-11-24T06:00:00Z", "20261124T060000Z"] {
            assert_eq!(secs(text), Some(1_795_500_000), "{text}");
        }
        for text in ["", "soon", "20261124T06000éZ", "20261324T060000Z"] {
            assert_eq!(secs(text), None, "{text}");
        }
    }

    #[test]
    fn a_small_difference_is_none() {
        let failure = |ours: Option<&str>, theirs: &str| Failure {
            request_time: ours.map(str::to_owned),
            server_time: Some(theirs.to_owned()),
            ..Failure::default()
        };
        let theirs = "2026-11-24T06:00:00Z";
        assert_eq!(apart_by(&failure(Some("20261124T010000Z"), theirs)).as_deref(), Some("18000 s behind"));
        assert_eq!(apart_by(&failure(Some("20261124T063000Z"), theirs)).as_deref(), Some("1800 s ahead of"));
        assert_eq!(apart_by(&failure(Some("20261124T060100Z"), theirs)), None);
        assert!(apart_by(&failure(None, "2000-01-01T00:00:00Z")).unwrap().ends_with(" s ahead of"));
        assert_eq!(apart_by(&Failure::default()), None);
    }
}
