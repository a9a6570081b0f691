//! The net result of many records: what differs from the states when all of them are through.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::Serialize;
use tfdrift_cloudtrail::Record;
use tfdrift_tfstate::{ResourceId, Snapshot};

use crate::config::DriftConfig;
use crate::evaluate::{Created, Work, differences, evaluate};
use crate::explain::Trace;
use crate::finding::{AttributeChange, Kind, ResourceFinding, describe};
use crate::view::View;
use crate::{Mappings, Severity, severity};

/// One resource that differs in the end.
#[derive(Debug, Clone, Serialize)]
pub struct NetDrift {
    /// Its address; `None` for one that no state holds.
    pub address: Option<String>,
    /// The state in which it stands.
    pub state: Option<String>,
    /// Type of one that no state holds.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub rtype: Option<String>,
    /// Id of one that no state holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What happened to it.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// The attributes that differ.
    pub attrs: BTreeMap<String, AttributeChange>,
    /// `eventID` of the records that brought it there, in order of time.
    pub events: Vec<String>,
}

#[derive(Debug, Default)]
struct History {
    /// Attribute → `eventID`s that wrote it since it last was as in the state, and whether the last of them was expected.
    writers: BTreeMap<String, (Vec<String>, bool)>,
    deleted_by: Vec<String>,
    deletion_expected: bool,
    touched_by: Vec<String>,
    touched: Option<Severity>,
    floor: Option<Severity>,
    ignored: bool,
}

/// Takes records in order of time and says what is left of them.
#[derive(Debug)]
pub struct Net<'s> {
    view: View<'s>,
    mappings: &'s Mappings,
    config: &'s DriftConfig,
    histories: FxHashMap<ResourceId, History>,
    created: Vec<(Created, String)>,
}

impl<'s> Net<'s> {
    /// Nothing has happened yet.
    pub fn new(snapshot: &'s Snapshot, mappings: &'s Mappings, config: &'s DriftConfig) -> Net<'s> {
        Net {
            view: View::new(snapshot),
            mappings,
            config,
            histories: FxHashMap::default(),
            created: Vec::new(),
        }
    }

    /// The next record in order of time. Failed and read-only ones change nothing.
    pub fn add(&mut self, record: &Record<'_>) {
        if record.read_only() == Some(true) || crate::evaluate::failed(record) {
            return;
        }
        let event = record.event_id().unwrap_or_default().into_owned();
        let expected = self.config.is_expected(record.via(), record.principal_arn().as_deref());
        let evaluation = evaluate(record, &self.view, self.mappings, &mut Trace::off());
        for work in evaluation.works {
            self.work(record, work, &event, expected);
        }
        for created in evaluation.created.into_iter().filter(|_| !expected) {
            self.created.push((created, event.clone()));
        }
        for (types, id) in evaluation.gone {
            self.created.retain(|(c, _)| {
                !(types.contains(&c.rtype) && crate::equal::tail(&c.id) == crate::equal::tail(&id))
            });
        }
    }

    fn work(&mut self, record: &Record<'_>, work: Work, event: &str, expected: bool) {
        let Some(resource) = self.view.snapshot().resource(work.id) else { return };
        let before = self.view.current(work.id, resource);
        let history = self.histories.entry(work.id).or_default();
        history.floor = history.floor.max(work.severity);
        if record.actor().as_deref() == Some("root") {
            history.floor = history.floor.max(Some(Severity::High));
        }
        if work.deleted {
            history.deleted_by.push(event.to_owned());
            history.deletion_expected = expected;
        } else if work.restored {
            history.deleted_by.clear();
        }
        let changed = differences(self.mappings, resource.rtype(), &work.written, &before, &work.attributes);
        let mut probe = probe(resource.address(), resource.state().name(), work.id, &changed);
        let ignored = self.config.ignore(
            &mut probe,
            resource.configured(),
            record.actor().as_deref(),
            &record.operation().unwrap_or_default(),
            record.event_time().as_deref(),
            &mut Trace::off(),
        );
        history.ignored |= ignored > 0;
        let overlay = self.view.overlay_mut(work.id);
        overlay.deleted = work.deleted || (overlay.deleted && !work.restored);
        for name in &work.written {
            // `tags_all` follows `tags`, under whose name alone the change stands.
            let is_change = |n: &str| changed.iter().any(|c| c.0 == n);
            let stands_as = if name == "tags_all" && is_change("tags") { "tags" } else { name.as_str() };
            if ignored > 0 && is_change(stands_as) && !probe.attrs.contains_key(stands_as) {
                continue;
            }
            if let Some(value) = work.attributes.get(name) {
                overlay.attributes.insert(name.clone(), value.clone());
            }
            // A record that leaves an attribute as it was did not bring the difference.
            if is_change(stands_as) {
                let writers = history.writers.entry(name.clone()).or_default();
                writers.0.push(event.to_owned());
                writers.1 = expected;
            }
        }
        if work.written.is_empty() && !work.deleted && !expected {
            history.touched_by.push(event.to_owned());
            history.touched = history.touched.max(work.severity).max(Some(Severity::Low));
        }
    }

    /// What is left: sorted by address, what no state holds last.
    pub fn drifts(self) -> Vec<NetDrift> {
        let mut out: Vec<NetDrift> =
            self.histories.iter().filter_map(|(id, history)| self.resource(*id, history)).collect();
        out.sort_by(|a, b| (&a.address, &a.state).cmp(&(&b.address, &b.state)));
        for (created, event) in self.created {
            out.push(NetDrift {
                address: None,
                state: None,
                kind: Kind::Unmanaged,
                severity: created.severity.unwrap_or_else(|| severity::of_unmanaged(&created.rtype)),
                rtype: Some(created.rtype),
                id: Some(created.id),
                attrs: BTreeMap::new(),
                events: vec![event],
            });
        }
        out
    }

    fn resource(&self, id: ResourceId, history: &History) -> Option<NetDrift> {
        let resource = self.view.snapshot().resource(id)?;
        let overlay = self.view.overlay(id)?;
        let drift = |kind, severity: Severity, attrs, events: Vec<String>| NetDrift {
            address: Some(resource.address().to_owned()),
            state: Some(resource.state().name().to_owned()),
            rtype: None,
            id: None,
            kind,
            severity: Some(severity).max(history.floor).unwrap_or(severity),
            attrs,
            events,
        };
        if overlay.deleted {
            if history.deletion_expected {
                return None;
            }
            return Some(drift(
                Kind::Deleted,
                severity::of_deleted(resource.rtype()),
                BTreeMap::new(),
                history.deleted_by.clone(),
            ));
        }
        let names: BTreeSet<String> =
            history.writers.iter().filter(|(_, (_, expected))| !expected).map(|(n, _)| n.clone()).collect();
        let found = differences(
            self.mappings,
            resource.rtype(),
            &names,
            &self.view.original(resource),
            &self.view.current(id, resource),
        );
        if found.is_empty() {
            let severity = history.touched?;
            return Some(drift(Kind::Touched, severity, BTreeMap::new(), history.touched_by.clone()));
        }
        let mut events: Vec<String> = Vec::new();
        for (name, ..) in &found {
            for event in history.writers.get(name).into_iter().flat_map(|w| &w.0) {
                if !events.contains(event) {
                    events.push(event.clone());
                }
            }
        }
        let (attrs, _, severity) = describe(resource, found);
        Some(drift(Kind::Modified, severity.unwrap_or(Severity::Medium), attrs, events))
    }
}

/// A finding that only serves to ask the ignore rules.
fn probe(
    address: &str,
    state: &str,
    id: ResourceId,
    changed: &[(String, serde_json::Value, serde_json::Value, bool)],
) -> ResourceFinding {
    let attrs = changed
        .iter()
        .map(|(n, old, new, certain)| {
            let change =
                AttributeChange { old: old.clone(), new: new.clone(), certain: *certain, hidden: Vec::new() };
            (n.clone(), change)
        })
        .collect();
    ResourceFinding {
        address: address.to_owned(),
        state: state.to_owned(),
        kind: Some(Kind::Modified),
        mirror: false,
        diff: String::new(),
        attrs,
        same: Vec::new(),
        ignored: None,
        severity: None,
        id,
    }
}
