//! Points in time as users write them: `now`, a duration back, an RFC 3339 time.

use std::fmt;
use std::str::FromStr;

/// Where reading starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// With what is delivered from now on.
    Now,
    /// So many seconds back.
    Ago {
        /// Seconds.
        secs: u64,
    },
    /// At a time, nanoseconds since 1970-01-01T00:00:00Z.
    At {
        /// Nanoseconds.
        ns: u64,
    },
}

/// A point in time that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a time: \"{text}\"; write now, a duration back (90s, 30m, 12h, 7d, 2w) or an RFC 3339 time (2026-11-02T19:30:00Z)"
)]
pub struct SinceError {
    text: String,
}

impl Since {
    /// The moment meant, seen from `now_ns`. Nanoseconds since 1970-01-01T00:00:00Z.
    pub fn resolve(self, now_ns: u64) -> u64 {
        match self {
            Since::Now => now_ns,
            Since::Ago { secs } => now_ns.saturating_sub(secs.saturating_mul(1_000_000_000)),
            Since::At { ns } => ns,
        }
    }
}

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("now") {
            return Ok(Since::Now);
        }
        if let Some(secs) = duration_secs(trimmed) {
            return Ok(Since::Ago { secs });
        }
        let time = tfdrift_cloudtrail::time::parse_rfc3339_ns(trimmed);
        time.map(|ns| Since::At { ns }).ok_or_else(|| SinceError { text: text.into() })
    }
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Since::Now => f.write_str("now"),
            Since::Ago { secs } => write!(f, "{secs}s"),
            Since::At { ns } => f.write_str(&crate::layout::rfc3339(*ns)),
        }
    }
}

/// `90s`, `30m`, `12h`, `7d`, `2w` in seconds; `None` for anything else and for numbers that do not fit.
pub(crate) fn duration_secs(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let number = text.get(..text.len() - unit.len_utf8())?;
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let secs = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        assert_eq!("now".parse(), Ok(Since::Now));
        assert_eq!("12h".parse(), Ok(Since::Ago { secs: 43_200 }));
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(Since::At { ns: 1_000_000_000 }));
    }

    #[test]
    fn other_text_is_refused_with_the_forms() {
        for text in ["", "yesterday", "12", "h", "-5m", "99999999999999999999d", "2026-13-01T00:00:00Z"] {
            let error = text.parse::<Since>().unwrap_err().to_string();
            assert!(error.contains("RFC 3339"), "{text}: {error}");
        }
    }
}
