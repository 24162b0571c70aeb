//! Keys that are no secret: those of a root or of a traffic secret that was never set, and the key of zeros itself.
//!
//! No statistic sees them, because what they seal looks as random as anything. But everybody can try them.

use std::collections::BTreeMap;

use spec::crypto::{self, aes_block};
use spec::key_schedule::{DirectionKeys, Root, TrafficSecret};
use spec::limits::TAG_BYTES;
use spec::secret::Secret;
use spec::wire::frame::Side;
use spec::wire::short::{FIRST_MASK, NUMBER_START, SAMPLE, split_first};

use super::generation::Generation;
use crate::session::{Kind, Member};
use crate::verdict::{Finding, Level};

/// SHORT datagrams that are tried, of each side of a session: the first ones have the lowest numbers.
const TRIED: u8 = 32;
/// A secret that was never set.
const ZEROS: Secret<32> = Secret::new([0; 32]);

/// Tries the keys that everybody knows.
pub(crate) struct KnownKeys {
    /// By the side that would seal with them.
    candidates: BTreeMap<Side, Vec<(&'static str, Generation)>>,
    /// How many datagrams of each session and side were tried.
    tried: BTreeMap<(usize, bool), u8>,
    found: Option<Finding>,
}

impl KnownKeys {
    pub(crate) fn new() -> Self {
        let of = |side| {
            let of_root = Root::from_key_log(ZEROS).direction(side);
            let of_secret =
                DirectionKeys { traffic: TrafficSecret::new(ZEROS), header: ZEROS, ..of_root.clone() };
            let named = [("a root of zeros", of_root), ("traffic and header secrets of zeros", of_secret)];
            (side, named.map(|(name, keys)| (name, Generation::new(keys))).into())
        };
        Self { candidates: [Side::Client, Side::Hub].map(of).into(), tried: BTreeMap::new(), found: None }
    }

    /// Tries them on a datagram of a session.
    pub(crate) fn take(&mut self, member: Member, packet: usize, datagram: &[u8]) {
        let tried = self.tried.entry((member.session, member.from_client)).or_default();
        if member.kind != Kind::Short || *tried >= TRIED || self.found.is_some() {
            return;
        }
        *tried += 1;
        let side = if member.from_client { Side::Client } else { Side::Hub };
        let candidates = self.candidates.get_mut(&side).into_iter().flatten();
        let mut opening = candidates.filter_map(|(name, keys)| keys.open(datagram, None).map(|_| *name));
        let name = opening.next().or_else(|| opens_with_zeros(datagram).then_some("a key of zeros"));
        if let Some(name) = name {
            let text = format!("everybody can open it: it is sealed under {name}");
            self.found = Some(Finding::violation(Level::E2, "opacity.known-key", text).in_packet(packet));
        }
    }

    /// What was found: one finding is enough.
    pub(crate) fn finish(self) -> Option<Finding> {
        self.found
    }
}

/// Whether AES-256-GCM with a key of zeros opens it, the number alone as nonce.
fn opens_with_zeros(datagram: &[u8]) -> bool {
    let open = || {
        let mask = aes_block(&ZEROS, datagram.get(SAMPLE)?.try_into().ok()?);
        let mut clear = datagram.to_vec();
        let first = clear.first_mut()?;
        *first ^= mask[0] & FIRST_MASK;
        let (_, number_len, _) = split_first(*first);
        let mut nonce = [0; 12];
        let header_len = NUMBER_START + number_len;
        let place = 12_usize.checked_sub(number_len)?;
        let number = clear.get_mut(NUMBER_START..header_len)?;
        for ((byte, mask), nonce) in number.iter_mut().zip(mask.get(1..)?).zip(nonce.get_mut(place..)?) {
            *byte ^= mask;
            *nonce = *byte;
        }
        let (sealed, tag) = clear.split_last_chunk_mut::<TAG_BYTES>()?;
        let (header, frames) = sealed.split_at_mut_checked(header_len)?;
        crypto::open(&ZEROS, &nonce, header, frames, tag).ok()
    };
    open().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::seal::Sealer;
    use spec::wire::short::ShortHeader;

    const MEMBER: Member = Member { session: 0, kind: Kind::Short, from_client: true };

    fn sealed(keys: &DirectionKeys) -> Vec<u8> {
        let header = ShortHeader { epoch: 0, number_len: 2, reserved: 0, id: keys.ids.id(0), number: 7 };
        let mut datagram = Vec::new();
        header.encode(&mut datagram);
        datagram.push(1);
        Sealer::new(keys).seal(&header, &mut datagram, 0).unwrap();
        datagram
    }

    fn verdict(datagram: &[u8]) -> Option<String> {
        let mut known = KnownKeys::new();
        known.take(MEMBER, 1, datagram);
        known.finish().map(|finding| finding.text)
    }

    #[test]
    fn what_everybody_can_open_is_found() {
        let zero = Root::from_key_log(ZEROS).direction(Side::Client);
        assert!(verdict(&sealed(&zero)).unwrap().contains("a root of zeros"));
        let own = Root::from_key_log(Secret::new([7; 32])).direction(Side::Client);
        let secrets = DirectionKeys { traffic: TrafficSecret::new(ZEROS), header: ZEROS, ..own.clone() };
        assert!(verdict(&sealed(&secrets)).unwrap().contains("traffic and header secrets"));
        assert_eq!(verdict(&sealed(&own)), None);
    }

    #[test]
    fn a_key_of_zeros_is_found_however_long_the_number() {
        for number_len in 1..=4 {
            let id = Root::from_key_log(Secret::new([7; 32])).direction(Side::Client).ids.id(0);
            let header = ShortHeader { epoch: 0, number_len, reserved: 0, id, number: 5 };
            let mut datagram = Vec::new();
            header.encode(&mut datagram);
            let mut frames = vec![1; 60];
            let mut nonce = [0; 12];
            nonce[11] = 5;
            let tag = crypto::seal(&ZEROS, &nonce, &datagram, &mut frames);
            datagram.extend(frames);
            datagram.extend(tag);
            let mask = aes_block(&ZEROS, datagram[SAMPLE].try_into().unwrap());
            datagram[0] ^= mask[0] & FIRST_MASK;
            for (byte, mask) in datagram[NUMBER_START..NUMBER_START + number_len].iter_mut().zip(&mask[1..]) {
                *byte ^= mask;
            }
            assert!(verdict(&datagram).unwrap().contains("a key of zeros"), "{number_len}");
        }
    }
}
