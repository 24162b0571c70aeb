//! The handshake: `Noise_XKpsk0+psk2_25519_AESGCM_SHA256` with an ML-KEM-768 secret as psk2.
//!
//! ```text
//! client                                             hub
//! Initiator::start ── INIT 0, INIT 1 ─────────────▶  ReceivedInit::read
//! Initiator::read_resp ◀────────────────── RESP ──── ReceivedInit::respond
//! Ready::finish ────── FIN (first data) ──────────▶  Responder::read_fin
//!        └──────────── Established ───────────────────────┘
//! ```
//!
//! Everything here is a function of keys and bytes. A message that fails leaves the state it was tried on
//! untouched: reading takes `&self`.

pub mod audit;
pub mod initiator;
pub mod kem;
pub mod noise;
pub mod payload;
pub mod responder;
pub mod symmetric;

pub use initiator::{Flight, Initiator, InitiatorKeys, Ready};
pub use responder::{ReceivedInit, Responder};

use crate::crypto::sha256;
use crate::discard::Discard;
use crate::key_schedule::Root;
use crate::limits::KEY_BYTES;
use crate::secret::Secret;
use crate::wire::long::AttemptId;

/// What both ends hold when the handshake is done.
#[derive(Debug)]
pub struct Established {
    /// The root of all keys of the session.
    pub root: Root,
    /// The attempt it came from: names the session in a key log.
    pub attempt: AttemptId,
    /// What a key log may contain besides the root.
    pub secrets: SessionSecrets,
}

/// The secrets of one handshake, none of which outlives it (PROTOCOL.md, Key log).
#[derive(Clone, Debug)]
pub struct SessionSecrets {
    /// Noise chaining key after `e` of message 1.
    pub chain: Secret<32>,
    /// Noise handshake hash after `e` of message 1.
    pub hash: Secret<32>,
    /// X25519 of the client's ephemeral and the hub's static key.
    pub es: Secret<32>,
    /// X25519 of both ephemeral keys.
    pub ee: Secret<32>,
    /// The ML-KEM shared secret.
    pub ss: Secret<32>,
    /// X25519 of the client's static and the hub's ephemeral key.
    pub se: Secret<32>,
}

/// An X25519 key pair; the private half is wiped on drop.
#[derive(Clone, Debug)]
pub struct KeyPair {
    private: Secret<KEY_BYTES>,
    public: [u8; KEY_BYTES],
}

impl KeyPair {
    /// The pair of a private key: 32 random bytes.
    #[must_use]
    pub fn new(private: Secret<KEY_BYTES>) -> Self {
        let public = crate::crypto::x25519_public(&private);
        Self { private, public }
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &[u8; KEY_BYTES] {
        &self.public
    }

    /// The private half, for the file it is kept in.
    #[must_use]
    pub const fn private(&self) -> &Secret<KEY_BYTES> {
        &self.private
    }
}

/// The attempt id of `message_one`.
#[must_use]
pub fn attempt_id(message_one: &[u8]) -> AttemptId {
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
        sha256(&[message_one]);
    AttemptId(id)
}

/// The prologue: what both ends know before the first message.
fn prologue(version: [u8; 4]) -> [u8; 12] {
    let mut prologue = *b"sealgram\0\0\0\0";
    prologue[8..].copy_from_slice(&version);
    prologue
}

/// The state a handshake ends with, as what a session needs.
fn established(noise: noise::Handshake, ss: Secret<32>, attempt: AttemptId) -> Result<Established, Discard> {
    //= spec/PROTOCOL.md#key-schedule
    //# An endpoint MUST erase the chaining key, k_c and k_h once root0 is made.
    let (split, noted) = noise.split()?;
    let noise::Noted { chain, hash, es, ee, se } = noted;
    let root = Root::from_handshake(&split.hash, &split.initiator, &split.responder);
    Ok(Established { root, attempt, secrets: SessionSecrets { chain, hash, es, ee, ss, se } })
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
