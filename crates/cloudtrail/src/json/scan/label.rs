//! Telling an expected key by one look, without finding its end first.

use wide::u8x16;

/// How many bytes a look takes in.
pub(crate) const LOOK: usize = 32;

/// A key as AWS writes it before a value: in quotes, with the colon right behind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label {
    halves: [[u8; 16]; 2],
    /// A bit for each byte of the label.
    bits: u32,
    /// Length with quotes and colon.
    pub(crate) len: usize,
}

impl Label {
    /// Names of more than 28 bytes are never found.
    pub(crate) const fn new(name: &str) -> Label {
        let name = name.as_bytes();
        let len = name.len() + 3;
        let mut label = Label { halves: [[0; 16]; 2], bits: 0, len };
        if len >= LOOK {
            return label;
        }
        let mut at = 0;
        while at < len {
            let byte = match at {
                0 => b'"',
                _ if at == len - 1 => b':',
                _ if at == len - 2 => b'"',
                _ => name[at - 1],
            };
            label.halves[at / 16][at % 16] = byte;
            at += 1;
        }
        label.bits = (1 << len) - 1;
        label
    }

    /// Whether the bytes start with the label.
    #[inline(always)]
    pub(crate) fn starts(&self, bytes: &[u8; LOOK]) -> bool {
        let (halves, _) = bytes.as_chunks::<16>();
        let same = |n: usize| u8x16::new(halves[n]).simd_eq(u8x16::new(self.halves[n])).to_bitmask();
        let found = same(0) | same(1) << 16;
        self.bits != 0 && found & self.bits == self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> [u8; LOOK] {
        let mut bytes = [b'x'; LOOK];
        let len = text.len().min(LOOK);
        bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        bytes
    }

    #[test]
    fn a_label_is_told_from_its_like() {
        for name in ["", "a", "eventID", "eventVersion", "userIdentity12", "sessionCredentialFromConsole"] {
            let label = Label::new(name);
            assert!(label.starts(&look(&format!("\"{name}\":1"))), "{name}");
            for other in [
                format!("\"{name}\" :1"),
                format!("\"{name}x\":1"),
                format!("'{name}\":1"),
                format!("\"{name}\",1"),
            ] {
                assert!(!label.starts(&look(&other)), "{other}");
            }
        }
        let long = "x".repeat(29);
        assert!(!Label::new(&long).starts(&look(&format!("\"{long}\":"))));
    }
}
