//! Compressed states.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::error::PlaceError;

/// More than any state: Terraform itself takes minutes to read one of this size.
const MAX_INFLATED_BYTES: u64 = 2 << 30;

/// `bytes`, inflated when they are gzip (of any number of members).
pub(crate) fn inflate<'b>(bytes: &'b [u8], name: &str) -> Result<Cow<'b, [u8]>, PlaceError> {
    inflate_up_to(bytes, name, MAX_INFLATED_BYTES)
}

fn inflate_up_to<'b>(bytes: &'b [u8], name: &str, limit: u64) -> Result<Cow<'b, [u8]>, PlaceError> {
    if !bytes.starts_with(b"\x1f\x8b") {
        return Ok(Cow::Borrowed(bytes));
    }
    let error = |problem: String| PlaceError::Inflate { name: name.to_owned(), problem };
    // The last member's size stands in the last four bytes. Only a hint: whoever wrote the file chose it.
    let hint = bytes.last_chunk().map_or(0, |&last| u64::from(u32::from_le_bytes(last)));
    let plausible = hint.min(bytes.len() as u64 * 40).min(limit);
    let mut out = Vec::with_capacity(usize::try_from(plausible).unwrap_or(0));
    let read = MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut out);
    read.map_err(|e| error(format!("broken gzip ({e}); write the file again")))?;
    if out.len() as u64 > limit {
        return Err(error(format!("inflates to more than {} MB; is it a state?", limit >> 20)));
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn several_members_plain_and_broken() {
        let two = [gzip(b"hello "), gzip(b"world")].concat();
        assert_eq!(&*inflate(&two, "s").unwrap(), b"hello world");
        assert_eq!(&*inflate(b"plain", "s").unwrap(), b"plain");
        let error = inflate(&two[..two.len() - 9], "s").unwrap_err();
        assert!(error.to_string().starts_with("s: broken gzip"), "{error}");
    }

    #[test]
    fn bombs_stop() {
        let error = inflate_up_to(&gzip(&vec![0; 3 << 20]), "s", 2 << 20).unwrap_err();
        assert!(error.to_string().contains("more than 2 MB"), "{error}");
    }
}
