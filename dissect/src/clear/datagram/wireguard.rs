//! WireGuard (its white paper, section 5.4): sealed, but for the types of its messages.

use crate::clear::shelf::Shelf;

/// Types of messages.
const INITIATION: u8 = 1;
const RESPONSE: u8 = 2;
const COOKIE: u8 = 3;
const DATA: u8 = 4;
/// Header and tag of a data message, in bytes.
const DATA_MIN_BYTES: usize = 32;

/// Whether this is a message. Data is padded to 16 bytes; once a handshake was seen, any length does.
pub(super) fn fits(datagram: &[u8], known: bool) -> bool {
    let [message_type, 0, 0, 0, ..] = datagram else { return false };
    match *message_type {
        INITIATION => datagram.len() == 148,
        RESPONSE => datagram.len() == 92,
        COOKIE => datagram.len() == 64,
        DATA => datagram.len() >= DATA_MIN_BYTES && (known || datagram.len().is_multiple_of(16)),
        _ => false,
    }
}

/// Shows the type of a message and weighs what it seals.
pub(super) fn show(datagram: &[u8], shelf: &mut Shelf) {
    let (name, clear_bytes) = match datagram.first() {
        Some(&INITIATION) => ("handshake initiation", 8),
        Some(&RESPONSE) => ("handshake response", 12),
        Some(&COOKIE) => ("cookie", 8),
        _ => ("data", 16),
    };
    shelf.show("message", name);
    shelf.weigh(datagram.get(clear_bytes..).unwrap_or_default());
}
