//! What header fields could carry without anybody noticing: bits that the state of the protocol does not
//! determine.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher as _};

use serde::Serialize;
use spec::wire::short::{ConnectionId, connection_id};

use crate::session::Kind;

/// Ids and handshake datagrams remembered, to count each once; further ones count again.
const REMEMBERED: usize = 1 << 16;
/// PROTOCOL.md, Short datagrams: two reserved bits are random. They are masked: only who holds the session's
/// keys reads them. Form, epoch, length of the number and the number follow from the state.
const SHORT_BITS: u64 = 2;
/// A connection id is derived from keys; to an observer without them it is random when first seen.
const CONNECTION_ID_BITS: u64 = 64;

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Covert {
    seen: BTreeSet<u64>,
    ids: BTreeSet<ConnectionId>,
    short: u64,
    handshake_bits: u64,
    connection_ids: u64,
}

/// The capacity of headers for something hidden.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CovertReport {
    /// Bits of a SHORT datagram's header that nothing determines.
    pub steady_bits_per_packet: f64,
    /// Bits in all handshakes: key shares, KEM ciphertexts, random filling, reserved bits.
    pub handshake_bits: u64,
    /// Connection ids, of 64 bits each, that only keys show to be derived.
    pub connection_ids: u64,
}

impl Covert {
    pub(super) fn take(&mut self, kind: Kind, payload: &[u8]) {
        if kind == Kind::Short {
            self.short += 1;
            if let Some(id) = connection_id(payload).filter(|id| !self.ids.contains(id)) {
                self.connection_ids += 1;
                if self.ids.len() < REMEMBERED {
                    self.ids.insert(id);
                }
            }
            return;
        }
        // A datagram that is repeated byte for byte says nothing new.
        let mut hasher = DefaultHasher::new();
        hasher.write(payload);
        let digest = hasher.finish();
        if self.seen.contains(&digest) {
            return;
        }
        if self.seen.len() < REMEMBERED {
            self.seen.insert(digest);
        }
        self.handshake_bits += handshake_bits(kind);
    }

    pub(super) fn finish(self) -> CovertReport {
        let float = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let ids = float(self.connection_ids) * float(CONNECTION_ID_BITS);
        let short = float(self.short);
        let steady = if self.short == 0 { 0.0 } else { (short * float(SHORT_BITS) + ids) / short };
        CovertReport {
            steady_bits_per_packet: steady,
            handshake_bits: self.handshake_bits,
            connection_ids: self.connection_ids,
        }
    }
}

/// PROTOCOL.md, Long datagrams: what a sender of each type chooses at random. Attempt ids, MACs and sealed
/// payloads follow from the rest.
const fn handshake_bits(kind: Kind) -> u64 {
    // An X25519 key has 2^251 values, an ML-KEM ciphertext 1088 bytes; KEYREQ makes up its attempt id.
    let random = match kind {
        Kind::Init(0) => 251,
        Kind::Init(_) | Kind::Fin | Kind::Short => 0,
        Kind::Resp => 251 + 1088 * 8,
        Kind::Retry => 32 * 8,
        Kind::KeyReq => (1155 + 8) * 8,
        Kind::Key => 67 * 8,
        Kind::Version => 83 * 8,
    };
    const RESERVED_BITS: u64 = 2;
    random + RESERVED_BITS
}

impl CovertReport {
    pub(super) fn sentence(&self) -> String {
        format!(
            "headers could hide {:.2} bits a packet once the session runs (two masked reserved bits, and {} connection ids), and {} bits in handshakes (keys, KEM ciphertexts, random filling)",
            self.steady_bits_per_packet, self.connection_ids, self.handshake_bits
        )
    }
}
