//! The newest object of a trail, and what its age says.

use super::bucket::{ListResult, Object, Place};
use super::report::{Step, age};
use std::time::{SystemTime, UNIX_EPOCH};
use tfdrift_intake::layout;

/// CloudTrail writes within about five minutes of a call; a whole day without an object means a stopped trail.
const QUIET_LIMIT_SECS: u64 = 86_400;
/// Looked at first: a trail that is well has an object there, and a day of a busy one has thousands.
const RECENT_MINUTES: u64 = 120;
/// Days looked back for the newest object.
const DAYS_BACK: u64 = 14;

/// The newest object of all lanes: of the last two hours, else looking back day by day until one has any.
pub async fn of(place: &Place<'_>, lanes: &[&str]) -> ListResult<Option<Object>> {
    let minute = now_secs() / 60;
    let mut newest = None;
    for lane in lanes {
        let from = layout::before_minute(lane, minute.saturating_sub(RECENT_MINUTES));
        newest = newer(newest, last(place, lane, from).await?);
    }
    for back in 0..=DAYS_BACK {
        let Some(day) = layout::day_of(minute).checked_sub(back).filter(|_| newest.is_none()) else { break };
        for lane in lanes {
            let folder = format!("{lane}{}/", layout::day_folder(day));
            newest = newer(newest, last(place, &folder, None).await?);
        }
    }
    if newest.is_none() {
        // Older than that: any will do to show that it can be read.
        for lane in lanes {
            newest = newer(newest, last(place, lane, None).await?);
        }
    }
    Ok(newest)
}

/// The newest of the first thousand objects under a prefix, after a key.
async fn last(place: &Place<'_>, prefix: &str, after: Option<String>) -> ListResult<Option<Object>> {
    let call = place.found.client.list_objects_v2().bucket(place.bucket).prefix(prefix);
    let answer = call.set_start_after(after).send().await?;
    let objects = answer.contents().iter().filter_map(Object::of).filter(|o| layout::is_log_name(&o.key));
    Ok(objects.max_by_key(delivered_secs))
}

fn newer(one: Option<Object>, other: Option<Object>) -> Option<Object> {
    one.into_iter().chain(other).max_by_key(delivered_secs)
}

/// When CloudTrail wrote the object: by its name, else by S3's time.
fn delivered_secs(object: &Object) -> u64 {
    layout::minute(&object.key).map_or(object.modified_secs, |minute| minute * 60)
}

/// The step `newest`.
pub fn step(newest: &Object) -> Step {
    let secs = now_secs().saturating_sub(delivered_secs(newest));
    let what = format!("{} old: {}", age(secs), newest.key);
    if secs <= QUIET_LIMIT_SECS {
        return Step::good("newest", what);
    }
    Step::bad("newest", what)
        .detail("a trail writes every few minutes while anything happens in the account")
        .next("see `aws cloudtrail get-trail-status --name TRAIL`: IsLogging, LatestDeliveryError")
}

/// Seconds since 1970.
pub fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
