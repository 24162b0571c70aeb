//! Public keys and KEM ciphertexts, which are fresh in every attempt.

use std::collections::BTreeMap;

use spec::crypto;
use spec::limits::KEY_BYTES;
use spec::secret::Secret;
use spec::wire::long::{AttemptId, Long, LongKind};

use super::{Pair, describe};
use crate::packet::Packet;
use crate::tree::Class;

/// Key shares remembered; further ones are not compared.
const CAPACITY: usize = 1 << 17;

/// The key shares seen so far.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The packet and the attempt each was seen in first.
    first: BTreeMap<Vec<u8>, (usize, AttemptId)>,
    /// Packets of different attempts with the same key share.
    pub(super) reused: Vec<Pair>,
    /// Packets with a key that makes every shared secret the same.
    pub(super) low_order: Vec<usize>,
    /// Key shares that there was no room to compare.
    pub(super) not_compared: u64,
}

impl Keys {
    /// Looks at the key shares of a LONG datagram. The static key that a hub gives to strangers is the same for
    /// all of them, so KEY is left out.
    pub(super) fn take(&mut self, packet: &Packet, data: &[u8]) {
        let payload = packet.dissection.payload.clone().and_then(|payload| data.get(payload));
        let Some(long) = payload.and_then(|payload| Long::parse(payload).ok()) else { return };
        if long.kind == LongKind::Key {
            return;
        }
        let fields = packet.dissection.tree.fields();
        for share in fields.iter().filter(|field| field.class == Class::KeyShare) {
            self.compare(packet.number, long.attempt, data.get(share.range()).unwrap_or_default());
        }
    }

    fn compare(&mut self, packet: usize, attempt: AttemptId, share: &[u8]) {
        if is_low_order(share) {
            describe(&mut self.low_order, packet);
        }
        // Half of 64 bytes are enough to tell a ciphertext from another.
        let known = share.get(..share.len().min(KEY_BYTES)).unwrap_or_default();
        match self.first.get(known) {
            // An attempt is repeated as a whole, and may be seen on both sides of a relay.
            Some((_, of)) if *of == attempt => {}
            Some((first, _)) => describe(&mut self.reused, Pair { first: *first, second: packet }),
            None if self.first.len() >= CAPACITY => self.not_compared += 1,
            None => {
                self.first.insert(known.to_vec(), (packet, attempt));
            }
        }
    }
}

/// Whether any private key gives zero with this public one (RFC 7748 section 6.1).
fn is_low_order(share: &[u8]) -> bool {
    let any = Secret::new([1; KEY_BYTES]);
    <[u8; KEY_BYTES]>::try_from(share).is_ok_and(|public| crypto::x25519(&any, &public).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_one_attempt() {
        let mut keys = Keys::default();
        let [one, two] = [1, 2].map(|id| AttemptId([id; 8]));
        keys.compare(1, one, &[9; 32]);
        keys.compare(2, one, &[9; 32]);
        assert_eq!(keys.reused, [], "sent again");
        keys.compare(3, two, &[8; 32]);
        keys.compare(4, two, &[9; 32]);
        assert_eq!(keys.reused, [Pair { first: 1, second: 4 }]);
        assert_eq!(keys.low_order, [0; 0]);
    }

    #[test]
    fn points_of_low_order() {
        let mut one = [0; 32];
        one[0] = 1;
        // A point of order 8 (RFC 7748 section 7 names the danger, Curve25519's page the points).
        let order_8: [u8; 32] = [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
            0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ];
        assert!([[0; 32], one, order_8].iter().all(|point| is_low_order(point)));
        assert!(!is_low_order(&crypto::x25519_public(&Secret::new([3; 32]))));
        assert!(!is_low_order(&[0; 1088]), "a ciphertext is no point");
    }
}
