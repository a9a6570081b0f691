//! Accounts and regions that are wanted. An empty list wants all; a filter never widens by itself.

use crate::layout::Parts;
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

    /// The accounts asked for; empty: all.
    pub fn accounts(&self) -> &BTreeSet<String> {
        &self.accounts
    }

    /// The regions asked for; empty: all.
    pub fn regions(&self) -> &BTreeSet<String> {
        &self.regions
    }

    /// True when account and region of a key are wanted. Of a key without AWS's layout (`None`) the records are asked.
    pub fn key(&self, parts: Option<&Parts<'_>>) -> bool {
        parts.is_none_or(|parts| self.account(parts.account) && self.region(parts.region))
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
