//! Sealing and opening SHORT datagrams: AEAD over frames and header, then the mask over the header.

use crate::crypto::{self, Unauthentic, aes_block};
use crate::discard::Discard;
use crate::key_schedule::{DirectionKeys, PacketKey};
use crate::limits::{FAILED_OPENS_MAX, SEALED_PER_KEY_MAX, SHORT_DATAGRAM_BYTES_MIN, TAG_BYTES};
use crate::number;
use crate::secret::Secret;
use crate::wire::short::{self, FIRST_MASK, NUMBER_START, SAMPLE, ShortHeader, split_first};
use alloc::vec::Vec;
use core::ops::Range;

/// The key has sealed all it may, or the frames do not fit a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// 2^23 packets were sealed under this key.
    #[error("the key has sealed as many packets as it may")]
    KeyLimit,
    /// The frames do not fit the largest bucket.
    #[error("the frames do not fit a datagram")]
    TooLarge,
    /// The number is not above the last one sealed.
    #[error("a packet number was about to be used twice")]
    NumberReused,
}

/// Seals what one side sends in one epoch.
#[derive(Debug)]
pub struct Sealer {
    key: PacketKey,
    header: Secret<32>,
    next_number: u64,
    sealed: u64,
    limit: u64,
}

impl Sealer {
    /// A sealer for epoch 0 of a direction.
    #[must_use]
    pub fn new(keys: &DirectionKeys) -> Self {
        Self::with_limit(keys, SEALED_PER_KEY_MAX)
    }

    /// The same with another limit, so that a test can reach it.
    #[must_use]
    pub fn with_limit(keys: &DirectionKeys, limit: u64) -> Self {
        Self { key: keys.traffic.packet_key(), header: keys.header.clone(), next_number: 0, sealed: 0, limit }
    }

    /// Makes `out[start..]`, which holds `header` as encoded and the frames behind it, a sealed datagram.
    ///
    /// # Errors
    /// [`SealError`]; `out` is then not to be sent.
    pub fn seal(&mut self, header: &ShortHeader, out: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
        self.count(header.number)?;
        //= spec/PROTOCOL.md#short-datagrams
        //# A sender MUST pad n plus the length of the frames to 68, 132, 260, 516, 1028 or 1175 bytes.
        let plain_len = out.len() - start - NUMBER_START;
        let bucket = short::bucket(plain_len).ok_or(SealError::TooLarge)?;
        out.resize(start + NUMBER_START + bucket, 0);
        let (aad, plain) = out[start..].split_at_mut(header.len());
        let tag = crypto::seal(&self.key.key, &self.key.nonce(header.number), aad, plain);
        out.extend_from_slice(&tag);
        mask(&self.header, &mut out[start..], header.number_len);
        Ok(())
    }

    fn count(&mut self, number: u64) -> Result<(), SealError> {
        //= spec/PROTOCOL.md#short-datagrams
        //# An endpoint MUST end a session rather than seal more than 2^23 packets under one key.
        if self.sealed >= self.limit {
            return Err(SealError::KeyLimit);
        }
        //= spec/PROTOCOL.md#short-datagrams
        //# A sender MUST NOT use a packet number twice, and MUST NOT go back.
        if number < self.next_number {
            return Err(SealError::NumberReused);
        }
        self.sealed += 1;
        self.next_number = number + 1;
        Ok(())
    }
}

/// XORs the mask of the datagram's sample over its header.
fn mask(key: &Secret<32>, datagram: &mut [u8], number_len: usize) {
    let mask = header_mask(key, datagram);
    datagram[0] ^= mask[0] & FIRST_MASK;
    for (byte, mask) in datagram[NUMBER_START..NUMBER_START + number_len].iter_mut().zip(&mask[1..]) {
        *byte ^= mask;
    }
}

fn header_mask(key: &Secret<32>, datagram: &[u8]) -> [u8; 16] {
    let mut sample = [0; 16];
    sample.copy_from_slice(&datagram[SAMPLE]);
    aes_block(key, sample)
}

/// What an opened datagram says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The header, unmasked, with the whole number.
    pub header: ShortHeader,
    /// Where the frames stand in the datagram, in clear.
    pub frames: Range<usize>,
}

/// Opens what the other side sent in one epoch.
#[derive(Debug)]
pub struct Opener {
    key: PacketKey,
    header: Secret<32>,
    failed: u64,
    limit: u64,
}

impl Opener {
    /// An opener for epoch 0 of a direction.
    #[must_use]
    pub fn new(keys: &DirectionKeys) -> Self {
        Self::with_limit(keys, FAILED_OPENS_MAX)
    }

    /// The same with another limit, so that a test can reach it.
    #[must_use]
    pub fn with_limit(keys: &DirectionKeys, limit: u64) -> Self {
        Self { key: keys.traffic.packet_key(), header: keys.header.clone(), failed: 0, limit }
    }

    /// Packets that did not open.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.failed
    }

    /// Opens `datagram` in place; `largest` is the highest number opened so far.
    ///
    /// # Errors
    /// [`Discard::Length`], [`Discard::Unauthentic`] or [`Discard::KeyLimit`]; the datagram's bytes are then
    /// of no use, and nothing but the count of failures changed.
    pub fn open(&mut self, datagram: &mut [u8], largest: Option<u64>) -> Result<Opened, Discard> {
        if datagram.len() < SHORT_DATAGRAM_BYTES_MIN {
            return Err(Discard::Length);
        }
        //= spec/PROTOCOL.md#short-datagrams
        //# An endpoint MUST stop opening when 2^36 packets failed to open under the keys of one generation.
        if self.failed >= self.limit {
            return Err(Discard::KeyLimit);
        }
        //= spec/PROTOCOL.md#short-datagrams
        //# A receiver MUST remove the mask, complete the number and open the AEAD without an earlier way out
        //# that depends on a masked value.
        let header = self.unmask(datagram, largest);
        self.open_unmasked(datagram, header).inspect_err(|_| self.failed += 1)
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
        let nonce = self.key.nonce(header.number);
        let opened = crypto::open(&self.key.key, &nonce, aad, frames, tag);
        //= spec/PROTOCOL.md#key-schedule
        //# A receiver MUST drop a packet whose epoch bits are not 0.
        if opened == Err(Unauthentic) || header.epoch != 0 {
            return Err(Discard::Unauthentic);
        }
        Ok(Opened { frames: header.len()..header.len() + frames.len(), header })
    }
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
