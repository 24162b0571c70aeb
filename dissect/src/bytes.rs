//! Reading integers at an offset of a slice, in either byte order, without ever panicking.

use serde::Serialize;

/// The byte order of a file or of one of its sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// The 16-bit integer at `offset`, or `None` when the slice ends before it does.
    #[must_use]
    pub fn u16(self, bytes: &[u8], offset: usize) -> Option<u16> {
        let field = array::<2>(bytes, offset)?;
        Some(match self {
            Self::Little => u16::from_le_bytes(field),
            Self::Big => u16::from_be_bytes(field),
        })
    }

    /// The 32-bit integer at `offset`, or `None` when the slice ends before it does.
    #[must_use]
    pub fn u32(self, bytes: &[u8], offset: usize) -> Option<u32> {
        let field = array::<4>(bytes, offset)?;
        Some(match self {
            Self::Little => u32::from_le_bytes(field),
            Self::Big => u32::from_be_bytes(field),
        })
    }

    /// The 64-bit integer at `offset`, or `None` when the slice ends before it does.
    #[must_use]
    pub fn u64(self, bytes: &[u8], offset: usize) -> Option<u64> {
        let field = array::<8>(bytes, offset)?;
        Some(match self {
            Self::Little => u64::from_le_bytes(field),
            Self::Big => u64::from_be_bytes(field),
        })
    }
}

/// The `N` bytes at `offset`, or `None` when the slice ends before they do.
pub(crate) fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk::<N>().copied()
}

/// A length of this capture as the 64-bit number reports count in.
pub(crate) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_and_the_end_of_the_slice() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(Endian::Big.u16(&bytes, 0), Some(0x0102));
        assert_eq!(Endian::Little.u16(&bytes, 6), Some(0x0807));
        assert_eq!(Endian::Little.u32(&bytes, 0), Some(0x0403_0201));
        assert_eq!(Endian::Big.u64(&bytes, 0), Some(0x0102_0304_0506_0708));
        assert_eq!(Endian::Big.u32(&bytes, 5), None);
        assert_eq!(Endian::Big.u64(&bytes, usize::MAX), None);
    }
}
