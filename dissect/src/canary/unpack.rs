//! Compressed bodies: wherever the first bytes of a known format stand, it is tried to unpack them.
//!
//! Most such places are chance, and end in an error after a few bytes. Output is bounded for each place and
//! for the whole run.

use std::fmt;
use std::io::{ErrorKind, Read, Write as _};

use crate::bytes::count;

/// Bytes that one body may grow to; what follows is not searched.
const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// Bytes that all bodies of a run may grow to together.
const OUTPUT_BYTES_BUDGET: u64 = 1 << 30;
/// Bytes of compressed input that are kept for one body.
pub(super) const INPUT_BYTES_MAX: usize = 64 * 1024;

/// A format that announces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Codec {
    Gzip,
    Zlib,
    Zstd,
    Lz4,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        })
    }
}

impl Codec {
    pub(super) const ALL: [Self; 4] = [Self::Gzip, Self::Zlib, Self::Zstd, Self::Lz4];

    /// The format whose first bytes these are.
    pub(super) fn at(bytes: &[u8]) -> Option<Self> {
        match *bytes.first_chunk::<4>()? {
            [0x1f, 0x8b, 8, flags] if flags < 0x20 => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18] => Some(Self::Lz4),
            // RFC 1950, 2.2: method 8, a window of at most 32 KiB, no dictionary, a multiple of 31.
            [method, flags, first, _]
                if method & 0x8f == 8
                    && flags & 0x20 == 0
                    && (u16::from(method) << 8 | u16::from(flags)).is_multiple_of(31)
                    && begins_block(first, bytes.get(3..).unwrap_or_default()) =>
            {
                Some(Self::Zlib)
            }
            _ => None,
        }
    }
}

/// RFC 1951, 3.2.3 to 3.2.7: whether a block of compressed bytes may begin so. Half of all chance is told at this
/// price already.
fn begins_block(first: u8, next: &[u8]) -> bool {
    match first >> 1 & 3 {
        // Stored: a length, and the same with all bits inverted.
        0 => next.first_chunk::<4>().is_none_or(|[a, b, c, d]| a ^ c == 0xff && b ^ d == 0xff),
        1 => true,
        // At most 286 codes of literals and lengths, and 30 of distances.
        2 => first >> 3 <= 29 && next.first().is_none_or(|byte| byte & 0x1f <= 29),
        _ => false,
    }
}

/// What came of an attempt.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// The bytes up to the end of the body, of the input, or of what makes sense.
    pub(super) bytes: Vec<u8>,
    /// Whether an error ended it.
    failed: bool,
    /// Whether the input ended before the body did.
    pub(super) goes_on: bool,
}

/// Unpacks within a budget.
#[derive(Debug)]
pub(super) struct Unpacker {
    left_bytes: u64,
}

impl Unpacker {
    pub(super) const fn new() -> Self {
        Self { left_bytes: OUTPUT_BYTES_BUDGET }
    }

    /// Whether bodies were left packed because the budget was used up.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.left_bytes == 0
    }

    /// Unpacks the body that begins here; of the input, [`INPUT_BYTES_MAX`] are read.
    pub(super) fn unpack(&mut self, codec: Codec, body: &[u8]) -> Unpacked {
        let body = body.get(..INPUT_BYTES_MAX).unwrap_or(body);
        let limit = OUTPUT_BYTES_MAX.min(usize::try_from(self.left_bytes).unwrap_or(usize::MAX));
        let mut rest = body;
        let mut unpacked = match codec {
            Codec::Gzip => drain(flate2::read::MultiGzDecoder::new(&mut rest), limit),
            Codec::Zlib => drain(flate2::read::ZlibDecoder::new_with_buf(&mut rest, vec![0; 256]), limit),
            Codec::Lz4 => drain(lz4_flex::frame::FrameDecoder::new(&mut rest), limit),
            Codec::Zstd => ruzstd::decoding::StreamingDecoder::new(&mut rest).map_or_else(
                |_| Unpacked { bytes: Vec::new(), failed: true, goes_on: false },
                |decoder| drain(decoder, limit),
            ),
        };
        // This decoder hides the kind of an error; it reads no further than it must.
        unpacked.goes_on |= codec == Codec::Zstd && rest.is_empty() && unpacked.failed;
        self.left_bytes = self.left_bytes.saturating_sub(count(unpacked.bytes.len()));
        unpacked
    }
}

/// Packs bytes as other programs would: what the control and the tests plant.
pub(super) fn pack(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    // Nothing of this fails in memory; should it, the control says so.
    let mut packed = Vec::new();
    match codec {
        Codec::Gzip => {
            flate2::read::GzEncoder::new(bytes, flate2::Compression::default()).read_to_end(&mut packed).ok();
        }
        Codec::Zlib => {
            flate2::read::ZlibEncoder::new(bytes, flate2::Compression::default())
                .read_to_end(&mut packed)
                .ok();
        }
        Codec::Zstd => {
            return ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
        }
        Codec::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(&mut packed);
            encoder.write_all(bytes).ok();
            encoder.finish().ok();
        }
    }
    packed
}

/// Reads until the end, an error or the limit.
fn drain(mut source: impl Read, limit: usize) -> Unpacked {
    let mut bytes = Vec::new();
    // What an error swallows is at most one such part.
    let mut part = [0; 512];
    while bytes.len() < limit {
        let room = part.len().min(limit - bytes.len());
        match source.read(part.get_mut(..room).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => bytes.extend_from_slice(part.get(..read).unwrap_or_default()),
            Err(error) => {
                return Unpacked { bytes, failed: true, goes_on: error.kind() == ErrorKind::UnexpectedEof };
            }
        }
    }
    Unpacked { bytes, failed: false, goes_on: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::random_bytes;

    const TEXT: &[u8] = b"to be or not to be, that is the question: whether tis nobler in the mind to suffer";

    #[test]
    fn every_codec_knows_its_first_bytes_and_unpacks_in_a_haystack() {
        for codec in Codec::ALL {
            let packed = pack(codec, &TEXT.repeat(20));
            assert_eq!(Codec::at(&packed), Some(codec));
            let unpacked = Unpacker::new().unpack(codec, &[&packed[..], &random_bytes(1, 500)].concat());
            assert!(unpacked.bytes.starts_with(&TEXT.repeat(20)), "{codec}");
        }
    }

    #[test]
    fn what_is_cut_goes_on_and_what_is_noise_does_not() {
        for codec in Codec::ALL {
            let packed = pack(codec, &random_bytes(5, 3_000));
            let cut = Unpacker::new().unpack(codec, &packed[..packed.len() / 2]);
            assert!(cut.goes_on, "{codec}");
            assert!(!Unpacker::new().unpack(codec, &packed).goes_on, "{codec}");
        }
        let noise = (0..200).filter(|seed| {
            let body = [&b"\x78\x9c"[..], &random_bytes(*seed, 1_000)].concat();
            Unpacker::new().unpack(Codec::Zlib, &body).goes_on
        });
        assert!(noise.count() < 20);
    }

    #[test]
    fn output_is_bounded() {
        for codec in Codec::ALL {
            let mut unpacker = Unpacker::new();
            let bomb = pack(codec, &vec![0; 3 << 20]);
            assert!(unpacker.unpack(codec, &bomb).bytes.len() <= OUTPUT_BYTES_MAX, "{codec}");
            unpacker.left_bytes = 10;
            assert!(unpacker.unpack(codec, &bomb).bytes.len() <= 10, "{codec}");
        }
    }
}
