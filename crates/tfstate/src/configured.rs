//! What the configuration says about a resource and the state does not.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::address::{Address, Mode, ModuleStep};

/// What is written about a resource in the `*.tf` files, or in a plan's JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configured {
    /// `file.tf:line` of its block. Of a resource in a module from elsewhere, the module's call and source:
    /// `file.tf:line (terraform-aws-modules/vpc/aws 5.1.2)`. From a plan, the module's source alone. "" where nothing is known.
    pub source: String,
    /// Owners of the file, blanks between them. Absent where nobody is named.
    pub owner: Option<String>,
    /// Dotted paths under `ignore_changes`: what Terraform leaves to others. `*` stands for every attribute.
    pub ignore_changes: Vec<String>,
    /// The tags that its provider adds (`default_tags`), as far as they can be told without running Terraform.
    pub default_tags: Arc<BTreeMap<String, String>>,
}

/// [`Configured`] by address without instance keys: one block makes all instances. The address of a module
/// (`module.net`) stands for every resource in it that has no block here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfiguredMap {
    by_address: HashMap<String, Configured>,
}

impl ConfiguredMap {
    /// What is said about the resource at `address`, as a state has it.
    pub fn get(&self, address: &str) -> Option<&Configured> {
        if self.by_address.is_empty() {
            return None;
        }
        let address = Address::parse(address).ok()?;
        let own = self.by_address.get(&address.without_keys());
        own.or_else(|| {
            let modules = (1..=address.module.len()).rev().filter_map(|n| address.module.get(..n));
            modules.map(without_keys).find_map(|module| self.by_address.get(module.trim_end_matches('.')))
        })
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.by_address.len()
    }

    /// Whether nothing is said about anything.
    pub fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }
}

/// By addresses without instance keys, as [`Address::without_keys`] gives them.
impl FromIterator<(String, Configured)> for ConfiguredMap {
    fn from_iter<I: IntoIterator<Item = (String, Configured)>>(blocks: I) -> Self {
        Self { by_address: blocks.into_iter().collect() }
    }
}

/// `module.net.module.subnets.`
fn without_keys(steps: &[ModuleStep]) -> String {
    steps.iter().map(|step| format!("module.{}.", step.name)).collect()
}

impl Address {
    /// The address of the block: `module.web.aws_instance.db` for `module.web["a"].aws_instance.db[0]`.
    pub fn without_keys(&self) -> String {
        let mut text = without_keys(&self.module);
        if self.mode == Mode::Data {
            text.push_str("data.");
        }
        text.push_str(&self.rtype);
        text.push('.');
        text.push_str(&self.name);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_share_their_block() {
        let block = Configured { source: "a.tf:1".into(), ..Configured::default() };
        let map: ConfiguredMap = [("module.m.aws_vpc.v".to_owned(), block)].into_iter().collect();
        assert_eq!(map.get("module.m[\"a\"].aws_vpc.v[0]").map(|c| &*c.source), Some("a.tf:1"));
        assert_eq!(map.get("aws_vpc.v"), None);
        assert_eq!(map.get("module.m.aws_vpc.other"), None);
        let call = Configured { source: "b.tf:2 (x)".into(), ..Configured::default() };
        let map: ConfiguredMap = [("module.m".to_owned(), call)].into_iter().collect();
        assert_eq!(map.get("module.m[0].module.n.aws_vpc.v").map(|c| &*c.source), Some("b.tf:2 (x)"));
        assert_eq!(map.get("module.n.module.m.aws_vpc.v"), None);
    }
}
