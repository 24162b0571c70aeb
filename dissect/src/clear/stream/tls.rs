//! TLS (RFC 8446, RFC 5246): sealed, but for its handshake.

use crate::bytes::count;
use crate::clear::hello;
use crate::clear::protocol::{Nature, Protocol};
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};

/// Types of records.
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// RFC 5246 section 6.2.3: 2^14 and what sealing may add.
const RECORD_MAX_BYTES: u16 = (1 << 14) + 2048;
/// What is kept of the clear handshake of one direction, in bytes: a hello and a usual chain.
const HANDSHAKE_MAX_BYTES: usize = 16 << 10;

/// Reads TLS.
#[derive(Debug, Default)]
pub(in crate::clear) struct Tls {
    halves: [Half; 2],
}

#[derive(Debug, Default)]
struct Half {
    record_type: u8,
    left: u64,
    /// Handshake messages, until they are sealed.
    handshake: Vec<u8>,
    packet: usize,
    sealed: bool,
}

/// Whether these are the first bytes of TLS: a record header, with a hello behind it or mid-stream.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(record_fits(client, 1), record_fits(server, 2))
}

fn record_fits(head: &[u8], hello: u8) -> Fit {
    let [record_type, major, minor, high, low, rest @ ..] = head else {
        let begun = head.first().is_none_or(|byte| (CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(byte))
            && head.get(1).is_none_or(|byte| *byte == 3)
            && head.get(2).is_none_or(|byte| *byte <= 4);
        return if begun { Fit::More } else { Fit::No };
    };
    let header = header(*record_type, *major, *minor, u16::from_be_bytes([*high, *low]));
    match (header, *record_type, rest.first()) {
        (false, ..) => Fit::No,
        (true, HANDSHAKE, None) => Fit::More,
        // A handshake mid-stream is sealed, and its first byte says nothing.
        (true, HANDSHAKE, Some(first)) => Fit::when(*first == hello || *first == 0 || *first > 2),
        (true, ..) => Fit::Yes,
    }
}

fn header(record_type: u8, major: u8, minor: u8, length: u16) -> bool {
    (CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(&record_type)
        && major == 3
        && minor <= 4
        && (1..=RECORD_MAX_BYTES).contains(&length)
}

impl Speaker for Tls {
    fn protocol(&self) -> Protocol {
        Protocol::Tls
    }

    fn wants(&self, role: Role) -> Token {
        match self.halves.get(role.index()) {
            Some(half) if half.left > 0 => Token::Some(half.left),
            _ => Token::Exactly(5),
        }
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(half) = self.halves.get_mut(role.index()) else { return Next::Stay };
        if half.left > 0 {
            half.left = half.left.saturating_sub(count(token.len()));
            half.content(token, shelf);
            return Next::Stay;
        }
        let [record_type, major, minor, high, low] = *token else { return Next::Stranger };
        let length = u16::from_be_bytes([high, low]);
        if !header(record_type, major, minor, length) {
            return Next::Stranger;
        }
        (half.record_type, half.left) = (record_type, u64::from(length));
        if record_type == CHANGE_CIPHER_SPEC {
            half.sealed = true;
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(half) = self.halves.get_mut(role.index()) else { return false };
        half.handshake = Vec::new();
        half.sealed |= half.record_type == HANDSHAKE;
        match half.left.checked_sub(bytes) {
            Some(left) if half.left > 0 => {
                half.left = left;
                true
            }
            _ => false,
        }
    }

    fn nature(&self) -> Nature {
        Nature::Opaque
    }

    fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.halves.iter().map(|half| half.handshake.capacity()).sum::<usize>()
    }
}

impl Half {
    fn content(&mut self, bytes: &[u8], shelf: &mut Shelf) {
        match self.record_type {
            HANDSHAKE if !self.sealed => {
                if self.handshake.is_empty() {
                    self.packet = shelf.packet;
                }
                let room = HANDSHAKE_MAX_BYTES.saturating_sub(self.handshake.len());
                self.handshake.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                self.messages(shelf);
            }
            _ => shelf.weigh(bytes),
        }
    }

    /// Reads whole messages off the front.
    fn messages(&mut self, shelf: &mut Shelf) {
        let mut used = 0;
        while let Some([message_type, lengths @ ..]) =
            self.handshake.get(used..).and_then(|rest| rest.first_chunk::<4>())
        {
            let length = lengths.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            let Some(body) = self.handshake.get(used + 4..).and_then(|rest| rest.get(..length)) else {
                break;
            };
            let packet = std::mem::replace(&mut shelf.packet, self.packet);
            hello::show(*message_type, body, false, shelf);
            shelf.packet = packet;
            used += 4 + length;
        }
        self.handshake.drain(..used);
    }
}
