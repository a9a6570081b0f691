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
    pairs.iter().map(|(account, region)| format!("{root}AWSLogs/{account}/CloudTrail/{region}/")).collect()
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
            for prefix in prefixes.iter().flat_map(|p| [p.clone(), format!("{p}/")]).filter(|p| p != "/") {
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
        assert_eq!(one.accounts, [A.to_owned(), B.to_owned()].into());
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

#[test]
fn every_trail_is_found_however_deep_and_whatever_stands_beside_it() {
    let region = [(A, "us-east-1")];
    let all =
        |roots: &[&str]| -> BTreeSet<String> { roots.iter().flat_map(|root| lanes(root, &region)).collect() };
    for (roots, prefix) in [
        (&["", "x/y/"][..], ""),
        (&["q/", "x/y/"], ""),
        (&["p/", "p/q/", "p/q/r/s/"], "p/"),
        (&["one-a/", "one-b/"], "one"),
        (&["x/y/z/"], "x"),
    ] {
        let mut keys: Vec<String> = roots.iter().map(|root| key(root, A, "us-east-1")).collect();
        keys.push("other/file.txt".into());
        let found = find(&keys, prefix, &Filter::default());
        assert_eq!((found.lanes, found.flat), (all(roots), None), "{roots:?}");
    }
}

#[test]
fn of_very_many_folders_those_that_were_not_looked_into_are_named() {
    let mut keys: Vec<String> = (0..290).map(|n| format!("f{n:03}/x.txt")).collect();
    keys.extend(["f000/", "f289/"].map(|root| key(root, A, "us-east-1")));
    let found = find(&keys, "", &Filter::default());
    assert_eq!((found.lanes.len(), found.unseen.len()), (2, 0));
    keys.extend((290..310).map(|n| format!("f{n:03}/x.txt")));
    let found = find(&keys, "", &Filter::default());
    assert_eq!(found.lanes.len(), 2);
    assert_eq!(found.unseen, (300..310).map(|n| format!("f{n:03}/")).collect::<Vec<_>>());
    let without: Vec<String> = (0..310).map(|n| format!("f{n:03}/x.json")).collect();
    let found = find(&without, "", &Filter::default());
    assert_eq!((found.flat.as_deref(), found.unseen.len()), (Some(""), 0), "all of it is listed");
}

#[test]
fn the_beginning_of_a_name_means_all_that_begin_so() {
    let keys = [
        key("", A, "us-east-1"),
        key("", A, "us-east-2"),
        key("", A, "us-west-2"),
        key("", A, "eu-west-1"),
        key("", B, "us-east-1"),
    ];
    for (end, regions) in [
        ("us-", &["us-east-1", "us-east-2", "us-west-2"][..]),
        ("us-east", &["us-east-1", "us-east-2"]),
        ("us-east-1", &["us-east-1"]),
        ("us-east-1/", &["us-east-1"]),
        ("us-/", &[]),
        ("ap-", &[]),
    ] {
        let found = find(&keys, &format!("AWSLogs/{A}/CloudTrail/{end}"), &Filter::default());
        let expected: Vec<(&str, &str)> = regions.iter().map(|region| (A, *region)).collect();
        assert_eq!((found.lanes, found.flat), (lanes("", &expected), None), "{end}");
        assert_eq!(found.beside.is_some(), regions.is_empty(), "{end}");
    }
    let found = find(&keys, "AWSLogs/1111", &Filter::default());
    assert_eq!(found.lanes.len(), 4);
    let only = Filter::new(BTreeSet::new(), ["us-west-2".to_owned()].into());
    let found = find(&keys, &format!("AWSLogs/{A}/CloudTrail/us-"), &only);
    assert_eq!(found.lanes, lanes("", &[(A, "us-west-2")]), "filters never widen");
}

#[test]
fn a_region_without_events_is_waited_for_and_its_neighbours_are_named() {
    let keys = [key("", A, "us-east-1"), key("", A, "eu-west-1")];
    let found = find(&keys, &format!("AWSLogs/{A}/CloudTrail/us-eest-1/"), &Filter::default());
    assert_eq!(found.lanes, lanes("", &[(A, "us-eest-1")]));
    assert_eq!(found.beside, Some(vec!["eu-west-1".into(), "us-east-1".into()]));
    let found = find(&keys, "AWSLog/", &Filter::default());
    assert_eq!((found.flat.as_deref(), found.beside), (Some("AWSLog/"), Some(vec!["AWSLogs".into()])));
    let found = find(&keys, &format!("AWSLogs/{B}/"), &Filter::default());
    assert_eq!(found.beside, Some(vec![A.into()]));
}
