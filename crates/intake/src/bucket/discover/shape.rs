//! What a prefix says by itself about where in AWS's layout it points.

use crate::layout::{is_account, is_organisation};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `…AWSLogs/` or `…AWSLogs/ORG/`: accounts follow.
    Accounts(String),
    /// The beginning of the name of an account or organisation: `…AWSLogs/1111`
    SomeAccounts(String),
    /// `…/ACCOUNT/` or `…/ACCOUNT/CloudTrail/`: the folder of its regions, and the account.
    Regions(String, String),
    /// `…/CloudTrail/REGION/`, or with the beginning of a region's name.
    Lane(Lane),
    /// Deeper.
    Deep(String),
    /// No `AWSLogs` in it.
    Open,
}

/// A prefix that ends with a region, or what should be one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lane {
    /// Ends in `/`.
    pub folder: String,
    /// `…/CloudTrail/`
    pub regions: String,
    pub account: String,
    pub region: String,
    /// True when no `/` follows: it may be the beginning of a name.
    pub cut: bool,
}

pub(super) fn shape(prefix: &str) -> Shape {
    let trimmed = prefix.trim_end_matches('/');
    let parts: Vec<&str> = trimmed.split('/').collect();
    let Some(root) = parts.iter().rposition(|part| *part == "AWSLogs") else { return Shape::Open };
    let after = parts.get(root + 1..).unwrap_or_default();
    let after = match after.split_first() {
        Some((org, rest)) if is_organisation(org) => rest,
        _ => after,
    };
    let (folder, cut) = (format!("{trimmed}/"), !prefix.ends_with('/'));
    match *after {
        [] => Shape::Accounts(folder),
        [account] if is_account(account) => Shape::Regions(format!("{folder}CloudTrail/"), account.into()),
        [name] if cut && (is_number(name) || name.starts_with("o-")) => Shape::SomeAccounts(trimmed.into()),
        [account, "CloudTrail"] if is_account(account) => Shape::Regions(folder, account.into()),
        [account, "CloudTrail", region] if is_account(account) => {
            let regions = trimmed.get(..trimmed.len() - region.len()).unwrap_or_default().into();
            Shape::Lane(Lane { folder, regions, account: account.into(), region: region.into(), cut })
        }
        _ => Shape::Deep(prefix.into()),
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// True for what is built like the name of a region: `us-east-1`, `us-gov-west-1`.
pub(super) fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
    let words = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let middle: Vec<&str> = parts.collect();
    words(first) && !middle.is_empty() && middle.into_iter().all(words) && !last.is_empty() && is_number(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_by_their_form() {
        for (text, is) in [
            ("us-east-1", true),
            ("us-gov-west-1", true),
            ("us-eest-1", true),
            ("us-", false),
            ("us-east-", false),
            ("us-1", false),
            ("", false),
        ] {
            assert_eq!(is_region(text), is, "{text}");
        }
    }
}
