//! SSH (RFC 4253): sealed, but for its banners and the first key exchange.

use crate::clear::hello::vector;
use crate::clear::protocol::{Nature, Protocol};
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{ENDLESS, Gather, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};

/// Types of messages.
const KEX_INIT: u8 = 20;
const NEW_KEYS: u8 = 21;
/// RFC 4253 section 6.1.
const PACKET_MAX_BYTES: u32 = 35_000;

/// Reads SSH.
#[derive(Debug, Default)]
pub(super) struct Ssh {
    halves: [Half; 2],
}

#[derive(Debug, Default)]
enum Half {
    #[default]
    Banner,
    Length,
    Packet(Gather),
    Sealed,
}

/// Whether these are the first bytes of SSH.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(Fit::by_prefix(client, b"SSH-"), Fit::by_prefix(server, b"SSH-"))
}

impl Speaker for Ssh {
    fn protocol(&self) -> Protocol {
        Protocol::Ssh
    }

    fn wants(&self, role: Role) -> Token {
        match self.halves.get(role.index()) {
            Some(Half::Banner) => Token::Line,
            Some(Half::Length) => Token::Exactly(4),
            Some(Half::Packet(packet)) => packet.token(),
            _ => ENDLESS,
        }
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(half) = self.halves.get_mut(role.index()) else { return Next::Stay };
        match half {
            Half::Banner => {
                shelf.show(if role == Role::Client { "client" } else { "server" }, token);
                if token.starts_with(b"SSH-") {
                    *half = Half::Length;
                }
            }
            Half::Length => {
                let length = token.first_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length));
                if length == 0 || length > PACKET_MAX_BYTES {
                    return Next::Stranger;
                }
                *half = Half::Packet(Gather::new(u64::from(length), 4096));
            }
            Half::Packet(packet) => {
                if packet.take(token) {
                    let sealed = message(packet.bytes(), shelf);
                    *half = if sealed { Half::Sealed } else { Half::Length };
                }
            }
            Half::Sealed => shelf.weigh(token),
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(half) = self.halves.get_mut(role.index()) else { return false };
        let inside = match half {
            Half::Sealed => true,
            Half::Packet(packet) => packet.skip(bytes) == Some(false),
            Half::Banner | Half::Length => false,
        };
        if !inside {
            // Where packets begin is not known any more, and mostly they are sealed by now.
            *half = Half::Sealed;
        }
        true
    }

    fn nature(&self) -> Nature {
        Nature::Opaque
    }

    fn held_bytes(&self) -> usize {
        let packets = self.halves.iter().map(|half| match half {
            Half::Packet(packet) => packet.held_bytes(),
            _ => 0,
        });
        size_of::<Self>() + packets.sum::<usize>()
    }
}

/// Shows a message of the key exchange; `true` when what follows is sealed.
fn message(packet: &[u8], shelf: &mut Shelf) -> bool {
    let [_, message_type, body @ ..] = packet else { return false };
    if *message_type == KEX_INIT {
        // RFC 4253 section 7.1: 16 bytes of cookie, then lists of names.
        let mut rest = body.get(16..).unwrap_or_default();
        for what in ["key exchange", "host key", "cipher"] {
            let names = vector(&mut rest, 4).unwrap_or_default();
            shelf.show(what, names.split(|byte| *byte == b',').next().unwrap_or_default());
        }
    }
    *message_type == NEW_KEYS
}
