//! DNS over a stream (RFC 7766): messages with their length before them.

use crate::clear::datagram::dns;
use crate::clear::protocol::Protocol;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Gather, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};

/// What is kept of one message, in bytes.
const MESSAGE_MAX_BYTES: usize = 16 << 10;

/// Reads DNS over a stream.
#[derive(Debug, Default)]
pub(super) struct DnsStream {
    messages: [Option<(usize, Gather)>; 2],
}

/// Whether these are the first bytes of DNS over a stream: a length, and a header that fits it.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(message_fits(client), message_fits(server))
}

fn message_fits(head: &[u8]) -> Fit {
    let Some((length, message)) = head.split_first_chunk::<2>() else { return Fit::More };
    let length = usize::from(u16::from_be_bytes(*length));
    // A message has 12 bytes of header and a question of at least 5.
    if length < 17 {
        return Fit::No;
    }
    match message.get(..length) {
        Some(message) => Fit::when(dns::parse(message).is_some()),
        None if message.len() >= 12 => {
            if dns::header_fits(message) {
                Fit::More
            } else {
                Fit::No
            }
        }
        None => Fit::More,
    }
}

impl Speaker for DnsStream {
    fn protocol(&self) -> Protocol {
        Protocol::Dns
    }

    fn wants(&self, role: Role) -> Token {
        let message = self.messages.get(role.index()).and_then(Option::as_ref);
        message.map_or(Token::Exactly(2), |(_, message)| message.token())
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(slot) = self.messages.get_mut(role.index()) else { return Next::Stay };
        match slot {
            None => {
                let length = token.first_chunk::<2>().map_or(0, |length| u16::from_be_bytes(*length));
                *slot =
                    (length > 0).then(|| (shelf.packet, Gather::new(u64::from(length), MESSAGE_MAX_BYTES)));
            }
            Some((first, message)) => {
                if message.take(token) {
                    let packet = std::mem::replace(&mut shelf.packet, *first);
                    if let Some(found) = dns::parse(message.bytes()) {
                        found.put(shelf);
                    }
                    shelf.packet = packet;
                    *slot = None;
                }
            }
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(slot) = self.messages.get_mut(role.index()) else { return false };
        let Some((_, message)) = slot else { return false };
        let done = message.skip(bytes);
        if done == Some(true) {
            *slot = None;
        }
        done.is_some()
    }

    fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + self.messages.iter().flatten().map(|(_, message)| message.held_bytes()).sum::<usize>()
    }
}
