//! How far the clock of this machine is from AWS's: signatures older than fifteen minutes are refused.

use crate::clients::Aws;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::{DateTime, Format};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Keeps the `Date` header of the last answer.
#[derive(Debug, Clone, Default)]
struct DateHeader(Arc<Mutex<Option<String>>>);

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

impl Aws {
    /// Seconds by which this machine's clock is ahead of the server's (negative: behind), by the `Date` of an
    /// answer of `HeadBucket`, whole seconds. `None` when there is no answer or no date in it.
    pub async fn clock_ahead_secs(&self, bucket: &str, region: &str) -> Option<i64> {
        let seen = DateHeader::default();
        // Refused or not, the answer has a date.
        let call = self.s3_in(region).head_bucket().bucket(bucket).customize().interceptor(seen.clone());
        let _ = call.send().await;
        let now = DateTime::from(SystemTime::now()).secs();
        let date = seen.0.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(now - DateTime::from_str(&date, Format::HttpDate).ok()?.secs())
    }
}
