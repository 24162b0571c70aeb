//! Sealing SHORT datagrams: AEAD over frames and header, then the mask over the header. Opening is in [`open`].

mod open;

pub use open::{Opened, Opener};

use crate::crypto::{self, aes_block};
use crate::key_schedule::{DirectionKeys, PacketKey, TrafficSecret};
use crate::limits::SEALED_PER_KEY_MAX;
use crate::secret::Secret;
use crate::wire::short::{self, FIRST_MASK, NUMBER_START, SAMPLE, ShortHeader};
use alloc::vec::Vec;

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

/// Seals what one side sends in one generation, epoch after epoch.
#[derive(Debug)]
pub struct Sealer {
    traffic: TrafficSecret,
    key: PacketKey,
    header: Secret<32>,
    epoch: u64,
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
        Self {
            traffic: keys.traffic.clone(),
            key: keys.traffic.packet_key(),
            header: keys.header.clone(),
            epoch: 0,
            next_number: 0,
            sealed: 0,
            limit,
        }
    }

    /// The epoch it seals in.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The two low bits of the epoch, for a header.
    #[must_use]
    pub fn epoch_bits(&self) -> u8 {
        epoch_bits(self.epoch)
    }

    /// Packets sealed under the present key.
    #[must_use]
    pub const fn sealed(&self) -> u64 {
        self.sealed
    }

    /// Goes on to the next epoch; the key of the present one is wiped.
    pub fn update(&mut self) {
        self.traffic = self.traffic.next();
        self.key = self.traffic.packet_key();
        self.epoch = self.epoch.saturating_add(1);
        self.sealed = 0;
    }

    /// Makes `out[start..]`, which holds `header` as encoded and the frames behind it, a sealed datagram.
    ///
    /// # Errors
    /// [`SealError`]; `out` is then not to be sent.
    pub fn seal(&mut self, header: &ShortHeader, out: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
        self.count(header.number)?;
        //= spec/PROTOCOL.md#short-datagrams
        //# A sender MUST pad n plus the length of the frames to 68, 132, 260, 516, 1028, 1175, 1207, 1347, 1407 or
        //# 1427 bytes.
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
        //= spec/PROTOCOL.md#key-updates
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

/// The two low bits of `epoch`.
fn epoch_bits(epoch: u64) -> u8 {
    epoch.to_be_bytes()[7] & 0b11
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
