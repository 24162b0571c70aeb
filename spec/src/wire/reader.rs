//! A cursor over bytes that cannot panic, and the one error of everything that decodes.

use super::varint;
use core::fmt;

/// Where and why bytes do not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Offset of the offending field from the start of what was decoded, in bytes.
    pub offset: usize,
    /// The field, in the words of PROTOCOL.md.
    pub field: &'static str,
    /// What is wrong with it.
    pub kind: DecodeErrorKind,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// The bytes end inside the field.
    Truncated,
    /// A varint takes more bytes than it needs.
    NotShortest,
    /// Bytes follow that belong to nothing.
    Trailing,
    /// There is nothing at all.
    Empty,
    /// The frame type is below 0x40 and not in the table.
    UnknownFrame,
    /// This side of a session never sends this.
    Direction,
    /// The value is outside what its field allows.
    OutOfRange,
    /// The bytes are not UTF-8.
    NotUtf8,
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "truncated",
            Self::NotShortest => "not shortest",
            Self::Trailing => "trailing bytes",
            Self::Empty => "empty",
            Self::UnknownFrame => "unknown frame",
            Self::Direction => "wrong direction",
            Self::OutOfRange => "out of range",
            Self::NotUtf8 => "not UTF-8",
        })
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset {}, {}: {}", self.offset, self.field, self.kind)
    }
}

impl core::error::Error for DecodeError {}

/// A cursor over `bytes`. After an error its position is unspecified.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the first of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Whether all bytes are read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes that are left, without reading them.
    #[must_use]
    pub const fn peek(&self) -> &'a [u8] {
        self.rest
    }

    /// An error at the present offset.
    #[must_use]
    pub const fn error(&self, field: &'static str, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { offset: self.offset, field, kind }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when fewer are left.
    pub fn take(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, rest) =
            self.rest.split_at_checked(len).ok_or(self.error(field, DecodeErrorKind::Truncated))?;
        self.rest = rest;
        self.offset = self.offset.saturating_add(len);
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when fewer are left.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let error = self.error(field, DecodeErrorKind::Truncated);
        self.take(N, field)?.try_into().map_err(|_| error)
    }

    /// The next byte.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] at the end.
    pub fn byte(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// The next varint.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] or [`DecodeErrorKind::NotShortest`].
    pub fn varint(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        let (value, len) = varint::decode(self.rest).map_err(|kind| self.error(field, kind))?;
        self.take(len, field)?;
        Ok(value)
    }

    /// A varint length and that many bytes.
    ///
    /// # Errors
    /// As [`varint`](Self::varint) and [`take`](Self::take).
    pub fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let len = self.varint(field)?;
        let len = usize::try_from(len).map_err(|_| self.error(field, DecodeErrorKind::Truncated))?;
        self.take(len, field)
    }

    /// A varint length and that many bytes of UTF-8.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and [`DecodeErrorKind::NotUtf8`].
    pub fn string(&mut self, field: &'static str) -> Result<&'a str, DecodeError> {
        let at = self.error(field, DecodeErrorKind::NotUtf8);
        core::str::from_utf8(self.bytes(field)?).map_err(|_| at)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Trailing`] when bytes are left.
    pub fn finish(self, field: &'static str) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(self.error(field, DecodeErrorKind::Trailing)) }
    }
}
