//! Event names carry API versions: `UpdateFunctionConfiguration20150331v2`, `CreateDistribution2020_05_31`.

use std::borrow::Cow;

/// Drops `\d{4}_?\d{2}_?\d{2}(v\d+)?` at the end of the name where it follows a letter.
pub(crate) fn strip_version(name: Cow<'_, str>) -> Cow<'_, str> {
    match version_start(name.as_bytes()) {
        None => name,
        Some(start) => match name {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(..start).unwrap_or(text)),
            Cow::Owned(mut text) => {
                text.truncate(start);
                Cow::Owned(text)
            }
        },
    }
}

/// Where the version suffix starts; always on a character boundary, for a letter of ASCII stands before it.
fn version_start(name: &[u8]) -> Option<usize> {
    if !name.last()?.is_ascii_digit() {
        return None;
    }
    let digits = name.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let before = &name[..name.len() - digits];
    let date = match before.strip_suffix(b"v") {
        Some(date) if date.last().is_some_and(u8::is_ascii_digit) => date,
        _ => name,
    };
    let mut rest = date;
    for width in [2, 2, 4] {
        let (head, part) = rest.split_at_checked(rest.len().checked_sub(width)?)?;
        if !part.iter().all(u8::is_ascii_digit) {
            return None;
        }
        rest = if width == 2 { head.strip_suffix(b"_").unwrap_or(head) } else { head };
    }
    rest.last()?.is_ascii_alphabetic().then_some(rest.len())
}

#[cfg(test)]
mod tests {
    use super::strip_version;

    #[test]
    fn versions_go_and_numbers_stay() {
        for (name, want) in [
            ("UpdateFunctionConfiguration20150331v2", "UpdateFunctionConfiguration"),
            ("CreateFunction20150331", "CreateFunction"),
            ("CreateDistribution2020_05_31", "CreateDistribution"),
            ("UpdateDistribution2020_05_31v12", "UpdateDistribution"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("PutBucketTagging", "PutBucketTagging"),
            ("RunJobFlow1234567", "RunJobFlow1234567"),
            ("X_20150331", "X_20150331"),
            ("20150331", "20150331"),
            ("A0201503311", "A0201503311"),
            ("v2", "v2"),
            ("", ""),
            ("é20150331", "é20150331"),
        ] {
            assert_eq!(strip_version(name.into()), want, "{name}");
            assert_eq!(strip_version(name.to_owned().into()), want, "{name}");
        }
    }
}
