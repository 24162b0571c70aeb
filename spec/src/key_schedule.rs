//! From the end of the handshake to the keys of packets.
//!
//! ```text
//! k_c ‖ k_h ── Extract(salt = h) ── root0 ─┬─ "exp" ── exporter(label, context)
//!                                          ├─ "c ap" ── secret ─┬─ key, iv     (client to hub)
//!                                          │                    └─ "ku" ── secret of the next epoch
//!                                          ├─ "c hp", "c cid"
//!                                          ├─ "h ap", "h hp", "h cid"          (hub to client)
//!                                          └─ "ratchet" ── root of the next generation
//! ```

use crate::crypto::{Nonce, aes_block, expand_label, extract, sha256};
use crate::secret::Secret;
use crate::wire::frame::Side;
use crate::wire::short::ConnectionId;

/// The root key of a generation and everything below it.
#[derive(Clone, Debug)]
pub struct Root {
    secret: Secret<32>,
    generation: u64,
}

impl Root {
    /// root0 from the handshake hash `h` and the two keys of Split().
    #[must_use]
    pub fn from_handshake(h: &[u8; 32], k_c: &Secret<32>, k_h: &Secret<32>) -> Self {
        let both = zeroize::Zeroizing::new([*k_c.expose(), *k_h.expose()].concat());
        Self::from_key_log(extract(h, &both))
    }

    /// root0 read from a key log.
    #[must_use]
    pub const fn from_key_log(root: Secret<32>) -> Self {
        Self { secret: root, generation: 0 }
    }

    /// The root of the generation after this one, read from a key log.
    #[must_use]
    pub const fn next_from_key_log(&self, root: Secret<32>) -> Self {
        Self { secret: root, generation: self.generation.saturating_add(1) }
    }

    /// The root of the generation after this one (PROTOCOL.md, Ratchet): `transcript` is the hash of both
    /// messages, `shared` the results of the key exchanges, one after the other.
    #[must_use]
    pub fn next(&self, transcript: &[u8; 32], shared: &[u8]) -> Self {
        let salt: Secret<32> = expand_label(&self.secret, "ratchet", transcript);
        self.next_from_key_log(extract(salt.expose(), shared))
    }

    /// The key itself, for a key log.
    #[must_use]
    pub const fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    /// How many ratchets led to it.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The keys of what `sender` sends.
    #[must_use]
    pub fn direction(&self, sender: Side) -> DirectionKeys {
        let [ap, hp, cid] = match sender {
            Side::Client => ["c ap", "c hp", "c cid"],
            Side::Hub => ["h ap", "h hp", "h cid"],
        };
        DirectionKeys {
            traffic: TrafficSecret(expand_label(&self.secret, ap, b"")),
            header: expand_label(&self.secret, hp, b""),
            ids: ConnectionIds {
                sender,
                generation: self.generation,
                key: expand_label(&self.secret, cid, b""),
            },
        }
    }

    /// The exporter of this session: made from root0, and never again.
    #[must_use]
    pub fn exporter(&self) -> Exporter {
        Exporter(expand_label(&self.secret, "exp", b""))
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
        #[cfg(test)]
        tests::DERIVED.with(|count| count.set(count.get() + 1));
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
    generation: u64,
    key: Secret<32>,
}

impl ConnectionIds {
    /// The id with `index` in this generation.
    #[must_use]
    pub fn id(&self, index: u64) -> ConnectionId {
        let mut block = [0; 16];
        // The generation has seven bytes, and the direction takes the place of its eighth.
        block[..8].copy_from_slice(&self.generation.to_be_bytes());
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
pub(crate) mod tests {
    use super::*;

    std::thread_local! {
        /// Packet keys derived by this test.
        pub(crate) static DERIVED: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
    }

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
    fn every_generation_has_keys_and_ids_of_its_own() {
        let root = Root::from_key_log(Secret::new([1; 32]));
        let next = root.next(&[2; 32], &[3; 96]);
        assert_eq!((root.generation(), next.generation()), (0, 1));
        let (old, new) = (root.direction(Side::Hub), next.direction(Side::Hub));
        assert_ne!((old.traffic, old.header), (new.traffic, new.header));
        // With the same key it is the generation in the block that makes the difference.
        let same_key = root.next_from_key_log(root.secret().clone()).direction(Side::Hub);
        assert_ne!(old.ids.id(0), same_key.ids.id(0));
        assert_ne!(root.next(&[2; 32], &[4; 96]).secret(), next.secret());
        assert_ne!(root.next(&[9; 32], &[3; 96]).secret(), next.secret());
    }

    #[test]
    fn the_number_is_in_the_nonce() {
        let key = TrafficSecret::new(Secret::new([7; 32])).packet_key();
        let (zero, one) = (key.nonce(0), key.nonce(1));
        assert_eq!(zero[..11], one[..11]);
        assert_eq!(zero[11] ^ 1, one[11]);
    }
}
