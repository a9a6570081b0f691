//! The steps of a bucket.

use super::report::{Report, Step};
use super::settings::Settings;
use super::{BUCKET_STEPS, object, runtime, trail};
use tfdrift_aws::{Asked, Aws, AwsError, Bucket, RegionFrom};
use tfdrift_intake::survey::Wanted;

/// Credentials, identity, region, clock, list, layout, newest object, get, decrypt.
pub fn examine(bucket: &str, prefix: &str, wanted: &Wanted, settings: &Settings, report: &mut Report) {
    match runtime() {
        Ok(runtime) => runtime.block_on(all(bucket, prefix, wanted, settings, report)),
        Err(step) => report.add(*step),
    }
}

async fn all(bucket: &str, prefix: &str, wanted: &Wanted, settings: &Settings, report: &mut Report) {
    let aws = match Aws::connect(&settings.config.aws).await {
        Ok(aws) => aws,
        Err(error) => {
            report.add(Step::of_text("credentials", &error.to_string()));
            if let AwsError::Config(_) | AwsError::Http(_) = error {
                report.untried(after("credentials"), "a key of aws: is wrong");
            } else {
                report.untried(after("credentials"), "there are no credentials");
            }
            return;
        }
    };
    report.add(credentials(&aws));
    report.add(identity(&aws));
    let found = match aws.s3(bucket).await {
        Ok(found) => found,
        Err(explanation) => {
            report.add(Step::of_text("region", &explanation.to_string()));
            report.untried(after("region"), "the bucket cannot be reached");
            return;
        }
    };
    report.add(region(bucket, &found));
    report.add(clock(&found));
    let page = match first_page(&found, bucket, prefix).await {
        Ok(page) => page,
        Err(error) => {
            let explanation = aws.explain(&error, &Asked::list(bucket, prefix));
            report.add(Step::of_text("list", &explanation.to_string()));
            report.untried(after("list"), "the bucket cannot be listed");
            return;
        }
    };
    report.add(Step::good("list", format!("{} under s3://{bucket}/{prefix}", count(&page))));
    let place = Place { aws: &aws, found: &found, bucket, prefix };
    let Some(newest) = trail::examine(&place, wanted, &page, report).await else { return };
    object::examine(&aws, &found, bucket, prefix, &newest, report).await;
}

/// The steps that come after one.
fn after(step: &str) -> &'static [&'static str] {
    let at = BUCKET_STEPS.iter().position(|s| *s == step).map_or(0, |n| n + 1);
    BUCKET_STEPS.get(at..).unwrap_or_default()
}

fn credentials(aws: &Aws) -> Step {
    let mut what = format!("{} gave a key", aws.link());
    for role in &aws.resolved().roles {
        what.push_str(&format!(", then role {role}"));
    }
    let mut step = Step::good("credentials", what);
    for tried in &aws.resolved().tried {
        step = step.detail(format!("before it, {}: {}", tried.link, tried.why));
    }
    step
}

fn identity(aws: &Aws) -> Step {
    match (aws.identity(), &aws.resolved().identity_failure) {
        (Some(identity), _) => {
            Step::good("identity", format!("account {}, {}", identity.account, identity.arn))
        }
        // A server that is not AWS may have no STS: only credentials that AWS refuses are a fault.
        (None, Some(failure)) => {
            let asked = Asked { endpoint: "STS".to_owned(), ..Asked::identity() };
            let explanation = tfdrift_aws::Explanation::of(failure, &asked, None);
            match aws.config().endpoint_url.is_empty() {
                true => Step::of_text("identity", &explanation.to_string()),
                false => Step::good("identity", "not known: the endpoint has no STS"),
            }
        }
        (None, None) => Step::good("identity", "not known"),
    }
}

fn region(bucket: &str, found: &Bucket) -> Step {
    let region = &found.region;
    match found.region_from {
        RegionFrom::Bucket => Step::good("region", format!("{bucket} is in {region}")),
        RegionFrom::Configuration => {
            Step::good("region", format!("{region}, as configured; the bucket does not say"))
        }
        RegionFrom::Fallback => {
            Step::good("region", format!("{region}, since neither bucket nor configuration says"))
        }
    }
}

fn clock(found: &Bucket) -> Step {
    match (found.clock_is_off(), found.clock_ahead_secs) {
        (Some(off), _) => Step::bad("clock", off)
            .next("start time synchronisation (chrony, systemd-timesyncd): AWS refuses more than 15 minutes"),
        (None, Some(secs)) => {
            Step::good("clock", format!("within {} s of the server", secs.unsigned_abs().max(1)))
        }
        (None, None) => Step::good("clock", "the server sends no time"),
    }
}

/// The first thousand names.
async fn first_page(found: &Bucket, bucket: &str, prefix: &str) -> Result<Page, ListError> {
    let answer = found.client.list_objects_v2().bucket(bucket).prefix(prefix).send().await?;
    let more = answer.is_truncated().unwrap_or(false);
    let objects = answer.contents().iter().filter_map(Object::of);
    Ok(Page { objects: objects.collect(), more })
}

/// A bucket that can be listed.
pub struct Place<'a> {
    /// Who asks.
    pub aws: &'a Aws,
    /// The client.
    pub found: &'a Bucket,
    /// Its name.
    pub bucket: &'a str,
    /// What all keys begin with.
    pub prefix: &'a str,
}

/// The SDK's error of a list.
pub type ListError = tfdrift_aws::aws_sdk_s3::error::SdkError<
    tfdrift_aws::aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Error,
>;

/// What a list gives.
pub type ListResult<T> = Result<T, ListError>;

/// An object of a list.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size, compressed.
    pub size_bytes: u64,
    /// Seconds since 1970.
    pub modified_secs: u64,
}

impl Object {
    /// Of the SDK's answer; `None` without a key.
    pub fn of(object: &tfdrift_aws::aws_sdk_s3::types::Object) -> Option<Object> {
        Some(Object {
            key: object.key()?.to_owned(),
            size_bytes: u64::try_from(object.size().unwrap_or(0)).unwrap_or(0),
            modified_secs: object.last_modified().map_or(0, |at| u64::try_from(at.secs()).unwrap_or(0)),
        })
    }
}

/// The start of a list.
pub struct Page {
    /// Up to a thousand objects.
    pub objects: Vec<Object>,
    /// True when there are more.
    pub more: bool,
}

fn count(page: &Page) -> String {
    match (page.objects.len(), page.more) {
        (n, true) => format!("more than {n} objects"),
        (1, false) => "1 object".to_owned(),
        (n, false) => format!("{n} objects"),
    }
}
