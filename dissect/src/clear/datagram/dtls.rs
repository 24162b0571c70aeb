//! DTLS 1.0 to 1.3 (RFC 6347, RFC 9147, connection ids of RFC 9146): sealed, but for its handshake.

use crate::bytes::Endian::Big;
use crate::clear::hello::{self, Assembly};
use crate::clear::shelf::Shelf;

const RECORD_HEADER_BYTES: usize = 13;
const HANDSHAKE_HEADER_BYTES: usize = 12;
/// Types of records; the last has a connection id.
const HANDSHAKE: u8 = 22;
const CONNECTION_ID: u8 = 25;
const ACK: u8 = 26;
/// Messages of one direction that are put together; later ones are sealed.
const MESSAGES_MAX: u16 = 8;

/// Reads DTLS.
#[derive(Debug, Default)]
pub(super) struct Dtls {
    known: bool,
    /// The message under way in each direction: its number and parts.
    messages: [(u16, Assembly); 2],
}

impl Dtls {
    /// Whether this is DTLS: a record that fits, or, after one, the short header of 1.3.
    pub(super) fn fits(&self, datagram: &[u8]) -> bool {
        if self.known && datagram.first().is_some_and(|first| first & 0xe0 == 0x20) {
            return true;
        }
        let [record_type, 0xfe, minor, ..] = datagram else { return false };
        let length = Big.u16(datagram, RECORD_HEADER_BYTES - 2).map(usize::from);
        // Behind a connection id of unknown length stands the record's own length.
        let whole = *record_type == CONNECTION_ID
            || length.is_some_and(|length| length > 0 && RECORD_HEADER_BYTES + length <= datagram.len());
        (20..=ACK).contains(record_type) && matches!(minor, 0xff | 0xfd) && whole
    }

    /// Takes a datagram of records.
    pub(super) fn take(&mut self, datagram: &[u8], shelf: &mut Shelf) {
        self.known = true;
        let mut rest = datagram;
        while let Some(&first) = rest.first() {
            let (Some(epoch), Some(length)) = (Big.u16(rest, 3), Big.u16(rest, RECORD_HEADER_BYTES - 2))
            else {
                shelf.weigh(rest);
                return;
            };
            if first & 0xe0 == 0x20 || first == CONNECTION_ID {
                if first == CONNECTION_ID || first & 0x10 != 0 {
                    shelf.show("connection id", "in records");
                }
                shelf.weigh(rest.get(RECORD_HEADER_BYTES..).unwrap_or_default());
                return;
            }
            let end = RECORD_HEADER_BYTES + usize::from(length);
            let content = rest.get(RECORD_HEADER_BYTES..end).unwrap_or_default();
            if epoch > 0 {
                shelf.weigh(content);
            } else if first == HANDSHAKE {
                shelf.show("record version", hello::version_name(Big.u16(rest, 1).unwrap_or(0)));
                self.handshake(content, shelf);
            }
            rest = rest.get(end..).unwrap_or_default();
        }
    }

    /// RFC 6347 section 4.2.2: type, length, number, offset and length of the fragment.
    fn handshake(&mut self, content: &[u8], shelf: &mut Shelf) {
        let mut rest = content;
        while let Some(header) = rest.first_chunk::<HANDSHAKE_HEADER_BYTES>() {
            let [message_type, l0, l1, l2, n0, n1, o0, o1, o2, f0, f1, f2] = *header;
            let number = u16::from_be_bytes([n0, n1]);
            let three = |a, b, c| u32::from_be_bytes([0, a, b, c]);
            let (length, offset) = (three(l0, l1, l2), three(o0, o1, o2));
            let end = HANDSHAKE_HEADER_BYTES + usize::try_from(three(f0, f1, f2)).unwrap_or(usize::MAX);
            let Some(fragment) = rest.get(HANDSHAKE_HEADER_BYTES..end) else { return };
            rest = rest.get(end..).unwrap_or_default();
            let Some((current, message)) = self.messages.get_mut(usize::from(!shelf.from_initiator)) else {
                return;
            };
            if number > MESSAGES_MAX || number < *current {
                continue;
            }
            if number > *current {
                (*current, *message) = (number, Assembly::default());
            }
            message.put(u64::from(offset), fragment);
            if let Some(body) = message.prefix(usize::try_from(length).unwrap_or(usize::MAX)) {
                (*current, *message) = (number.saturating_add(1), Assembly::default());
                hello::show(message_type, &body, true, shelf);
            }
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.messages.iter().map(|(_, message)| message.held_bytes()).sum()
    }
}
