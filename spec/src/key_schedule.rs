//! From the end of the handshake to the keys of packets.
//!
//! ```text
//! k_c ‖ k_h ── Extract(salt = h) ── root0 ─┬─ "exp" ── exporter(label, context)
//!                                          ├─ "c ap" ── secret ─┬─ key, iv     (client to hub)
//!                                          │                    └─ "ku" ── secret of the next epoch
//!                                          ├─ "c hp", "c cid"
//!                                          └─ "h ap", "h hp", "h cid"          (hub to client)
//! ```

use crate::crypto::{Nonce, aes_block, expand_label, extract, sha256};
use crate::secret::Secret;
use crate::wire::frame::Side;
use crate::wire::short::ConnectionId;

/// The root key of generation 0 and everything below it.
#[derive(Clone, Debug)]
pub struct Root(Secret<32>);

impl Root {
    /// root0 from the handshake hash `h` and the two keys of Split().
    #[must_use]
    pub fn from_handshake(h: &[u8; 32], k_c: &Secret<32>, k_h: &Secret<32>) -> Self {
        let both = zeroize::Zeroizing::new([*k_c.expose(), *k_h.expose()].concat());
        Self(extract(h, &both))
    }

    /// A root key read from a key log.
    #[must_use]
    pub const fn from_key_log(root: Secret<32>) -> Self {
        Self(root)
    }

    /// The key itself, for a key log.
    #[must_use]
    pub const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The keys of what `sender` sends.
    #[must_use]
    pub fn direction(&self, sender: Side) -> DirectionKeys {
        let [ap, hp, cid] = match sender {
            Side::Client => ["c ap", "c hp", "c cid"],
            Side::Hub => ["h ap", "h hp", "h cid"],
        };
        DirectionKeys {
            traffic: TrafficSecret(expand_label(&self.0, ap, b"")),
            header: expand_label(&self.0, hp, b""),
            ids: ConnectionIds { sender, key: expand_label(&self.0, cid, b"") },
        }
    }

    /// The exporter of this session.
    #[must_use]
    pub fn exporter(&self) -> Exporter {
        Exporter(expand_label(&self.0, "exp", b""))
    }
}

/// All keys of one direction of a generation.
#[derive(Clone, Debug)]
pub struct DirectionKeys {
    /// The traffic secret of epoch 0.
    pub traffic: TrafficSecret,
    /// The key of header protection.
    pub header: Secret<32>,
    /// The connection ids.
    pub ids: ConnectionIds,
}

/// The secret of one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficSecret(Secret<32>);

impl TrafficSecret {
    /// A traffic secret given from outside: for vectors.
    #[must_use]
    pub const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The secret itself: for vectors.
    #[must_use]
    pub const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The AEAD key and iv of this epoch.
    #[must_use]
    pub fn packet_key(&self) -> PacketKey {
        PacketKey { key: expand_label(&self.0, "key", b""), iv: expand_label(&self.0, "iv", b"") }
    }

    /// The secret of the next epoch.
    #[must_use]
    pub fn next(&self) -> Self {
        Self(expand_label(&self.0, "ku", b""))
    }
}

/// The AEAD key of one epoch and its secret iv.
#[derive(Clone, Debug)]
pub struct PacketKey {
    /// The key.
    pub key: Secret<32>,
    iv: Secret<12>,
}

impl PacketKey {
    /// The nonce of packet `number`: the iv, its last 8 bytes XORed with the number, big-endian.
    #[must_use]
    pub fn nonce(&self, number: u64) -> Nonce {
        let mut nonce = *self.iv.expose();
        for (byte, number) in nonce[4..].iter_mut().zip(number.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }
}

/// The connection ids one side's datagrams carry, by index.
#[derive(Clone, Debug)]
pub struct ConnectionIds {
    sender: Side,
    key: Secret<32>,
}

impl ConnectionIds {
    /// The id with `index` in generation 0.
    #[must_use]
    pub fn id(&self, index: u64) -> ConnectionId {
        let mut block = [0; 16];
        block[0] = u8::from(self.sender == Side::Hub);
        block[8..].copy_from_slice(&index.to_be_bytes());
        let [id @ .., _, _, _, _, _, _, _, _] = aes_block(&self.key, block);
        ConnectionId(id)
    }
}

/// Secrets for channel binding: fixed by the handshake, the same at both ends, of no use to a third.
#[derive(Clone, Debug)]
pub struct Exporter(Secret<32>);

impl Exporter {
    /// 32 bytes for `label` and `context`.
    #[must_use]
    pub fn export(&self, label: &str, context: &[u8]) -> Secret<32> {
        expand_label(&self.0, label, &sha256(&[context]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_epochs_and_ids_differ() {
        let root = Root::from_handshake(&[1; 32], &Secret::new([2; 32]), &Secret::new([3; 32]));
        let (client, hub) = (root.direction(Side::Client), root.direction(Side::Hub));
        assert_ne!(client.traffic, hub.traffic);
        assert_ne!(client.header, hub.header);
        assert_ne!(client.traffic.next(), client.traffic);
        assert_ne!(client.ids.id(0), client.ids.id(1));
        assert_ne!(client.ids.id(0), hub.ids.id(0));
        assert_ne!(root.exporter().export("a", b""), root.exporter().export("a", b"x"));
    }

    #[test]
    fn the_number_is_in_the_nonce() {
        let key = TrafficSecret::new(Secret::new([7; 32])).packet_key();
        let (zero, one) = (key.nonce(0), key.nonce(1));
        assert_eq!(zero[..11], one[..11]);
        assert_eq!(zero[11] ^ 1, one[11]);
    }
}
