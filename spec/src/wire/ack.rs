//! The ACK frame's body: which packets arrived, how long ago, and how many more may come.

use super::reader::{DecodeError, DecodeErrorKind, Reader};
use super::varint;
use crate::limits::ACK_RANGES_MAX;
use alloc::vec::Vec;
use arrayvec::ArrayVec;
use core::ops::RangeInclusive;

/// Ranges of an ACK at most: the first, and so many further ones.
const RANGES_MAX: usize = ACK_RANGES_MAX + 1;

/// How many packets arrived with each mark of RFC 3168.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EcnCounts {
    /// ECT(0).
    pub ect0: u64,
    /// ECT(1).
    pub ect1: u64,
    /// CE: a queue on the way was congested.
    pub ce: u64,
}

/// An acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Microseconds between the arrival of the largest number and the making of this frame.
    pub delay_us: u64,
    /// How many numbers above the largest the sender of this frame takes.
    pub window: u64,
    /// Ranges of numbers that arrived, highest first, at least one, never touching.
    ranges: ArrayVec<RangeInclusive<u64>, RANGES_MAX>,
    /// Congestion marks, when datagrams arrive with any.
    pub ecn: Option<EcnCounts>,
}

impl Ack {
    /// An acknowledgement of `ranges` as (lowest, highest), highest first, with gaps between them; ranges
    /// beyond the first 33 are left out. `None` when there is none.
    #[must_use]
    pub fn new(delay_us: u64, window: u64, ranges: impl Iterator<Item = (u64, u64)>) -> Option<Self> {
        //= spec/PROTOCOL.md#acknowledgements
        //# A sender MUST NOT send more than 32 further ranges in an ACK.
        let ranges: ArrayVec<_, RANGES_MAX> = ranges.take(RANGES_MAX).map(|(low, high)| low..=high).collect();
        (!ranges.is_empty()).then_some(Self { delay_us, window, ranges, ecn: None })
    }

    /// The same with congestion marks.
    #[must_use]
    pub fn with_ecn(mut self, ecn: Option<EcnCounts>) -> Self {
        self.ecn = ecn;
        self
    }

    /// The highest number acknowledged.
    #[must_use]
    pub fn largest(&self) -> u64 {
        self.ranges.first().map_or(0, |range| *range.end())
    }

    /// The ranges, highest first.
    #[must_use]
    pub fn ranges(&self) -> &[RangeInclusive<u64>] {
        &self.ranges
    }

    /// Appends the fields behind the frame type.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        varint::encode(self.largest(), out);
        varint::encode(self.delay_us, out);
        varint::encode(self.window, out);
        varint::encode(self.ranges.len().saturating_sub(1) as u64, out);
        let mut above: Option<u64> = None;
        for range in &self.ranges {
            if let Some(above) = above {
                varint::encode(above.saturating_sub(range.end().saturating_add(2)), out);
            }
            varint::encode(range.end().saturating_sub(*range.start()), out);
            above = Some(*range.start());
        }
        for count in self.ecn.iter().flat_map(|ecn| [ecn.ect0, ecn.ect1, ecn.ce]) {
            varint::encode(count, out);
        }
    }

    /// Reads the fields behind the frame type, of ACK or, with `has_ecn`, of ACK_ECN.
    pub(super) fn decode(reader: &mut Reader<'_>, has_ecn: bool) -> Result<Self, DecodeError> {
        let largest = reader.varint("ack largest")?;
        let delay_us = reader.varint("ack delay")?;
        let window = reader.varint("ack window")?;
        let count = reader.varint("ack range count")?;
        //= spec/PROTOCOL.md#acknowledgements
        //# A receiver MUST drop a packet whose ACK has more than 32 further ranges.
        if count > ACK_RANGES_MAX as u64 {
            return Err(reader.error("ack range count", DecodeErrorKind::OutOfRange));
        }
        let mut ranges = ArrayVec::new();
        let mut high = largest;
        for index in 0..=count {
            //= spec/PROTOCOL.md#acknowledgements
            //# A receiver MUST drop a packet whose ACK names a number below 0, or one it never sent.
            let below = reader.error("ack range", DecodeErrorKind::OutOfRange);
            if index > 0 {
                let gap = reader.varint("ack gap")?;
                high = high.checked_sub(gap).and_then(|high| high.checked_sub(2)).ok_or(below)?;
            }
            let low = high.checked_sub(reader.varint("ack range")?).ok_or(below)?;
            ranges.push(low..=high);
            high = low;
        }
        let mut ecn = None;
        if has_ecn {
            let (ect0, ect1) = (reader.varint("ack ect0")?, reader.varint("ack ect1")?);
            ecn = Some(EcnCounts { ect0, ect1, ce: reader.varint("ack ce")? });
        }
        Ok(Self { delay_us, window, ranges, ecn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roundtrip(ack: &Ack) -> Result<Ack, DecodeError> {
        let mut out = Vec::new();
        ack.encode(&mut out);
        Ack::decode(&mut Reader::new(&out), ack.ecn.is_some())
    }

    #[test]
    fn gaps_and_lengths() {
        let ack = Ack::new(7, 64, [(9, 10), (7, 7), (1, 3)].into_iter()).unwrap();
        let mut out = Vec::new();
        ack.encode(&mut out);
        // largest 10, delay 7, window 64 (two bytes), 2 further; 9-10; gap 0, 7; gap 2, 1-3.
        assert_eq!(out, [10, 7, 0x40, 64, 2, 1, 0, 0, 2, 2]);
        assert_eq!(roundtrip(&ack), Ok(ack.clone()));
        let marked = ack.with_ecn(Some(EcnCounts { ect0: 9, ect1: 0, ce: 300 }));
        assert_eq!(roundtrip(&marked), Ok(marked));
    }

    #[test]
    fn a_range_below_zero_is_refused() {
        //= spec/PROTOCOL.md#acknowledgements
        //= type=test
        //# A receiver MUST drop a packet whose ACK names a number below 0, or one it never sent.
        for bytes in [&[3, 0, 0, 0, 4][..], &[3, 0, 0, 1, 1, 1, 0], &[3, 0, 0, 1, 0, 0, 3]] {
            let error = Ack::decode(&mut Reader::new(bytes), false).unwrap_err();
            assert_eq!(error.kind, DecodeErrorKind::OutOfRange);
        }
    }

    #[test]
    fn at_most_33_ranges() {
        //= spec/PROTOCOL.md#acknowledgements
        //= type=test
        //# A sender MUST NOT send more than 32 further ranges in an ACK.
        let many = (0..100u64).rev().map(|n| (n * 3, n * 3));
        let ack = Ack::new(0, 0, many).unwrap();
        assert_eq!(ack.ranges().len(), 33);
        assert_eq!(roundtrip(&ack), Ok(ack));
        //= spec/PROTOCOL.md#acknowledgements
        //= type=test
        //# A receiver MUST drop a packet whose ACK has more than 32 further ranges.
        let error = Ack::decode(&mut Reader::new(&[0x3f, 0, 0, 33, 0]), false).unwrap_err();
        assert_eq!((error.field, error.kind), ("ack range count", DecodeErrorKind::OutOfRange));
    }
}
