//! The layout of the trail under a prefix: what the plugin would follow there, found by the plugin's own code.

use super::bucket::{ListResult, Object, Page, Place};
use super::newest;
use super::report::{Report, Step};
use std::collections::BTreeSet;
use tfdrift_aws::Asked;
use tfdrift_intake::layout;
use tfdrift_intake::s3::S3Store;
use tfdrift_intake::survey::{Survey, Wanted};

/// Lanes (account and region) whose newest object is looked for; each costs a list or two.
const MAX_LANES: usize = 60;
/// Of folders that may not be listed, this many are named.
const MAX_REFUSED: usize = 5;

/// Reports `layout` and `newest` and gives the newest object. `None` when there is nothing to fetch.
pub async fn examine(place: &Place<'_>, wanted: &Wanted, page: &Page, report: &mut Report) -> Option<Object> {
    let found = match layout(place, wanted, page, report).await {
        Ok(found) => found,
        Err(step) => {
            report.add(*step);
            report.untried(&["newest", "get", "decrypt"], "there is no object that the plugin would read");
            return None;
        }
    };
    report.add(newest::step(&found));
    Some(found)
}

/// Reports `layout` and gives the newest object; else the step that says why there is none.
async fn layout(
    place: &Place<'_>,
    wanted: &Wanted,
    page: &Page,
    report: &mut Report,
) -> Result<Object, Box<Step>> {
    if page.objects.is_empty() {
        let text = format!("there is no object under s3://{}/{}", place.bucket, place.prefix);
        return Err(Box::new(instead(place, place.prefix, Step::bad("layout", text)).await));
    }
    let store = S3Store::new(place.found.client.clone(), place.bucket).explained_by(place.aws.clone());
    let survey = wanted.survey(&store, place.prefix).await.map_err(|error| {
        let story = if error.story.is_empty() { error.to_string() } else { error.story };
        Box::new(Step::of_text("layout", &story))
    })?;
    if let Some(prefix) = &survey.flat {
        return flat(page, prefix, wanted, report);
    }
    let lanes: Vec<&str> = survey.lanes.iter().map(String::as_str).collect();
    let Some(first) = lanes.first() else { return Err(Box::new(nothing(place, page, &survey))) };
    let some = lanes.get(..MAX_LANES).unwrap_or(&lanes);
    let newest = newest::of(place, some).await.map_err(|error| {
        let asked = Asked::list(place.bucket, place.prefix);
        Box::new(Step::of_text("newest", &place.aws.explain(&error, &asked).to_string()))
    })?;
    let Some(newest) = newest else {
        let text = format!("there is no object of CloudTrail under s3://{}/{first}", place.bucket);
        return Err(Box::new(instead(place, first, Step::bad("layout", text)).await));
    };
    report.add(shape(&survey, place.prefix));
    refused(&survey, report);
    Ok(newest)
}

fn shape(survey: &Survey, prefix: &str) -> Step {
    let organisation = survey.lanes.iter().any(|lane| lane.split('/').any(layout::is_organisation));
    let organisation = if organisation { ", of an organisation" } else { "" };
    let what = format!("CloudTrail's own{organisation}: {}", accounts_and_regions(&survey.lanes));
    let missing: Vec<&str> =
        survey.missing_accounts.iter().chain(&survey.missing_regions).map(String::as_str).collect();
    let mut step = match missing.is_empty() {
        true => Step::good("layout", what),
        false => Step::note("layout", what)
            .detail(format!("asked for by the settings, and not there: {}", missing.join(", "))),
    };
    if let Some(others) = others(survey) {
        step = step.detail(format!("left out by the settings: {others}"));
    }
    if prefix.is_empty() { step } else { step.detail(format!("prefix {prefix}")) }
}

/// What is there and not asked for: `accounts 111122223333; regions eu-west-1, us-east-1`.
fn others(survey: &Survey) -> Option<String> {
    let named = |what: &str, names: &[String]| {
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        (!names.is_empty()).then(|| format!("{what} {}", some(&names)))
    };
    let both = [named("accounts", &survey.other_accounts), named("regions", &survey.other_regions)];
    let both: Vec<String> = both.into_iter().flatten().collect();
    (!both.is_empty()).then(|| both.join("; "))
}

/// `2 accounts (…) × 1 region (…)`
fn accounts_and_regions(lanes: &[String]) -> String {
    let parts: Vec<_> = lanes.iter().filter_map(|lane| layout::parse(lane)).collect();
    let accounts: BTreeSet<&str> = parts.iter().map(|p| p.account).collect();
    let regions: BTreeSet<&str> = parts.iter().map(|p| p.region).collect();
    format!(
        "{} ({}) × {} ({})",
        plural(accounts.len(), "account"),
        some(&accounts),
        plural(regions.len(), "region"),
        some(&regions)
    )
}

fn plural(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

fn some(names: &BTreeSet<&str>) -> String {
    let shown: Vec<&str> = names.iter().take(4).copied().collect();
    let more = names.len().saturating_sub(shown.len());
    if more > 0 { format!("{}, and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Folders that may not be listed: the plugin reads the others, and these never.
fn refused(survey: &Survey, report: &mut Report) {
    let Some(first) = survey.refused.first() else { return };
    let story = if first.story.is_empty() { first.to_string() } else { first.story.clone() };
    let mut step = Step::of_text("layout", &story);
    for error in survey.refused.iter().skip(1).take(MAX_REFUSED) {
        step = step.detail(format!("as well: {}", error.target));
    }
    if let Some(more) = survey.refused.len().checked_sub(MAX_REFUSED + 1).filter(|n| *n > 0) {
        step = step.detail(format!("and {more} more"));
    }
    report.add(step.detail("the plugin leaves such a folder out until it may be listed"));
}

/// Objects, and none that would be read.
fn nothing(place: &Place<'_>, page: &Page, survey: &Survey) -> Step {
    let example = page.objects.first().map_or("", |o| o.key.as_str());
    let Some(others) = others(survey) else {
        let step = Step::bad(
            "layout",
            format!("there is no folder ACCOUNT/CloudTrail/ under s3://{}/{}", place.bucket, place.prefix),
        )
        .detail(format!("the first object is {example}"));
        return match layout::is_other_product(example) {
            true => step
                .detail("digests and Insights hold no records")
                .next("see `aws cloudtrail get-trail-status --name TRAIL`: a new trail writes its first log file after some minutes"),
            false => step.next("point open_params at the folder that holds AWSLogs/"),
        };
    };
    let asked = |keys: &str, missing: &[String]| {
        if missing.is_empty() { String::new() } else { format!("; {keys}: {}", missing.join(", ")) }
    };
    Step::bad(
        "layout",
        format!(
            "nothing that the settings ask for is there{}{}",
            asked("s3AccountList, source.accounts", &survey.missing_accounts),
            asked("source.regions", &survey.missing_regions)
        ),
    )
    .detail(format!("there are: {others}"))
    .detail("the plugin would say so once in its log, and wait")
    .next("set these keys to accounts and regions that are there, or leave them empty for all")
}

/// Nothing under a prefix: say what there is instead, going up until there is something.
async fn instead(place: &Place<'_>, prefix: &str, step: Step) -> Step {
    let bucket = place.bucket;
    let mut parent = prefix.trim_end_matches('/').to_owned();
    while !parent.is_empty() {
        parent = parent.rsplit_once('/').map_or(String::new(), |(up, _)| up.to_owned());
        let folder = if parent.is_empty() { String::new() } else { format!("{parent}/") };
        let Ok(there) = folders(place, &folder).await else { break };
        if there.is_empty() {
            continue;
        }
        let step = step.detail(format!("in s3://{bucket}/{folder} there are: {}", there.join(" ")));
        let begun: Vec<&String> = there.iter().filter(|name| name.starts_with(place.prefix)).collect();
        return match (there.iter().find(|name| name.ends_with("AWSLogs/")), &*begun) {
            (Some(likely), _) => step.next(format!("set open_params to s3://{bucket}/{likely}")),
            (None, [one]) => step.next(format!("set open_params to s3://{bucket}/{one}")),
            (None, _) if folder.contains("AWSLogs/") => step.next(format!(
                "set open_params to s3://{bucket}/{folder}, and source.regions or source.accounts to those that you want"
            )),
            (None, _) => step.next("point open_params at the folder that holds AWSLogs/, or at objects named *.json[.gz]"),
        };
    }
    step.next("a new trail writes its first object after some minutes; check the bucket's name otherwise")
}

async fn folders(place: &Place<'_>, folder: &str) -> ListResult<Vec<String>> {
    let call = place.found.client.list_objects_v2().bucket(place.bucket).prefix(folder).delimiter("/");
    let answer = call.send().await?;
    Ok(answer.common_prefixes().iter().filter_map(|p| Some(p.prefix()?.to_owned())).collect())
}

/// A prefix that is listed as a whole: everything with a fitting name is read.
fn flat(page: &Page, prefix: &str, wanted: &Wanted, report: &mut Report) -> Result<Object, Box<Step>> {
    let fitting: Vec<&Object> = page.objects.iter().filter(|o| wanted.key(&o.key)).collect();
    let Some(newest) = fitting.iter().max_by_key(|o| o.modified_secs) else {
        let example = page.objects.first().map_or("", |o| o.key.as_str());
        return Err(Box::new(
            Step::bad(
                "layout",
                format!("no object under {prefix:?} is one of CloudTrail's; the first is {example}"),
            )
            .next("point open_params at the folder that holds AWSLogs/, or at objects named *.json[.gz]"),
        ));
    };
    let more = if page.more { " of the first thousand" } else { "" };
    let fit = format!("{} fit{more}", plural(fitting.len(), "object"));
    report.add(match layout::parse(&newest.key) {
        Some(_) => Step::note("layout", format!("CloudTrail's own, and below a region; {fit}"))
            .detail("all of it is listed each time, and what comes elsewhere is never seen")
            .next("end open_params with REGION/ or before it, so that the trail is followed"),
        None => Step::good(
            "layout",
            format!("not CloudTrail's own (no AWSLogs/ACCOUNT/CloudTrail/REGION/); {fit}"),
        ),
    });
    Ok((*newest).clone())
}
