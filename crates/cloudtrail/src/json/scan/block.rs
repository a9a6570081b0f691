//! 64 bytes at a time: which of them are quotes, backslashes, brackets, white space; and what is inside strings.
//!
//! The method is that of simdjson (Langdale, Lemire: "Parsing Gigabytes of JSON per Second", 2019): one bit a byte, and
//! the quotes' running parity tells inside from outside.

use wide::u8x16;

/// How many bytes a block has.
pub(crate) const BLOCK: usize = 64;

/// One bit for each byte of a block; the lowest bit is the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    /// `"`
    pub(crate) quote: u64,
    /// `\`
    pub(crate) backslash: u64,
    /// `{` and `[`
    pub(crate) open: u64,
    /// `}` and `]`
    pub(crate) close: u64,
}

/// What a block hands on to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Carry {
    /// All ones if the block ended inside a string.
    in_string: u64,
    /// 1 if the block ended with a backslash that escapes the next byte.
    escape: u64,
}

impl Carry {
    /// The bits of the bytes inside strings (opening quote in, closing quote out) of the next block.
    #[inline]
    pub(crate) fn strings(&mut self, masks: Masks) -> u64 {
        let mut quote = masks.quote;
        if masks.backslash | self.escape != 0 {
            quote &= !self.escaped(masks.backslash);
        }
        let inside = running_parity(quote) ^ self.in_string;
        self.in_string = if inside >> 63 == 1 { u64::MAX } else { 0 };
        inside
    }

    /// The bits of the bytes that a backslash escapes. Runs of backslashes: every second one escapes.
    #[inline]
    fn escaped(&mut self, mut backslash: u64) -> u64 {
        let mut escaped = self.escape;
        backslash &= !escaped;
        self.escape = 0;
        while backslash != 0 {
            let at = backslash.trailing_zeros();
            if at == 63 {
                self.escape = 1;
                break;
            }
            escaped |= 2 << at;
            backslash &= !(3 << at);
        }
        escaped
    }
}

/// Bit n is the parity of the bits 0 to n.
#[inline]
fn running_parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The last bytes from `pos`, fewer than a block, with zeros after them.
#[inline]
pub(crate) fn padded(bytes: &[u8], pos: usize) -> [u8; BLOCK] {
    let rest = bytes.get(pos..).unwrap_or_default();
    let mut block = [0; BLOCK];
    let len = rest.len().min(BLOCK);
    block[..len].copy_from_slice(&rest[..len]);
    block
}

/// The bits of those bytes that are `byte`.
#[inline]
fn equal(bytes: u8x16, byte: u8) -> u64 {
    u64::from(bytes.simd_eq(u8x16::splat(byte)).to_bitmask())
}

#[inline]
fn quarters(block: &[u8; BLOCK]) -> [u8x16; 4] {
    let (parts, _) = block.as_chunks::<16>();
    std::array::from_fn(|n| u8x16::new(parts[n]))
}

#[inline]
fn collect(quarters: [u8x16; 4], byte: u8) -> u64 {
    let [a, b, c, d] = quarters.map(|quarter| equal(quarter, byte));
    a | b << 16 | c << 32 | d << 48
}

/// The masks of a block.
#[inline]
pub(crate) fn masks(block: &[u8; BLOCK]) -> Masks {
    let quarters = quarters(block);
    // [ and { differ in this bit only, as do ] and }.
    let lower = quarters.map(|quarter| quarter | u8x16::splat(0x20));
    Masks {
        quote: collect(quarters, b'"'),
        backslash: collect(quarters, b'\\'),
        open: collect(lower, b'{'),
        close: collect(lower, b'}'),
    }
}

/// The bits of blanks, tabs and ends of lines.
#[inline]
pub(crate) fn space(block: &[u8; BLOCK]) -> u64 {
    let quarters = quarters(block);
    b" \n\r\t".iter().fold(0, |bits, byte| bits | collect(quarters, *byte))
}

/// The bits of `"` and `\` among 16 bytes.
#[inline]
pub(crate) fn quote_or_backslash(bytes: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*bytes);
    (bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'))).to_bitmask()
}

/// Whether there is a `\` or a NUL among 16 bytes.
#[inline]
pub(crate) fn backslash_or_nul(bytes: &[u8; 16]) -> bool {
    let bytes = u8x16::new(*bytes);
    (bytes.simd_eq(u8x16::splat(b'\\')) | bytes.simd_eq(u8x16::splat(0))).to_bitmask() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte after the other.
    fn plain(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> u64 {
        bytes.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(wanted(*byte)))
    }

    #[test]
    fn every_byte_has_its_bit() {
        for seed in 0..=255u8 {
            let block: [u8; BLOCK] = std::array::from_fn(|n| (n as u8).wrapping_mul(37).wrapping_add(seed));
            let masks = masks(&block);
            assert_eq!(masks.quote, plain(&block, |b| b == b'"'));
            assert_eq!(masks.backslash, plain(&block, |b| b == b'\\'));
            assert_eq!(masks.open, plain(&block, |b| b == b'{' || b == b'['));
            assert_eq!(masks.close, plain(&block, |b| b == b'}' || b == b']'));
            assert_eq!(space(&block), plain(&block, |b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')));
            let part = block.first_chunk().unwrap();
            assert_eq!(u64::from(quote_or_backslash(part)), plain(part, |b| b == b'"' || b == b'\\'));
        }
    }

    #[test]
    fn strings_over_blocks() {
        let text = format!(r#"{{"{}\"x\\","b":"{}\\\"y"}}"#, "a".repeat(57), "é".repeat(40));
        let mut expected = Vec::new();
        let (mut inside, mut escape) = (false, false);
        for byte in text.bytes() {
            if escape {
                escape = false;
            } else if byte == b'"' {
                inside = !inside;
            } else if byte == b'\\' {
                escape = true;
            }
            expected.push(inside);
        }
        let mut carry = Carry::default();
        let mut found = Vec::new();
        for pos in (0..text.len()).step_by(BLOCK) {
            let strings = carry.strings(masks(&padded(text.as_bytes(), pos)));
            let len = BLOCK.min(text.len() - pos);
            found.extend((0..len).map(|n| strings >> n & 1 == 1));
        }
        assert_eq!(found, expected);
    }
}
