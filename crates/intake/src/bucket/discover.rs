//! Which accounts and regions a prefix holds.

use crate::counters::Counters;
use crate::filter::Filter;
use crate::layout::{is_account, is_organisation};
use crate::retry::Pace;
use crate::store::{ListPage, ListRequest, ObjectStore, StoreError, StoreErrorKind};
use std::collections::BTreeSet;

/// Of the folders of a prefix without a trail, so many are looked into.
const MAX_FOLDERS: usize = 100;

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
    /// Accounts that are there and not wanted.
    pub other_accounts: BTreeSet<String>,
}

/// What a prefix says by itself.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    /// `…AWSLogs/` or `…AWSLogs/ORG/`: accounts follow.
    Accounts(String),
    /// `…AWSLogs/…ACCOUNT/`
    Account(String, String),
    /// `…/CloudTrail/`: regions follow.
    Regions(String, String),
    /// `…/CloudTrail/REGION/`
    Lane(String, String, String),
    /// Deeper.
    Deep(String),
    /// No `AWSLogs` in it.
    Open,
}

fn shape(prefix: &str) -> Shape {
    let trimmed = prefix.trim_end_matches('/');
    let parts: Vec<&str> = trimmed.split('/').collect();
    let Some(root) = parts.iter().rposition(|part| *part == "AWSLogs") else { return Shape::Open };
    let after = parts.get(root + 1..).unwrap_or_default();
    let after = match after.split_first() {
        Some((org, rest)) if is_organisation(org) => rest,
        _ => after,
    };
    let folder = format!("{trimmed}/");
    match *after {
        [] => Shape::Accounts(folder),
        [account] if is_account(account) => Shape::Account(format!("{folder}CloudTrail/"), account.into()),
        [account, "CloudTrail"] if is_account(account) => Shape::Regions(folder, account.into()),
        [account, "CloudTrail", region] if is_account(account) => {
            Shape::Lane(folder, account.into(), region.into())
        }
        _ => Shape::Deep(prefix.into()),
    }
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
            Shape::Account(regions, account) | Shape::Regions(regions, account) => {
                self.account(&regions, &account, &mut places).await?;
            }
            Shape::Lane(lane, account, region) => {
                if self.filter.account(&account) && self.filter.region(&region) {
                    places.lanes.insert(lane);
                }
            }
            Shape::Deep(prefix) => places.flat = Some(prefix),
            Shape::Open => self.open(prefix, &mut places).await?,
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
        let folders = self.folders(&folder).await?;
        let own = format!("{folder}AWSLogs/");
        let mut trails = false;
        for child in folders.iter().take(MAX_FOLDERS) {
            let root = if *child == own { own.clone() } else { format!("{child}AWSLogs/") };
            let before = (places.lanes.len(), places.other_accounts.len());
            for folder in self.allowed(&root, places).await? {
                self.account_or_org(&folder, places).await?;
            }
            trails |= before != (places.lanes.len(), places.other_accounts.len()) || *child == own;
        }
        if !trails {
            places.flat = Some(prefix.into());
        }
        Ok(())
    }

    async fn accounts(&self, root: &str, places: &mut Places) -> Result<(), StoreError> {
        for folder in self.folders(root).await? {
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

    /// As [`Self::folders`]; one that may not be listed is noted and passed by.
    async fn allowed(&self, prefix: &str, places: &mut Places) -> Result<Vec<String>, StoreError> {
        match self.folders(prefix).await {
            Err(error) if matches!(error.kind, StoreErrorKind::Denied | StoreErrorKind::Decrypt) => {
                places.refused.push(error);
                Ok(Vec::new())
            }
            result => result,
        }
    }

    async fn account(&self, regions: &str, account: &str, places: &mut Places) -> Result<(), StoreError> {
        if !self.filter.account(account) {
            places.other_accounts.insert(account.into());
            return Ok(());
        }
        for lane in self.allowed(regions, places).await? {
            if self.filter.region(last(&lane)) {
                places.lanes.insert(lane);
            }
        }
        Ok(())
    }

    /// All folders right below `prefix`.
    async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let (mut found, mut continuation) = (Vec::new(), None);
        loop {
            let page = self.page(prefix, continuation).await?;
            found.extend(page.prefixes);
            // A prefix full of objects is no folder of folders.
            if page.next.is_none() || (found.is_empty() && !page.objects.is_empty()) {
                return Ok(found);
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

fn last(folder: &str) -> &str {
    folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    const A: &str = "111122223333";
    const B: &str = "444455556666";

    fn find(keys: &[String], prefix: &str, filter: &Filter) -> Places {
        let store = MemoryStore::default();
        keys.iter().for_each(|key| store.put(key.as_str(), *b"x"));
        let counters = Counters::default();
        let discovery = Discovery { store: &store, counters: &counters, filter, pace: Pace::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(discovery.run(prefix)).unwrap()
    }

    fn key(root: &str, account: &str, region: &str) -> String {
        format!("{root}AWSLogs/{account}/CloudTrail/{region}/2026/11/02/x.json.gz")
    }

    fn lanes(root: &str, pairs: &[(&str, &str)]) -> BTreeSet<String> {
        pairs
            .iter()
            .map(|(account, region)| format!("{root}AWSLogs/{account}/CloudTrail/{region}/"))
            .collect()
    }

    #[test]
    fn every_depth_of_a_prefix_finds_the_trail() {
        for root in ["", "p/", "a/b/"] {
            let org = format!("o-abc1234567/{A}");
            for (account, folders) in [(A, vec![A]), (org.as_str(), vec!["o-abc1234567", org.as_str()])] {
                let keys = [
                    key(root, account, "us-east-1"),
                    key(root, account, "eu-west-1"),
                    format!("{root}AWSLogs/{account}/CloudTrail-Digest/us-east-1/2026/11/02/d.json.gz"),
                    format!("{root}AWSLogs/{account}/Config/us-east-1/2026/c.json.gz"),
                ];
                let all = lanes(root, &[(account, "us-east-1"), (account, "eu-west-1")]);
                let mut prefixes = vec![format!("{root}AWSLogs")];
                prefixes.extend(folders.iter().map(|folder| format!("{root}AWSLogs/{folder}")));
                prefixes.push(format!("{root}AWSLogs/{account}/CloudTrail"));
                if root != "a/b/" {
                    prefixes.push(String::new());
                }
                if !root.is_empty() {
                    prefixes.push(root.trim_end_matches('/').into());
                }
                for prefix in prefixes.iter().flat_map(|p| [p.clone(), format!("{p}/")]).filter(|p| p != "/")
                {
                    assert_eq!(find(&keys, &prefix, &Filter::default()).lanes, all, "{prefix}");
                }
                let lane = format!("{root}AWSLogs/{account}/CloudTrail/eu-west-1");
                assert_eq!(find(&keys, &lane, &Filter::default()).lanes.len(), 1);
            }
        }
    }

    #[test]
    fn filters_never_widen() {
        let keys = [key("", A, "us-east-1"), key("", A, "eu-west-1"), key("", B, "us-east-1")];
        let filter = |accounts: &[&str], regions: &[&str]| {
            let set = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
            Filter::new(set(accounts), set(regions))
        };
        for prefix in ["", "AWSLogs/"] {
            let one = find(&keys, prefix, &filter(&[B], &[]));
            assert_eq!(one.lanes, lanes("", &[(B, "us-east-1")]));
            assert_eq!(one.other_accounts, [A.to_owned()].into());
            let none = find(&keys, prefix, &filter(&["999999999999"], &[]));
            assert_eq!((none.lanes.len(), none.flat), (0, None), "{prefix}");
            let region = find(&keys, prefix, &filter(&[], &["eu-west-1"]));
            assert_eq!(region.lanes, lanes("", &[(A, "eu-west-1")]));
        }
        let lane = find(&keys, &format!("AWSLogs/{A}/CloudTrail/us-east-1"), &filter(&[B], &[]));
        assert!(lane.lanes.is_empty() && lane.flat.is_none());
    }

    #[test]
    fn without_the_layout_the_prefix_is_listed_as_it_is() {
        let keys = ["logs/a.json".to_owned(), "logs/deep/b.json".to_owned()];
        assert_eq!(find(&keys, "logs/", &Filter::default()).flat.as_deref(), Some("logs/"));
        let deep = format!("AWSLogs/{A}/CloudTrail/us-east-1/2026/11/");
        assert_eq!(find(&keys, &deep, &Filter::default()).flat, Some(deep));
    }

    #[test]
    fn two_trails_in_one_bucket_are_both_found() {
        let keys = [key("", A, "us-east-1"), key("audit/", B, "us-east-1")];
        let mut both = lanes("", &[(A, "us-east-1")]);
        both.extend(lanes("audit/", &[(B, "us-east-1")]));
        assert_eq!(find(&keys, "", &Filter::default()).lanes, both);
    }
}
