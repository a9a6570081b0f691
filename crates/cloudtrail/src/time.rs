//! Times as CloudTrail writes them.

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// Nanoseconds since 1970 of a time as RFC 3339 writes it: `2026-11-02T19:30:22Z`, with a fraction of any length
/// (digits after the ninth are dropped) and with an offset such as `+02:00`.
///
/// `None` if the text is anything else, if a part is out of its range, before 1970 or after 2554.
pub fn parse_rfc3339_ns(text: &str) -> Option<u64> {
    let (clock, zone) = text.as_bytes().split_at_checked(19)?;
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T' | b't', h0, h1, b':', i0, i1, b':', s0, s1] =
        clock
    else {
        return None;
    };
    let year = number(&[y0, y1, y2, y3])?;
    let month = number(&[m0, m1])?;
    let day = number(&[d0, d1])?;
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[i0, i1])?, number(&[s0, s1])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_since_1970(year, month, day)?;
    let (nanos, zone) = fraction(zone)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset_secs(zone)?;
    u64::try_from(seconds).ok()?.checked_mul(NANOS_PER_SEC)?.checked_add(nanos)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
}

/// Days from 1970-01-01 in the Gregorian calendar; `None` if there is no such day.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) {
        return None;
    }
    // Count years from March, so that the leap day is the last day of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Nanoseconds of `.123…`, if there is such a part, and what follows it.
fn fraction(text: &[u8]) -> Option<(u64, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, text)) };
    let len = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, zone) = rest.split_at(len);
    if digits.is_empty() {
        return None;
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    Some((padded.fold(0, |value, digit| value * 10 + u64::from(digit - b'0')), zone))
}

fn offset_secs(zone: &[u8]) -> Option<i64> {
    match *zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (number(&[h0, h1])?, number(&[m0, m1])?);
            if hours > 24 || minutes > 59 {
                return None;
            }
            let secs = hours * 3_600 + minutes * 60;
            Some(if sign == b'-' { -secs } else { secs })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse_rfc3339_ns;

    #[test]
    fn reads_what_aws_writes_and_what_rfc_3339_allows() {
        for (text, secs, nanos) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2026-11-02T19:30:22Z", 1_793_647_822, 0),
            ("2024-02-29T23:59:59Z", 1_709_251_199, 0),
            ("2026-11-02T19:30:22.5Z", 1_793_647_822, 500_000_000),
            ("2026-11-02T19:30:22.1234567891Z", 1_793_647_822, 123_456_789),
            ("2026-11-02T21:30:22+02:00", 1_793_647_822, 0),
            ("2026-11-02T11:00:22-08:30", 1_793_647_822, 0),
            ("2554-07-21T23:34:33.709551615Z", 18_446_744_073, 709_551_615),
        ] {
            assert_eq!(parse_rfc3339_ns(text), Some(secs * 1_000_000_000 + nanos), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "2026-11-02",
            "2026-11-02T19:30:22",
            "2026-11-02 19:30:22Z",
            "2026-13-02T19:30:22Z",
            "2026-02-29T19:30:22Z",
            "2026-11-02T24:00:00Z",
            "2026-11-02T19:30:22.Z",
            "2026-11-02T19:30:22+2:00",
            "1969-12-31T23:59:59Z",
            "2600-01-01T00:00:00Z",
            "2026-11-02T19:30:22ZZ",
            "２026-11-02T19:30Z",
        ] {
            assert_eq!(parse_rfc3339_ns(text), None, "{text}");
        }
    }
}
