//! What messages 1 and 2 carry: the encapsulation key, what the client offers and what the hub chose.

use super::kem::KemKey;
use crate::VERSION;
use crate::discard::Discard;
use crate::limits::{KEM_KEY_BYTES, PAYLOAD_ONE_BYTES, PAYLOAD_TWO_BYTES};
use crate::wire::{Reader, varint};
use alloc::boxed::Box;
use alloc::vec::Vec;

const PARAMETER_END: u64 = 0;
const PARAMETER_VERSIONS: u64 = 1;
const PARAMETER_FEATURES: u64 = 2;

/// Parameters `31 n + 27` mean nothing for ever.
#[must_use]
pub const fn grease_parameter(n: u64) -> u64 {
    31 * n + 27
}

/// Versions and features a client offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The versions it speaks, best first.
    pub versions: Vec<[u8; 4]>,
    /// One bit a feature; none is defined.
    pub features: u64,
}

impl Default for Offer {
    /// What this crate speaks.
    fn default() -> Self {
        Self { versions: Vec::from([VERSION]), features: 0 }
    }
}

/// The payload of message 1. `grease` is the id and content of a parameter to be ignored.
#[must_use]
pub fn build_one(ek: &KemKey, offer: &Offer, grease: Option<(u64, &[u8])>) -> Vec<u8> {
    let mut payload = Vec::with_capacity(PAYLOAD_ONE_BYTES);
    payload.extend_from_slice(ek);
    let mut parameter = |id: u64, value: &[u8]| {
        varint::encode(id, &mut payload);
        varint::encode_bytes(value, &mut payload);
    };
    parameter(PARAMETER_VERSIONS, &offer.versions.concat());
    parameter(PARAMETER_FEATURES, &offer.features.to_be_bytes());
    if let Some((id, value)) = grease {
        parameter(id, value);
    }
    payload.resize(PAYLOAD_ONE_BYTES, 0);
    payload
}

/// Reads the payload of message 1.
///
/// # Errors
/// [`Discard::Length`] or [`Discard::Decode`].
pub fn read_one(payload: &[u8]) -> Result<(Box<KemKey>, Offer), Discard> {
    let (ek, parameters) = payload.split_first_chunk::<KEM_KEY_BYTES>().ok_or(Discard::Length)?;
    let mut offer = Offer { versions: Vec::new(), features: 0 };
    let mut reader = Reader::new(parameters);
    //= spec/PROTOCOL.md#payload-of-message-one
    //# The hub MUST drop a message 1 whose parameters do not decode, whose versions are not a multiple of 4
    //# bytes, or whose features are not 8 bytes.
    while !reader.is_empty() {
        match reader.varint("parameter id")? {
            PARAMETER_END => break,
            PARAMETER_VERSIONS => {
                let (versions, rest) = reader.bytes("versions")?.as_chunks::<4>();
                Reader::new(rest).finish("versions")?;
                offer.versions = versions.to_vec();
            }
            PARAMETER_FEATURES => {
                let mut features = Reader::new(reader.bytes("features")?);
                offer.features = u64::from_be_bytes(features.array("features")?);
                features.finish("features")?;
            }
            //= spec/PROTOCOL.md#payload-of-message-one
            //# A receiver MUST ignore a parameter whose id it does not know.
            _ => {
                reader.bytes("parameter")?;
            }
        }
    }
    Ok((Box::new(*ek), offer))
}

/// What the hub chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The version of the session.
    pub version: [u8; 4],
    /// The highest version the hub speaks.
    pub highest: [u8; 4],
    /// The features of the session.
    pub features: u64,
}

impl Choice {
    /// Chooses from `offer` for a handshake whose header says `header`; the hub speaks `spoken`, best first.
    ///
    /// # Errors
    /// [`Discard::Negotiation`].
    pub fn from_offer(offer: &Offer, header: [u8; 4], spoken: &[[u8; 4]]) -> Result<Self, Discard> {
        //= spec/PROTOCOL.md#payload-of-message-one
        //# The hub MUST drop a message 1 whose version list lacks the version of the header.
        if !offer.versions.contains(&header) {
            return Err(Discard::Negotiation);
        }
        //= spec/PROTOCOL.md#payload-of-message-one
        //# The hub MUST drop a message 1 that lists a version above the header's that the hub speaks too.
        if offer.versions.iter().any(|version| *version > header && spoken.contains(version)) {
            return Err(Discard::Negotiation);
        }
        let highest = spoken.iter().copied().max().unwrap_or(header);
        Ok(Self { version: header, highest, features: 0 })
    }

    /// Whether the choice is one that `offer` allows in a handshake whose header said `header`.
    ///
    /// # Errors
    /// [`Discard::Negotiation`].
    pub fn check(&self, offer: &Offer, header: [u8; 4]) -> Result<(), Discard> {
        //= spec/PROTOCOL.md#payload-of-message-two
        //# The client MUST abort when the chosen version is not the header's, or when a chosen feature was not
        //# offered.
        let fits = self.version == header
            && offer.versions.contains(&self.version)
            && self.features & !offer.features == 0;
        if fits { Ok(()) } else { Err(Discard::Negotiation) }
    }

    /// The payload of message 2.
    #[must_use]
    pub fn build(&self) -> [u8; PAYLOAD_TWO_BYTES] {
        let mut payload = [0; PAYLOAD_TWO_BYTES];
        payload[..4].copy_from_slice(&self.version);
        payload[4..8].copy_from_slice(&self.highest);
        payload[8..16].copy_from_slice(&self.features.to_be_bytes());
        payload
    }

    /// Reads the payload of message 2.
    ///
    /// # Errors
    /// [`Discard::Decode`].
    pub fn read(payload: &[u8]) -> Result<Self, Discard> {
        let mut reader = Reader::new(payload);
        Ok(Self {
            version: reader.array("version")?,
            highest: reader.array("highest version")?,
            features: u64::from_be_bytes(reader.array("features")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const NEXT: [u8; 4] = *b"SGM2";

    #[test]
    fn unknown_parameters_are_ignored() {
        //= spec/PROTOCOL.md#payload-of-message-one
        //= type=test
        //# A receiver MUST ignore a parameter whose id it does not know.
        let offer = Offer { versions: vec![NEXT, VERSION], features: 5 };
        let payload = build_one(&[7; 1184], &offer, Some((grease_parameter(3), b"ignore me")));
        assert_eq!(payload.len(), PAYLOAD_ONE_BYTES);
        let (ek, read) = read_one(&payload).unwrap();
        assert_eq!((*ek, read), ([7; 1184], offer));
    }

    #[test]
    fn broken_parameters_are_refused() {
        //= spec/PROTOCOL.md#payload-of-message-one
        //= type=test
        //# The hub MUST drop a message 1 whose parameters do not decode, whose versions are not a multiple of 4
        //# bytes, or whose features are not 8 bytes.
        for parameters in [&[1, 3, 0, 0, 0][..], &[2, 7, 0, 0, 0, 0, 0, 0, 0], &[1, 9, 0], &[0x40]] {
            let payload = [&[7; 1184], parameters].concat();
            assert!(matches!(read_one(&payload), Err(Discard::Decode(_))), "{parameters:?}");
        }
    }

    #[test]
    fn what_the_hub_makes_of_an_offer() {
        let offers = |versions: &[[u8; 4]]| Offer { versions: versions.to_vec(), features: 0 };
        //= spec/PROTOCOL.md#payload-of-message-one
        //= type=test
        //# The hub MUST drop a message 1 whose version list lacks the version of the header.
        assert!(Choice::from_offer(&offers(&[NEXT]), VERSION, &[VERSION]).is_err());
        assert!(Choice::from_offer(&offers(&[]), VERSION, &[VERSION]).is_err());
        assert!(Choice::from_offer(&offers(&[NEXT, VERSION]), VERSION, &[VERSION]).is_ok());
        //= spec/PROTOCOL.md#payload-of-message-one
        //= type=test
        //# The hub MUST drop a message 1 that lists a version above the header's that the hub speaks too.
        assert!(Choice::from_offer(&offers(&[NEXT, VERSION]), VERSION, &[NEXT, VERSION]).is_err());
    }

    #[test]
    fn what_the_client_makes_of_a_choice() {
        //= spec/PROTOCOL.md#payload-of-message-two
        //= type=test
        //# The client MUST abort when the chosen version is not the header's, or when a chosen feature was not
        //# offered.
        let offer = Offer::default();
        let good = Choice { version: VERSION, highest: NEXT, features: 0 };
        assert_eq!(Choice::read(&good.build()), Ok(good));
        assert_eq!(good.check(&offer, VERSION), Ok(()));
        assert!(Choice { version: NEXT, ..good }.check(&offer, VERSION).is_err());
        assert!(Choice { features: 1, ..good }.check(&offer, VERSION).is_err());
    }
}
