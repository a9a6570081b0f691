//! A snapshot with changes laid over it: what earlier records of a list did to it.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use tfdrift_tfstate::{Resource, ResourceId, Snapshot};

/// What was done to one resource since the snapshot.
#[derive(Debug, Default, Clone)]
pub struct Overlay {
    /// Attributes with their value now.
    pub attributes: BTreeMap<String, Value>,
    /// The resource is gone.
    pub deleted: bool,
}

/// A snapshot and what lies over it.
#[derive(Debug)]
pub struct View<'s> {
    snapshot: &'s Snapshot,
    overlays: FxHashMap<ResourceId, Overlay>,
}

impl<'s> View<'s> {
    /// The snapshot alone.
    pub fn new(snapshot: &'s Snapshot) -> View<'s> {
        View { snapshot, overlays: FxHashMap::default() }
    }

    /// The snapshot below.
    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// What lies over a resource.
    pub fn overlay(&self, id: ResourceId) -> Option<&Overlay> {
        self.overlays.get(&id)
    }

    /// What lies over a resource, to change it.
    pub fn overlay_mut(&mut self, id: ResourceId) -> &mut Overlay {
        self.overlays.entry(id).or_default()
    }

    /// The resource's attributes as the snapshot has them: the index holds nothing that cannot be read.
    pub fn original(&self, resource: Resource<'_>) -> Map<String, Value> {
        serde_json::from_str(resource.attributes_json()).unwrap_or_default()
    }

    /// The resource's attributes as they are now.
    pub fn current(&self, id: ResourceId, resource: Resource<'_>) -> Map<String, Value> {
        let mut attributes = self.original(resource);
        if let Some(overlay) = self.overlay(id) {
            for (name, value) in &overlay.attributes {
                attributes.insert(name.clone(), value.clone());
            }
        }
        attributes
    }
}
