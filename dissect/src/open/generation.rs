//! The keys of one generation of a direction, epoch by epoch.
//!
//! A receiver forgets keys; an auditor keeps them all, because a datagram that was captured late, or twice, has
//! to open too.

use std::ops::Range;

use spec::crypto::{self, aes_block};
use spec::key_schedule::{DirectionKeys, PacketKey};
use spec::limits::TAG_BYTES;
use spec::number;
use spec::seal::Sealer;
use spec::wire::short::{self, FIRST_MASK, NUMBER_START, SAMPLE, ShortHeader, split_first};

/// Epochs above the highest that opened a packet which are tried: one follows, and a capture may lack all of it.
const EPOCHS_AHEAD: usize = 2;
/// Epochs of one generation that are followed: a program that updates its key more often does little else.
const EPOCHS_MAX: usize = 4_096;
/// Wraps of the number's low bytes that are tried below the likeliest: a datagram may be captured late.
const WRAPS_TRIED: u64 = 8;

/// A SHORT datagram in clear.
pub(super) struct Opened {
    /// Its header, with the whole number.
    pub(super) header: ShortHeader,
    /// The whole epoch.
    pub(super) epoch: u64,
    /// Header and frames in clear; the tag is cut off.
    clear: Vec<u8>,
}

impl Opened {
    pub(super) fn frames(&self) -> &[u8] {
        self.clear.get(self.header.len()..).unwrap_or_default()
    }
}

/// Opens and seals what one side sends in one generation.
pub(super) struct Generation {
    /// The keys of each epoch, from the first.
    epochs: Vec<Epoch>,
    /// The highest epoch that opened a packet.
    highest: usize,
}

struct Epoch {
    keys: DirectionKeys,
    packet: PacketKey,
}

impl Epoch {
    fn new(keys: DirectionKeys) -> Self {
        Self { packet: keys.traffic.packet_key(), keys }
    }

    fn next(&self) -> Self {
        Self::new(DirectionKeys { traffic: self.keys.traffic.next(), ..self.keys.clone() })
    }
}

impl Generation {
    pub(super) fn new(keys: DirectionKeys) -> Self {
        let mut generation = Self { epochs: vec![Epoch::new(keys)], highest: 0 };
        generation.derive();
        generation
    }

    /// The same keys, one epoch off: nothing that this generation sealed opens under them.
    pub(super) fn shifted(&self) -> Option<Self> {
        self.epochs.get(1).map(|epoch| Self::new(epoch.keys.clone()))
    }

    /// Whether there may be epochs that are not followed any more.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.highest + EPOCHS_AHEAD >= EPOCHS_MAX
    }

    fn derive(&mut self) {
        while self.epochs.len() <= (self.highest + EPOCHS_AHEAD).min(EPOCHS_MAX - 1) {
            let Some(last) = self.epochs.last() else { return };
            let next = last.next();
            self.epochs.push(next);
        }
    }

    /// Opens a copy of `datagram`; `largest` is the highest number its sender was seen to use. Only a tag that
    /// verifies decides, so that every epoch and number may be tried.
    pub(super) fn open(&mut self, datagram: &[u8], largest: Option<u64>) -> Option<Opened> {
        let (header, unmasked) = self.unmask(datagram, largest)?;
        let wrap = 1u64.checked_shl(8 * u32::try_from(header.number_len).ok()?)?;
        let named = (0..self.epochs.len()).rev().filter(|epoch| epoch % 4 == usize::from(header.epoch));
        let opened = named.flat_map(|epoch| (0..=WRAPS_TRIED).map(move |wraps| (epoch, wraps))).find_map(
            |(epoch, wraps)| {
                let number = header.number.checked_sub(wraps.checked_mul(wrap)?)?;
                let clear = self.epochs.get(epoch)?.open(&unmasked, header.len(), number)?;
                let header = ShortHeader { number, ..header };
                Some((epoch, Opened { header, epoch: u64::try_from(epoch).ok()?, clear }))
            },
        );
        let (epoch, opened) = opened?;
        self.highest = self.highest.max(epoch);
        self.derive();
        Some(opened)
    }

    /// The header without its mask, and the datagram with that header.
    fn unmask(&self, datagram: &[u8], largest: Option<u64>) -> Option<(ShortHeader, Vec<u8>)> {
        let id = short::connection_id(datagram)?;
        let sample = datagram.get(SAMPLE)?.try_into().ok()?;
        let mask = aes_block(&self.epochs.first()?.keys.header, sample);
        let mut clear = datagram.to_vec();
        let first = clear.first_mut()?;
        *first ^= mask[0] & FIRST_MASK;
        let (epoch, number_len, reserved) = split_first(*first);
        let number: Range<usize> = NUMBER_START..NUMBER_START + number_len;
        let mut truncated = 0;
        for (byte, mask) in clear.get_mut(number)?.iter_mut().zip(&mask[1..]) {
            *byte ^= mask;
            truncated = truncated << 8 | u64::from(*byte);
        }
        let number = number::complete(largest, truncated, number_len);
        Some((ShortHeader { epoch, number_len, reserved, id, number }, clear))
    }

    /// Header and frames sealed again: the datagram they came from.
    pub(super) fn seal(&self, opened: &Opened) -> Option<Vec<u8>> {
        let epoch = self.epochs.get(usize::try_from(opened.epoch).ok()?)?;
        let mut datagram = Vec::with_capacity(opened.clear.len() + TAG_BYTES);
        opened.header.encode(&mut datagram);
        datagram.extend_from_slice(opened.frames());
        Sealer::new(&epoch.keys).seal(&opened.header, &mut datagram, 0).ok()?;
        Some(datagram)
    }
}

impl Epoch {
    /// Verifies the tag; header and frames in clear.
    fn open(&self, unmasked: &[u8], header_len: usize, number: u64) -> Option<Vec<u8>> {
        let (sealed, tag) = unmasked.split_last_chunk::<TAG_BYTES>()?;
        let mut clear = sealed.to_vec();
        let (aad, frames) = clear.split_at_mut_checked(header_len)?;
        crypto::open(&self.packet.key, &self.packet.nonce(number), aad, frames, tag).ok()?;
        Some(clear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::key_schedule::Root;
    use spec::secret::Secret;
    use spec::wire::frame::Side;

    fn keys() -> DirectionKeys {
        Root::from_key_log(Secret::new([7; 32])).direction(Side::Client)
    }

    /// A datagram with a one-byte number, sealed in this epoch.
    fn sealed(epoch: usize, number: u64) -> Vec<u8> {
        let keys = (0..epoch).fold(keys(), |keys, _| DirectionKeys { traffic: keys.traffic.next(), ..keys });
        let bits = u8::try_from(epoch % 4).unwrap();
        let header = ShortHeader { epoch: bits, number_len: 1, reserved: 3, id: keys.ids.id(0), number };
        let mut datagram = Vec::new();
        header.encode(&mut datagram);
        datagram.push(1);
        Sealer::new(&keys).seal(&header, &mut datagram, 0).unwrap();
        datagram
    }

    #[test]
    fn epochs_follow_each_other_and_late_datagrams_open_and_are_sealed_alike() {
        let mut generation = Generation::new(keys());
        for (epoch, number, largest) in
            [(0, 0, None), (1, 5, Some(0)), (3, 90, Some(5)), (5, 1_300, Some(1_250)), (0, 3, Some(1_300))]
        {
            let datagram = sealed(epoch, number);
            let opened = generation.open(&datagram, largest).unwrap();
            assert_eq!((opened.epoch, opened.header.number), (epoch as u64, number));
            assert_eq!(generation.seal(&opened).unwrap(), datagram);
        }
        assert!(generation.open(&sealed(8, 1_400), Some(1_300)).is_none(), "three epochs were left out");
        assert!(generation.shifted().unwrap().open(&sealed(0, 0), None).is_none());
    }
}
