//! A new root out of fresh keys: what heals a session whose secrets were stolen.
//!
//! ```text
//! client                                                     hub
//! Request::new ──────── RATCHET_REQ: e1 [, ek] ───────────▶  respond
//! Request::finish ◀──── RATCHET_RSP: e2 [, ct] ───────────── │
//!        └──────────── root of the next generation ──────────┘
//! ```
//!
//! The static keys take part: a thief who holds the root but no static key cannot stand between the two.

use crate::crypto::{LowOrder, sha256, x25519, x25519_public};
use crate::discard::Discard;
use crate::handshake::KeyPair;
use crate::handshake::kem::{KemCiphertext, KemKey, KemPair, encapsulate};
use crate::key_schedule::Root;
use crate::limits::KEY_BYTES;
use crate::secret::Secret;
use crate::wire::message::Message;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// The client's half of a ratchet, until the hub's half is there.
#[derive(Debug)]
pub struct Request {
    ephemeral: Secret<KEY_BYTES>,
    public: [u8; KEY_BYTES],
    kem: Option<KemPair>,
}

impl Request {
    /// A request with `ephemeral`, 32 random bytes, and with ML-KEM if there is a seed for it: 64 random bytes.
    #[must_use]
    pub fn new(ephemeral: Secret<KEY_BYTES>, kem_seed: Option<&Secret<64>>) -> Self {
        let public = x25519_public(&ephemeral);
        Self { ephemeral, public, kem: kem_seed.map(KemPair::new) }
    }

    /// RATCHET_REQ.
    #[must_use]
    pub fn message(&self) -> Message<'_> {
        Message::RatchetReq { ephemeral: self.public, kem: self.kem.as_ref().map(KemPair::public) }
    }

    /// The root after `root`, from the hub's half of the ratchet: `hub_ephemeral` and `ciphertext`.
    ///
    /// # Errors
    /// [`Discard::Negotiation`] when there is a ciphertext and none was asked for, or the other way round;
    /// [`Discard::LowOrder`] when an X25519 result is all zero.
    pub fn finish(
        self,
        root: &Root,
        own: &KeyPair,
        hub_key: &[u8; KEY_BYTES],
        (hub_ephemeral, ciphertext): (&[u8; KEY_BYTES], Option<&KemCiphertext>),
    ) -> Result<Root, Discard> {
        let answer = Message::RatchetRsp { ephemeral: *hub_ephemeral, kem: ciphertext };
        let transcript = transcript(&self.message(), &answer);
        let ss = match (&self.kem, ciphertext) {
            (Some(kem), Some(ciphertext)) => Some(kem.decapsulate(ciphertext)),
            (None, None) => None,
            _ => return Err(Discard::Negotiation),
        };
        let shared = [
            x25519(&self.ephemeral, hub_ephemeral),
            x25519(own.private(), hub_ephemeral),
            x25519(&self.ephemeral, hub_key),
        ];
        next(root, &transcript, shared, ss)
    }
}

/// The hub's half of a ratchet: the public key and the ciphertext it answers with.
#[derive(Debug)]
pub struct Answer {
    public: [u8; KEY_BYTES],
    ciphertext: Option<KemCiphertext>,
}

impl Answer {
    /// RATCHET_RSP.
    #[must_use]
    pub const fn message(&self) -> Message<'_> {
        Message::RatchetRsp { ephemeral: self.public, kem: self.ciphertext.as_ref() }
    }
}

/// What is random in an answer.
#[derive(Debug)]
pub struct AnswerKeys {
    /// 32 random bytes.
    pub ephemeral: Secret<KEY_BYTES>,
    /// 32 random bytes, of use when the request has an encapsulation key.
    pub kem_random: Secret<32>,
}

/// Answers the client's half of a ratchet, `client_ephemeral` and `kem_key`: the hub's half, and the root after
/// `root`.
///
/// # Errors
/// [`Discard::LowOrder`] when an X25519 result is all zero, [`Discard::EncapsulationKey`] when the key fails the
/// check of FIPS 203 section 7.2.
pub fn respond(
    root: &Root,
    own: &KeyPair,
    client_key: &[u8; KEY_BYTES],
    (client_ephemeral, kem_key): (&[u8; KEY_BYTES], Option<&KemKey>),
    keys: &AnswerKeys,
) -> Result<(Answer, Root), Discard> {
    let (ciphertext, ss) = kem_key.map(|key| encapsulate(key, &keys.kem_random)).transpose()?.unzip();
    let answer = Answer { public: x25519_public(&keys.ephemeral), ciphertext };
    let request = Message::RatchetReq { ephemeral: *client_ephemeral, kem: kem_key };
    let transcript = transcript(&request, &answer.message());
    let shared = [
        x25519(&keys.ephemeral, client_ephemeral),
        x25519(&keys.ephemeral, client_key),
        x25519(own.private(), client_ephemeral),
    ];
    let next = next(root, &transcript, shared, ss)?;
    Ok((answer, next))
}

/// SHA-256 of type and fields of both messages.
fn transcript(request: &Message<'_>, answer: &Message<'_>) -> [u8; 32] {
    let mut bytes = Vec::new();
    request.encode_body(&mut bytes);
    answer.encode_body(&mut bytes);
    sha256(&[&bytes])
}

/// The next root out of `ee`, `se` and `es`, and the ML-KEM secret if there is one.
fn next(
    root: &Root,
    transcript: &[u8; 32],
    shared: [Result<Secret<32>, LowOrder>; 3],
    ss: Option<Secret<32>>,
) -> Result<Root, Discard> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 * KEY_BYTES));
    for secret in shared {
        //= spec/PROTOCOL.md#ratchet
        //# An endpoint MUST close the session with VIOLATION when an X25519 result of a ratchet is all zero, when
        //# `ek` fails the check of FIPS 203 section 7.2, or when RATCHET_RSP is not the answer to a request.
        bytes.extend_from_slice(secret.map_err(|LowOrder| Discard::LowOrder)?.expose());
    }
    if let Some(ss) = ss {
        bytes.extend_from_slice(ss.expose());
    }
    Ok(root.next(transcript, &bytes))
}

#[cfg(test)]
#[path = "ratchet_tests.rs"]
mod tests;
