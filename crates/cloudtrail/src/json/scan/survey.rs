//! What bytes stand anywhere in a record: one look at all of it spares one at each of its values.

use wide::u8x16;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Survey {
    /// UTF-8 throughout, without a NUL: every string without an escape is a text as it stands.
    pub(crate) sound: bool,
    /// There is a backslash somewhere.
    pub(crate) backslash: bool,
}

impl Survey {
    /// Looks at all of `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Survey {
        let Some(last) = bytes.last_chunk::<16>() else {
            let sound = !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
            return Survey { sound, backslash: bytes.contains(&b'\\') };
        };
        let (mut any, mut least, mut backslash) = (u8x16::splat(0), u8x16::splat(u8::MAX), u8x16::splat(0));
        // the last sixteen bytes again, instead of those that do not fill a chunk
        for chunk in bytes.as_chunks::<16>().0.iter().chain([last]) {
            let chunk = u8x16::new(*chunk);
            any |= chunk;
            least = least.min(chunk);
            backslash |= chunk.simd_eq(u8x16::splat(b'\\'));
        }
        let ascii = any.to_bitmask() == 0;
        let nul = least.simd_eq(u8x16::splat(0)).to_bitmask() != 0;
        Survey {
            sound: !nul && (ascii || std::str::from_utf8(bytes).is_ok()),
            backslash: backslash.to_bitmask() != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_seen_wherever_it_stands() {
        let plain = Survey { sound: true, backslash: false };
        for len in [1, 15, 16, 17, 31, 32, 33, 100] {
            let clean = vec![b'a'; len];
            assert_eq!(Survey::of(&clean), plain, "{len}");
            for at in 0..len {
                let with = |byte| {
                    let mut bytes = clean.clone();
                    bytes[at] = byte;
                    Survey::of(&bytes)
                };
                assert_eq!(with(0), Survey { sound: false, ..plain }, "{at} of {len}");
                assert_eq!(with(0xff), Survey { sound: false, ..plain }, "{at} of {len}");
                assert_eq!(with(b'\\'), Survey { backslash: true, ..plain }, "{at} of {len}");
            }
        }
        assert_eq!(Survey::of("é und mehr, über sechzehn Bytes lang".as_bytes()), plain);
        assert_eq!(Survey::of(b""), plain);
    }
}
