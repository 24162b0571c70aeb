//! One side's SHORT datagrams, sound or leaking.

use spec::crypto;
use spec::key_schedule::{DirectionKeys, Root};
use spec::seal::Sealer;
use spec::wire::frame::{Frame, Side};
use spec::wire::short::{NUMBER_START, ShortHeader, bucket};

use super::NAME;

/// What is wrong with the program that made the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    /// Nothing.
    None,
    /// The frames are not sealed.
    Unsealed,
    /// Every packet has the nonce of the first.
    FixedNonce,
    /// The nickname stands in front of every datagram's sealed bytes, behind the header.
    NameInHeader,
}

/// One side of a session.
pub(crate) struct Sender {
    side: Side,
    keys: DirectionKeys,
    sealer: Sealer,
    id: u64,
    /// The number of the next packet.
    pub(crate) number: u64,
    /// Datagrams are made at least this long, as a probe for the path's MTU is.
    pub(crate) bytes_min: usize,
    /// The epoch bits to claim, whatever the key is.
    pub(crate) claimed_epoch: Option<u8>,
    leak: Leak,
}

impl Sender {
    pub(crate) fn new(side: Side, root: &Root, leak: Leak) -> Self {
        let keys = root.direction(side);
        Self {
            side,
            sealer: Sealer::new(&keys),
            keys,
            id: 0,
            number: 0,
            bytes_min: 0,
            claimed_epoch: None,
            leak,
        }
    }

    /// Goes on under the next connection id.
    pub(crate) fn next_id(&mut self) {
        self.id += 1;
    }

    /// Uses `count` packet numbers again, as a program does that was restored from a copy of its memory.
    pub(crate) fn go_back(&mut self, count: u64) {
        self.number -= count;
        self.sealer = Sealer::new(&self.keys);
    }

    /// Goes on to the next epoch.
    pub(crate) fn update(&mut self) {
        self.sealer.update();
    }

    /// The same side under `root`, the root of another generation: only its numbers go on.
    pub(crate) fn under(&self, root: &Root) -> Self {
        Self { number: self.number, ..Self::new(self.side, root, self.leak) }
    }

    /// Goes on under keys that have sealed before.
    pub(crate) fn seal_as(&mut self, other: &Self) {
        self.sealer = Sealer::new(&other.keys);
    }

    /// The next packet, as it goes on the wire.
    pub(crate) fn datagram(&mut self, frames: &[Frame<'_>]) -> Vec<u8> {
        let header = ShortHeader {
            epoch: self.claimed_epoch.unwrap_or(self.sealer.epoch_bits()),
            number_len: 2,
            reserved: 0,
            id: self.keys.ids.id(self.id),
            number: self.number,
        };
        let mut out = Vec::new();
        header.encode(&mut out);
        if self.leak == Leak::NameInHeader {
            // The first half of the name takes the place of the id, the rest stands behind it.
            out[1..9].copy_from_slice(&NAME.as_bytes()[..8]);
        }
        for frame in frames {
            frame.encode(&mut out);
        }
        out.resize(out.len().max(self.bytes_min.saturating_sub(spec::limits::TAG_BYTES)), 0);
        self.number += 1;
        match self.leak {
            Leak::None => self.sealer.seal(&header, &mut out, 0).unwrap(),
            Leak::NameInHeader => {
                let tail = &NAME.as_bytes()[8..];
                out.splice(9..9, tail.iter().copied());
                self.seal_by_hand(&mut out, 9 + tail.len(), self.number);
            }
            Leak::FixedNonce => self.seal_by_hand(&mut out, header.len(), 0),
            Leak::Unsealed => {
                pad(&mut out);
                out.extend([0xa5; 16]);
            }
        }
        out
    }

    fn seal_by_hand(&self, out: &mut Vec<u8>, header_len: usize, number: u64) {
        pad(out);
        let key = self.keys.traffic.packet_key();
        let (aad, plain) = out.split_at_mut(header_len);
        let tag = crypto::seal(&key.key, &key.nonce(number), aad, plain);
        out.extend(tag);
    }
}

fn pad(out: &mut Vec<u8>) {
    let bucket = bucket(out.len() - NUMBER_START).unwrap();
    out.resize(NUMBER_START + bucket, 0);
}
