//! Which attributes of which types are indexed.

use std::collections::{BTreeMap, BTreeSet};

use crate::index::{any_seed, seed};
use crate::sensitive::known_paths;
use crate::sensitive::names::may_speak;

/// Which attributes identify a resource of a type, beyond `id` and `arn`, which always do.
///
/// The index holds only these: a record names a resource by very few attributes, and an index of all would be
/// several times the state's size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexPlan {
    types: BTreeMap<String, BTreeSet<String>>,
}

impl IndexPlan {
    /// A plan of `id` and `arn` alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also index `attr_path` of `rtype`. A dotted path goes through lists and blocks:
    /// `ebs_block_device.volume_id` indexes the volume of every block device. Repeating is harmless.
    pub fn add(&mut self, rtype: &str, attr_path: &str) {
        if !attr_path.is_empty() {
            self.types.entry(rtype.to_owned()).or_default().insert(attr_path.to_owned());
        }
    }

    /// The paths of one type as a tree, for the scanner.
    pub(crate) fn compile(&self, rtype: &str, indexed: bool) -> TypePlan {
        let unspoken = |path: &&str| !path.split('.').any(may_speak);
        let keeps_quiet = known_paths(rtype).iter().any(unspoken);
        let mut plan = TypePlan { nodes: vec![Node::default()], keeps_quiet };
        for (path, role) in [("id", Role::Id), ("arn", Role::Arn), ("region", Role::Region)] {
            let node = plan.node(path);
            node.role = Some(role);
            if indexed && role != Role::Region {
                node.seed = Some(seed(rtype, path));
                node.any = Some(any_seed());
            }
        }
        if indexed {
            for path in self.types.get(rtype).into_iter().flatten() {
                plan.node(path).seed = Some(seed(rtype, path));
            }
        }
        plan
    }
}

/// Attributes with a meaning for every type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Id,
    Arn,
    Region,
}

/// The paths of one type.
pub(crate) struct TypePlan {
    nodes: Vec<Node>,
    /// The provider declares something sensitive whose name does not say so.
    pub(crate) keeps_quiet: bool,
}

/// One step of a path.
#[derive(Default)]
pub(crate) struct Node {
    children: Vec<(Box<str>, u32)>,
    /// First half of the key, when values here are indexed.
    pub(crate) seed: Option<u64>,
    /// First half of the key without a type.
    pub(crate) any: Option<u64>,
    pub(crate) role: Option<Role>,
}

impl TypePlan {
    pub(crate) const ROOT: u32 = 0;

    pub(crate) fn get(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize)
    }

    /// The step called `name` under `node`. Few children: a scan is quicker than a map.
    pub(crate) fn child(&self, node: u32, name: &str) -> Option<u32> {
        self.get(node)?.children.iter().find(|(n, _)| **n == *name).map(|c| c.1)
    }

    fn node(&mut self, path: &str) -> &mut Node {
        let mut at = Self::ROOT;
        for name in path.split('.') {
            at = match self.child(at, name) {
                Some(next) => next,
                None => {
                    let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
                    self.nodes.push(Node::default());
                    if let Some(node) = self.nodes.get_mut(at as usize) {
                        node.children.push((name.into(), next));
                    }
                    next
                }
            };
        }
        // `at` is the root or was found or pushed just now.
        &mut self.nodes[at as usize]
    }
}
