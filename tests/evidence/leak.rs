//! What a broken build would have sent. The product has no switch that weakens it; the leaks are made here.

use super::sessions::{Opened, Sessions};
use super::tape::Tape;
use data_encoding::BASE64;
use spec::crypto::{self, aes_block};
use spec::key_schedule::{DirectionKeys, Root};
use spec::limits::{BUCKETS_BYTES, KEY_BYTES, TAG_BYTES};
use spec::secret::Secret;
use spec::wire::frame::Side;
use spec::wire::long::{Long, LongKind, field};
use spec::wire::short::{CONNECTION_ID, FIRST_MASK, NUMBER_START, SAMPLE, ShortHeader};
use std::collections::BTreeMap;

/// The nickname that leaks: as long as a connection id.
pub(crate) const NICKNAME: &str = "Annabell";
/// The name of a room, filled up to a connection id.
pub(crate) const ROOM: &str = "old-mill";
/// What leaks letter by letter, and in base64.
pub(crate) const SECRET: &str = "the letters are under the third stone behind the old mill";

/// The shortest SHORT datagram: an acknowledgement.
const SHORTEST: usize = NUMBER_START + BUCKETS_BYTES[0] + TAG_BYTES;

/// What the broken build does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    /// Nothing: the control.
    None,
    /// The frames travel as they are, with something that looks like a tag behind them.
    Unsealed,
    /// Every packet of a key is sealed with the nonce of its packet 0.
    FixedNonce,
    /// One packet is sealed with the nonce of another of its sender.
    NonceTwice,
    /// The nickname stands where the connection id belongs.
    NicknameInHeader,
    /// The same in what one client sends, and nowhere else.
    NicknameOfOne,
    /// The name of a room stands where the connection ids of the hub belong.
    RoomInConnectionId,
    /// The last byte of the padding is not sealed, and spells the secret.
    CharacterInPadding,
    /// What would be zeros holds the secret in base64, and is not sealed.
    Base64InPadding,
    /// The keys are those of a root that was never set.
    ZeroKey,
    /// The second client has the ephemeral key of the first.
    SharedEphemeral,
    /// What says more than an acknowledgement is not padded: the length of a datagram is that of what it says.
    LengthOracle,
}

impl Leak {
    /// The tape as the broken build would have left it.
    pub(crate) fn apply(self, tape: &Tape, sessions: &Sessions) -> Tape {
        let mut leaking = tape.clone();
        if self == Self::SharedEphemeral {
            share_ephemeral(&mut leaking, sessions);
        }
        let twice = (self == Self::NonceTwice).then(|| alike(sessions));
        let mut letters = BTreeMap::new();
        for opened in &sessions.opened {
            let keys = &sessions.keys[&(opened.session, opened.side)];
            // Each sender spells for itself.
            let letters =
                letters.entry((opened.session, opened.side)).or_insert_with(|| SECRET.bytes().cycle());
            let mut sender = Sender { leak: self, keys, opened, letters };
            let number = twice.filter(|(second, _)| *second == opened.at).map(|(_, number)| number);
            leaking.0[opened.at].payload = sender.datagram(number);
        }
        leaking
    }
}

/// Two packets of one sender that end in zeros at the same places: the second, and the number of the first.
fn alike(sessions: &Sessions) -> (usize, u64) {
    const ZEROS: usize = 24;
    let padded = |opened: &&Opened| {
        let end = opened.datagram.len() - TAG_BYTES;
        opened.datagram[end - ZEROS..end].iter().all(|byte| *byte == 0)
    };
    let kind =
        |opened: &Opened| (opened.session, opened.side, opened.datagram.len(), opened.header.number_len);
    let mut packets = sessions.opened.iter().filter(padded);
    let first = packets.next().unwrap();
    let second = packets.find(|second| kind(second) == kind(first)).unwrap();
    (second.at, first.header.number)
}

/// Copies the ephemeral key of the first session into the INITs of the second.
fn share_ephemeral(tape: &mut Tape, sessions: &Sessions) {
    let ephemeral = field::BODY.start..field::BODY.start + KEY_BYTES;
    let attempt = |index: usize| sessions.attempts[index];
    let is_init = |payload: &[u8], attempt| {
        Long::parse(payload)
            .is_ok_and(|long| (long.kind, long.fragment, long.attempt) == (LongKind::Init, 0, attempt))
    };
    let first = tape.0.iter().find(|datagram| is_init(&datagram.payload, attempt(0))).unwrap();
    let key = first.payload[ephemeral.clone()].to_vec();
    for datagram in tape.0.iter_mut().filter(|datagram| is_init(&datagram.payload, attempt(1))) {
        datagram.payload[ephemeral.clone()].copy_from_slice(&key);
    }
}

/// The broken build while it sends one packet.
struct Sender<'a, L> {
    leak: Leak,
    keys: &'a DirectionKeys,
    opened: &'a Opened,
    /// What is spelled out.
    letters: &'a mut L,
}

impl<L: Iterator<Item = u8>> Sender<'_, L> {
    /// The datagram on the wire, sealed with the nonce of packet `number` if one is given.
    fn datagram(&mut self, number: Option<u64>) -> Vec<u8> {
        let header = &self.opened.header;
        let mut datagram = self.opened.datagram.clone();
        if let Some(name) = self.name() {
            datagram[CONNECTION_ID].copy_from_slice(name.as_bytes());
        }
        if self.leak == Leak::LengthOracle {
            cut_padding(&mut datagram, header.len());
        }
        let zero = Root::from_key_log(Secret::new([0; 32])).direction(self.opened.side);
        let keys = if self.leak == Leak::ZeroKey { &zero } else { self.keys };
        if self.leak == Leak::ZeroKey {
            datagram[CONNECTION_ID].copy_from_slice(&keys.ids.id(0).0);
        }
        let number = if self.leak == Leak::FixedNonce { 0 } else { number.unwrap_or(header.number) };
        let plain = datagram.clone();
        seal(&mut datagram, header, keys, number);
        self.spoil(&mut datagram, &plain);
        mask(&mut datagram, header, keys);
        datagram
    }

    /// The name that stands in place of the connection id.
    fn name(&self) -> Option<&'static str> {
        match (self.leak, self.opened.side) {
            (Leak::NicknameInHeader, _) => Some(NICKNAME),
            (Leak::NicknameOfOne, Side::Client) if self.opened.session == 0 => Some(NICKNAME),
            (Leak::RoomInConnectionId, Side::Hub) => Some(ROOM),
            _ => None,
        }
    }

    /// Puts what should be sealed on the wire as it is.
    fn spoil(&mut self, datagram: &mut [u8], plain: &[u8]) {
        let frames = self.opened.header.len()..datagram.len() - TAG_BYTES;
        match self.leak {
            Leak::Unsealed => datagram[frames.clone()].copy_from_slice(&plain[frames]),
            Leak::CharacterInPadding => {
                datagram[frames.end - 1] = self.letters.next().unwrap();
            }
            Leak::Base64InPadding => {
                let zeros = plain[frames.clone()].iter().rev().take_while(|byte| **byte == 0).count();
                let text = BASE64.encode(SECRET.as_bytes());
                if let Some(start) = zeros.checked_sub(text.len()).map(|spare| frames.end - zeros + spare) {
                    datagram[start..frames.end].copy_from_slice(text.as_bytes());
                }
            }
            _ => {}
        }
    }
}

/// Leaves nothing behind the last byte that is not zero; a header has to be sampled still.
fn cut_padding(datagram: &mut Vec<u8>, header_bytes: usize) {
    if datagram.len() <= SHORTEST {
        return;
    }
    datagram.truncate(datagram.len() - TAG_BYTES);
    let content = datagram.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    datagram.truncate(content.max(header_bytes + 1).max(SAMPLE.end));
    datagram.extend([0; TAG_BYTES]);
}

/// Seals the frames of an opened datagram again.
fn seal(datagram: &mut [u8], header: &ShortHeader, keys: &DirectionKeys, number: u64) {
    let (aad, sealed) = datagram.split_at_mut(header.len());
    let (frames, tag) = sealed.split_last_chunk_mut::<TAG_BYTES>().unwrap();
    let key = keys.traffic.packet_key();
    *tag = crypto::seal(&key.key, &key.nonce(number), aad, frames);
}

/// Masks the header, which takes what is sealed.
fn mask(datagram: &mut [u8], header: &ShortHeader, keys: &DirectionKeys) {
    let mut sample = [0; 16];
    sample.copy_from_slice(&datagram[SAMPLE]);
    let mask = aes_block(&keys.header, sample);
    datagram[0] ^= mask[0] & FIRST_MASK;
    for (byte, mask) in datagram[NUMBER_START..NUMBER_START + header.number_len].iter_mut().zip(&mask[1..]) {
        *byte ^= mask;
    }
}
