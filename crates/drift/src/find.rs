//! From the values in a record to the resources in the states.

use serde_json::Value;
use tfdrift_cloudtrail::Record;
use tfdrift_mapping::{IdPart, Target};
use tfdrift_tfstate::{Resource, ResourceId};

use crate::eval::Context;
use crate::{equal, params};

/// Where a record happened.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// `recipientAccountId`.
    pub account: Option<String>,
    /// `awsRegion`.
    pub region: Option<String>,
}

impl Place {
    /// The place of a record.
    pub fn of(record: &Record<'_>) -> Place {
        Place {
            account: record.account_id().map(|s| s.into_owned()),
            region: record.aws_region().map(|s| s.into_owned()),
        }
    }

    /// Whether a resource can be meant by a record from here. What the state does not tell does not exclude it.
    pub fn allows(&self, resource: Resource<'_>, global: bool) -> bool {
        let differs = |a: Option<&str>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
        if differs(resource.account(), &self.account) {
            return false;
        }
        global || resource.region() == Some("global") || !differs(resource.region(), &self.region)
    }

    /// Whether account and region of the resource are known, so that a match is sure.
    pub fn is_sure(&self, resource: Resource<'_>, global: bool) -> bool {
        resource.account().is_some() && (global || resource.region().is_some())
    }
}

/// The resources that a target means, by the first alternative that finds some; with the alternative's text for `--explain`.
pub fn resources(target: &Target, context: Context<'_>, place: &Place) -> Vec<ResourceId> {
    for alternative in &target.ids {
        let mut found = by_alternative(target, alternative, context, place);
        if !found.is_empty() {
            found.sort_unstable();
            found.dedup();
            return found;
        }
    }
    Vec::new()
}

fn by_alternative(
    target: &Target,
    alternative: &[IdPart],
    context: Context<'_>,
    place: &Place,
) -> Vec<ResourceId> {
    let snapshot = context.scope.view.snapshot();
    let Some((first, rest)) = alternative.split_first() else { return Vec::new() };
    let Some(value) = context.eval(&first.value, None) else { return Vec::new() };
    let mut out = Vec::new();
    // `* = true`: a setting of the whole account or region, which no record names
    if first.attribute == "*" && value == Value::Bool(true) {
        let meant = |id: &ResourceId| {
            snapshot.resource(*id).is_some_and(|r| {
                target.types.iter().any(|t| t == r.rtype())
                    && place.allows(r, target.global)
                    && (rest.is_empty() || rest_holds(rest, *id, r, context))
            })
        };
        return snapshot.resources().filter(meant).collect();
    }
    for key in texts(&value) {
        if first.attribute == "*" {
            // an ARN says where it is by itself
            let global = target.global || key.starts_with("arn:");
            let of_type = |r: Resource<'_>| target.types.iter().any(|t| t == "*" || t == r.rtype());
            out.extend(
                snapshot.find_any(&key).filter(|id| {
                    snapshot.resource(*id).is_some_and(|r| of_type(r) && place.allows(r, global))
                }),
            );
            continue;
        }
        for rtype in &target.types {
            for id in snapshot.find(rtype, &first.attribute, &key) {
                let Some(resource) = snapshot.resource(id) else { continue };
                if place.allows(resource, target.global)
                    && (rest.is_empty() || rest_holds(rest, id, resource, context))
                {
                    out.push(id);
                }
            }
        }
    }
    out
}

/// A value by which to look up: one text, or each element of a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(equal::text).collect(),
        v => equal::text(v).filter(|s| !s.is_empty()).into_iter().collect(),
    }
}

/// The other parts of a composite identity. A part whose value the record lacks must be empty in the state too.
fn rest_holds(rest: &[IdPart], id: ResourceId, resource: Resource<'_>, context: Context<'_>) -> bool {
    let attributes = Value::Object(context.scope.view.current(id, resource));
    rest.iter().all(|part| {
        let path: Vec<String> = part.attribute.split('.').map(str::to_owned).collect();
        let has = params::get(&attributes, &path).unwrap_or(&Value::Null);
        match context.eval(&part.value, None).filter(|v| !equal::is_empty(v)) {
            Some(v) => equal::names(has, &v),
            None => equal::is_empty(has) || *has == 0 || *has == false,
        }
    })
}
