//! The handshake seen from outside: what an auditor computes from a key log and the captured bytes.
//!
//! No static key, access secret or psk0 is needed: the log begins behind them.

use super::SessionSecrets;
use super::kem::KemKey;
use super::symmetric::{SymmetricState, psk2};
use crate::crypto::Unauthentic;
use crate::discard::Discard;
use crate::key_schedule::Root;
use crate::limits::{KEM_CIPHERTEXT_BYTES, KEM_KEY_BYTES, KEY_BYTES, TAG_BYTES};
use alloc::vec::Vec;

/// The handshake as far as it was followed.
#[derive(Clone, Debug)]
pub struct Audit {
    symmetric: SymmetricState,
    secrets: SessionSecrets,
    ek: Vec<u8>,
}

impl Audit {
    /// An audit of the handshake that `secrets` belong to.
    #[must_use]
    pub fn new(secrets: SessionSecrets) -> Self {
        let symmetric = SymmetricState::resume(secrets.chain.clone(), *secrets.hash.expose());
        Self { symmetric, secrets, ek: Vec::new() }
    }

    /// Opens message 1: its payload.
    ///
    /// # Errors
    /// [`Discard::Length`] or [`Discard::Unauthentic`].
    pub fn message_one(&mut self, message: &[u8]) -> Result<Vec<u8>, Discard> {
        let (_, sealed) = message.split_first_chunk::<KEY_BYTES>().ok_or(Discard::Length)?;
        self.symmetric.mix_key(self.secrets.es.expose());
        let payload = self.open(sealed)?;
        let ek: &KemKey = payload.first_chunk::<KEM_KEY_BYTES>().ok_or(Discard::Length)?;
        self.ek = ek.to_vec();
        Ok(payload)
    }

    /// Opens the body of RESP: its payload.
    ///
    /// # Errors
    /// [`Discard::Length`] or [`Discard::Unauthentic`].
    pub fn message_two(&mut self, body: &[u8]) -> Result<Vec<u8>, Discard> {
        let (ct, message) = body.split_first_chunk::<KEM_CIPHERTEXT_BYTES>().ok_or(Discard::Length)?;
        let (e, sealed) = message.split_first_chunk::<KEY_BYTES>().ok_or(Discard::Length)?;
        self.symmetric.mix_hash(e);
        self.symmetric.mix_key(e);
        self.symmetric.mix_key(self.secrets.ee.expose());
        self.symmetric.mix_key_and_hash(psk2(&self.secrets.ss, &self.ek, ct).expose());
        self.open(sealed)
    }

    /// Opens the body of FIN: the client's static key and the frames; then the root of all keys is known.
    ///
    /// # Errors
    /// [`Discard::Length`] or [`Discard::Unauthentic`].
    pub fn message_three(&mut self, body: &[u8]) -> Result<(Vec<u8>, Vec<u8>, Root), Discard> {
        let (sealed_key, sealed) =
            body.split_first_chunk::<{ KEY_BYTES + TAG_BYTES }>().ok_or(Discard::Length)?;
        let client_key = self.open(sealed_key)?;
        self.symmetric.mix_key(self.secrets.se.expose());
        let frames = self.open(sealed)?;
        let [k_c, k_h] = self.symmetric.split();
        Ok((client_key, frames, Root::from_handshake(self.symmetric.hash(), &k_c, &k_h)))
    }

    fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, Discard> {
        self.symmetric.decrypt_and_hash(sealed).map_err(|Unauthentic| Discard::Unauthentic)
    }
}
