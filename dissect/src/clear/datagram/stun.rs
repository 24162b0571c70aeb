//! STUN and TURN (RFC 8489, RFC 8656): user names and realms.

use crate::bytes::Endian::Big;
use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::User;
use crate::clear::shelf::Shelf;

/// RFC 8489 section 5.
const HEADER_BYTES: usize = 20;
const COOKIE: u32 = 0x2112_a442;
const USERNAME: u16 = 0x0006;
const REALM: u16 = 0x0014;
const SOFTWARE: u16 = 0x8022;

/// Puts what a message tells on the shelf; `false` when it is none. Its addresses are no news.
pub(super) fn put(datagram: &[u8], shelf: &mut Shelf) -> bool {
    let length = Big.u16(datagram, 2).map(usize::from);
    let fits = datagram.first().is_some_and(|first| *first < 0x40)
        && Big.u32(datagram, 4) == Some(COOKIE)
        && length == datagram.len().checked_sub(HEADER_BYTES);
    if !fits {
        return false;
    }
    shelf.protocol = Protocol::Stun;
    let mut rest = datagram.get(HEADER_BYTES..).unwrap_or_default();
    while let (Some(kind), Some(length)) = (Big.u16(rest, 0), Big.u16(rest, 2).map(usize::from)) {
        let Some(value) = rest.get(4..4 + length) else { break };
        match kind {
            USERNAME => shelf.secret(User, value),
            REALM => shelf.show("realm", value),
            SOFTWARE => shelf.show("software", value),
            _ => {}
        }
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
    }
    true
}
