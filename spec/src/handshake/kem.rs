//! ML-KEM-768 (FIPS 203) in the shapes the handshake needs.

use crate::discard::Discard;
use crate::limits::{KEM_CIPHERTEXT_BYTES, KEM_KEY_BYTES};
use crate::secret::Secret;
use alloc::boxed::Box;
use ml_kem::ml_kem_768::{DecapsulationKey, EncapsulationKey};
use ml_kem::{Decapsulate, KeyExport};

/// An encapsulation key as it travels.
pub type KemKey = [u8; KEM_KEY_BYTES];
/// A ciphertext as it travels.
pub type KemCiphertext = [u8; KEM_CIPHERTEXT_BYTES];

/// The client's half: made for one attempt, wiped with it.
#[derive(Debug)]
pub struct KemPair {
    secret: Box<DecapsulationKey>,
    public: Box<KemKey>,
}

impl KemPair {
    /// The pair of a seed: 64 random bytes (FIPS 203 section 7.1, d ‖ z).
    #[must_use]
    pub fn new(seed: &Secret<64>) -> Self {
        let secret = Box::new(DecapsulationKey::from_seed((*seed.expose()).into()));
        let public = Box::new(secret.encapsulation_key().to_bytes().into());
        Self { secret, public }
    }

    /// The encapsulation key.
    #[must_use]
    pub const fn public(&self) -> &KemKey {
        &self.public
    }

    /// The shared secret in `ciphertext`. A wrong ciphertext gives a secret nobody else has.
    #[must_use]
    pub fn decapsulate(&self, ciphertext: &KemCiphertext) -> Secret<32> {
        Secret::new(self.secret.decapsulate(&(*ciphertext).into()).into())
    }
}

/// A ciphertext for `key` and the secret in it; `random` is 32 random bytes.
///
/// # Errors
/// [`Discard::EncapsulationKey`] when the key fails the check of FIPS 203 section 7.2.
pub fn encapsulate(key: &KemKey, random: &Secret<32>) -> Result<(KemCiphertext, Secret<32>), Discard> {
    //= spec/PROTOCOL.md#handshake
    //# The hub MUST refuse an encapsulation key that fails the check of FIPS 203 section 7.2.
    let key = EncapsulationKey::new(key.into()).map_err(|_| Discard::EncapsulationKey)?;
    let (ciphertext, secret) = key.encapsulate_deterministic(&(*random.expose()).into());
    Ok((ciphertext.into(), Secret::new(secret.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_agree_and_a_wrong_ciphertext_does_not_show() {
        let pair = KemPair::new(&Secret::new([1; 64]));
        let (mut ciphertext, secret) = encapsulate(pair.public(), &Secret::new([2; 32])).unwrap();
        assert_eq!(pair.decapsulate(&ciphertext), secret);
        ciphertext[0] ^= 1;
        assert_ne!(pair.decapsulate(&ciphertext), secret);
    }

    #[test]
    fn a_key_with_a_coefficient_above_the_modulus_is_refused() {
        //= spec/PROTOCOL.md#handshake
        //= type=test
        //# The hub MUST refuse an encapsulation key that fails the check of FIPS 203 section 7.2.
        let mut key = *KemPair::new(&Secret::new([1; 64])).public();
        key[..2].copy_from_slice(&[0xff, 0xff]);
        assert_eq!(encapsulate(&key, &Secret::new([2; 32])).unwrap_err(), Discard::EncapsulationKey);
    }
}
