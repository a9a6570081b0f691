//! What was asked for and is not there: told once, with what is there instead.

use super::discover::Places;
use crate::filter::Filter;
use std::collections::BTreeSet;

/// So many names stand in one message.
const NAMES: usize = 20;

/// What is to be told of a first look at `prefix`, one line each. `home`: `s3://BUCKET/`
pub fn notes(home: &str, prefix: &str, filter: &Filter, places: &Places) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(beside) = &places.beside {
        let asked = prefix.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let there = there(asked, beside.iter().map(String::as_str));
        notes.push(format!(
            "nothing is below {home}{prefix} yet{there}; an account or region without events has no folder: it is waited for"
        ));
        return notes;
    }
    for account in places.missing_accounts(filter) {
        let there = there(&account, places.accounts.iter().map(String::as_str));
        notes.push(format!("account {account} has no folder below {home}{prefix} yet{there}"));
    }
    for region in places.missing_regions(filter) {
        let there = there(&region, places.regions.iter().map(String::as_str));
        notes.push(format!(
            "region {region} has no folder below {home}{prefix} yet{there}; a region without events has none: it is waited for"
        ));
    }
    if notes.is_empty() && places.lanes.is_empty() && places.flat.is_none() {
        let there = there("", places.accounts.iter().map(String::as_str));
        notes.push(format!("nothing to read below {home}{prefix} yet{there}"));
    }
    notes
}

/// What is to be told of folders that were not looked into.
pub fn unseen(home: &str, unseen: &[String]) -> String {
    let more = unseen.len().saturating_sub(NAMES);
    let names: Vec<&str> = unseen.iter().map(String::as_str).take(NAMES).collect();
    format!(
        "trails are not looked for in {} folders of {home}, there are too many: {}{}; to read a trail below one of them, name \
         it in open_params: {home}FOLDER/",
        unseen.len(),
        names.join(", "),
        if more > 0 { format!(" and {more} more") } else { String::new() },
    )
}

/// `; there are: a, b; did you mean a?`
fn there<'n>(asked: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: BTreeSet<&str> = names.collect();
    if names.is_empty() {
        return String::new();
    }
    let shown: Vec<&str> = names.iter().copied().take(NAMES).collect();
    let rest = if names.len() > NAMES { format!(" and {} more", names.len() - NAMES) } else { String::new() };
    let near = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(asked, name), *name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 6 && !asked.is_empty())
        .min();
    let guess = near.map(|(_, name)| format!("; did you mean {name}?")).unwrap_or_default();
    format!("; there are: {}{rest}{guess}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|t| (*t).to_owned()).collect()
    }

    fn tell(accounts: &[&str], regions: &[&str], places: Places) -> String {
        notes("s3://b/", "AWSLogs/", &Filter::new(set(accounts), set(regions)), &places).join("\n")
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let places = |lanes: &[&str]| Places {
            lanes: set(lanes),
            accounts: set(&["111122223333", "444455556666"]),
            regions: set(&["us-east-1", "eu-west-1"]),
            ..Places::default()
        };
        assert_eq!(tell(&[], &[], places(&["l/"])), "");
        assert_eq!(
            tell(&["111122223334", "444455556666"], &[], places(&["l/"])),
            "account 111122223334 has no folder below s3://b/AWSLogs/ yet; there are: 111122223333, 444455556666; did you mean 111122223333?"
        );
        assert_eq!(
            tell(&[], &["us-eest-1", "eu-west-1"], places(&["l/"])),
            "region us-eest-1 has no folder below s3://b/AWSLogs/ yet; there are: eu-west-1, us-east-1; did you mean us-east-1?; a region without events has none: it is waited for"
        );
        assert_eq!(tell(&[], &[], Places::default()), "nothing to read below s3://b/AWSLogs/ yet");
        let beside = Places { beside: Some(vec!["AWSLogs".into(), "other".into()]), ..Places::default() };
        let told = notes("s3://b/", "AWSLog/", &Filter::default(), &beside).join("\n");
        assert!(told.contains("there are: AWSLogs, other; did you mean AWSLogs?"), "{told}");
    }

    #[test]
    fn folders_that_were_not_looked_into_are_named() {
        let folders: Vec<String> = (0..30).map(|n| format!("f{n}/")).collect();
        let told = unseen("s3://b/", &folders);
        assert!(told.contains("in 30 folders") && told.contains("f19/ and 10 more"), "{told}");
        assert!(told.contains("open_params: s3://b/FOLDER/"), "{told}");
    }
}
