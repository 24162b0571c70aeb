//! The only randomness: the operating system's.

use crate::failure::{Context, Failure};
use spec::secret::Secret;

/// `N` random bytes.
///
/// # Errors
/// When the operating system has none.
pub fn bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the operating system gives no random bytes")?;
    Ok(bytes)
}

/// `N` random bytes as a secret.
///
/// # Errors
/// As [`bytes`].
pub fn secret<const N: usize>() -> Result<Secret<N>, Failure> {
    bytes().map(Secret::new)
}
