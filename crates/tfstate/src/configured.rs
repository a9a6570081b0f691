//! What the configuration says about a resource and the state does not.

use std::collections::HashMap;

use crate::address::{Address, Mode};

/// What is written about a resource in the `*.tf` files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configured {
    /// `file.tf:line` of its block.
    pub source: String,
    /// Owners of the file, blanks between them. Absent where nobody is named.
    pub owner: Option<String>,
    /// Dotted paths under `ignore_changes`: what Terraform leaves to others. `*` stands for every attribute.
    pub ignore_changes: Vec<String>,
}

/// [`Configured`] by address without instance keys: one block makes all instances.
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
        self.by_address.get(&Address::parse(address).ok()?.without_keys())
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

impl Address {
    /// The address of the block: `module.web.aws_instance.db` for `module.web["a"].aws_instance.db[0]`.
    pub fn without_keys(&self) -> String {
        let mut text = String::new();
        for step in &self.module {
            text.push_str("module.");
            text.push_str(&step.name);
            text.push('.');
        }
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
    }
}
