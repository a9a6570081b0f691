//! The versions of one state, and which of them stood at a time.

use crate::source::{Page, Version};

/// The versions of one state as far as they were read, newest first.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    versions: Vec<Version>,
    /// Where the rest of the list starts; none if all is here.
    rest: Option<String>,
    /// The newest state known when the head of the list was read (its ETag; none if it was deleted). The outer none:
    /// it was not read.
    head_of: Option<Option<String>>,
}

/// What stood at a time, with the time from which (included) to which (excluded) that is so.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum At<'t> {
    /// This version.
    Version(&'t Version, Span),
    /// Nothing: the state had been deleted.
    Deleted(Span),
    /// The time is before the oldest version there is: this one.
    BeforeOldest(&'t Version, Span),
    /// Nothing: there is no version at all.
    Never,
    /// The list from its head is needed.
    Head,
    /// The list from there on is needed.
    Rest(String),
}

/// From when (included) to when (excluded), in nanoseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from_ns: u64,
    pub(crate) until_ns: u64,
}

impl Span {
    pub(crate) const ALWAYS: Span = Span { from_ns: 0, until_ns: u64::MAX };

    pub(crate) fn holds(self, time_ns: u64) -> bool {
        self.from_ns <= time_ns && time_ns < self.until_ns
    }

    pub(crate) fn and(self, other: Span) -> Span {
        Span { from_ns: self.from_ns.max(other.from_ns), until_ns: self.until_ns.min(other.until_ns) }
    }
}

impl Timeline {
    /// What stood at `time_ns`, while the newest state known is `current` (its ETag).
    ///
    /// A version that was written in the very second of the event stood: both times are whole seconds, and what a
    /// write holds was settled before it, by calls whose events are in that second at the latest.
    pub(crate) fn at(&self, time_ns: u64, current: Option<&str>) -> At<'_> {
        let is_new = self.head_of.as_ref().map(Option::as_deref) == Some(current);
        match self.versions.first() {
            None if is_new => return At::Never,
            Some(newest) if is_new || time_ns < newest.written_at_ns => {}
            _ => return At::Head,
        }
        // Sorted from new to old.
        let n = self.versions.partition_point(|version| version.written_at_ns > time_ns);
        let until_ns = match n.checked_sub(1).and_then(|later| self.versions.get(later)) {
            Some(later) => later.written_at_ns,
            None => u64::MAX,
        };
        match (self.versions.get(n), &self.rest, self.versions.last()) {
            (Some(version), ..) => {
                let span = Span { from_ns: version.written_at_ns, until_ns };
                if version.deleted { At::Deleted(span) } else { At::Version(version, span) }
            }
            (None, Some(rest), _) => At::Rest(rest.clone()),
            (None, None, Some(oldest)) if !oldest.deleted => {
                At::BeforeOldest(oldest, Span { from_ns: 0, until_ns })
            }
            (None, None, _) => At::Deleted(Span { from_ns: 0, until_ns }),
        }
    }

    /// Takes the head of the list, read anew. What is known behind it stays: versions never change.
    pub(crate) fn head(&mut self, page: Page, current: Option<&str>) {
        self.head_of = Some(current.map(str::to_owned));
        let known = page.versions.last().and_then(|last| self.versions.iter().position(|v| v.id == last.id));
        match (known, page.next) {
            (Some(known), Some(_)) => {
                let older = self.versions.split_off(known + 1);
                self.versions = page.versions;
                self.versions.extend(older);
            }
            (_, next) => {
                self.versions = page.versions;
                self.rest = next;
            }
        }
    }

    /// Takes the next part of the list.
    pub(crate) fn extend(&mut self, page: Page) {
        self.versions.extend(page.versions);
        self.rest = page.next;
    }

    /// When the newest version was written, or the state deleted.
    pub(crate) fn newest_ns(&self) -> Option<u64> {
        self.versions.first().map(|version| version.written_at_ns)
    }

    /// Whether there is one version alone, written while the bucket kept none.
    pub(crate) fn is_unversioned(&self) -> bool {
        self.rest.is_none() && matches!(self.versions.as_slice(), [only] if only.id == "null")
    }

    pub(crate) fn len(&self) -> usize {
        self.versions.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: &str, at: u64) -> Version {
        Version { id: id.to_owned(), written_at_ns: at, etag: Some(id.to_owned()), deleted: false }
    }

    fn deleted(id: &str, at: u64) -> Version {
        Version { etag: None, deleted: true, ..version(id, at) }
    }

    fn page(versions: Vec<Version>, next: Option<&str>) -> Page {
        Page { versions, next: next.map(str::to_owned) }
    }

    fn id(at: At<'_>) -> String {
        match at {
            At::Version(v, span) => format!("{} {}..{}", v.id, span.from_ns, span.until_ns),
            At::BeforeOldest(v, span) => format!("before {} ..{}", v.id, span.until_ns),
            At::Deleted(span) => format!("deleted {}..{}", span.from_ns, span.until_ns),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_stood_when() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.at(5, Some("d")), At::Head);
        timeline.head(
            page(vec![version("d", 40), deleted("c", 30), version("b", 20), version("a", 10)], None),
            Some("d"),
        );
        let at = |time| id(timeline.at(time, Some("d")));
        assert_eq!(at(9), "before a ..10");
        assert_eq!((at(10), at(19)), ("a 10..20".into(), "a 10..20".into()), "the same second counts");
        assert_eq!(
            (at(20), at(30), at(39)),
            ("b 20..30".into(), "deleted 30..40".into(), "deleted 30..40".into())
        );
        assert_eq!(at(40), format!("d 40..{}", u64::MAX));
    }

    #[test]
    fn the_head_is_read_anew_only_for_what_is_newer() {
        let mut timeline = Timeline::default();
        timeline.head(page(vec![version("b", 20), version("a", 10)], None), Some("b"));
        assert_eq!(id(timeline.at(15, Some("c"))), "a 10..20", "the past does not change");
        assert_eq!(timeline.at(25, Some("c")), At::Head);
        timeline.head(page(vec![version("c", 30), version("b", 20)], Some("b")), Some("c"));
        assert_eq!(id(timeline.at(25, Some("c"))), "b 20..30");
        assert_eq!(id(timeline.at(12, Some("c"))), "a 10..20", "what was known is still known");
        // so much is new that the page does not reach what was known
        timeline.head(page(vec![version("f", 60), version("e", 50)], Some("e")), Some("f"));
        assert_eq!(timeline.at(12, Some("f")), At::Rest("e".into()));
        timeline.extend(page(vec![version("a", 10)], None));
        assert_eq!(id(timeline.at(12, Some("f"))), "a 10..50");
    }

    #[test]
    fn one_version_of_before() {
        let mut timeline = Timeline::default();
        timeline.head(page(vec![version("null", 20)], None), Some("x"));
        assert!(timeline.is_unversioned());
        timeline.head(page(vec![version("b", 30), version("null", 20)], None), Some("y"));
        assert!(!timeline.is_unversioned());
    }
}
