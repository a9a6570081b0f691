//! The layout of the trail under a prefix, and its newest object.

use super::bucket::{Object, Page};
use super::report::{Report, Step, age};
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};
use tfdrift_aws::{Asked, Aws, Bucket};
use tfdrift_intake::layout;

/// CloudTrail writes within about five minutes of a call; a whole day without an object means a stopped trail.
const QUIET_LIMIT_SECS: u64 = 86_400;
/// Looked at first: a trail that is well has an object there, and a day of a busy one has thousands.
const RECENT_MINUTES: u64 = 120;
/// Days looked back for the newest object.
const DAYS_BACK: u64 = 14;
/// Lanes (account and region) looked at; each costs a list or two.
const MAX_LANES: usize = 60;

/// Reports `layout` and `newest` and gives the newest object. `None` when there is nothing to fetch.
pub async fn examine(
    aws: &Aws,
    found: &Bucket,
    bucket: &str,
    prefix: &str,
    page: &Page,
    report: &mut Report,
) -> Option<Object> {
    if page.objects.is_empty() {
        report.add(empty(found, bucket, prefix).await);
        report.untried(&["newest", "get", "decrypt"], "there is no object");
        return None;
    }
    let sample = page.objects.iter().find_map(|object| Some((layout::parse(&object.key)?, object)));
    let Some((parts, _)) = sample else { return flat(page, prefix, report) };
    let root = parts.lane.split("AWSLogs/").next().unwrap_or_default().to_owned();
    let lanes = match lanes(found, bucket, &root, prefix).await {
        Ok(lanes) => lanes,
        Err(error) => {
            report
                .add(Step::of_text("layout", &aws.explain(&error, &Asked::list(bucket, prefix)).to_string()));
            report.untried(&["newest", "get", "decrypt"], "the bucket cannot be listed");
            return None;
        }
    };
    report.add(shape(&lanes, prefix));
    let newest = match newest(found, bucket, &lanes).await {
        Ok(newest) => newest,
        Err(error) => {
            report
                .add(Step::of_text("newest", &aws.explain(&error, &Asked::list(bucket, prefix)).to_string()));
            None
        }
    };
    let newest = newest.or_else(|| {
        // Older than what was looked through: the first page has an object at least.
        page.objects
            .iter()
            .filter(|o| layout::parse(&o.key).is_some())
            .max_by_key(|o| o.modified_secs)
            .cloned()
    })?;
    report.add(aged(&newest));
    Some(newest)
}

fn shape(lanes: &[String], prefix: &str) -> Step {
    let parts: Vec<_> = lanes.iter().filter_map(|lane| layout::parse(lane)).collect();
    let accounts: BTreeSet<&str> = parts.iter().map(|p| p.account).collect();
    let regions: BTreeSet<&str> = parts.iter().map(|p| p.region).collect();
    let organisation = lanes.iter().any(|lane| lane.split('/').any(layout::is_organisation));
    let what = format!(
        "CloudTrail's own{}: {} ({}) × {} ({})",
        if organisation { ", of an organisation" } else { "" },
        plural(accounts.len(), "account"),
        some(&accounts),
        plural(regions.len(), "region"),
        some(&regions)
    );
    let step = Step::good("layout", what);
    if prefix.is_empty() { step } else { step.detail(format!("prefix {prefix}")) }
}

fn plural(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

fn some(names: &BTreeSet<&str>) -> String {
    let shown: Vec<&str> = names.iter().take(4).copied().collect();
    let more = names.len().saturating_sub(shown.len());
    if more > 0 { format!("{}, and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Nothing under the prefix: say what there is instead, going up until there is something.
async fn empty(found: &Bucket, bucket: &str, prefix: &str) -> Step {
    let step = Step::bad("layout", format!("there is no object under s3://{bucket}/{prefix}"));
    let mut parent = prefix.trim_end_matches('/').to_owned();
    while !parent.is_empty() {
        parent = parent.rsplit_once('/').map_or(String::new(), |(up, _)| up.to_owned());
        let folder = if parent.is_empty() { String::new() } else { format!("{parent}/") };
        let Ok(there) = folders(found, bucket, &folder).await else { break };
        if let Some(likely) = there.iter().find(|folder| folder.ends_with("AWSLogs/")).or(there.first()) {
            return step
                .detail(format!("in s3://{bucket}/{folder} there are: {}", there.join(" ")))
                .next(format!("set open_params to s3://{bucket}/{likely}"));
        }
    }
    step.next("a new trail writes its first object after some minutes; check the bucket's name otherwise")
}

/// Objects that are not in CloudTrail's layout: everything with a fitting name is read.
fn flat(page: &Page, prefix: &str, report: &mut Report) -> Option<Object> {
    let fitting: Vec<&Object> = page
        .objects
        .iter()
        .filter(|o| layout::is_log_name(&o.key) && !layout::is_other_product(&o.key))
        .collect();
    let Some(newest) = fitting.iter().max_by_key(|o| o.modified_secs) else {
        let example = page.objects.first().map_or("", |o| o.key.as_str());
        report.add(
            Step::bad(
                "layout",
                format!("no object under {prefix:?} is one of CloudTrail's; the first is {example}"),
            )
            .next("point open_params at the folder that holds AWSLogs/, or at objects named *.json[.gz]"),
        );
        report.untried(&["newest", "get", "decrypt"], "there is no object of CloudTrail");
        return None;
    };
    let more = if page.more { " of the first thousand" } else { "" };
    report.add(Step::good(
        "layout",
        format!(
            "not CloudTrail's own (no AWSLogs/ACCOUNT/CloudTrail/REGION/); {} fit{more}",
            plural(fitting.len(), "object")
        ),
    ));
    report.add(aged(newest));
    Some((*newest).clone())
}

type ListResult<T> = Result<T, super::bucket::ListError>;

/// The lanes (`…/AWSLogs/[o-…/]ACCOUNT/CloudTrail/REGION/`) under a prefix, by folders.
async fn lanes(found: &Bucket, bucket: &str, root: &str, prefix: &str) -> ListResult<Vec<String>> {
    let mut lanes = Vec::new();
    let mut open =
        vec![if prefix.len() > root.len() { folder_of(prefix) } else { format!("{root}AWSLogs/") }];
    while let Some(folder) = open.pop() {
        if layout::parse(&folder).is_some() {
            let (lane, fits) = match layout::parse(&folder) {
                Some(parts) => (parts.lane.to_owned(), parts.kind == "CloudTrail"),
                None => continue,
            };
            if fits && !lanes.contains(&lane) {
                lanes.push(lane);
            }
            continue;
        }
        if lanes.len() + open.len() > MAX_LANES * 4 {
            break;
        }
        open.extend(
            folders(found, bucket, &folder)
                .await?
                .into_iter()
                .filter(|f| f.starts_with(prefix) || prefix.starts_with(f.as_str())),
        );
    }
    lanes.sort();
    lanes.truncate(MAX_LANES);
    Ok(lanes)
}

fn folder_of(prefix: &str) -> String {
    prefix.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"))
}

async fn folders(found: &Bucket, bucket: &str, folder: &str) -> ListResult<Vec<String>> {
    let call = found.client.list_objects_v2().bucket(bucket).prefix(folder).delimiter("/");
    let answer = call.send().await?;
    Ok(answer.common_prefixes().iter().filter_map(|p| Some(p.prefix()?.to_owned())).collect())
}

/// The newest object of all lanes: of the last two hours, else looking back day by day until one has any.
async fn newest(found: &Bucket, bucket: &str, lanes: &[String]) -> ListResult<Option<Object>> {
    let minute = now_secs() / 60;
    let mut newest = None;
    for lane in lanes {
        let from = layout::before_minute(lane, minute.saturating_sub(RECENT_MINUTES));
        newest = newer(newest, last(found, bucket, lane, from).await?);
    }
    for back in 0..=DAYS_BACK {
        let Some(day) = layout::day_of(minute).checked_sub(back).filter(|_| newest.is_none()) else { break };
        for lane in lanes {
            let folder = format!("{lane}{}/", layout::day_folder(day));
            newest = newer(newest, last(found, bucket, &folder, None).await?);
        }
    }
    Ok(newest)
}

/// The newest of the first thousand objects under a prefix, after a key.
async fn last(
    found: &Bucket,
    bucket: &str,
    prefix: &str,
    after: Option<String>,
) -> ListResult<Option<Object>> {
    let call = found.client.list_objects_v2().bucket(bucket).prefix(prefix).set_start_after(after);
    Ok(call.send().await?.contents().iter().filter_map(Object::of).max_by_key(delivered_secs))
}

fn newer(one: Option<Object>, other: Option<Object>) -> Option<Object> {
    one.into_iter().chain(other).max_by_key(delivered_secs)
}

/// When CloudTrail wrote the object: by its name, else by S3's time.
fn delivered_secs(object: &Object) -> u64 {
    layout::minute(&object.key).map_or(object.modified_secs, |minute| minute * 60)
}

fn aged(newest: &Object) -> Step {
    let secs = now_secs().saturating_sub(delivered_secs(newest));
    let what = format!("{} old: {}", age(secs), newest.key);
    if secs <= QUIET_LIMIT_SECS {
        return Step::good("newest", what);
    }
    Step::bad("newest", what)
        .detail("a trail writes every few minutes while anything happens in the account")
        .next("see `aws cloudtrail get-trail-status --name TRAIL`: IsLogging, LatestDeliveryError")
}

pub(super) fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
