//! RTP (RFC 3550). Whether the media is sealed (SRTP) does not show.

use crate::bytes::Endian::Big;
use crate::clear::protocol::Protocol;
use crate::clear::shelf::Shelf;

const HEADER_BYTES: usize = 12;
/// Sequence numbers that may be missing between two packets.
const JUMP_MAX: u16 = 16;

/// The last packet of each direction that could be RTP.
#[derive(Debug, Default)]
pub(super) struct Rtp {
    last: [Option<(u32, u16)>; 2],
    known: bool,
}

impl Rtp {
    /// Takes a datagram if it is RTP: a source seen before, and its next number.
    pub(super) fn take(&mut self, datagram: &[u8], shelf: &mut Shelf) -> Option<Protocol> {
        let &[first, second, ..] = datagram else { return None };
        let header_bytes = HEADER_BYTES + 4 * usize::from(first & 0x0f);
        if first >> 6 != 2 || datagram.len() < header_bytes {
            return None;
        }
        // RFC 5761 section 4: these are RTCP.
        if (192..=223).contains(&second) {
            return self.known.then_some(Protocol::Rtp);
        }
        let (number, source) = (Big.u16(datagram, 2)?, Big.u32(datagram, 8)?);
        let last = self.last.get_mut(usize::from(!shelf.from_initiator))?;
        let before = last.replace((source, number));
        let (_, before) = before.filter(|(known, _)| *known == source)?;
        if !self.known && !(1..=JUMP_MAX).contains(&number.wrapping_sub(before)) {
            return None;
        }
        self.known = true;
        shelf.protocol = Protocol::Rtp;
        shelf.show("payload type", (second & 0x7f).to_string());
        shelf.weigh(datagram.get(header_bytes..).unwrap_or_default());
        Some(Protocol::Rtp)
    }
}
