//! Which accounts and regions a prefix holds.

mod shape;
#[cfg(test)]
mod tests;

use self::shape::{Lane, Shape, is_region, shape};
use crate::counters::Counters;
use crate::filter::Filter;
use crate::layout::{is_account, is_organisation};
use crate::retry::Pace;
use crate::store::{ListPage, ListRequest, ObjectStore, StoreError, StoreErrorKind};
use futures_util::future::join_all;
use std::collections::{BTreeSet, VecDeque};

/// So many folders that do not belong to a trail are looked into, level by level, for trails below them.
const MAX_FOLDERS: usize = 300;

/// Listings at once.
const AT_ONCE: usize = 16;

/// Attempts at one listing: where accounts are many, one that fails must not begin all of them anew.
const ATTEMPTS: u32 = 5;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Beginnings of keys, each of one account and region.
    pub lanes: BTreeSet<String>,
    /// A beginning of keys without AWS's layout, or deeper in it than a region: listed as a whole.
    pub flat: Option<String>,
    /// Folders that may not be listed.
    pub refused: Vec<StoreError>,
    /// Accounts that are there, wanted or not.
    pub accounts: BTreeSet<String>,
    /// Regions of wanted accounts that are there, wanted or not.
    pub regions: BTreeSet<String>,
    /// Folders that were not looked into, because there are too many.
    pub unseen: Vec<String>,
    /// Set when nothing is below the prefix: the names of what stands beside it.
    pub beside: Option<Vec<String>>,
}

impl Places {
    /// Accounts asked for that have no folder. None where there is no layout: there the records are asked.
    pub fn missing_accounts(&self, filter: &Filter) -> Vec<String> {
        match self.flat {
            Some(_) => Vec::new(),
            None => filter.accounts().difference(&self.accounts).cloned().collect(),
        }
    }

    /// Regions asked for that have no folder in any account that is wanted; without such an account nothing is known of
    /// regions.
    pub fn missing_regions(&self, filter: &Filter) -> Vec<String> {
        if self.flat.is_some() || !self.accounts.iter().any(|account| filter.account(account)) {
            return Vec::new();
        }
        filter.regions().difference(&self.regions).cloned().collect()
    }
}

/// What is right below a beginning of keys.
struct Below {
    folders: Vec<String>,
    /// True when there is anything, an object too.
    any: bool,
}

/// Looks at folders of a bucket.
pub struct Discovery<'a> {
    pub store: &'a dyn ObjectStore,
    pub counters: &'a Counters,
    pub filter: &'a Filter,
    pub pace: Pace,
}

impl Discovery<'_> {
    /// What to list for `prefix`.
    ///
    /// # Errors
    /// When a listing fails.
    pub async fn run(&self, prefix: &str) -> Result<Places, StoreError> {
        let mut places = Places::default();
        match shape(prefix) {
            Shape::Accounts(root) => self.accounts(&root, &mut places).await?,
            Shape::SomeAccounts(beginning) => {
                self.accounts(&beginning, &mut places).await?;
                if places.accounts.is_empty() {
                    places.flat = Some(prefix.into());
                }
            }
            Shape::Regions(regions, account) => {
                self.account(&regions, &account, &mut places).await?;
                if places.regions.is_empty() && self.filter.account(&account) {
                    places.accounts.remove(&account);
                }
            }
            Shape::Lane(lane) => self.lane(lane, &mut places).await?,
            Shape::Deep(prefix) => places.flat = Some(prefix),
            Shape::Open => self.open(prefix, &mut places).await?,
        }
        if places.lanes.is_empty() || places.flat.is_some() {
            self.look_beside(prefix, &mut places).await;
        }
        // Nothing at all may be listed: that is a failure, not an empty bucket.
        match places.refused.pop() {
            Some(error) if places.lanes.is_empty() => Err(error),
            Some(error) => {
                places.refused.push(error);
                Ok(places)
            }
            None => Ok(places),
        }
    }

    /// A prefix that does not name the trail's own folder: it may hold trails, or objects without AWS's layout.
    async fn open(&self, prefix: &str, places: &mut Places) -> Result<(), StoreError> {
        let trimmed = prefix.trim_end_matches('/');
        let folder = if trimmed.is_empty() { String::new() } else { format!("{trimmed}/") };
        let mut top = self.below(&folder).await?;
        if !top.any && !prefix.ends_with('/') && !trimmed.is_empty() {
            // No folder of that name: the beginning of one.
            top = self.below(trimmed).await?;
        }
        let own = format!("{folder}AWSLogs/");
        let (mut queue, mut looks, mut trails) = (VecDeque::from(top.folders), 0, false);
        while !queue.is_empty() {
            let mut group = Vec::new();
            while let Some(child) = queue.pop_front() {
                if last(&child) == "AWSLogs" {
                    let before = self.size(places);
                    for folder in self.allowed(&child, places).await? {
                        self.account_or_org(&folder, places).await?;
                    }
                    trails |= before != self.size(places) || child == own;
                } else if looks == MAX_FOLDERS {
                    places.unseen.push(child);
                } else {
                    looks += 1;
                    group.push(child);
                    if group.len() == AT_ONCE {
                        break;
                    }
                }
            }
            for below in join_all(group.iter().map(|child| self.below(child))).await {
                match below {
                    Ok(below) => queue.extend(below.folders),
                    Err(error) if is_refusal(&error) => places.refused.push(error),
                    Err(error) => return Err(error),
                }
            }
        }
        if !trails {
            // Listed as a whole, so that no folder is left out.
            places.unseen.clear();
            places.flat = Some(prefix.into());
        }
        Ok(())
    }

    /// Regions found, and accounts found that are not wanted: more of them, and it is a trail.
    fn size(&self, places: &Places) -> (usize, usize) {
        let unwanted = places.accounts.iter().filter(|account| !self.filter.account(account));
        (places.regions.len() + places.lanes.len(), unwanted.count())
    }

    async fn accounts(&self, root: &str, places: &mut Places) -> Result<(), StoreError> {
        for folder in self.below(root).await?.folders {
            self.account_or_org(&folder, places).await?;
        }
        Ok(())
    }

    async fn account_or_org(&self, folder: &str, places: &mut Places) -> Result<(), StoreError> {
        let name = last(folder);
        if is_account(name) {
            return self.account(&format!("{folder}CloudTrail/"), name, places).await;
        }
        if is_organisation(name) {
            for folder in self.allowed(folder, places).await? {
                let name = last(&folder);
                if is_account(name) {
                    self.account(&format!("{folder}CloudTrail/"), name, places).await?;
                }
            }
        }
        Ok(())
    }

    /// As [`Self::below`]; a folder that may not be listed is noted and passed by.
    async fn allowed(&self, prefix: &str, places: &mut Places) -> Result<Vec<String>, StoreError> {
        match self.below(prefix).await {
            Err(error) if is_refusal(&error) => {
                places.refused.push(error);
                Ok(Vec::new())
            }
            result => result.map(|below| below.folders),
        }
    }

    async fn account(&self, regions: &str, account: &str, places: &mut Places) -> Result<(), StoreError> {
        places.accounts.insert(account.into());
        if self.filter.account(account) {
            let lanes = self.allowed(regions, places).await?;
            self.take(lanes, places);
        }
        Ok(())
    }

    /// Of the folders of regions, those that are wanted.
    fn take(&self, lanes: Vec<String>, places: &mut Places) {
        for lane in lanes {
            places.regions.insert(last(&lane).into());
            if self.filter.region(last(&lane)) {
                places.lanes.insert(lane);
            }
        }
    }

    /// A prefix that names a region, or begins to.
    async fn lane(&self, lane: Lane, places: &mut Places) -> Result<(), StoreError> {
        places.accounts.insert(lane.account.clone());
        if !self.filter.account(&lane.account) {
            return Ok(());
        }
        match self.below(&lane.folder).await {
            Ok(below) if !below.any => {}
            Err(error) if !is_refusal(&error) => return Err(error),
            // Who may not list by folder may be allowed to list all the same.
            Ok(_) | Err(_) => {
                self.take(vec![lane.folder], places);
                return Ok(());
            }
        }
        if lane.cut {
            let beginning = lane.folder.trim_end_matches('/');
            self.take(self.peek(beginning).await, places);
        }
        if places.regions.is_empty() {
            if is_region(&lane.region) && self.filter.region(&lane.region) {
                // A region without events has no folder: it is waited for.
                places.lanes.insert(lane.folder);
            }
            let there = self.peek(&lane.regions).await;
            places.beside = Some(there.iter().map(|folder| last(folder).to_owned()).collect());
        }
        Ok(())
    }

    /// Notes what stands beside a prefix below which there is nothing.
    async fn look_beside(&self, prefix: &str, places: &mut Places) {
        let trimmed = prefix.trim_end_matches('/');
        let empty = places.beside.is_none() && places.accounts.is_empty() && places.refused.is_empty();
        if !empty || !self.page(prefix, None).await.is_ok_and(|page| is_empty(&page)) {
            return;
        }
        if trimmed.is_empty() {
            places.beside = Some(Vec::new());
            return;
        }
        let parent = trimmed.rfind('/').and_then(|at| trimmed.get(..=at)).unwrap_or_default();
        let there = self.peek(parent).await;
        places.beside = Some(there.iter().map(|folder| last(folder).to_owned()).collect());
    }

    /// The folders below a beginning of keys, for a message or a guess: none when that may not be listed.
    async fn peek(&self, prefix: &str) -> Vec<String> {
        self.below(prefix).await.map(|below| below.folders).unwrap_or_default()
    }

    /// All folders right below `prefix`.
    async fn below(&self, prefix: &str) -> Result<Below, StoreError> {
        let mut below = Below { folders: Vec::new(), any: false };
        let mut continuation = None;
        loop {
            let page = self.page(prefix, continuation).await?;
            below.any |= !is_empty(&page);
            below.folders.extend(page.prefixes);
            // A prefix full of objects is no folder of folders.
            if page.next.is_none() || (below.folders.is_empty() && !page.objects.is_empty()) {
                return Ok(below);
            }
            continuation = page.next;
        }
    }

    async fn page(&self, prefix: &str, continuation: Option<String>) -> Result<ListPage, StoreError> {
        let mut attempt = 0;
        loop {
            self.counters.list_calls.add(1);
            let request = ListRequest {
                prefix: prefix.into(),
                start_after: None,
                by_folder: true,
                continuation: continuation.clone(),
                max_keys: 1000,
            };
            attempt += 1;
            match self.store.list(request).await {
                Err(error) if error.kind.passes() && attempt < ATTEMPTS => {
                    self.counters.retries.add(1);
                    tokio::time::sleep(self.pace.wait(attempt)).await;
                }
                result => return result,
            }
        }
    }
}

fn is_empty(page: &ListPage) -> bool {
    page.objects.is_empty() && page.prefixes.is_empty()
}

fn is_refusal(error: &StoreError) -> bool {
    matches!(error.kind, StoreErrorKind::Denied | StoreErrorKind::Decrypt)
}

fn last(folder: &str) -> &str {
    folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}
