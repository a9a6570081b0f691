//! Carries one record out on a view: which resources it hits, and what their attributes are then.

use std::cell::RefCell;
use std::collections::BTreeSet;

use rustc_hash::FxHashSet;
use serde_json::{Map, Value};
use tfdrift_cloudtrail::Record;
use tfdrift_mapping::{Confidence, Effect, Expr, Operation, Target};
use tfdrift_tfstate::{Resource, ResourceId, holds_secret_digest};

use crate::apply::{Applied, apply};
use crate::eval::{Context, Scope};
use crate::explain::Trace;
use crate::find::{Place, resources};
use crate::view::View;
use crate::{Mappings, Severity, coerce, equal, params};

/// What a record does to one resource.
#[derive(Debug)]
pub struct Work {
    /// Which.
    pub id: ResourceId,
    /// `tf.change`.
    pub change: String,
    /// All attributes after the record.
    pub attributes: Map<String, Value>,
    /// The attributes that `set` lines wrote.
    pub written: BTreeSet<String>,
    /// The resource is gone.
    pub deleted: bool,
    /// It was gone and is made anew.
    pub restored: bool,
    /// It shows what happened to another resource.
    pub mirror: bool,
    /// The least severity.
    pub severity: Option<Severity>,
    /// How far the mapping is to be trusted.
    pub confidence: Confidence,
}

/// A resource that the record makes and no state holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its Terraform type.
    pub rtype: String,
    /// Its id, as far as the record tells.
    pub id: String,
    /// The least severity.
    pub severity: Option<Severity>,
}

/// All that a record does.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// Resources hit, in the order of the targets.
    pub works: Vec<Work>,
    /// Resources made.
    pub created: Vec<Created>,
    /// Ids that the record deletes and no state holds: `(types, id)`; they cancel what an earlier record created.
    pub gone: Vec<(Vec<String>, String)>,
}

/// What the record does. For failed calls: what it would have acted on, without changes.
pub fn evaluate(record: &Record<'_>, view: &View<'_>, mappings: &Mappings, trace: &mut Trace) -> Evaluation {
    let (Some(source), Some(name)) = (record.event_source(), record.operation()) else {
        trace.say(|| "the record has no eventSource or no eventName".into());
        return Evaluation::default();
    };
    let place = Place::of(record);
    let Some(operation) = mappings.operation(&source, &name) else {
        trace.say(|| {
            format!("no mapping knows {source}:{name}: only the ids and ARNs in its parameters are looked at")
        });
        return by_ids(record, view, &place, trace);
    };
    trace.say(|| format!("{} describes {name} ({} targets)", operation.file, operation.targets.len()));
    let tree = |raw: Option<&serde_json::value::RawValue>| {
        let tree = raw.and_then(|r| serde_json::from_str(r.get()).ok()).unwrap_or(Value::Null);
        params::canonical(tree, &name, &operation.ignore)
    };
    let (request, response) = (tree(record.request_parameters()), tree(record.response_elements()));
    let scope = Scope { request: &request, response: &response, record, view };
    let mut run = Run {
        operation,
        mappings,
        view,
        place,
        failed: failed(record),
        out: Evaluation::default(),
        primary: FxHashSet::default(),
    };
    for target in &operation.targets {
        run.target(target, &scope, trace);
    }
    run.finish()
}

/// Whether the call changed nothing because it was refused.
pub fn failed(record: &Record<'_>) -> bool {
    record.error_code().is_some_and(|c| !c.is_empty())
}

struct Run<'r> {
    operation: &'r Operation,
    mappings: &'r Mappings,
    view: &'r View<'r>,
    place: Place,
    failed: bool,
    out: Evaluation,
    /// Resources found by targets that are no mirrors.
    primary: FxHashSet<ResourceId>,
}

impl Run<'_> {
    fn target(&mut self, target: &Target, scope: &Scope<'_>, trace: &mut Trace) {
        let head = || format!("{} {} (line {})", target.effect.key(), target.types.join("|"), target.line);
        if target.fallback && !self.primary.is_empty() {
            trace.say(|| format!("{}: not needed, an earlier target found a resource", head()));
            return;
        }
        let context = Context { scope, item: None, resource: None };
        let items = match &target.each {
            None => vec![None],
            Some(e) => match context.eval(e, None) {
                Some(v) => coerce::as_list(v).into_iter().map(Some).collect(),
                None => Vec::new(),
            },
        };
        if items.is_empty() {
            trace.say(|| format!("{}: the list that it goes through is empty", head()));
        }
        for item in &items {
            let context = Context { item: item.as_ref(), ..context };
            self.item(target, context, trace, &head);
        }
    }

    fn item(&mut self, target: &Target, context: Context<'_>, trace: &mut Trace, head: &dyn Fn() -> String) {
        // A condition on the resource (`^`) is asked for each one found.
        let of_resource = target.when.as_ref().is_some_and(asks_resource);
        if let Some(when) = target.when.as_ref().filter(|_| !of_resource)
            && !context.holds(when)
        {
            trace.say(|| format!("{}: its condition does not hold", head()));
            return;
        }
        let found = resources(target, context, &self.place);
        trace.say(|| match found.len() {
            0 => format!("{}: no state holds such a resource of this account and region", head()),
            n => format!("{}: {n} found", head()),
        });
        if found.is_empty() && !self.failed {
            self.not_found(target, context, trace);
        }
        for id in found {
            self.hit(target, id, context, of_resource, trace);
        }
    }

    fn not_found(&mut self, target: &Target, context: Context<'_>, trace: &mut Trace) {
        if matches!(target.effect, Effect::Create | Effect::Upsert)
            && let Some(new) = &target.new
            && let Some(id) = context.eval(new, None).filter(|v| !holds_secret_digest(v))
            && let Some(id) = equal::text(&id).filter(|s| !s.is_empty())
        {
            trace.say(|| format!("a new {} {id} that no state holds", target.types.join("|")));
            let rtype = target.types.first().cloned().unwrap_or_default();
            self.out.created.push(Created {
                rtype,
                id,
                severity: Severity::parse(target.severity.as_deref()),
            });
        }
        if target.effect == Effect::Delete {
            for part in target.ids.iter().filter_map(|alternative| alternative.first()) {
                if let Some(id) = context.text(&part.value) {
                    self.out.gone.push((target.types.clone(), id));
                }
            }
        }
    }

    fn hit(
        &mut self,
        target: &Target,
        id: ResourceId,
        context: Context<'_>,
        of_resource: bool,
        trace: &mut Trace,
    ) {
        let Some(resource) = self.view.snapshot().resource(id) else { return };
        let gone = self.view.overlay(id).is_some_and(|o| o.deleted);
        let revives = matches!(target.effect, Effect::Create | Effect::Upsert);
        if gone && !revives {
            trace.say(|| format!("{} is gone already", resource.address()));
            return;
        }
        let at = self.out.works.iter().position(|w| w.id == id);
        let before = match at.and_then(|i| self.out.works.get(i)) {
            Some(work) => work.attributes.clone(),
            None => self.view.current(id, resource),
        };
        // Several types share one id (aws_vpc_endpoint and aws_vpc_endpoint_policy): tags are those of the one that has some.
        if target.effect == Effect::Tag
            && target.types.iter().any(|t| t == "*")
            && !target.sets.iter().any(|l| l.path.first().is_some_and(|p| before.contains_key(p)))
        {
            trace.say(|| format!("{}: has no tags", resource.address()));
            return;
        }
        let cell = RefCell::new(before);
        let context = Context { resource: Some(&cell), ..context };
        if of_resource && !target.when.as_ref().is_none_or(|w| context.holds(w)) {
            trace.say(|| format!("{}: the condition does not hold for it", resource.address()));
            return;
        }
        let mut written = BTreeSet::new();
        if !self.failed && target.effect != Effect::Delete {
            for line in &target.sets {
                self.line(line, resource, context, &cell, &mut written, trace);
            }
        }
        if !target.mirror {
            self.primary.insert(id);
        }
        // A mirror that no line wrote to shows nothing.
        if target.mirror
            && written.is_empty()
            && !matches!(target.effect, Effect::Delete)
            && at.is_none()
            && !self.failed
        {
            return;
        }
        let confidence = match self.place.is_sure(resource, target.global) {
            true => self.operation.confidence,
            false => Confidence::IdOnly,
        };
        let severity = Severity::parse(target.severity.as_deref());
        let deleted = target.effect == Effect::Delete && !self.failed;
        let attributes = cell.into_inner();
        match at.and_then(|i| self.out.works.get_mut(i)) {
            Some(work) => {
                work.attributes = attributes;
                work.written.extend(written);
                // deleted and made again in one call (Route 53's batches) is a change
                work.deleted = deleted || (work.deleted && !revives);
                work.mirror &= target.mirror;
                work.severity = work.severity.max(severity);
            }
            None => self.out.works.push(Work {
                id,
                change: change(target).to_owned(),
                attributes,
                written,
                deleted,
                restored: gone && revives,
                mirror: target.mirror,
                severity,
                confidence,
            }),
        }
    }

    fn line(
        &self,
        line: &tfdrift_mapping::SetLine,
        resource: Resource<'_>,
        context: Context<'_>,
        cell: &RefCell<Map<String, Value>>,
        written: &mut BTreeSet<String>,
        trace: &mut Trace,
    ) {
        let rtype = resource.rtype();
        let attribute = self.mappings.attribute(rtype, &line.path);
        let top = line.path.get(..1).and_then(|p| self.mappings.attribute(rtype, p));
        let Some(value) = context.eval(&line.value, attribute) else {
            trace.say(|| format!("{}: the record gives no value", line.path.join(".")));
            return;
        };
        let is_tags = line.path.first().is_some_and(|name| name == "tags");
        let configured = if is_tags { resource.configured() } else { None };
        let defaults = configured.map(|configured| &*configured.default_tags);
        let done = apply(line, value, &mut cell.borrow_mut(), top, attribute, defaults);
        trace.say(|| match done {
            Applied::NoAttribute => {
                format!("{}: the state's resource has no such attribute", line.path.join("."))
            }
            Applied::Written => format!("{}: written", line.path.join(".")),
        });
        if done == Applied::Written {
            written.extend(line.path.first().cloned());
            if line.path.first().is_some_and(|p| p == "tags") && cell.borrow().contains_key("tags_all") {
                written.insert("tags_all".into());
            }
        }
    }

    fn finish(mut self) -> Evaluation {
        let primary = !self.primary.is_empty() || !self.out.created.is_empty();
        for work in &mut self.out.works {
            work.mirror &= primary;
        }
        // What is found is not new, even if another target of the operation would call it so.
        if !self.primary.is_empty() && self.operation.targets.iter().all(|t| t.each.is_none()) {
            let view = self.view;
            let types: FxHashSet<&str> = self
                .primary
                .iter()
                .filter_map(|id| view.snapshot().resource(*id))
                .map(|r| r.rtype())
                .collect();
            self.out.created.retain(|c| !types.contains(c.rtype.as_str()));
        }
        self.out
    }
}

fn change(target: &Target) -> &str {
    match (&target.change, target.effect) {
        (Some(c), _) => c,
        (None, Effect::Create) => "create",
        (None, Effect::Update | Effect::Upsert) => "update",
        (None, Effect::Delete) => "delete",
        (None, Effect::Tag) => "tag",
        (None, Effect::Touch) => "action",
    }
}

fn asks_resource(e: &Expr) -> bool {
    let mut hit = false;
    e.walk(&mut |e| hit |= matches!(e, Expr::Path(tfdrift_mapping::Root::Resource, _)));
    hit
}

/// No mapping: a text of the parameters that is the ARN, or an id with a prefix of its own (`sg-…`), of a resource in a state.
fn by_ids(record: &Record<'_>, view: &View<'_>, place: &Place, trace: &mut Trace) -> Evaluation {
    let mut out = Evaluation::default();
    let Some(raw) = record.request_parameters() else { return out };
    let tree: Value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
    let mut texts = Vec::new();
    collect(&tree, &mut texts, 0);
    for text in texts {
        for id in view.snapshot().find_any(text) {
            let Some(resource) = view.snapshot().resource(id) else { continue };
            if !place.allows(resource, text.starts_with("arn:")) || out.works.iter().any(|w| w.id == id) {
                continue;
            }
            trace.say(|| format!("{text} in the parameters is {}", resource.address()));
            out.works.push(Work {
                id,
                change: "action".into(),
                attributes: view.current(id, resource),
                written: BTreeSet::new(),
                deleted: false,
                restored: false,
                mirror: false,
                severity: None,
                confidence: Confidence::IdOnly,
            });
        }
    }
    out
}

/// Texts that can be an id of one thing only. Never plain names.
fn collect<'v>(v: &'v Value, out: &mut Vec<&'v str>, depth: u8) {
    match v {
        Value::String(s) if is_unique_id(s) && !out.contains(&s.as_str()) && out.len() < 256 => out.push(s),
        Value::Array(a) if depth < 16 => a.iter().for_each(|x| collect(x, out, depth + 1)),
        Value::Object(o) if depth < 16 => o.values().for_each(|x| collect(x, out, depth + 1)),
        _ => {}
    }
}

fn is_unique_id(s: &str) -> bool {
    if s.starts_with("arn:") {
        return true;
    }
    // `sg-0123abcd`, `eipalloc-…`: letters, a hyphen, eight or seventeen hexadecimal digits
    s.rsplit_once('-').is_some_and(|(prefix, hex)| {
        (2..=12).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && matches!(hex.len(), 8 | 17)
            && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// The attributes in which two states of a resource differ, of those named: `(name, old, new, certain)`, sorted by name.
pub fn differences(
    mappings: &Mappings,
    rtype: &str,
    names: &BTreeSet<String>,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Vec<(String, Value, Value, bool)> {
    let mut out = Vec::new();
    for name in names {
        let (o, n) = (old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null));
        let hidden = coerce::has_unknown(n);
        if hidden || !equal::equal(mappings.attribute(rtype, std::slice::from_ref(name)), o, n) {
            out.push((name.clone(), o.clone(), n.clone(), !hidden));
        }
    }
    // `tags_all` follows `tags`
    if out.iter().any(|d| d.0 == "tags") {
        out.retain(|d| d.0 != "tags_all");
    }
    out
}
