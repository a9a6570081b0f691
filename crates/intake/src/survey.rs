//! What reading would come to, without reading: for `tfdrift doctor`. Places are found and left out by the same code
//! that finds them for the reader, so that both say the same.

use crate::bucket::{Discovery, Places};
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
    /// Beginnings of keys as in `lanes` that are there and left out by `source.accounts`, `s3AccountList` or
    /// `source.regions`.
    pub left_out: Vec<String>,
    /// Accounts asked for of which nothing is there. Empty when `flat` is given: there the records are asked.
    pub missing_accounts: Vec<String>,
    /// Regions asked for of which nothing is there. Empty when `flat` is given.
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
            && layout::parse(key)
                .is_none_or(|parts| self.filter.account(parts.account) && self.filter.region(parts.region))
    }

    /// Looks for accounts and regions below `prefix`.
    ///
    /// # Errors
    /// When nothing at all may be listed.
    pub async fn survey(&self, store: &dyn ObjectStore, prefix: &str) -> Result<Survey, StoreError> {
        let found = places(store, prefix, &self.filter).await?;
        let mut survey = Survey {
            lanes: found.lanes.into_iter().collect(),
            flat: found.flat,
            refused: found.refused,
            ..Survey::default()
        };
        if self.filter.is_open() || survey.flat.is_some() {
            return Ok(survey);
        }
        let all = places(store, prefix, &Filter::default()).await?.lanes;
        survey.left_out = all.into_iter().filter(|lane| !survey.lanes.contains(lane)).collect();
        let parts: Vec<_> = survey.lanes.iter().filter_map(|lane| layout::parse(lane)).collect();
        let accounts = self.filter.accounts().filter(|a| !parts.iter().any(|p| p.account == *a));
        let regions = self.filter.regions().filter(|r| !parts.iter().any(|p| p.region == *r));
        let (accounts, regions) =
            (accounts.map(str::to_owned).collect(), regions.map(str::to_owned).collect());
        (survey.missing_accounts, survey.missing_regions) = (accounts, regions);
        Ok(survey)
    }
}

async fn places(store: &dyn ObjectStore, prefix: &str, filter: &Filter) -> Result<Places, StoreError> {
    let counters = Counters::default();
    Discovery { store, counters: &counters, filter, pace: Pace::default() }.run(prefix).await
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
        assert_eq!((all.lanes.len(), all.left_out.len()), (2, 0));
        let none = survey("999999999999", &[], "AWSLogs/");
        assert_eq!((none.lanes.len(), none.left_out.len()), (0, 2));
        assert_eq!(none.missing_accounts, ["999999999999"]);
        let one = survey("", &["us-east-1", "sa-east-1"], "AWSLogs/");
        assert_eq!((one.lanes.len(), one.left_out.len()), (1, 1));
        assert_eq!(one.missing_regions, ["sa-east-1"]);
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
