//! The Go plugin's `s3Interval` and `s3AccountList`.

use crate::layout::is_account;
use crate::since::Since;
use std::collections::BTreeSet;

/// `START` or `START-END`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Where it begins.
    pub start: Since,
    /// Where it ends; itself in it.
    pub end: Option<Since>,
}

/// Reads `s3Interval`; `None` when it is empty.
///
/// # Errors
/// A sentence that says what is wrong and what to write.
pub fn interval(text: &str) -> Result<Option<Interval>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let point = |text: &str| text.trim().parse::<Since>().ok().filter(|since| *since != Since::Now);
    if let Some(start) = point(text) {
        return Ok(Some(Interval { start, end: None }));
    }
    // A time has dashes itself: the right one is where both sides are a point in time.
    let dashes = text.match_indices('-').map(|(at, _)| at);
    let found = dashes.rev().find_map(|at| Some((point(text.get(..at)?)?, point(text.get(at + 1..)?)?)));
    match found {
        Some((start, end)) => Ok(Some(Interval { start, end: Some(end) })),
        None => Err(format!(
            "\"{text}\" is no interval; write START or START-END, each a duration back (90s, 30m, 12h, 7d, 2w) or 2026-11-02T19:30:00Z"
        )),
    }
}

/// Reads `s3AccountList` and joins it with `source.accounts`.
///
/// # Errors
/// A sentence that names what is no account.
pub fn accounts(list: &str, more: &[String]) -> Result<BTreeSet<String>, String> {
    let listed = list.split(',').map(str::trim).filter(|text| !text.is_empty());
    let mut accounts = BTreeSet::new();
    for text in listed.chain(more.iter().map(|text| text.trim())) {
        if !is_account(text) {
            return Err(format!("\"{text}\" is no account: write 12 digits, in YAML within quotes"));
        }
        accounts.insert(text.to_owned());
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_as_the_go_plugin_reads_them() {
        let ago = |secs| Since::Ago { secs };
        assert_eq!(interval(""), Ok(None));
        assert_eq!(interval("2d"), Ok(Some(Interval { start: ago(172_800), end: None })));
        assert_eq!(interval("2d-12h"), Ok(Some(Interval { start: ago(172_800), end: Some(ago(43_200)) })));
        assert_eq!(interval("2d - 12h"), interval("2d-12h"));
        let (start, end) = ("2026-11-02T10:00:00Z", "2026-11-02T12:00:00Z");
        let both = interval(&format!("{start}-{end}")).unwrap().unwrap();
        assert_eq!((both.start, both.end), (start.parse().unwrap(), Some(end.parse().unwrap())));
        assert_eq!(interval(&format!("{start}-5m")).unwrap().unwrap().end, Some(ago(300)));
        for text in ["yesterday", "1d-", "-1d", "99999999999999999999d", "now"] {
            assert!(interval(text).unwrap_err().contains("START-END"), "{text}");
        }
    }

    #[test]
    fn accounts_are_twelve_digits() {
        let both = accounts(" 111122223333 ,444455556666,", &["999999999999".into()]).unwrap();
        assert_eq!(both.len(), 3);
        assert_eq!(accounts("", &[]), Ok(BTreeSet::new()));
        assert!(accounts("12345", &[]).unwrap_err().contains("12345"));
        assert!(accounts("", &["one".into()]).unwrap_err().contains("12 digits"));
    }
}
