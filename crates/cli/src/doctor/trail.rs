//! The layout of the trail under a prefix, and its newest object.

use super::bucket::{Object, Page};
use super::report::{Report, Step, age};
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};
use tfdrift_aws::{Asked, Aws, Bucket};
use tfdrift_intake::layout;

/// CloudTrail writes within about five minutes of a call; a whole day without an object means a stopped trail.
const QUIET_LIMIT_SECS: u64 = 86_400;
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

/// Nothing under the prefix: say what there is instead.
async fn empty(found: &Bucket, bucket: &str, prefix: &str) -> Step {
    let parent =
        prefix.trim_end_matches('/').rsplit_once('/').map_or(String::new(), |(up, _)| format!("{up}/"));
    let mut step = Step::bad("layout", format!("there is no object under s3://{bucket}/{prefix}"));
    let call = found.client.list_objects_v2().bucket(bucket).prefix(&parent).delimiter("/").max_keys(100);
    let there: Vec<String> = match call.send().await {
        Ok(answer) => answer.common_prefixes().iter().filter_map(|p| Some(p.prefix()?.to_owned())).collect(),
        Err(_) => Vec::new(),
    };
    if there.is_empty() {
        return step.next(
            "a new trail writes its first object after some minutes; check the bucket's name otherwise",
        );
    }
    step = step.detail(format!("in s3://{bucket}/{parent} there are: {}", there.join(" ")));
    let likely = there.iter().find(|folder| folder.ends_with("AWSLogs/")).or(there.first());
    step.next(format!("set open_params to s3://{bucket}/{}", likely.map_or("", String::as_str)))
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

/// The newest object of all lanes, looking back day by day until one has any.
async fn newest(found: &Bucket, bucket: &str, lanes: &[String]) -> ListResult<Option<Object>> {
    let today = now_secs() / 86_400;
    for back in 0..=DAYS_BACK {
        let Some(day) = today.checked_sub(back) else { break };
        let mut newest: Option<Object> = None;
        for lane in lanes {
            let call = found
                .client
                .list_objects_v2()
                .bucket(bucket)
                .prefix(format!("{lane}{}/", layout::day_folder(day)));
            let answer = call.send().await?;
            let last = answer.contents().iter().filter_map(|object| {
                Some(Object {
                    key: object.key()?.to_owned(),
                    size_bytes: u64::try_from(object.size().unwrap_or(0)).unwrap_or(0),
                    modified_secs: object
                        .last_modified()
                        .map_or(0, |at| u64::try_from(at.secs()).unwrap_or(0)),
                })
            });
            let candidate = last.max_by_key(|object| delivered_secs(object));
            newest = newest.into_iter().chain(candidate).max_by_key(|object| delivered_secs(object));
        }
        if newest.is_some() {
            return Ok(newest);
        }
    }
    Ok(None)
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
