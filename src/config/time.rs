//! Points in time as a configuration writes them.

use jiff::Timestamp;
use jiff::civil::Date;

/// A distance like `90s`, `30m`, `12h`, `7d` or `2w`, in seconds.
pub fn ago_secs(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?;
    let secs = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(secs)
}

/// An RFC 3339 time, or a date alone (its midnight in UTC), in nanoseconds since 1970.
pub fn point_ns(text: &str) -> Option<u64> {
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) if text.len() == 10 => {
            text.parse::<Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
        }
        Err(_) => return None,
    };
    u64::try_from(time.as_nanosecond()).ok()
}

/// `s3Interval`: start and end in nanoseconds since 1970, both included; the end is none without one. `now_ns` is
/// what distances count from.
pub fn interval(text: &str, now_ns: u64) -> Option<(u64, Option<u64>)> {
    // a check without a clock still has to see 2d-1d as an interval that goes forward
    let now_ns = if now_ns == 0 { u64::MAX / 2 } else { now_ns };
    let point = |t: &str| {
        let t = t.trim();
        match ago_secs(t) {
            Some(secs) => Some(now_ns.saturating_sub(secs.saturating_mul(1_000_000_000))),
            None => point_ns(t),
        }
    };
    if let Some(start) = point(text) {
        return Some((start, None));
    }
    // dates hold dashes too: the one that splits the text into two points is the right one
    text.match_indices('-').find_map(|(at, _)| {
        let (start, end) = (point(text.get(..at)?)?, point(text.get(at + 1..)?)?);
        (start <= end || now_ns == u64::MAX / 2 && mixed(text)).then_some((start, Some(end)))
    })
}

/// Whether an interval has a time in it: then only the clock can tell whether it goes forward.
fn mixed(text: &str) -> bool {
    text.contains('T') || text.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_points() {
        assert_eq!(ago_secs("12h"), Some(43_200));
        assert_eq!(point_ns("2026-01-31"), Some(1_769_817_600_000_000_000));
        assert_eq!(point_ns("2026-01-31T00:00:00Z"), Some(1_769_817_600_000_000_000));
        for bad in ["", "yesterday", "h", "-3h", "12 h", "2026-13-01", "99999999999999999999d"] {
            assert_eq!((ago_secs(bad), point_ns(bad)), (None, None), "{bad}");
        }
    }

    #[test]
    fn reads_intervals() {
        let now = 1_800_000_000_000_000_000;
        let hour = 3_600_000_000_000;
        assert_eq!(interval("2h", now), Some((now - 2 * hour, None)));
        assert_eq!(interval("2h-1h", now), Some((now - 2 * hour, Some(now - hour))));
        assert_eq!(interval("2h - 1h", now), Some((now - 2 * hour, Some(now - hour))));
        assert_eq!(interval("1h-2h", now), None);
        assert_eq!(interval("1h-2h", 0), None);
        let day = interval("2026-01-31T00:00:00Z-2026-02-01T00:00:00Z", now);
        assert_eq!(day, Some((1_769_817_600_000_000_000, Some(1_769_904_000_000_000_000))));
        assert!(interval("2026-01-31T00:00:00Z-1d", 0).is_some());
        assert_eq!(interval("soon", now), None);
    }
}
