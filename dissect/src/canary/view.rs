//! The ways of reading a capture.
//!
//! * the **file**, byte by byte: every frame, every payload and everything around them;
//! * each direction of each flow as one **stream**, with the first 0 to 16 bytes of each payload
//!   dropped, so that text is found which runs on from packet to packet behind a header;
//! * the **columns**: byte j of each payload of a direction, from its front and from its end, so that a character
//!   a packet is found, in a header or in a padding;
//! * what was **unpacked**: compressed bodies, in the file and along the streams;
//! * what others **decoded**, such as the body of a message that its headers say is encoded.

use std::fmt;

use super::unpack::Codec;

/// Longest header that is dropped from each payload of a stream, in bytes.
pub(super) const SKIP_MAX: usize = 16;
/// Columns read, from the front of the payload.
pub(super) const COLUMNS: usize = 64;
/// Columns read from the end of the payload: a tag, and what may be padding before it.
pub(super) const LAST_COLUMNS: usize = 32;

/// One way of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum View {
    File,
    Stream {
        skip: usize,
    },
    Column(usize),
    /// Counted from the last byte.
    LastColumn(usize),
    Unpacked(Codec),
    UnpackedStream(Codec),
    Decoded,
}

impl View {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let streams = (0..=SKIP_MAX).map(|skip| Self::Stream { skip });
        let unpacked =
            Codec::ALL.into_iter().flat_map(|codec| [Self::Unpacked(codec), Self::UnpackedStream(codec)]);
        [Self::File, Self::Decoded]
            .into_iter()
            .chain(streams)
            .chain((0..COLUMNS).map(Self::Column))
            .chain((0..LAST_COLUMNS).map(Self::LastColumn))
            .chain(unpacked)
    }

    /// Whether needles that decide nothing are worth a look here: not where every byte is seen once more.
    pub(super) const fn is_first(self) -> bool {
        !matches!(self, Self::Stream { skip: 1.. })
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("file"),
            Self::Stream { skip: 0 } => f.write_str("stream"),
            Self::Stream { skip } => write!(f, "stream without {skip} header bytes"),
            Self::Column(column) => write!(f, "column {column}"),
            Self::LastColumn(column) => write!(f, "column {column} from the end"),
            Self::Unpacked(codec) => write!(f, "unpacked {codec}"),
            Self::UnpackedStream(codec) => write!(f, "unpacked {codec} of a stream"),
            Self::Decoded => f.write_str("decoded"),
        }
    }
}

/// Where a hit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// At this offset of the file; which packet that is, is not known yet.
    File(u64),
    /// In this packet, and at this offset of the file where its bytes stand there in one piece.
    Packet(usize, Option<u64>),
}

impl Origin {
    /// The same, so many bytes further on.
    pub(super) fn plus(self, bytes: usize) -> Self {
        let plus = |offset: u64| offset.saturating_add(crate::bytes::count(bytes));
        match self {
            Self::File(offset) => Self::File(plus(offset)),
            Self::Packet(number, offset) => Self::Packet(number, offset.map(plus)),
        }
    }
}

/// A needle found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) needle: usize,
    pub(super) view: View,
    pub(super) origin: Origin,
    /// How far into the needle the sighting begins, in bytes.
    pub(super) skipped: usize,
}

/// How much there is to search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Length of the capture file, in bytes, once it is decompressed.
    pub file_bytes: u64,
}

impl Size {
    /// Bits of the upper bound of the places where a needle could stand by chance, over all views and
    /// differences; no stream or column is longer than the file.
    pub(super) fn bits(self) -> f64 {
        let cheap = (SKIP_MAX + 1) * 3;
        let readings = 2 * super::difference::DIFFERENCE_COUNT + cheap;
        let bytes = usize::try_from(self.file_bytes).unwrap_or(usize::MAX);
        super::form::approximate(bytes.saturating_mul(readings)).max(1.0).log2()
    }
}
