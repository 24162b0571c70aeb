//! Variable-length integers (RFC 9000 section 16), in one form only: the shortest.

use super::reader::DecodeErrorKind;
use alloc::vec::Vec;

/// The largest value, 2^62 - 1.
pub const MAX: u64 = (1 << 62) - 1;

/// Bytes that `value` takes: 1, 2, 4 or 8.
#[must_use]
pub const fn len(value: u64) -> usize {
    match value {
        0..=0x3f => 1,
        0x40..=0x3fff => 2,
        0x4000..=0x3fff_ffff => 4,
        _ => 8,
    }
}

/// Appends `value`; values above [`MAX`] are our own bug and are cut to it.
pub fn encode(value: u64, out: &mut Vec<u8>) {
    //= spec/PROTOCOL.md#notation
    //# A sender MUST encode a varint in the fewest bytes.
    let value = value.min(MAX);
    let [.., b6, b7] = value.to_be_bytes();
    match len(value) {
        1 => out.push(b7),
        2 => out.extend([b6 | 0x40, b7]),
        4 => out.extend(((value | 0x8000_0000) & 0xffff_ffff).to_be_bytes().iter().skip(4)),
        _ => out.extend((value | 0xc000_0000_0000_0000).to_be_bytes()),
    }
}

/// Appends the length of `bytes` and `bytes`.
pub fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    encode(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// The value at the start of `bytes`, and its length in bytes.
///
/// # Errors
/// [`DecodeErrorKind::Truncated`] or [`DecodeErrorKind::NotShortest`].
pub fn decode(bytes: &[u8]) -> Result<(u64, usize), DecodeErrorKind> {
    let first = *bytes.first().ok_or(DecodeErrorKind::Truncated)?;
    let width = 1usize << (first >> 6);
    let field = bytes.get(..width).ok_or(DecodeErrorKind::Truncated)?;
    let value = field.iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
    let value = value & (u64::MAX >> (64usize.saturating_sub(width.saturating_mul(8)).saturating_add(2)));
    //= spec/PROTOCOL.md#notation
    //# A receiver MUST refuse a varint that is longer than it needs to be.
    if len(value) == width { Ok((value, width)) } else { Err(DecodeErrorKind::NotShortest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_9000() {
        for (bytes, value) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
        ] {
            assert_eq!(decode(bytes), Ok((value, bytes.len())));
            let mut out = Vec::new();
            encode(value, &mut out);
            assert_eq!(out, bytes);
        }
    }

    #[test]
    fn longer_than_needed_is_refused() {
        //= spec/PROTOCOL.md#notation
        //= type=test
        //# A receiver MUST refuse a varint that is longer than it needs to be.
        for bytes in [&[0x40, 0x25][..], &[0x80, 0, 0x3f, 0xff], &[0xc0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff]] {
            assert_eq!(decode(bytes), Err(DecodeErrorKind::NotShortest));
        }
        assert_eq!(decode(&[0x40]), Err(DecodeErrorKind::Truncated));
        assert_eq!(decode(&[]), Err(DecodeErrorKind::Truncated));
    }

    proptest::proptest! {
        #[test]
        fn decoding_undoes_encoding(value in 0..=MAX) {
            //= spec/PROTOCOL.md#notation
            //= type=test
            //# A sender MUST encode a varint in the fewest bytes.
            let mut out = Vec::new();
            encode(value, &mut out);
            proptest::prop_assert_eq!(decode(&out), Ok((value, len(value))));
        }
    }
}
