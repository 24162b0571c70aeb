//! The header of SHORT datagrams, before it is masked and after it was unmasked.

use crate::limits::{BUCKETS_BYTES, CONNECTION_ID_BYTES, TAG_BYTES};
use alloc::vec::Vec;
use core::ops::Range;

/// 8 bytes that name one direction of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub [u8; CONNECTION_ID_BYTES]);

/// Where the connection id stands.
pub const CONNECTION_ID: Range<usize> = 1..9;
/// Where the packet number begins.
pub const NUMBER_START: usize = 9;
/// Where the sample for the mask stands: as if the number had four bytes (RFC 9001 section 5.4.2).
pub const SAMPLE: Range<usize> = 13..29;
/// The bits of byte 0 that are masked.
pub const FIRST_MASK: u8 = 0x3f;

/// Whether `datagram` has the form of a SHORT datagram.
#[must_use]
pub fn is_short(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| first >> 6 == 0b01)
}

/// The connection id of a SHORT datagram, or `None` when it is too short to have been sent.
#[must_use]
pub fn connection_id(datagram: &[u8]) -> Option<ConnectionId> {
    //= spec/PROTOCOL.md#short-datagrams
    //# A receiver MUST drop a SHORT datagram of less than 29 bytes before it looks up its connection id.
    if datagram.len() < crate::limits::SHORT_DATAGRAM_BYTES_MIN {
        return None;
    }
    datagram.get(CONNECTION_ID).and_then(|id| id.try_into().ok()).map(ConnectionId)
}

/// A header before masking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortHeader {
    /// The two low bits of the epoch.
    pub epoch: u8,
    /// Bytes of the packet number on the wire, 1 to 4.
    pub number_len: usize,
    /// Two random bits.
    pub reserved: u8,
    /// The receiver's id.
    pub id: ConnectionId,
    /// The whole packet number.
    pub number: u64,
}

impl ShortHeader {
    /// Length of the header in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        NUMBER_START.saturating_add(self.number_len)
    }

    /// Never: a header has bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Byte 0 before masking.
    #[must_use]
    pub fn first(&self) -> u8 {
        let number_len = u8::try_from(self.number_len.clamp(1, 4).saturating_sub(1)).unwrap_or(0);
        0b0100_0000 | (self.epoch & 0b11) << 4 | number_len << 2 | (self.reserved & 0b11)
    }

    /// Appends the header.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.first());
        out.extend_from_slice(&self.id.0);
        let skip = 8usize.saturating_sub(self.number_len.clamp(1, 4));
        out.extend(self.number.to_be_bytes().iter().skip(skip));
    }
}

/// The bits of an unmasked byte 0: epoch, length of the number in bytes, reserved.
#[must_use]
pub fn split_first(first: u8) -> (u8, usize, u8) {
    (first >> 4 & 0b11, usize::from(first >> 2 & 0b11).saturating_add(1), first & 0b11)
}

/// The bucket that `len` bytes of number and frames are padded to; `None` when they exceed the largest.
#[must_use]
pub fn bucket(len: usize) -> Option<usize> {
    BUCKETS_BYTES.into_iter().find(|bucket| len <= *bucket)
}

/// The longest length of a SHORT datagram that is no more than `len`; `None` when there is none.
#[must_use]
pub fn longest_within(len: usize) -> Option<usize> {
    let lengths =
        BUCKETS_BYTES.into_iter().map(|bucket| NUMBER_START.saturating_add(bucket).saturating_add(TAG_BYTES));
    lengths.rev().find(|length| *length <= len)
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test that is wrong may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_every_number_length() {
        for (number_len, number) in [(1, &[0x44][..]), (2, &[0x33, 0x44]), (4, &[0x11, 0x22, 0x33, 0x44])] {
            let header = ShortHeader {
                epoch: 2,
                number_len,
                reserved: 1,
                id: ConnectionId([5; 8]),
                number: 0x1122_3344,
            };
            let mut out = Vec::new();
            header.encode(&mut out);
            assert_eq!(out.len(), header.len());
            assert_eq!(split_first(out[0]), (2, number_len, 1));
            assert_eq!(&out[9..], number);
        }
    }

    #[test]
    fn too_short_for_a_sample() {
        //= spec/PROTOCOL.md#short-datagrams
        //= type=test
        //# A receiver MUST drop a SHORT datagram of less than 29 bytes before it looks up its connection id.
        assert_eq!(connection_id(&[0x40; 28]), None);
        assert_eq!(connection_id(&[0x40; 29]), Some(ConnectionId([0x40; 8])));
    }

    #[test]
    fn buckets() {
        let lens = [0, 68, 69, 1175, 1176, 1427, 1428];
        let buckets = [Some(68), Some(68), Some(132), Some(1175), Some(1207), Some(1427), None];
        assert_eq!(lens.map(bucket), buckets);
        assert_eq!([92, 93, 279, 5000].map(longest_within), [None, Some(93), Some(157), Some(1452)]);
    }
}
