//! Days and intervals as a configuration writes them.

use jiff::civil::Date;
use tfdrift_intake::Since;

/// Whether the text is a day, `2026-01-31`.
pub(super) fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<Date>().is_ok()
}

/// Whether the text is `START` or `START-END`, the start not after the end.
pub(super) fn is_interval(text: &str) -> bool {
    let point = |t: &str| t.trim().parse::<Since>().ok().filter(|s| *s != Since::Now);
    // a time has dashes itself: the right one is where both sides are a point in time
    let ends = || {
        text.match_indices('-')
            .find_map(|(at, _)| Some((point(text.get(..at)?)?, point(text.get(at + 1..)?)?)))
    };
    match (point(text), ends()) {
        (Some(_), _) => true,
        (None, Some((Since::Ago { secs: start }, Since::Ago { secs: end }))) => start >= end,
        (None, Some((Since::At { ns: start }, Since::At { ns: end }))) => start <= end,
        // of a time and a distance only the clock can tell
        (None, Some(_)) => true,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_days() {
        assert!(is_day("2026-01-31"));
        for bad in ["", "2026-13-01", "2026-1-31", "2026-01-31T00:00:00Z", "tomorrow"] {
            assert!(!is_day(bad), "{bad}");
        }
    }

    #[test]
    fn knows_intervals() {
        for good in [
            "2h",
            "2h-1h",
            "2h - 1h",
            "2026-01-31T00:00:00Z",
            "2026-01-31T00:00:00Z-2026-02-01T00:00:00Z",
            "2026-01-31T00:00:00Z-1d",
        ] {
            assert!(is_interval(good), "{good}");
        }
        for bad in ["", "1h-2h", "soon", "now", "2026-02-01T00:00:00Z-2026-01-31T00:00:00Z", "-1h", "1h-"] {
            assert!(!is_interval(bad), "{bad}");
        }
    }
}
