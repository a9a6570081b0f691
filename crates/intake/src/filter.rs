//! Accounts and regions that are wanted. An empty list wants all; a filter never widens by itself.

use std::collections::BTreeSet;

/// Which records are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    accounts: BTreeSet<String>,
    regions: BTreeSet<String>,
}

impl Filter {
    /// Of lists of accounts and regions.
    pub fn new(accounts: BTreeSet<String>, regions: BTreeSet<String>) -> Self {
        Self { accounts, regions }
    }

    /// True when everything is wanted.
    pub fn is_open(&self) -> bool {
        self.accounts.is_empty() && self.regions.is_empty()
    }

    /// The accounts asked for; none: all.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.accounts.iter().map(String::as_str)
    }

    /// The regions asked for; none: all.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.regions.iter().map(String::as_str)
    }

    /// True when this account is wanted. An account that is not known is not.
    pub fn account(&self, account: &str) -> bool {
        self.accounts.is_empty() || self.accounts.contains(account)
    }

    /// True when this region is wanted. A region that is not known is not.
    pub fn region(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.contains(region)
    }
}
