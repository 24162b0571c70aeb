//! `SymmetricState` of the Noise specification, revision 34, section 5.2, with its `CipherState` (5.1).

use crate::crypto::{Nonce, Unauthentic, expand, extract, open, seal, sha256};
use crate::limits::TAG_BYTES;
use crate::secret::Secret;
use alloc::vec::Vec;

/// Chaining key, handshake hash and the key of the moment.
#[derive(Clone, Debug)]
pub struct SymmetricState {
    chaining_key: Secret<32>,
    hash: [u8; 32],
    cipher: Option<(Secret<32>, u64)>,
}

impl SymmetricState {
    /// `InitializeSymmetric(protocol_name)`.
    #[must_use]
    pub fn new(protocol_name: &str) -> Self {
        let mut hash = [0; 32];
        match hash.get_mut(..protocol_name.len()) {
            Some(start) => start.copy_from_slice(protocol_name.as_bytes()),
            None => hash = sha256(&[protocol_name.as_bytes()]),
        }
        Self { chaining_key: Secret::new(hash), hash, cipher: None }
    }

    /// A state in the middle of a handshake, from a key log: nothing sealed under its key yet.
    #[must_use]
    pub const fn resume(chaining_key: Secret<32>, hash: [u8; 32]) -> Self {
        Self { chaining_key, hash, cipher: None }
    }

    /// The chaining key, for a key log.
    #[must_use]
    pub const fn chaining_key(&self) -> &Secret<32> {
        &self.chaining_key
    }

    /// The handshake hash.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// `MixKey(input)`.
    pub fn mix_key(&mut self, input: &[u8]) {
        let [chaining_key, key] = self.hkdf(input);
        self.chaining_key = chaining_key;
        self.cipher = Some((key, 0));
    }

    /// `MixHash(data)`.
    pub fn mix_hash(&mut self, data: &[u8]) {
        self.hash = sha256(&[&self.hash, data]);
    }

    /// `MixKeyAndHash(input)`.
    pub fn mix_key_and_hash(&mut self, input: &[u8]) {
        let [chaining_key, hash, key] = self.hkdf(input);
        self.chaining_key = chaining_key;
        self.mix_hash(hash.expose());
        self.cipher = Some((key, 0));
    }

    /// `EncryptAndHash(plaintext)`, appended to `out`.
    pub fn encrypt_and_hash(&mut self, plaintext: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(plaintext);
        if let Some((key, count)) = &mut self.cipher {
            let tag = seal(key, &nonce(*count), &self.hash, &mut out[start..]);
            *count += 1;
            out.extend_from_slice(&tag);
        }
        self.hash = sha256(&[&self.hash, &out[start..]]);
    }

    /// `DecryptAndHash(ciphertext)`.
    ///
    /// # Errors
    /// [`Unauthentic`]; the state is then to be dropped.
    pub fn decrypt_and_hash(&mut self, ciphertext: &[u8]) -> Result<Vec<u8>, Unauthentic> {
        let mut plain = Vec::from(ciphertext);
        if let Some((key, count)) = &mut self.cipher {
            let (sealed, tag) = ciphertext.split_last_chunk::<TAG_BYTES>().ok_or(Unauthentic)?;
            plain.truncate(sealed.len());
            open(key, &nonce(*count), &self.hash, &mut plain, tag)?;
            *count += 1;
        }
        self.mix_hash(ciphertext);
        Ok(plain)
    }

    /// `Split()`: the initiator's and the responder's key.
    #[must_use]
    pub fn split(&self) -> [Secret<32>; 2] {
        self.hkdf(&[])
    }

    /// `HKDF(chaining_key, input, N)` (section 4.3).
    fn hkdf<const N: usize>(&self, input: &[u8]) -> [Secret<32>; N] {
        let temp = extract(self.chaining_key.expose(), input);
        let mut last: Option<Secret<32>> = None;
        core::array::from_fn(|index| {
            // HKDF-Expand yields the same chain of HMACs; each output is one block of it.
            let counter = [u8::try_from(index + 1).unwrap_or(u8::MAX)];
            let before: &[u8] = last.as_ref().map_or(&[], |last| last.expose());
            let block = crate::crypto::hmac(temp.expose(), &[before, &counter]);
            last = Some(block.clone());
            block
        })
    }
}

/// The nonce of AESGCM (section 12.4): 32 zero bits and the counter, big-endian.
fn nonce(count: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&count.to_be_bytes());
    nonce
}

/// `psk2` (PROTOCOL.md, Handshake): the ML-KEM secret bound to the key and the ciphertext it came from.
#[must_use]
pub fn psk2(ss: &Secret<32>, ek: &[u8], ct: &[u8]) -> Secret<32> {
    expand(&extract(b"sgm1 kem", ss.expose()), &[ek, ct])
}
