//! What a record means for Terraform: the public answer.

pub(crate) mod hidden;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use tfdrift_cloudtrail::{Record, Via};
use tfdrift_mapping::Confidence;
use tfdrift_tfstate::{Resource, ResourceId, Snapshot};

use crate::config::DriftConfig;
use crate::evaluate::{Evaluation, Work, differences, evaluate, failed};
use crate::explain::Trace;
use crate::view::View;
use crate::{Mappings, Severity, coerce, diff_text, params, severity};

/// `tf.kind`, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Managed and acted on, but no attribute that Terraform sees is known to change.
    Touched,
    /// Created outside Terraform.
    Unmanaged,
    /// An attribute differs from the state.
    Modified,
    /// Gone.
    Deleted,
}

impl Kind {
    /// As the field's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Touched => "touched",
            Kind::Unmanaged => "unmanaged",
            Kind::Modified => "modified",
            Kind::Deleted => "deleted",
        }
    }
}

/// An attribute that differs. Sensitive values are `***`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttributeChange {
    /// The value in the state.
    pub old: Value,
    /// The whole attribute as Terraform would hold it after the record; `null` where the record does not show it.
    pub new: Value,
    /// False where the record does not show the new value, or not all of it.
    pub certain: bool,
    /// Dotted paths, from this attribute's name on, of sensitive values that differ though both show as `***`.
    #[serde(skip)]
    pub hidden: Vec<String>,
}

/// A resource that a record hits.
#[derive(Debug, Clone, Serialize)]
pub struct ResourceFinding {
    /// Its address.
    pub address: String,
    /// The state in which it stands.
    pub state: String,
    /// What happens to it; `None` if everything is equal, or the call failed.
    pub kind: Option<Kind>,
    /// It shows what happened to another resource.
    pub mirror: bool,
    /// One line for people; empty if nothing differs.
    pub diff: String,
    /// The attributes that differ.
    pub attrs: BTreeMap<String, AttributeChange>,
    /// The attributes that the record set to what the state holds.
    pub same: Vec<String>,
    /// The reason of the ignore rule that silences it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
    /// Its severity, if it has a kind.
    #[serde(skip)]
    pub severity: Option<Severity>,
    /// Its id in the snapshot.
    #[serde(skip)]
    pub id: ResourceId,
}

/// A resource created outside Terraform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreatedResource {
    /// The Terraform type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// Its id, as far as the record tells.
    pub id: String,
}

/// What a record means for Terraform.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct Finding {
    /// The record's `eventID`.
    #[serde(rename = "eventID")]
    pub event_id: Option<String>,
    /// The record's `eventTime`.
    #[serde(rename = "eventTime")]
    pub event_time: Option<String>,
    /// `eventSource:eventName`, without a version suffix.
    pub operation: String,
    /// `recipientAccountId`.
    pub account: Option<String>,
    /// `awsRegion`.
    pub region: Option<String>,
    /// `errorCode` of a failed call.
    pub error: Option<String>,
    /// `tf.managed`.
    pub managed: bool,
    /// `tf.drift`.
    pub drift: bool,
    /// `tf.kind`: the strongest of all resources.
    pub kind: Option<Kind>,
    /// `tf.change`.
    pub change: String,
    /// `tf.via`.
    #[serde(serialize_with = "via")]
    pub via: Via,
    /// `tf.expected`.
    pub expected: bool,
    /// `tf.actor`.
    pub actor: Option<String>,
    /// `tf.severity`: the highest of all resources.
    pub severity: Option<Severity>,
    /// `tf.confidence`.
    pub confidence: Confidence,
    /// The resources: those acted on first, then mirrors, each sorted by address.
    pub resources: Vec<ResourceFinding>,
    /// What was created outside Terraform.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub created: Vec<CreatedResource>,
    /// `tf.reconciled` of the first resource.
    #[serde(skip)]
    pub reconciled: Option<bool>,
    /// How many resources and attributes an ignore rule silenced.
    #[serde(skip)]
    pub ignored: u32,
}

fn via<S: serde::Serializer>(v: &Via, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(v.as_str())
}

/// What [`assess`] says of a record.
#[derive(Debug, Default)]
pub struct Assessment {
    /// The finding, if a managed resource is hit or one is created outside Terraform.
    pub finding: Option<Finding>,
    /// Whether the record can matter for the net result of a list.
    pub counts: bool,
    /// The steps, if they were asked for.
    pub steps: Vec<String>,
}

/// Which managed resources a record hits, and how; `None` if it hits none and creates none. A pure function: the same record against the
/// same snapshot gives the same answer.
pub fn drift(
    record: &Record<'_>,
    snapshot: &Snapshot,
    mappings: &Mappings,
    config: &DriftConfig,
) -> Option<Finding> {
    assess(record, snapshot, mappings, config, false).finding
}

/// [`drift`], with what a list's net result and `--explain` need besides.
pub fn assess(
    record: &Record<'_>,
    snapshot: &Snapshot,
    mappings: &Mappings,
    config: &DriftConfig,
    explain: bool,
) -> Assessment {
    let mut trace = if explain { Trace::on() } else { Trace::off() };
    if record.read_only() == Some(true) {
        trace.say(|| "readOnly is true: nothing changes".into());
        return Assessment { steps: trace.into_lines(), ..Assessment::default() };
    }
    let view = View::new(snapshot);
    let evaluation = evaluate(record, &view, mappings, &mut trace);
    let counts = !failed(record)
        && (!evaluation.works.is_empty() || !evaluation.created.is_empty() || !evaluation.gone.is_empty());
    let finding = build(record, &view, mappings, config, evaluation, &mut trace);
    Assessment { finding, counts, steps: trace.into_lines() }
}

fn build(
    record: &Record<'_>,
    view: &View<'_>,
    mappings: &Mappings,
    config: &DriftConfig,
    evaluation: Evaluation,
    trace: &mut Trace,
) -> Option<Finding> {
    let error = record.error_code().filter(|c| !c.is_empty()).map(|c| c.into_owned());
    if let Some(code) = &error {
        trace.say(|| format!("the call failed with {code}: nothing changes"));
    }
    let via = record.via();
    let expected = config.is_expected(via, record.principal_arn().as_deref());
    let actor = record.actor();
    let by_root = actor.as_deref() == Some("root");
    let change = evaluation.works.first().map(|w| w.change.clone()).unwrap_or_else(|| "create".into());
    let mut confidence = Confidence::Core;
    let mut resources = Vec::new();
    let mut ignored = 0;
    for work in &evaluation.works {
        let Some(resource) = view.snapshot().resource(work.id) else { continue };
        let Some(mut one) = resource_finding(work, resource, view, mappings, error.is_some(), by_root) else {
            continue;
        };
        let operation = record.operation().unwrap_or_default();
        ignored += config.ignore(
            &mut one,
            resource.configured(),
            actor.as_deref(),
            &operation,
            record.event_time().as_deref(),
            trace,
        );
        confidence = confidence.max(work.confidence);
        trace.say(|| match one.kind {
            Some(k) => format!(
                "{}: {}{}{}",
                one.address,
                k.as_str(),
                if one.diff.is_empty() { "" } else { ": " },
                one.diff
            ),
            None => format!("{}: nothing differs", one.address),
        });
        resources.push(one);
    }
    resources.sort_by(|a, b| (a.mirror, &a.address, &a.state).cmp(&(b.mirror, &b.address, &b.state)));
    let created: Vec<CreatedResource> = match error {
        None => evaluation
            .created
            .iter()
            .map(|c| CreatedResource { rtype: c.rtype.clone(), id: c.id.clone() })
            .collect(),
        Some(_) => Vec::new(),
    };
    if resources.is_empty() && created.is_empty() {
        return None;
    }
    let kind = resources
        .iter()
        .filter_map(|r| r.kind)
        .max()
        .into_iter()
        .chain((!created.is_empty()).then_some(Kind::Unmanaged))
        .max();
    let unmanaged =
        evaluation.created.iter().map(|c| c.severity.unwrap_or_else(|| severity::of_unmanaged(&c.rtype)));
    let worst =
        resources.iter().filter_map(|r| r.severity).chain(unmanaged.filter(|_| !created.is_empty())).max();
    let changed = resources.iter().any(|r| matches!(r.kind, Some(Kind::Modified | Kind::Deleted)));
    if expected && changed {
        trace.say(|| "made by Terraform itself: expected, no drift".into());
    }
    let reconciled = resources.first().and_then(|r| {
        let written = view.snapshot().last_written_ns(r.id)?;
        Some(written > record.time_ns().ok()?)
    });
    Some(Finding {
        event_id: record.event_id().map(|s| s.into_owned()),
        event_time: record.event_time().map(|s| s.into_owned()),
        operation: format!(
            "{}:{}",
            record.event_source().unwrap_or_default(),
            record.operation().unwrap_or_default()
        ),
        account: record.account_id().map(|s| s.into_owned()),
        region: record.aws_region().map(|s| s.into_owned()),
        managed: !resources.is_empty(),
        drift: changed && !expected && error.is_none(),
        error,
        kind,
        change,
        via,
        expected,
        actor,
        severity: worst.map(|s| if by_root { s.max(Severity::High) } else { s }),
        confidence,
        resources,
        created,
        reconciled,
        ignored,
    })
}

fn resource_finding(
    work: &Work,
    resource: Resource<'_>,
    view: &View<'_>,
    mappings: &Mappings,
    failed: bool,
    by_root: bool,
) -> Option<ResourceFinding> {
    let mut one = ResourceFinding {
        address: resource.address().to_owned(),
        state: resource.state().name().to_owned(),
        kind: None,
        mirror: work.mirror,
        diff: String::new(),
        attrs: BTreeMap::new(),
        same: Vec::new(),
        ignored: None,
        severity: None,
        id: work.id,
    };
    if failed {
        return (!work.mirror).then_some(one);
    }
    if work.deleted {
        one.kind = Some(Kind::Deleted);
        one.severity = Some(severity::of_deleted(resource.rtype()));
    } else {
        let old = view.original(resource);
        let found = differences(mappings, resource.rtype(), &work.written, &old, &work.attributes);
        one.same = work
            .written
            .iter()
            .filter(|n| *n != "tags_all" && !found.iter().any(|d| d.0 == **n))
            .cloned()
            .collect();
        (one.attrs, one.diff, one.severity) = describe(resource, found);
        one.kind = match (one.attrs.is_empty(), work.written.is_empty()) {
            (false, _) => Some(Kind::Modified),
            (true, true) if !work.restored => Some(Kind::Touched),
            _ => None,
        };
        if one.kind.is_none() && work.mirror {
            return None;
        }
        if one.kind == Some(Kind::Touched) {
            one.severity = Some(Severity::Low);
        }
    }
    if one.kind.is_some() {
        one.severity = one.severity.max(work.severity);
        if by_root {
            one.severity = one.severity.max(Some(Severity::High));
        }
    }
    Some(one)
}

/// Differences as the public answer has them: masked, with their line and their severity.
pub fn describe(
    resource: Resource<'_>,
    found: Vec<(String, Value, Value, bool)>,
) -> (BTreeMap<String, AttributeChange>, String, Option<Severity>) {
    let mut attrs = BTreeMap::new();
    let mut lines = Vec::new();
    let mut worst = None;
    for (name, old, new, certain) in found {
        worst = worst.max(Some(severity::of_attribute(resource.rtype(), &name, &old, &new)));
        let new = show_unknown(new);
        let (masked_old, masked_new) = (resource.mask(&old, &name), resource.mask(&new, &name));
        let mut hidden = Vec::new();
        hidden::differences(&name, [&old, &new], [&masked_old, &masked_new], &mut hidden);
        if certain && masked_old == masked_new {
            lines.push(hidden::line(&name));
        } else {
            lines.push(diff_text::attribute(&name, &masked_old, &masked_new, certain));
            lines.extend(hidden.iter().filter(|_| certain).map(|path| hidden::line(path)));
        }
        attrs.insert(name, AttributeChange { old: masked_old, new: masked_new, certain, hidden });
    }
    (attrs, lines.join("; "), worst)
}

fn show_unknown(v: Value) -> Value {
    fn inner(v: Value) -> Value {
        match v {
            v if coerce::is_unknown(&v) => Value::String("***".into()),
            Value::Array(a) => a.into_iter().map(inner).collect(),
            Value::Object(o) => Value::Object(o.into_iter().map(|(k, v)| (k, inner(v))).collect()),
            v => v,
        }
    }
    if coerce::is_unknown(&v) { Value::Null } else { inner(v) }
}

impl Finding {
    /// The resource that the scalar fields describe.
    pub fn first(&self) -> Option<&ResourceFinding> {
        self.resources.first()
    }

    /// The values at `path` (`ingress`, `tags.Env`, `ingress.0.cidr_blocks`) of the first resource: old, new, certain. `None` if that
    /// attribute does not differ.
    pub fn attribute(&self, path: &str) -> Option<(Value, Value, bool)> {
        let (name, rest) = path.split_once('.').map_or((path, None), |(n, r)| (n, Some(r)));
        let change = self.first()?.attrs.get(name)?;
        let path: Vec<String> = rest.into_iter().flat_map(|r| r.split('.')).map(str::to_owned).collect();
        // A key of a map may hold dots itself.
        let at = |v: &Value| match rest {
            None => Some(v.clone()),
            Some(r) => v.get(r).cloned().or_else(|| params::get(v, &path).cloned()),
        };
        match (at(&change.old), at(&change.new)) {
            (None, None) => None,
            (o, n) => Some((o.unwrap_or(Value::Null), n.unwrap_or(Value::Null), change.certain)),
        }
    }

    /// The line for one attribute or a path into it; `None` if it does not differ.
    pub fn diff_of(&self, path: &str) -> Option<String> {
        let (old, new, certain) = self.attribute(path)?;
        if old != new || !certain {
            return Some(diff_text::attribute(path, &old, &new, certain));
        }
        let name = path.split('.').next().unwrap_or(path);
        let hidden = &self.first()?.attrs.get(name)?.hidden;
        hidden.iter().any(|known| hidden::meets(known, path)).then(|| hidden::line(path))
    }

    /// Names of the attributes that differ at the first resource (`tags_all` only when `tags` does not).
    pub fn attribute_names(&self) -> BTreeSet<&str> {
        self.first().into_iter().flat_map(|r| r.attrs.keys()).map(String::as_str).collect()
    }
}
