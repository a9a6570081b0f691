//! What reading would come to, without reading: for `tfdrift doctor`. Places are found and left out by the same code
//! that finds them for the reader, so that both say the same.

use crate::bucket::Discovery;
use crate::config::IntakeConfig;
use crate::counters::Counters;
use crate::filter::Filter;
use crate::intake::OpenError;
use crate::layout;
use crate::origin::Origin;
use crate::retry::Pace;
use crate::store::{ObjectStore, StoreError};

/// The settings that say what is wanted, checked as at open.
#[derive(Debug, Clone)]
pub struct Wanted {
    filter: Filter,
    ends: bool,
}

/// What a prefix holds.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Beginnings of keys, each of one account and region, that would be followed; in ascending order.
    pub lanes: Vec<String>,
    /// A beginning of keys that would be listed as a whole, since there is no layout of CloudTrail's below it.
    pub flat: Option<String>,
    /// Folders that may not be listed, and would be left out.
    pub refused: Vec<StoreError>,
    /// Accounts that are there and left out by `source.accounts` or `s3AccountList`.
    pub other_accounts: Vec<String>,
    /// Regions of wanted accounts that are there and left out by `source.regions`.
    pub other_regions: Vec<String>,
    /// Accounts asked for that have no folder. Empty when `flat` is given: there the records are asked.
    pub missing_accounts: Vec<String>,
    /// Regions asked for that no wanted account has a folder of. Empty when `flat` is given.
    pub missing_regions: Vec<String>,
}

impl Wanted {
    /// Checks all settings that [`crate::Intake::open`] would refuse for this origin, the checkpoint's aside.
    ///
    /// # Errors
    /// The first of them, as `open` says it.
    pub fn of(origin: &Origin, config: &IntakeConfig, now_ns: u64) -> Result<Wanted, OpenError> {
        let (filter, ends) = crate::intake::checked(origin, config, now_ns)?;
        Ok(Wanted { filter, ends })
    }

    /// True when reading ends by itself: by the open parameters, or by an `s3Interval` with an end. No checkpoint is
    /// kept then.
    pub fn ends(&self) -> bool {
        self.ends
    }

    /// True when an object of this key would be read, whatever its time.
    pub fn key(&self, key: &str) -> bool {
        layout::is_log_name(key)
            && !layout::is_other_product(key)
            && self.filter.key(layout::parse(key).as_ref())
    }

    /// Looks for accounts and regions below `prefix`.
    ///
    /// # Errors
    /// When nothing at all may be listed.
    pub async fn survey(&self, store: &dyn ObjectStore, prefix: &str) -> Result<Survey, StoreError> {
        let (filter, counters) = (&self.filter, Counters::default());
        let discovery = Discovery { store, counters: &counters, filter, pace: Pace::default() };
        let found = discovery.run(prefix).await?;
        let (missing_accounts, missing_regions) =
            (found.missing_accounts(filter), found.missing_regions(filter));
        Ok(Survey {
            lanes: found.lanes.into_iter().collect(),
            flat: found.flat,
            refused: found.refused,
            other_accounts: found.accounts.into_iter().filter(|account| !filter.account(account)).collect(),
            other_regions: found.regions.into_iter().filter(|region| !filter.region(region)).collect(),
            missing_accounts,
            missing_regions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    const A: &str = "111122223333";

    fn survey(accounts: &str, regions: &[&str], prefix: &str) -> Survey {
        let store = MemoryStore::default();
        for region in ["us-east-1", "eu-west-1"] {
            store.put(format!("AWSLogs/{A}/CloudTrail/{region}/2026/11/02/x.json.gz").as_str(), *b"x");
        }
        store.put("flat/a.json", *b"x");
        let mut config = IntakeConfig { s3_account_list: accounts.into(), ..IntakeConfig::default() };
        config.source.regions = regions.iter().map(|r| (*r).to_owned()).collect();
        let origin = Origin::parse("s3://logs").unwrap();
        let wanted = Wanted::of(&origin, &config, 0).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(wanted.survey(&store, prefix)).unwrap()
    }

    #[test]
    fn what_a_filter_leaves_out_is_named() {
        let all = survey("", &[], "AWSLogs/");
        assert_eq!((all.lanes.len(), all.other_accounts.len(), all.other_regions.len()), (2, 0, 0));
        let none = survey("999999999999", &[], "AWSLogs/");
        assert_eq!((none.lanes.len(), none.other_accounts.as_slice()), (0, &[A.to_owned()][..]));
        assert_eq!(none.missing_accounts, ["999999999999"]);
        let one = survey("", &["us-east-1", "sa-east-1"], "AWSLogs/");
        assert_eq!((one.lanes.len(), one.other_regions.as_slice()), (1, &["eu-west-1".to_owned()][..]));
        assert_eq!(
            (one.missing_regions.as_slice(), one.missing_accounts.len()),
            (&["sa-east-1".to_owned()][..], 0)
        );
        let flat = survey("999999999999", &[], "flat/");
        assert_eq!((flat.flat.as_deref(), flat.missing_accounts.len()), (Some("flat/"), 0));
    }

    #[test]
    fn settings_that_open_refuses_are_refused() {
        let origin = Origin::parse("s3://logs").unwrap();
        for (key, config) in [
            ("s3AccountList", IntakeConfig { s3_account_list: "12".into(), ..IntakeConfig::default() }),
            ("s3Interval", IntakeConfig { s3_interval: "soon".into(), ..IntakeConfig::default() }),
        ] {
            let error = Wanted::of(&origin, &config, 0).unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
        }
        let ends = |s3_interval: &str| {
            let config = IntakeConfig { s3_interval: s3_interval.into(), ..IntakeConfig::default() };
            Wanted::of(&origin, &config, 1_800_000_000_000_000_000).unwrap().ends()
        };
        assert_eq!((ends(""), ends("2h"), ends("2h-1h")), (false, false, true));
    }
}
