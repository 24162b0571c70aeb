//! Finds ciphertext that was not made with fresh keystream, and key shares that are not fresh, without any key.
//!
//! * a **repeated window**: 16 equal bytes in two different samples, which happens by chance with
//!   probability `windows² / 2^129` (a repeated nonce, a block cipher without chaining, a replay under
//!   another header);
//! * **keystream reuse**: two texts under one keystream. The high bit of ASCII is zero, so the high
//!   bits of the two ciphertexts agree byte for byte;
//! * a **key share** of another attempt, or one that makes every shared secret the same;
//! * **identical datagrams**: retransmission or replay, which is counted and is no fault.
//!
//! Memory is bounded: beyond a million windows a known share of them is compared, chosen by what they are.
//! The number of a packet is masked by the bytes behind it, so that a repeated number shows itself only
//! through those; with a key log, level E4 looks at the numbers themselves.

mod keys;
mod sightings;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::Serialize;

use crate::opacity::{KEY_SHARE, Sample};
use crate::packet::Packet;
use keys::Keys;
use sightings::{Sighting, Sightings, mix};

/// Length of a window that may not occur twice, in bytes.
pub const WINDOW_LEN: usize = 16;
/// Pairs described one by one.
const PAIRS_DESCRIBED: usize = 100;
/// Offsets from which the high bits of a datagram are compared: the ciphertext may begin at the first five,
/// and behind the others an equal rest shows where a message begins with random bytes.
const SIGNATURE_OFFSETS: [usize; 10] = [0, 1, 2, 3, 4, 32, 33, 34, 35, 36];
/// High bits compared. Two of a million remembered signatures agree by chance with probability 2^-25.
const SIGNATURE_LEN: usize = 64;
/// Datagrams within which identical ones are recognised.
const DATAGRAMS_REMEMBERED: usize = 1 << 18;

/// Two samples that should not be alike, by the numbers of their packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Pair {
    /// The earlier packet.
    pub first: usize,
    /// The later packet.
    pub second: usize,
}

/// What was found of reuse. At most 100 cases of each are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReuseReport {
    /// Windows seen.
    pub windows: u64,
    /// One of 2 to this power of them was compared with all others; 0 when all were.
    pub window_sampling_bits: u32,
    /// Pairs of different samples that share a window.
    pub repeated_windows: Vec<Pair>,
    /// One of 2 to this power of the high-bit signatures was compared with all others.
    pub signature_sampling_bits: u32,
    /// Pairs of different samples that seem to share keystream.
    pub shared_keystream: Vec<Pair>,
    /// Pairs of packets of different attempts with the same key or KEM ciphertext.
    pub reused_keys: Vec<Pair>,
    /// Packets with an X25519 key of low order.
    pub low_order_keys: Vec<usize>,
    /// Key shares that there was no memory to compare.
    pub keys_not_compared: u64,
    /// Packets whose datagram is byte for byte that of an earlier packet.
    pub identical_datagrams: u64,
}

/// Compares samples and datagrams with all before them, in bounded memory.
#[derive(Debug, Default)]
pub struct Detector {
    windows: Sightings,
    signatures: Sightings,
    keys: Keys,
    datagrams: BTreeSet<u64>,
    report: ReuseReport,
}

impl Detector {
    /// A detector that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in bytes that should be sealed. Key shares are not: see [`Self::take_datagram`].
    pub fn take(&mut self, sample: &Sample<'_>) {
        if sample.kind == KEY_SHARE {
            return;
        }
        let digest = mix(digest(sample.bytes));
        let tag = u32::try_from(digest >> 32).unwrap_or(0);
        let packet = u32::try_from(sample.packet).unwrap_or(u32::MAX);
        self.take_windows(sample.bytes, packet, tag);
        self.take_signatures(sample.bytes, packet, tag);
    }

    /// Takes in a datagram of Sealgram: its key shares, and whether it was seen before between the same ends.
    /// `data` are the captured bytes of the packet.
    pub fn take_datagram(&mut self, packet: &Packet, data: &[u8]) {
        self.keys.take(packet, data);
        let payload = packet.dissection.payload.clone().and_then(|payload| data.get(payload));
        let mut hasher = DefaultHasher::new();
        packet.dissection.ends.map(|(from, to)| [from.to_string(), to.to_string()]).hash(&mut hasher);
        payload.hash(&mut hasher);
        if !self.datagrams.insert(hasher.finish()) {
            self.report.identical_datagrams += 1;
        }
        if self.datagrams.len() >= DATAGRAMS_REMEMBERED {
            self.datagrams.clear();
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> ReuseReport {
        self.report.window_sampling_bits = self.windows.sampling_bits();
        self.report.signature_sampling_bits = self.signatures.sampling_bits();
        self.report.reused_keys = self.keys.reused;
        self.report.low_order_keys = self.keys.low_order;
        self.report.keys_not_compared = self.keys.not_compared;
        self.report
    }

    fn take_windows(&mut self, bytes: &[u8], packet: u32, sample: u32) {
        for window in bytes.windows(WINDOW_LEN) {
            self.report.windows += 1;
            let (key, check) = fingerprint(window);
            // A window that repeats inside one sample counts too: that is a block cipher without chaining.
            // The same sample in another packet was only captured twice.
            if let Some(first) = self.windows.see(key, Sighting { packet, sample, check })
                && (first.sample != sample || first.packet == packet)
            {
                describe(&mut self.report.repeated_windows, pair(first.packet, packet));
            }
        }
    }

    fn take_signatures(&mut self, bytes: &[u8], packet: u32, sample: u32) {
        for offset in SIGNATURE_OFFSETS {
            let Some(signed) = bytes.get(offset..offset + SIGNATURE_LEN) else { return };
            let signature = signed.iter().fold(0, |bits, byte| bits << 1 | u64::from(byte >> 7));
            let sighting = Sighting { packet, sample, check: 0 };
            if let Some(first) = self.signatures.see(mix(signature), sighting)
                && first.sample != sample
            {
                describe(&mut self.report.shared_keystream, pair(first.packet, packet));
            }
        }
    }
}

/// 96 bits of a window, so that two of a million remembered ones agree by chance with probability 2^-57.
fn fingerprint(window: &[u8]) -> (u64, u32) {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (low, high) = window.split_at(WINDOW_LEN / 2);
    let [low, high] = [low, high].map(|half| half.try_into().map_or(0, u64::from_le_bytes));
    let key = mix(low ^ mix(high ^ ODD));
    let check = mix(high.rotate_left(32) ^ low.wrapping_mul(ODD));
    (key, u32::try_from(check >> 32).unwrap_or(0))
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn pair(first: u32, second: u32) -> Pair {
    let number = |packet| usize::try_from(packet).unwrap_or(usize::MAX);
    Pair { first: number(first), second: number(second) }
}

/// Lists a case, once, while there is room.
fn describe<T: PartialEq>(cases: &mut Vec<T>, case: T) {
    if cases.len() < PAIRS_DESCRIBED && !cases.contains(&case) {
        cases.push(case);
    }
}

#[cfg(test)]
mod tests;
