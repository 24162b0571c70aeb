//! The gate: what hub key and access secret make together, and the MACs that keep strangers out.
//!
//! ```text
//! gate ─┬─ gate mac ──── mac1 over a LONG datagram
//!       ├─ gate idle ─── mac2 while the hub is not busy
//!       └─ cookie seal ─ the key a cookie travels under
//! ```

use crate::VERSION;
use crate::crypto::{Unauthentic, expand_label, extract, hmac, open, seal};
use crate::discard::Discard;
use crate::limits::{ANSWER_BODY_BYTES, KEY_BYTES, MAC_BYTES, TAG_BYTES};
use crate::secret::Secret;
use crate::wire::long::{self, AttemptId, Long, LongKind};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use subtle::ConstantTimeEq;

/// The access secret of an open hub.
pub const OPEN_ACCESS_SECRET: [u8; 32] = [0; 32];

const SALT_BYTES: usize = 32;
const COOKIE_BYTES: usize = 16;
/// Cookie and zeros: what fills a RETRY.
const RETRY_PLAIN_BYTES: usize = ANSWER_BODY_BYTES - SALT_BYTES - TAG_BYTES;

/// Proves that an INIT comes from where a RETRY went: 16 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie(Secret<COOKIE_BYTES>);

impl Cookie {
    /// The cookie for `address` under a hub's `secret`.
    #[must_use]
    pub fn for_address(secret: &Secret<32>, address: SocketAddr) -> Self {
        let ip = match address.ip() {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let mac = hmac(secret.expose(), &[&ip.octets(), &address.port().to_be_bytes()]);
        Self(Secret::new(cut(&mac)))
    }

    /// mac2 made from this cookie over the bytes before it.
    #[must_use]
    pub fn mac2(&self, before_mac2: &[u8]) -> [u8; MAC_BYTES] {
        cut(&hmac(self.0.expose(), &[before_mac2]))
    }
}

/// The keys of a gate.
#[derive(Clone, Debug)]
pub struct Gate {
    mac: Secret<32>,
    idle: Secret<32>,
    cookie_seal: Secret<32>,
}

impl Gate {
    /// The gate of a hub's public key and access secret.
    #[must_use]
    pub fn new(hub_key: &[u8; KEY_BYTES], access_secret: &Secret<32>) -> Self {
        let gate = extract(hub_key, access_secret.expose());
        Self {
            mac: expand_label(&gate, "gate mac", b""),
            idle: expand_label(&gate, "gate idle", b""),
            cookie_seal: expand_label(&gate, "cookie seal", b""),
        }
    }

    /// The gate of KEYREQ and KEY: everyone can make it, it only finds damage.
    #[must_use]
    pub fn for_strangers() -> Self {
        Self::new(&[0; KEY_BYTES], &Secret::new(OPEN_ACCESS_SECRET))
    }

    /// Builds a whole LONG datagram with the MACs of this gate and no cookie. Arguments as [`long::build`].
    #[must_use]
    pub fn build(
        &self,
        kind: LongKind,
        fragment: usize,
        reserved: u8,
        version: [u8; 4],
        attempt: AttemptId,
        body: &[u8],
    ) -> Vec<u8> {
        let mut datagram = long::build(kind, fragment, reserved, version, attempt, body);
        let mac1 = self.mac1(&datagram);
        datagram.extend_from_slice(&mac1);
        if kind.has_mac2() {
            //= spec/PROTOCOL.md#long-datagrams
            //# Handshake datagrams are built once: a sender that repeats one MUST repeat it byte for byte,
            //# except that an INIT may gain a mac2 made from a cookie.
            datagram.extend_from_slice(&self.idle_mac2(&mac1));
        }
        datagram
    }

    /// Whether mac1 is right.
    ///
    /// # Errors
    /// [`Discard::Mac1`].
    pub fn check_mac1(&self, long: &Long<'_>) -> Result<(), Discard> {
        //= spec/PROTOCOL.md#long-datagrams
        //# MACs MUST be compared in constant time.
        let right = self.mac1(long.before_mac1).ct_eq(&long.mac1);
        if right.into() { Ok(()) } else { Err(Discard::Mac1) }
    }

    /// Whether mac2 is the one without a cookie; true for a datagram that has none.
    ///
    /// # Errors
    /// [`Discard::Mac2`].
    pub fn check_idle_mac2(&self, long: &Long<'_>) -> Result<(), Discard> {
        let Some(mac2) = long.mac2 else { return Ok(()) };
        if self.idle_mac2(&long.mac1).ct_eq(&mac2).into() { Ok(()) } else { Err(Discard::Mac2) }
    }

    fn mac1(&self, before: &[u8]) -> [u8; MAC_BYTES] {
        cut(&hmac(self.mac.expose(), &[before]))
    }

    fn idle_mac2(&self, mac1: &[u8; MAC_BYTES]) -> [u8; MAC_BYTES] {
        cut(&hmac(self.idle.expose(), &[mac1]))
    }

    /// RETRY in answer to the INIT with `init_mac1`: `salt` is 32 random bytes, `reserved` two random bits.
    #[must_use]
    pub fn build_retry(
        &self,
        attempt: AttemptId,
        init_mac1: &[u8; MAC_BYTES],
        cookie: &Cookie,
        salt: [u8; SALT_BYTES],
        reserved: u8,
    ) -> Vec<u8> {
        let (key, iv) = self.retry_key(&salt);
        let mut plain = [0; RETRY_PLAIN_BYTES];
        plain[..COOKIE_BYTES].copy_from_slice(cookie.0.expose());
        let tag = seal(&key, &iv, init_mac1, &mut plain);
        let body = [&salt[..], &plain, &tag].concat();
        self.build(LongKind::Retry, 0, reserved, VERSION, attempt, &body)
    }

    /// The cookie in a RETRY whose mac1 was checked, if it answers the INIT with `init_mac1`.
    ///
    /// # Errors
    /// [`Discard::Unauthentic`].
    pub fn open_retry(&self, retry: &Long<'_>, init_mac1: &[u8; MAC_BYTES]) -> Result<Cookie, Discard> {
        //= spec/PROTOCOL.md#cookie
        //# The client MUST ignore a RETRY that does not open with the mac1 of an INIT of its present attempt.
        let body: [u8; ANSWER_BODY_BYTES] = retry.body.try_into().map_err(|_| Discard::Length)?;
        let (salt, sealed) = body.split_first_chunk::<SALT_BYTES>().ok_or(Discard::Length)?;
        let (sealed, tag) = sealed.split_last_chunk::<TAG_BYTES>().ok_or(Discard::Length)?;
        let (key, iv) = self.retry_key(salt);
        let mut plain = Vec::from(sealed);
        open(&key, &iv, init_mac1, &mut plain, tag).map_err(|Unauthentic| Discard::Unauthentic)?;
        plain.first_chunk().map(|cookie| Cookie(Secret::new(*cookie))).ok_or(Discard::Length)
    }

    fn retry_key(&self, salt: &[u8; SALT_BYTES]) -> (Secret<32>, [u8; 12]) {
        let both: Secret<44> = expand_label(&self.cookie_seal, "retry", salt);
        let mut key = [0; 32];
        let mut iv = [0; 12];
        key.copy_from_slice(&both.expose()[..32]);
        iv.copy_from_slice(&both.expose()[32..]);
        (Secret::new(key), iv)
    }
}

/// psk0 of the handshake (PROTOCOL.md, Handshake).
#[must_use]
pub fn psk0(access_secret: &Secret<32>) -> Secret<32> {
    expand_label(&extract(b"sgm1", access_secret.expose()), "psk0", b"")
}

fn cut(mac: &Secret<32>) -> [u8; MAC_BYTES] {
    let [head @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *mac.expose();
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new(&[3; 32], &Secret::new([4; 32]))
    }

    fn init(gate: &Gate) -> Vec<u8> {
        gate.build(LongKind::Init, 0, 1, VERSION, AttemptId([8; 8]), &[6; 1155])
    }

    fn verdict(gate: &Gate, datagram: &[u8]) -> Result<(), Discard> {
        let long = Long::parse(datagram)?;
        gate.check_mac1(&long)?;
        gate.check_idle_mac2(&long)
    }

    #[test]
    fn every_bit_of_a_long_datagram_is_authenticated() {
        let gate = gate();
        let datagram = init(&gate);
        assert_eq!(verdict(&gate, &datagram), Ok(()));
        for bit in 0..datagram.len() * 8 {
            let mut flipped = datagram.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(verdict(&gate, &flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn another_gate_lets_nothing_through() {
        let datagram = init(&gate());
        for other in [Gate::new(&[3; 32], &Secret::new([5; 32])), Gate::new(&[2; 32], &Secret::new([4; 32]))]
        {
            assert_eq!(verdict(&other, &datagram), Err(Discard::Mac1));
        }
    }

    #[test]
    fn a_cookie_travels_to_the_init_it_answers_only() {
        let gate = gate();
        let address = "192.0.2.1:4000".parse().unwrap();
        let cookie = Cookie::for_address(&Secret::new([1; 32]), address);
        let retry = gate.build_retry(AttemptId([8; 8]), &[5; 16], &cookie, [2; 32], 0);
        let long = Long::parse(&retry).unwrap();
        gate.check_mac1(&long).unwrap();
        assert_eq!(gate.open_retry(&long, &[5; 16]), Ok(cookie));
        //= spec/PROTOCOL.md#cookie
        //= type=test
        //# The client MUST ignore a RETRY that does not open with the mac1 of an INIT of its present attempt.
        assert_eq!(gate.open_retry(&long, &[6; 16]), Err(Discard::Unauthentic));
    }

    #[test]
    fn a_cookie_is_for_one_address_and_port() {
        let secret = Secret::new([1; 32]);
        let cookie = |text: &str| Cookie::for_address(&secret, text.parse().unwrap());
        assert_eq!(cookie("192.0.2.1:4000"), cookie("[::ffff:192.0.2.1]:4000"));
        assert_ne!(cookie("192.0.2.1:4000"), cookie("192.0.2.1:4001"));
        assert_ne!(cookie("192.0.2.1:4000"), cookie("192.0.2.2:4000"));
    }
}
