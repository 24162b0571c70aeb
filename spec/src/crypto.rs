//! The standard constructions, from reviewed crates, in the shapes PROTOCOL.md's Notation gives them.

use crate::limits::TAG_BYTES;
use crate::secret::Secret;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::AeadInOut;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// The nonce of the AEAD: 12 bytes.
pub type Nonce = [u8; 12];

/// A tag or MAC did not verify; nothing else is known about the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthentic;

/// SHA-256 of the `parts`, one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// HMAC-SHA-256 of the `parts`, one after the other.
#[must_use]
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> Secret<32> {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    Secret::new(mac.finalize().into_bytes().into())
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// HKDF-Extract (RFC 5869 section 2.2).
#[must_use]
pub fn extract(salt: &[u8], input: &[u8]) -> Secret<32> {
    hmac(salt, &[input])
}

/// HKDF-Expand (RFC 5869 section 2.3) to `N` bytes.
///
/// # Panics
/// When `N` exceeds 8,160.
#[must_use]
pub fn expand<const N: usize>(secret: &Secret<32>, info: &[&[u8]]) -> Secret<N> {
    let mut bytes = [0; N];
    Hkdf::<Sha256>::from_prk(secret.expose())
        .and_then(|hkdf| hkdf.expand_multi_info(info, &mut bytes).map_err(|_| hkdf::InvalidPrkLength))
        .expect("a 32-byte key and a short output are always valid");
    let secret = Secret::new(bytes);
    bytes.zeroize();
    secret
}

/// Expand-Label (PROTOCOL.md, Notation): the structure of RFC 8446 section 7.1 with the prefix `sgm1 `.
///
/// # Panics
/// When label or context exceed 250 bytes: they are short constants and hashes.
#[must_use]
pub fn expand_label<const N: usize>(secret: &Secret<32>, label: &str, context: &[u8]) -> Secret<N> {
    const PREFIX: &[u8] = b"sgm1 ";
    let short = |len: usize| [u8::try_from(len).expect("labels and contexts are short constants")];
    let length = u16::try_from(N).expect("outputs are short constants").to_be_bytes();
    let label_len = short(PREFIX.len() + label.len());
    let context_len = short(context.len());
    expand(secret, &[&length, &label_len, PREFIX, label.as_bytes(), &context_len, context])
}

/// Seals `bytes` in place and returns the tag.
///
/// # Panics
/// When `bytes` exceed 64 GiB.
#[must_use]
pub fn seal(key: &Secret<32>, nonce: &Nonce, aad: &[u8], bytes: &mut [u8]) -> [u8; TAG_BYTES] {
    cipher(key)
        .encrypt_inout_detached(nonce.into(), aad, bytes.into())
        .expect("a datagram is far below the limit of AES-GCM")
        .into()
}

/// Opens `bytes` in place.
///
/// # Errors
/// [`Unauthentic`] when the tag does not verify; `bytes` then hold nothing of use.
pub fn open(
    key: &Secret<32>,
    nonce: &Nonce,
    aad: &[u8],
    bytes: &mut [u8],
    tag: &[u8; TAG_BYTES],
) -> Result<(), Unauthentic> {
    cipher(key).decrypt_inout_detached(nonce.into(), aad, bytes.into(), tag.into()).map_err(|_| Unauthentic)
}

fn cipher(key: &Secret<32>) -> Aes256Gcm {
    <Aes256Gcm as KeyInit>::new(key.expose().into())
}

/// AES-256-ECB of one block: the mask of a header, and connection ids.
#[must_use]
pub fn aes_block(key: &Secret<32>, block: [u8; 16]) -> [u8; 16] {
    let mut block = block.into();
    aes::Aes256::new(key.expose().into()).encrypt_block(&mut block);
    block.into()
}

/// X25519 (RFC 7748) of a private key and a peer's public key.
///
/// # Errors
/// [`LowOrder`] when the result is all zero.
pub fn x25519(private: &Secret<32>, public: &[u8; 32]) -> Result<Secret<32>, LowOrder> {
    let private = x25519_dalek::StaticSecret::from(*private.expose());
    let shared = private.diffie_hellman(&x25519_dalek::PublicKey::from(*public));
    //= spec/PROTOCOL.md#handshake
    //# An endpoint MUST abort the handshake when an X25519 result is all zero.
    if shared.was_contributory() { Ok(Secret::new(shared.to_bytes())) } else { Err(LowOrder) }
}

/// The X25519 result is all zero: the peer's point has low order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowOrder;

/// The public key of an X25519 private key.
#[must_use]
pub fn x25519_public(private: &Secret<32>) -> [u8; 32] {
    x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(*private.expose())).to_bytes()
}
