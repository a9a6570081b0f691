//! What was given up by what ends by itself: the list of it, with reasons.

use crate::store::{StoreError, StoreErrorKind};
use serde::Serialize;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Of what was given up for one reason, so many are named.
const NAMED: usize = 10;

/// What was not read although it was asked for, all that one reason kept away. Only what ends by itself (`?once`, an
/// `s3Interval` with an end, a file or folder without `?follow`) gives up; all else tries again for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The call that failed: `connect`, `ListObjectsV2` (an account and region each), `GetObject` (an object each) or
    /// `open` (a file each).
    pub call: &'static str,
    /// How many were given up.
    pub count: u64,
    /// The first ten of them: `s3://BUCKET/PREFIX`, `s3://BUCKET/KEY` or a path.
    pub targets: Vec<String>,
    /// Why the first one was, in one line, cause first.
    pub why: String,
    /// The whole story of the first one on several lines, for people: who asked, the smallest IAM statement that would
    /// allow it. May be empty.
    pub story: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.targets.first().map_or("", String::as_str);
        write!(f, "{} {first}: {}", self.call, self.why)?;
        match self.count {
            0 | 1 => Ok(()),
            more => write!(f, " (and {} more)", more - 1),
        }
    }
}

/// The list of one intake, shared by its tasks.
#[derive(Debug, Default)]
pub(crate) struct UnreadList(Mutex<Vec<(StoreErrorKind, Unread)>>);

impl UnreadList {
    /// Notes that `target` was given up. True for the first of its reason.
    pub fn add(&self, target: String, error: &StoreError) -> bool {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = list.iter_mut().find(|(kind, of)| *kind == error.kind && of.call == error.call);
        if let Some((_, unread)) = same {
            unread.count += 1;
            if unread.targets.len() < NAMED {
                unread.targets.push(target);
            }
            return false;
        }
        let (why, story) = (error.message.clone(), error.story.clone());
        list.push((error.kind, Unread { call: error.call, count: 1, targets: vec![target], why, story }));
        true
    }

    /// The list as it is now.
    pub fn all(&self) -> Vec<Unread> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().map(|(_, unread)| unread.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reason_is_one_entry() {
        let list = UnreadList::default();
        let error = |kind| StoreError::new(kind, "GetObject", "s3://b/k", "access denied");
        for n in 0..30 {
            assert_eq!(list.add(format!("s3://b/{n}"), &error(StoreErrorKind::Denied)), n == 0);
        }
        assert!(list.add("s3://b/x".into(), &error(StoreErrorKind::Decrypt)));
        let all = list.all();
        assert_eq!((all.len(), all[0].count, all[0].targets.len()), (2, 30, NAMED));
        assert_eq!(all[0].to_string(), "GetObject s3://b/0: access denied (and 29 more)");
        assert_eq!(all[1].to_string(), "GetObject s3://b/x: access denied");
    }
}
