//! Opening SHORT datagrams of one generation, in the three epochs that may come.

use super::{epoch_bits, header_mask};
use crate::crypto;
use crate::discard::Discard;
use crate::key_schedule::{DirectionKeys, PacketKey, TrafficSecret};
use crate::limits::{FAILED_OPENS_MAX, SHORT_DATAGRAM_BYTES_MIN, TAG_BYTES};
use crate::number;
use crate::secret::Secret;
use crate::wire::short::{self, FIRST_MASK, NUMBER_START, ShortHeader, split_first};
use core::ops::Range;

/// What an opened datagram says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The header, unmasked, with the whole number.
    pub header: ShortHeader,
    /// The whole epoch.
    pub epoch: u64,
    /// Where the frames stand in the datagram, in clear.
    pub frames: Range<usize>,
}

/// The key of one epoch and the packets it has opened.
#[derive(Debug)]
struct Epoch {
    key: PacketKey,
    /// The lowest and the highest number opened.
    numbers: Option<(u64, u64)>,
}

impl Epoch {
    fn new(traffic: &TrafficSecret) -> Self {
        Self { key: traffic.packet_key(), numbers: None }
    }

    fn note(&mut self, number: u64) {
        let (lowest, highest) = self.numbers.unwrap_or((number, number));
        self.numbers = Some((lowest.min(number), highest.max(number)));
    }
}

/// Opens what the other side sent in one generation.
#[derive(Debug)]
pub struct Opener {
    header: Secret<32>,
    /// The highest epoch that opened a packet.
    epoch: u64,
    previous: Option<Epoch>,
    present: Epoch,
    next: Epoch,
    /// The traffic secret of the epoch after [`next`](Self::next).
    coming: TrafficSecret,
    /// The highest number of the previous epoch, which outlives its key.
    floor: Option<u64>,
    failed: u64,
    limit: u64,
}

impl Opener {
    /// An opener for a direction, in epoch 0.
    #[must_use]
    pub fn new(keys: &DirectionKeys) -> Self {
        Self::with_limit(keys, FAILED_OPENS_MAX)
    }

    /// The same with another limit, so that a test can reach it.
    #[must_use]
    pub fn with_limit(keys: &DirectionKeys, limit: u64) -> Self {
        let next = keys.traffic.next();
        Self {
            header: keys.header.clone(),
            epoch: 0,
            previous: None,
            present: Epoch::new(&keys.traffic),
            coming: next.next(),
            next: Epoch::new(&next),
            floor: None,
            failed: 0,
            limit,
        }
    }

    /// Packets that did not open.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.failed
    }

    /// The highest epoch that opened a packet.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Wipes the key of the epoch before the present one.
    pub fn forget_previous(&mut self) {
        self.previous = None;
    }

    /// Opens `datagram` in place; `largest` is the highest number opened so far, in any generation. The first
    /// packet of the next epoch makes that the present one.
    ///
    /// # Errors
    /// [`Discard::Length`], [`Discard::Unauthentic`] or [`Discard::KeyLimit`]; the datagram's bytes are then
    /// of no use, and nothing but the count of failures changed. [`Discard::EpochOrder`] when the packet opened
    /// and contradicts others: the session is to be closed.
    pub fn open(&mut self, datagram: &mut [u8], largest: Option<u64>) -> Result<Opened, Discard> {
        if datagram.len() < SHORT_DATAGRAM_BYTES_MIN {
            return Err(Discard::Length);
        }
        //= spec/PROTOCOL.md#key-updates
        //# An endpoint MUST stop opening when 2^36 packets failed to open under the keys of one generation.
        if self.failed >= self.limit {
            return Err(Discard::KeyLimit);
        }
        //= spec/PROTOCOL.md#short-datagrams
        //# A receiver MUST remove the mask, complete the number and open the AEAD without an earlier way out
        //# that depends on a masked value.
        let header = self.unmask(datagram, largest);
        let opened = self.open_unmasked(datagram, header).inspect_err(|_| self.failed += 1)?;
        self.note(opened.epoch, opened.header.number)?;
        Ok(opened)
    }

    fn unmask(&self, datagram: &mut [u8], largest: Option<u64>) -> ShortHeader {
        let mask = header_mask(&self.header, datagram);
        datagram[0] ^= mask[0] & FIRST_MASK;
        let (epoch, number_len, reserved) = split_first(datagram[0]);
        let mut truncated = 0;
        for (byte, mask) in datagram[NUMBER_START..NUMBER_START + number_len].iter_mut().zip(&mask[1..]) {
            *byte ^= mask;
            truncated = truncated << 8 | u64::from(*byte);
        }
        let number = number::complete(largest, truncated, number_len);
        let mut id = [0; 8];
        id.copy_from_slice(&datagram[short::CONNECTION_ID]);
        ShortHeader { epoch, number_len, reserved, id: short::ConnectionId(id), number }
    }

    fn open_unmasked(&self, datagram: &mut [u8], header: ShortHeader) -> Result<Opened, Discard> {
        let (aad, sealed) = datagram.split_at_mut(header.len());
        let (frames, tag) = sealed.split_last_chunk_mut::<TAG_BYTES>().ok_or(Discard::Length)?;
        let named = self.named(header.epoch);
        // An epoch that is not held is tried under the present key, so that it takes as long as any other.
        let (epoch, key) = named.unwrap_or((self.epoch, &self.present.key));
        let result = crypto::open(&key.key, &key.nonce(header.number), aad, frames, tag);
        //= spec/PROTOCOL.md#key-updates
        //# A receiver MUST drop a packet whose epoch bits name none of the epochs it holds.
        if result.is_err() || named.is_none() {
            return Err(Discard::Unauthentic);
        }
        Ok(Opened { frames: header.len()..header.len() + frames.len(), epoch, header })
    }

    /// The epoch that the bits name, and its key.
    fn named(&self, bits: u8) -> Option<(u64, &PacketKey)> {
        let present = Some((self.epoch, &self.present.key));
        let next = Some((self.epoch.saturating_add(1), &self.next.key));
        let previous = self.previous.as_ref().map(|epoch| (self.epoch.saturating_sub(1), &epoch.key));
        [present, next, previous].into_iter().flatten().find(|(epoch, _)| epoch_bits(*epoch) == bits)
    }

    /// Takes note of a packet that opened: nothing before this derives a key.
    fn note(&mut self, epoch: u64, number: u64) -> Result<(), Discard> {
        //= spec/PROTOCOL.md#key-updates
        //# A receiver MUST NOT derive a key because of a packet that did not open.
        //= spec/PROTOCOL.md#key-updates
        //# A receiver MUST close the session with VIOLATION when a packet opens under epoch n whose number is
        //# above one that opened under n + 1, or under n + 1 whose number is below one that opened under n.
        let (lowest, highest) = self.present.numbers.unzip();
        let fits = match &mut self.previous {
            Some(previous) if epoch < self.epoch => {
                previous.note(number);
                self.floor = self.floor.max(Some(number));
                lowest.is_none_or(|lowest| number < lowest)
            }
            _ if epoch > self.epoch => highest.is_none_or(|highest| number > highest),
            _ => self.floor.is_none_or(|floor| number > floor),
        };
        if !fits {
            return Err(Discard::EpochOrder);
        }
        if epoch > self.epoch {
            self.advance(highest);
        }
        if epoch == self.epoch {
            self.present.note(number);
        }
        Ok(())
    }

    /// The next epoch becomes the present one; `highest` is the highest number of the one that was.
    fn advance(&mut self, highest: Option<u64>) {
        let after = core::mem::replace(&mut self.next, Epoch::new(&self.coming));
        self.coming = self.coming.next();
        self.previous = Some(core::mem::replace(&mut self.present, after));
        self.epoch = self.epoch.saturating_add(1);
        self.floor = highest;
    }
}
