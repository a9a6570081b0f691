//! Inflating objects: whole ones at once, big and odd ones as a stream with a cap.

use crate::store::StoreError;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, BufReader, Read};

/// Objects that inflate to no more than this are inflated at once, by libdeflate (three times as fast as zlib).
pub const WHOLE_BYTES: usize = 16 << 20;

/// Why an object cannot be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not what it should be.
    #[error("{0}")]
    Malformed(String),
    /// It inflates to more than is allowed.
    #[error("inflates to more than max_inflated_bytes ({cap_bytes})")]
    TooLarge {
        /// The cap.
        cap_bytes: u64,
    },
    /// Its bytes stopped coming.
    #[error("{0}")]
    Broken(String),
    /// The rest of it cannot be fetched.
    #[error(transparent)]
    Store(StoreError),
}

impl Fault {
    /// Of an error of whatever its bytes come from.
    pub fn of_source(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<StoreError>()) {
            Some(error) => Fault::Store(error.clone()),
            None => Fault::Broken(error.to_string()),
        }
    }
}

/// True for gzip's first bytes.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// What a single gzip member says it inflates to; `None` if there may be several members or the end is missing, so
/// that only a stream tells.
pub fn whole_size(gzip: &[u8]) -> Option<usize> {
    let end = gzip.last_chunk::<4>()?;
    let size = u32::from_le_bytes(*end) as usize;
    // A second member begins with the same three bytes; they turn up by chance in one of 150 objects of 100 kB,
    // which then goes the slower way.
    let more = memchr::memmem::find(gzip.get(3..)?, &[0x1f, 0x8b, 0x08]).is_some();
    (size <= WHOLE_BYTES && !more).then_some(size)
}

/// Inflates single members at once.
pub struct Inflater(libdeflater::Decompressor);

impl Default for Inflater {
    fn default() -> Self {
        Self(libdeflater::Decompressor::new())
    }
}

impl Inflater {
    /// All of a gzip member of `size` bytes; `None` if it is not well-formed, or another size.
    pub fn whole(&mut self, gzip: &[u8], size: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; size];
        let got = self.0.gzip_decompress(gzip, &mut out).ok()?;
        (got == size).then_some(out)
    }
}

/// The inflated bytes of any source: gzip with any number of members, or plain.
pub struct Plain<R: Read> {
    inner: Inner<R>,
    left: u64,
    cap_bytes: u64,
}

enum Inner<R: Read> {
    Gzip(Box<Members<BufReader<R>>>),
    Plain(R),
}

/// The members of a gzip one after the other. Unlike flate2's own, it tells what follows the last one from a member
/// that is cut off.
struct Members<R: BufRead> {
    /// `None` only while one follows the other.
    member: Option<GzDecoder<R>>,
}

/// What follows the last member is no gzip.
#[derive(Debug, thiserror::Error)]
#[error("no gzip follows its end")]
struct Trailing;

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else { return Ok(0) };
            let got = member.read(buf)?;
            if got > 0 || buf.is_empty() {
                return Ok(got);
            }
            let next = member.get_mut().fill_buf()?;
            // The reader's buffer may end between the two bytes; then the second one tells.
            if next.is_empty() || !(is_gzip(next) || next == [0x1f]) {
                let over = next.is_empty();
                return if over { Ok(0) } else { Err(io::Error::other(Trailing)) };
            }
            let rest = self.member.take().map(GzDecoder::into_inner);
            self.member = rest.map(GzDecoder::new);
        }
    }
}

impl<R: Read> Plain<R> {
    /// Reads `source`, which is gzip if `gzip` says so, up to `cap_bytes` inflated.
    pub fn new(source: R, gzip: bool, cap_bytes: u64) -> Self {
        let inner = if gzip {
            let member = GzDecoder::new(BufReader::with_capacity(64 << 10, source));
            Inner::Gzip(Box::new(Members { member: Some(member) }))
        } else {
            Inner::Plain(source)
        };
        Self { inner, left: cap_bytes, cap_bytes }
    }

    /// Adds up to `more` bytes to `out`. `Ok(true)` when that was the end.
    ///
    /// # Errors
    /// See [`Fault`]; what was read before it is in `out`.
    pub fn read_more(&mut self, out: &mut Vec<u8>, more: usize) -> Result<bool, Fault> {
        let before = out.len();
        let want = (more as u64).min(self.left.saturating_add(1));
        let result = match &mut self.inner {
            Inner::Gzip(reader) => reader.by_ref().take(want).read_to_end(out),
            Inner::Plain(reader) => reader.by_ref().take(want).read_to_end(out),
        };
        let got = (out.len() - before) as u64;
        if got > self.left {
            return Err(Fault::TooLarge { cap_bytes: self.cap_bytes });
        }
        self.left -= got;
        match result {
            Ok(_) => Ok(got < want),
            Err(error) => Err(self.fault(&error)),
        }
    }

    fn fault(&self, error: &io::Error) -> Fault {
        let at = self.cap_bytes - self.left;
        match (&self.inner, error.kind()) {
            _ if error.get_ref().is_some_and(|inner| inner.is::<Trailing>()) => Fault::Malformed(format!(
                "something that is no gzip follows the end of the gzip, after {at} inflated bytes"
            )),
            (Inner::Gzip(_), io::ErrorKind::UnexpectedEof) => {
                Fault::Malformed(format!("truncated gzip: ends after {at} inflated bytes"))
            }
            (Inner::Gzip(_), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
                Fault::Malformed(format!("broken gzip after {at} inflated bytes: {error}"))
            }
            _ => Fault::of_source(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    pub fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn stream(source: &[u8], cap: u64) -> (Vec<u8>, Result<(), Fault>) {
        let mut plain = Plain::new(source, is_gzip(source), cap);
        let mut out = Vec::new();
        loop {
            match plain.read_more(&mut out, 1000) {
                Ok(true) => return (out, Ok(())),
                Ok(false) => {}
                Err(fault) => return (out, Err(fault)),
            }
        }
    }

    #[test]
    fn one_member_is_inflated_at_once() {
        let text = b"some text ".repeat(1000);
        let packed = gzip(&text);
        assert_eq!(whole_size(&packed), Some(text.len()));
        assert_eq!(Inflater::default().whole(&packed, text.len()), Some(text.clone()));
        assert_eq!(stream(&packed, 1 << 20), (text, Ok(())));
    }

    #[test]
    fn several_members_are_read_to_the_last() {
        let packed = [gzip(b"one,"), gzip(b"two,"), gzip(b"three")].concat();
        assert_eq!(whole_size(&packed), None);
        assert_eq!(stream(&packed, 1 << 20), (b"one,two,three".to_vec(), Ok(())));
        let twins = [gzip(b"same"), gzip(b"same")].concat();
        assert_eq!(whole_size(&twins), None);
        assert_eq!(stream(&twins, 1 << 20), (b"samesame".to_vec(), Ok(())));
    }

    #[test]
    fn broken_gzip_gives_what_it_has() {
        let text: Vec<u8> =
            (0..50_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let packed = gzip(&text);
        let (got, fault) = stream(&packed[..packed.len() / 2], 1 << 30);
        assert!(got.len() > 1000 && text.starts_with(&got));
        assert!(matches!(fault, Err(Fault::Malformed(why)) if why.contains("truncated")));
        let mut wrong = packed.clone();
        let crc = wrong.len() - 6;
        wrong[crc] ^= 1;
        assert_eq!(Inflater::default().whole(&wrong, text.len()), None);
        assert!(matches!(stream(&wrong, 1 << 30).1, Err(Fault::Malformed(_))));
    }

    #[test]
    fn what_follows_a_gzip_is_not_taken_for_a_cut_off_one() {
        let mut small = gzip(b"text");
        for garbage in [&b"x"[..], b"garbage, and more of it than a header", &[0; 512]] {
            let (got, fault) = stream(&[small.clone(), garbage.to_vec()].concat(), 1 << 20);
            assert_eq!(got, b"text");
            let Err(Fault::Malformed(why)) = fault else { panic!("{fault:?}") };
            assert!(why.contains("follows the end of the gzip, after 4 inflated bytes"), "{why}");
        }
        small.extend_from_slice(&gzip(b"more")[..9]);
        let (got, fault) = stream(&small, 1 << 20);
        assert_eq!(got, b"text");
        assert!(matches!(fault, Err(Fault::Malformed(why)) if why.contains("truncated")));
        assert_eq!(stream(&gzip(b""), 1 << 20), (Vec::new(), Ok(())));
    }

    #[test]
    fn a_bomb_is_stopped_at_the_cap() {
        let packed = gzip(&vec![b' '; 4 << 20]);
        let (got, fault) = stream(&packed, 10_000);
        assert_eq!(fault, Err(Fault::TooLarge { cap_bytes: 10_000 }));
        assert!(got.len() <= 10_001);
        assert_eq!(stream(&gzip(&[b' '; 10_000]), 10_000).1, Ok(()));
    }
}
