//! Randomness from one seed.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use spec::secret::Secret;
use spec::wire::entry::MessageId;
use zeroize::Zeroize;

/// A stream of random bytes that a 32-byte seed determines (ChaCha20).
#[derive(Debug)]
pub struct Random(ChaCha20Rng);

impl Random {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// Writes the next bytes over `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// The next `N` bytes as a secret. The generator then goes on from a fresh key, so that its state, should
    /// it ever be read, does not lead back to the secret.
    pub fn secret<const N: usize>(&mut self) -> Secret<N> {
        let mut bytes = self.array();
        let secret = Secret::new(bytes);
        bytes.zeroize();
        self.0 = ChaCha20Rng::from_seed(self.array());
        secret
    }

    /// Two random bits for a reserved field.
    pub fn reserved(&mut self) -> u8 {
        self.array::<1>()[0] & 0b11
    }

    /// A number below 2^64.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A fresh message id.
    pub fn message_id(&mut self) -> MessageId {
        MessageId(self.array())
    }
}
