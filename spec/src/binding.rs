//! What binds a device and a password to the session they are shown in (PROTOCOL.md, Accounts): who moves messages
//! from one session to another moves nothing that counts there.

use crate::fingerprint;
use crate::key_schedule::Exporter;
use crate::limits::KEY_BYTES;
use alloc::string::String;
use alloc::vec::Vec;

/// Bits of a code: three words.
const CODE_BITS: u32 = 33;

/// The code that a device shows which wants to be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceCode(pub u64);

impl DeviceCode {
    /// The code of the client with `client_key` in its session with the hub.
    #[must_use]
    pub fn new(exporter: &Exporter, client_key: &[u8; KEY_BYTES], hub_key: &[u8; KEY_BYTES]) -> Self {
        let secret = exporter.export("device", &[&hub_key[..], client_key].concat());
        let [a, b, c, d, e, f, g, h, ..] = *secret.expose();
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> (u64::BITS - CODE_BITS))
    }

    /// Reads what [`Display`](core::fmt::Display) wrote; of a word its first four letters are enough.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        fingerprint::number(text, CODE_BITS).map(Self)
    }
}

impl core::fmt::Display for DeviceCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let words: String = fingerprint::number_words(self.0, CODE_BITS);
        f.write_str(&words)
    }
}

/// The context of an OPAQUE login in the session that `exporter` is of.
#[must_use]
pub fn opaque_context(exporter: &Exporter, hub_key: &[u8; KEY_BYTES]) -> Vec<u8> {
    [b"sgm1 opaque", &exporter.export("opaque", b"").expose()[..], hub_key].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_schedule::Root;
    use crate::secret::Secret;
    use alloc::string::ToString;

    fn exporter(seed: u8) -> Exporter {
        Root::from_key_log(Secret::new([seed; 32])).exporter()
    }

    #[test]
    fn a_code_is_three_words_and_of_one_session() {
        let code = DeviceCode::new(&exporter(1), &[2; 32], &[3; 32]);
        assert_eq!(code.to_string().split(' ').count(), 3);
        assert_eq!(DeviceCode::read(&code.to_string().to_uppercase()), Some(code));
        let others = [
            DeviceCode::new(&exporter(4), &[2; 32], &[3; 32]),
            DeviceCode::new(&exporter(1), &[4; 32], &[3; 32]),
            DeviceCode::new(&exporter(1), &[2; 32], &[4; 32]),
        ];
        assert!(!others.contains(&code));
        for text in ["", "abandon", "abandon ability", "abandon ability nothing-like-it", "zoo zoo zoo zoo"] {
            assert_eq!(DeviceCode::read(text), None, "{text}");
        }
        assert_eq!(DeviceCode::read("aban-ability  zoo"), Some(DeviceCode((1 << 11) + 2047)));
    }

    #[test]
    fn a_context_is_of_one_session_with_one_hub() {
        let context = opaque_context(&exporter(1), &[3; 32]);
        assert_ne!(context, opaque_context(&exporter(2), &[3; 32]));
        assert_ne!(context, opaque_context(&exporter(1), &[4; 32]));
    }
}
