//! The hub's end of the handshake.

use super::kem::{self, KemCiphertext, KemKey};
use super::noise::{Handshake, XK_PSK0_PSK2};
use super::payload::{self, Choice};
use super::symmetric::psk2;
use super::{Established, KeyPair, attempt_id, established, prologue};
use crate::VERSION;
use crate::discard::Discard;
use crate::gate::{Gate, psk0};
use crate::limits::{KEY_BYTES, MESSAGE_ONE_BYTES};
use crate::secret::Secret;
use crate::wire::frame::{Frame, Frames, Side};
use crate::wire::long::{AttemptId, Long, LongKind};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The versions this hub speaks, best first.
const SPOKEN: [[u8; 4]; 1] = [VERSION];

/// A message 1 that opened: the sender holds the access secret.
#[derive(Debug)]
pub struct ReceivedInit {
    noise: Handshake,
    ek: Box<KemKey>,
    choice: Choice,
    attempt: AttemptId,
}

impl ReceivedInit {
    /// Reads message 1 of `attempt`: one hash, one X25519, one AEAD, in this order.
    ///
    /// # Errors
    /// [`Discard::Length`], [`Discard::AttemptId`], [`Discard::LowOrder`], [`Discard::Unauthentic`],
    /// [`Discard::Negotiation`] or [`Discard::Decode`].
    pub fn read(
        message: &[u8],
        attempt: AttemptId,
        own_static: &KeyPair,
        access_secret: &Secret<32>,
    ) -> Result<Self, Discard> {
        if message.len() != MESSAGE_ONE_BYTES {
            return Err(Discard::Length);
        }
        //= spec/PROTOCOL.md#handshake-flow
        //# The hub MUST refuse a pair of fragments whose SHA-256 does not begin with the attempt id before it
        //# computes any key exchange.
        if attempt_id(message) != attempt {
            return Err(Discard::AttemptId);
        }
        let hub_key = *own_static.public();
        let mut noise =
            Handshake::new(XK_PSK0_PSK2, Side::Hub, &prologue(VERSION), own_static.clone(), hub_key);
        let payload = noise.read(message, Some(&psk0(access_secret)))?;
        let (ek, offer) = payload::read_one(&payload)?;
        let choice = Choice::from_offer(&offer, VERSION, &SPOKEN)?;
        Ok(Self { noise, ek, choice, attempt })
    }

    /// Makes RESP. `ephemeral` and `kem_random` are 32 random bytes each, `reserved` two random bits.
    ///
    /// # Errors
    /// [`Discard::EncapsulationKey`] or [`Discard::LowOrder`].
    pub fn respond(
        self,
        ephemeral: Secret<32>,
        kem_random: &Secret<32>,
        gate: &Gate,
        reserved: u8,
    ) -> Result<(Responder, Vec<u8>), Discard> {
        let (ct, ss) = kem::encapsulate(&self.ek, kem_random)?;
        let payload = self.choice.build();
        self.respond_with(KeyPair::new(ephemeral), (&ct, ss), &payload, gate, reserved)
    }

    /// The same with the ML-KEM ciphertext and secret, and the payload, given from outside: for vectors.
    ///
    /// # Errors
    /// [`Discard::LowOrder`].
    pub fn respond_with(
        mut self,
        ephemeral: KeyPair,
        (ct, ss): (&KemCiphertext, Secret<32>),
        payload: &[u8],
        gate: &Gate,
        reserved: u8,
    ) -> Result<(Responder, Vec<u8>), Discard> {
        let mut body = Vec::from(ct);
        let psk = psk2(&ss, &self.ek[..], ct);
        self.noise.write(Some(ephemeral), Some(&psk), payload, &mut body)?;
        let resp = gate.build(LongKind::Resp, 0, reserved, VERSION, self.attempt, &body);
        Ok((Responder { noise: self.noise, ss, attempt: self.attempt }, resp))
    }
}

/// A hub waiting for FIN.
#[derive(Debug)]
pub struct Responder {
    noise: Handshake,
    ss: Secret<32>,
    attempt: AttemptId,
}

impl Responder {
    /// Tries a FIN whose MACs were checked: the client's key, its first frames and the session. A forged one
    /// leaves the half-open handshake as it was.
    ///
    /// # Errors
    /// [`Discard::Length`], [`Discard::LowOrder`], [`Discard::Unauthentic`], [`Discard::Decode`], or
    /// [`Discard::WrongState`] for a frame that FIN may not carry.
    pub fn read_fin(&self, fin: &Long<'_>) -> Result<Finished, Discard> {
        let mut noise = self.noise.clone();
        let frames = noise.read(fin.body, None)?;
        check_fin(&frames)?;
        let client_key = *noise.their_static().ok_or(Discard::WrongState)?;
        let established = established(noise, self.ss.clone(), self.attempt)?;
        Ok(Finished { client_key, frames, established })
    }
}

fn check_fin(frames: &[u8]) -> Result<(), Discard> {
    //= spec/PROTOCOL.md#payload-of-message-three
    //# FIN may carry STREAM, PADDING and extension frames; the hub MUST drop a FIN that carries any other
    //# frame.
    let allowed = |frame: Frame<'_>| {
        matches!(frame, Frame::Stream { .. } | Frame::Padding { .. } | Frame::Extension { .. })
    };
    if Frames::parse(frames, Side::Client)?.iter().all(allowed) { Ok(()) } else { Err(Discard::WrongState) }
}

/// What a FIN gives the hub.
#[derive(Debug)]
pub struct Finished {
    /// The client's identity.
    pub client_key: [u8; KEY_BYTES],
    /// The payload: frames that all decode.
    pub frames: Vec<u8>,
    /// The session's keys.
    pub established: Established,
}
