//! Names and times in the keys of CloudTrail objects:
//! `[PREFIX/]AWSLogs/[ORG/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_RANDOM.json.gz`.
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>

/// Nanoseconds of a minute.
pub const MINUTE_NS: u64 = 60_000_000_000;

/// What the key of an object in AWS's layout says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'k> {
    /// Everything up to and with `REGION/`.
    pub lane: &'k str,
    /// The rest.
    pub name: &'k str,
    /// 12 digits.
    pub account: &'k str,
    /// `us-east-1`
    pub region: &'k str,
    /// `CloudTrail`, `CloudTrail-Digest`, `CloudTrail-Insight`
    pub kind: &'k str,
}

/// Takes a key apart; `None` if it is not in AWS's layout.
pub fn parse(key: &str) -> Option<Parts<'_>> {
    let mut from = 0;
    loop {
        let found = from + key.get(from..)?.find("AWSLogs/")?;
        let after = found + "AWSLogs/".len();
        if (found == 0 || key.as_bytes().get(found - 1) == Some(&b'/'))
            && let Some(parts) = after_root(key, after)
        {
            return Some(parts);
        }
        from = after;
    }
}

fn after_root(key: &str, at: usize) -> Option<Parts<'_>> {
    let mut at = at;
    let (mut first, mut end) = segment(key, at)?;
    if is_organisation(first) {
        at = end;
        (first, end) = segment(key, at)?;
    }
    if !is_account(first) {
        return None;
    }
    let account = first;
    let (kind, end) = segment(key, end)?;
    let (region, end) = segment(key, end)?;
    kind.starts_with("CloudTrail").then(|| Parts {
        lane: key.get(..end).unwrap_or_default(),
        name: key.get(end..).unwrap_or_default(),
        account,
        region,
        kind,
    })
}

fn segment(key: &str, at: usize) -> Option<(&str, usize)> {
    let rest = key.get(at..)?;
    let len = rest.find('/')?;
    Some((rest.get(..len)?, at + len + 1))
}

/// 12 digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// `o-` and 10 to 32 letters and digits.
pub fn is_organisation(text: &str) -> bool {
    text.strip_prefix("o-").is_some_and(|id| {
        (10..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// True for keys of CloudTrail's digests and Insights, which hold no records.
pub fn is_other_product(key: &str) -> bool {
    key.contains("/CloudTrail-Digest/") || key.contains("/CloudTrail-Insight/")
}

/// True for names that may hold records.
pub fn is_log_name(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    [".json", ".jsonl", ".ndjson"].iter().any(|end| name.ends_with(end))
}

/// The minute (since 1970) in the last part of a key; `None` if there is none.
pub fn minute(key: &str) -> Option<u64> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let (_, rest) = name.split_once("_CloudTrail_")?;
    let text = rest.split('_').nth(1)?.strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    if date.len() != 8 || time.len() != 4 || !date.bytes().chain(time.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let rfc = format!(
        "{}-{}-{}T{}:{}:00Z",
        date.get(..4)?,
        date.get(4..6)?,
        date.get(6..8)?,
        time.get(..2)?,
        time.get(2..4)?
    );
    Some(tfdrift_cloudtrail::time::parse_rfc3339_ns(&rfc)? / MINUTE_NS)
}

/// `2026/11/02` of a day since 1970.
pub fn day_folder(day: u64) -> String {
    let (year, month, date) = civil(day);
    format!("{year:04}/{month:02}/{date:02}")
}

/// The day (since 1970) that a minute belongs to.
pub fn day_of(minute: u64) -> u64 {
    minute / 1440
}

/// What sorts before every key of `lane` that is of `minute` or later, and after every earlier one.
pub fn before_minute(lane: &str, minute: u64) -> Option<String> {
    let parts = parse(lane)?;
    let (day, of_day) = (day_of(minute), minute % 1440);
    let (year, month, date) = civil(day);
    Some(format!(
        "{lane}{}/{}_{}_{}_{year:04}{month:02}{date:02}T{:02}{:02}",
        day_folder(day),
        parts.account,
        parts.kind,
        parts.region,
        of_day / 60,
        of_day % 60,
    ))
}

/// Today in UTC, `YYYY-MM-DD`.
pub fn today() -> String {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ns = since_epoch.map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX));
    rfc3339(ns).chars().take(10).collect()
}

/// `2026-11-02T19:30:22Z` of nanoseconds since 1970; fractions are dropped.
pub fn rfc3339(ns: u64) -> String {
    let secs = ns / 1_000_000_000;
    let (year, month, day) = civil(secs / 86_400);
    let of_day = secs % 86_400;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Year, month and day of a number of days since 1970-01-01 (Gregorian calendar, years counted from March).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: &str = "2026/11/02/111122223333_CloudTrail_us-east-1_20261102T1930Z_AbCdEfGhIjKlMnOp.json.gz";

    #[test]
    fn every_layout_of_a_trail() {
        for root in ["", "p/", "a/b/", "AWSLogs/x/"] {
            for org in ["", "o-abc1234567/"] {
                let lane = format!("{root}AWSLogs/{org}111122223333/CloudTrail/us-east-1/");
                let key = format!("{lane}{NAME}");
                let parts = parse(&key).unwrap();
                assert_eq!((parts.lane, parts.name), (lane.as_str(), NAME));
                assert_eq!(
                    (parts.account, parts.region, parts.kind),
                    ("111122223333", "us-east-1", "CloudTrail")
                );
            }
        }
        for key in
            ["", "AWSLogs/", "xAWSLogs/111122223333/CloudTrail/r/k", "AWSLogs/1/CloudTrail/r/k", "a/b.json"]
        {
            assert_eq!(parse(key), None, "{key}");
        }
    }

    #[test]
    fn the_minute_of_a_key() {
        assert_eq!(minute(NAME), Some(1_793_647_800 / 60));
        for key in ["a.json", "1_CloudTrail_r_2026Z_x.json", "1_CloudTrail_r_20261302T1930Z_x.json"] {
            assert_eq!(minute(key), None, "{key}");
        }
    }

    #[test]
    fn other_products_and_names() {
        assert!(is_other_product("AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/02/x.json.gz"));
        assert!(is_other_product("AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2026/11/02/x.json.gz"));
        assert!(!is_other_product("AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/02/x.json.gz"));
        for (name, is) in [
            ("a.json", true),
            ("a.json.gz", true),
            ("a.jsonl", true),
            ("a.ndjson.gz", true),
            ("a.gz", false),
            ("a.txt", false),
        ] {
            assert_eq!(is_log_name(name), is, "{name}");
        }
    }

    proptest! {
        #[test]
        fn times_come_back(secs in 0u64..200 * 366 * 86_400) {
            let text = rfc3339(secs * 1_000_000_000);
            prop_assert_eq!(tfdrift_cloudtrail::time::parse_rfc3339_ns(&text), Some(secs * 1_000_000_000));
        }

        #[test]
        fn start_after_parts_earlier_from_later(at in 0u64..60_000_000, other in 0u64..60_000_000) {
            let lane = "p/AWSLogs/111122223333/CloudTrail/us-east-1/";
            let key = format!("{}Z_0000000000000000.json.gz", before_minute(lane, other).unwrap());
            prop_assert_eq!(minute(&key), Some(other));
            prop_assert_eq!(key > before_minute(lane, at).unwrap(), other >= at);
        }
    }
}
