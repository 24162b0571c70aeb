//! The client's end of the handshake.

use super::kem::{KemCiphertext, KemKey, KemPair};
use super::noise::{Handshake, XK_PSK0_PSK2};
use super::payload::{self, Choice, Offer};
use super::symmetric::psk2;
use super::{Established, KeyPair, attempt_id, established, prologue};
use crate::VERSION;
use crate::discard::Discard;
use crate::gate::{Cookie, Gate, psk0};
use crate::limits::{KEM_CIPHERTEXT_BYTES, KEY_BYTES, LONG_BODY_BYTES, PAYLOAD_THREE_BYTES};
use crate::secret::Secret;
use crate::wire::frame::Side;
use crate::wire::long::{AttemptId, Long, LongKind, field};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What an attempt is made of; the random parts are fresh for every attempt.
#[derive(Debug)]
pub struct InitiatorKeys {
    /// The client's identity.
    pub own_static: KeyPair,
    /// 32 random bytes.
    pub ephemeral: Secret<32>,
    /// 64 random bytes.
    pub kem_seed: Secret<64>,
    /// Random bits for the reserved fields and for GREASE.
    pub noise: u64,
}

/// The two INIT datagrams, built once.
#[derive(Clone, Debug)]
pub struct Flight([Vec<u8>; 2]);

impl Flight {
    /// The datagrams, in order.
    #[must_use]
    pub const fn datagrams(&self) -> &[Vec<u8>; 2] {
        &self.0
    }

    /// mac1 of each datagram: what a RETRY answers.
    #[must_use]
    pub fn mac1s(&self) -> [[u8; 16]; 2] {
        self.0.each_ref().map(|datagram| {
            let mut mac1 = [0; 16];
            mac1.copy_from_slice(&datagram[field::MAC1]);
            mac1
        })
    }

    /// Puts a mac2 made from `cookie` on both datagrams; nothing else changes.
    pub fn adopt(&mut self, cookie: &Cookie) {
        for datagram in &mut self.0 {
            let (before, mac2) = datagram.split_at_mut(field::MAC2.start);
            mac2.copy_from_slice(&cookie.mac2(before));
        }
    }
}

/// A client waiting for RESP.
#[derive(Debug)]
pub struct Initiator {
    noise: Handshake,
    kem: Option<KemPair>,
    ek: Box<KemKey>,
    offer: Offer,
    attempt: AttemptId,
}

impl Initiator {
    /// Begins an attempt at the hub with `hub_key`, behind the gate of `access_secret`.
    ///
    /// # Errors
    /// [`Discard::LowOrder`] when the hub key is no usable point.
    pub fn start(
        keys: InitiatorKeys,
        hub_key: [u8; KEY_BYTES],
        access_secret: &Secret<32>,
    ) -> Result<(Self, Flight), Discard> {
        //= spec/PROTOCOL.md#handshake
        //# The client MUST make a fresh X25519 key and a fresh ML-KEM key for every attempt.
        let InitiatorKeys { own_static, ephemeral, kem_seed, noise } = keys;
        let kem = KemPair::new(&kem_seed);
        let ek = *kem.public();
        let offer = Offer::default();
        let grease = payload::grease_parameter(noise >> 32 & 0xff);
        let payload = payload::build_one(&ek, &offer, Some((grease, &noise.to_be_bytes()[..3])));
        let reserved = [low_bits(noise), low_bits(noise >> 2)];
        let ephemeral = KeyPair::new(ephemeral);
        let (mut initiator, flight) =
            Self::start_with(own_static, ephemeral, hub_key, access_secret, &payload, reserved)?;
        initiator.kem = Some(kem);
        Ok((initiator, flight))
    }

    /// The same with a payload and an encapsulation key given from outside: for vectors.
    ///
    /// # Errors
    /// As [`start`](Self::start), and what a malformed `payload` gives.
    pub fn start_with(
        own_static: KeyPair,
        ephemeral: KeyPair,
        hub_key: [u8; KEY_BYTES],
        access_secret: &Secret<32>,
        payload: &[u8],
        reserved: [u8; 2],
    ) -> Result<(Self, Flight), Discard> {
        let (ek, offer) = payload::read_one(payload)?;
        let mut noise = Handshake::new(XK_PSK0_PSK2, Side::Client, &prologue(VERSION), own_static, hub_key);
        let mut message = Vec::new();
        noise.write(Some(ephemeral), Some(&psk0(access_secret)), payload, &mut message)?;
        let attempt = attempt_id(&message);
        let gate = Gate::new(&hub_key, access_secret);
        let (first, second) = message.split_at(LONG_BODY_BYTES);
        let build =
            |fragment, reserved, body| gate.build(LongKind::Init, fragment, reserved, VERSION, attempt, body);
        let flight = Flight([build(0, reserved[0], first), build(1, reserved[1], second)]);
        Ok((Self { noise, kem: None, ek, offer, attempt }, flight))
    }

    /// The id of this attempt.
    #[must_use]
    pub const fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// Tries a RESP whose MACs were checked. A forged one leaves the attempt as it was.
    ///
    /// # Errors
    /// [`Discard::Length`], [`Discard::LowOrder`], [`Discard::Unauthentic`] or [`Discard::Negotiation`].
    pub fn read_resp(&self, resp: &Long<'_>) -> Result<Ready, Discard> {
        let kem = self.kem.as_ref().ok_or(Discard::WrongState)?;
        let (ct, _) = split_resp(resp.body)?;
        self.read_resp_with(resp, kem.decapsulate(ct))
    }

    /// The same with the ML-KEM secret given from outside: for vectors.
    ///
    /// # Errors
    /// As [`read_resp`](Self::read_resp).
    pub fn read_resp_with(&self, resp: &Long<'_>, ss: Secret<32>) -> Result<Ready, Discard> {
        let (ct, message) = split_resp(resp.body)?;
        //= spec/PROTOCOL.md#handshake
        //# An endpoint MUST try a handshake message on a copy of its state, so that a forged one leaves the
        //# attempt as it was.
        let mut noise = self.noise.clone();
        let payload = noise.read(message, Some(&psk2(&ss, &self.ek[..], ct)))?;
        Choice::read(&payload)?.check(&self.offer, VERSION)?;
        Ok(Ready { noise, ss, attempt: self.attempt })
    }
}

fn split_resp(body: &[u8]) -> Result<(&KemCiphertext, &[u8]), Discard> {
    body.split_first_chunk::<KEM_CIPHERTEXT_BYTES>().ok_or(Discard::Length)
}

fn low_bits(noise: u64) -> u8 {
    (noise & 0b11) as u8
}

/// A client that has read RESP and may send FIN, once.
#[derive(Debug)]
pub struct Ready {
    noise: Handshake,
    ss: Secret<32>,
    attempt: AttemptId,
}

impl Ready {
    /// Builds FIN with its first `frames`, at most 1091 bytes, and ends the handshake. That there is no second
    /// call with other frames is what keeps the nonce of message 3 unique.
    ///
    /// # Errors
    /// [`Discard::Length`] for more frames than fit, [`Discard::LowOrder`].
    pub fn finish(
        mut self,
        frames: &[u8],
        gate: &Gate,
        reserved: u8,
    ) -> Result<(Vec<u8>, Established), Discard> {
        if frames.len() > PAYLOAD_THREE_BYTES {
            return Err(Discard::Length);
        }
        let mut payload = Vec::from(frames);
        payload.resize(PAYLOAD_THREE_BYTES, 0);
        let mut message = Vec::new();
        self.noise.write(None, None, &payload, &mut message)?;
        let fin = gate.build(LongKind::Fin, 0, reserved, VERSION, self.attempt, &message);
        Ok((fin, established(self.noise, self.ss, self.attempt)?))
    }
}
