//! Lengths and times of the datagrams that go one way.

use std::collections::BTreeMap;

use serde::Serialize;

use super::information::entropy_bits;
use crate::bytes::count;

/// A pause after which a new burst begins: longer than a round trip, shorter than a thought.
const PAUSE_NS: i128 = 250_000_000;
/// Powers of two of microseconds that pauses are counted in.
const PAUSE_CLASSES: usize = 32;

/// Counts of one direction.
#[derive(Debug, Default)]
pub(super) struct Direction {
    datagrams: u64,
    bytes: u64,
    /// At most as many entries as a datagram has lengths.
    lengths: BTreeMap<usize, u64>,
    last_ns: Option<i128>,
    bursts: u64,
    burst: u64,
    longest_burst: u64,
    pauses: [u64; PAUSE_CLASSES],
}

/// What lengths and times of one direction show.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DirectionReport {
    /// Datagrams.
    pub datagrams: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How often each length occurs.
    pub lengths: BTreeMap<usize, u64>,
    /// The entropy of the length of a datagram, in bits.
    pub length_entropy_bits: f64,
    /// Runs of datagrams without a pause of 250 milliseconds.
    pub bursts: u64,
    /// Datagrams of the longest.
    pub longest_burst: u64,
    /// Half of the pauses between datagrams are shorter than this many microseconds, a power of two.
    pub median_pause_us: Option<u64>,
}

impl Direction {
    pub(super) fn take(&mut self, len: usize, time_ns: Option<i128>) {
        self.datagrams += 1;
        self.bytes += count(len);
        *self.lengths.entry(len).or_default() += 1;
        let pause = time_ns.zip(self.last_ns).map(|(now, last)| now.saturating_sub(last).max(0));
        if let Some(pause) = pause {
            let class = usize::try_from(i128::BITS - (pause / 1_000).leading_zeros()).unwrap_or(0);
            if let Some(pauses) = self.pauses.get_mut(class.min(PAUSE_CLASSES - 1)) {
                *pauses += 1;
            }
        }
        if time_ns.is_some() {
            let begins = pause.is_none_or(|pause| pause >= PAUSE_NS);
            self.bursts += u64::from(begins);
            self.burst = if begins { 1 } else { self.burst + 1 };
            self.longest_burst = self.longest_burst.max(self.burst);
            self.last_ns = time_ns;
        }
    }

    pub(super) fn finish(self) -> DirectionReport {
        DirectionReport {
            datagrams: self.datagrams,
            bytes: self.bytes,
            length_entropy_bits: entropy_bits(self.lengths.values().copied()),
            lengths: self.lengths,
            bursts: self.bursts,
            longest_burst: self.longest_burst,
            median_pause_us: median(&self.pauses),
        }
    }
}

/// The upper end of the class in which half of the pauses are reached.
fn median(pauses: &[u64]) -> Option<u64> {
    let all: u64 = pauses.iter().sum();
    let mut below = 0;
    let class = pauses.iter().position(|pauses| {
        below += pauses;
        below > 0 && 2 * below >= all
    })?;
    1_u64.checked_shl(u32::try_from(class).ok()?)
}

impl DirectionReport {
    /// What the direction shows, in plain words; nothing when it is empty.
    pub(super) fn sentence(&self, who: &str) -> Option<String> {
        let times = match self.median_pause_us {
            Some(pause) => format!(
                "; {} bursts, the longest of {} datagrams, half of the pauses below {pause} microseconds",
                self.bursts, self.longest_burst
            ),
            None => String::new(),
        };
        (self.datagrams > 0).then(|| {
            format!(
                "{} datagrams of {who}: the length of one tells {:.2} bits{times}",
                self.datagrams, self.length_entropy_bits
            )
        })
    }
}
