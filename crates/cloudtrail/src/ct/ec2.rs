//! Fields of EC2 calls.

use std::borrow::Cow;

use super::{Compat, plain};
use crate::Record;
use crate::json::{Json, Kind};

/// `ec2.name`: the tag `Name` given to instances in the request. The first `Name` of each specification, of the
/// last specification that has one, as the Go plugin does.
pub(super) fn name<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    let specifications = record.request("tagSpecificationSet")?.get("items")?;
    let is = |value: Option<Json<'_>>, text: &str| value.and_then(Json::text).as_deref() == Some(text);
    let of_instances = specifications.items().filter(|item| is(item.get("resourceType"), "instance"));
    let names = of_instances.filter_map(|item| {
        let tag = item.get("tags")?.items().find(|tag| is(tag.get("key"), "Name"))?;
        tag.get("value")?.text()
    });
    names.last().filter(|name| !name.is_empty())
}

/// `responseElements.instancesSet.items`, whatever it is.
fn instances<'a>(record: &Record<'a>) -> Option<Json<'a>> {
    record.response("instancesSet")?.get("items")
}

/// The image named in the request: of `RunInstances`, of a fast launch, of a spot request.
fn requested<'a>(record: &Record<'a>) -> Option<Json<'a>> {
    record
        .request("imageId")
        .or_else(|| record.request("DescribeFastLaunchImagesRequest")?.path(&["ImageId", "content"]))
        .or_else(|| record.request("launchSpecification")?.get("imageId"))
}

/// `ec2.imageids`: those of the instances started, else the one that was asked for.
pub(super) fn image_ids<'a>(record: &Record<'a>, compat: Compat) -> Vec<Cow<'a, str>> {
    match instances(record) {
        Some(items) => {
            let ids = items.items().filter_map(|item| item.get("imageId")?.text());
            ids.filter(|id| !id.is_empty()).collect()
        }
        None => requested(record).and_then(|id| plain(id, compat)).into_iter().collect(),
    }
}

/// `ec2.imageids[index]`.
pub(super) fn image_id<'a>(record: &Record<'a>, index: usize, compat: Compat) -> Option<Cow<'a, str>> {
    plain(image_id_json(record, index)?, compat)
}

pub(super) fn image_id_json<'a>(record: &Record<'a>, index: usize) -> Option<Json<'a>> {
    match instances(record) {
        Some(items) if items.kind() == Kind::Array => items.items().nth(index)?.get("imageId"),
        Some(_) => None,
        None if index == 0 => requested(record),
        None => None,
    }
}
