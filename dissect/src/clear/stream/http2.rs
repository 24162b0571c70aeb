//! HTTP/2 without TLS (RFC 9113, prior knowledge): everything can be read. Bodies are looked into; compressed
//! headers (RFC 7541) are counted and not decoded.

use crate::clear::body::{self, BODY_MAX_BYTES, Coding, Kind};
use crate::clear::protocol::Protocol;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Gather, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::Fit;

/// RFC 9113 section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
/// RFC 9113 section 6.1.
const PADDED: u8 = 8;

/// Reads HTTP/2.
#[derive(Debug, Default)]
pub(super) struct Http2 {
    halves: [Half; 2],
}

#[derive(Debug, Default)]
struct Half {
    preface_read: bool,
    kind: u8,
    flags: u8,
    packet: usize,
    payload: Option<Gather>,
}

/// Whether these are the first bytes of HTTP/2.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    // The server's first frame is SETTINGS (RFC 9113 section 3.4).
    let settings =
        server.get(3).is_none_or(|kind| *kind == 4) && server.first().is_none_or(|high| *high == 0);
    if settings { Fit::by_prefix(client, PREFACE) } else { Fit::No }
}

impl Speaker for Http2 {
    fn protocol(&self) -> Protocol {
        Protocol::Http2
    }

    fn wants(&self, role: Role) -> Token {
        match self.halves.get(role.index()) {
            Some(half) if role == Role::Client && !half.preface_read => Token::Exactly(PREFACE.len()),
            Some(Half { payload: Some(payload), .. }) => payload.token(),
            _ => Token::Exactly(9),
        }
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(half) = self.halves.get_mut(role.index()) else { return Next::Stay };
        shelf.readable();
        if role == Role::Client && !half.preface_read {
            half.preface_read = true;
        } else if let Some(payload) = &mut half.payload {
            if payload.take(token) {
                let payload = half.payload.take().map(Gather::into_bytes).unwrap_or_default();
                half.frame(&payload, shelf);
            }
        } else if let [high, middle, low, kind, flags, ..] = *token {
            let length = u32::from_be_bytes([0, high, middle, low]);
            (half.kind, half.flags, half.packet) = (kind, flags, shelf.packet);
            half.payload = (length > 0).then(|| Gather::new(u64::from(length), BODY_MAX_BYTES));
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(half) = self.halves.get_mut(role.index()) else { return false };
        let done = half.payload.as_mut().and_then(|payload| payload.skip(bytes));
        if done == Some(true) {
            half.payload = None;
        }
        done.is_some()
    }

    fn held_bytes(&self) -> usize {
        let payloads = self.halves.iter().filter_map(|half| half.payload.as_ref());
        size_of::<Self>() + payloads.map(Gather::held_bytes).sum::<usize>()
    }
}

impl Half {
    fn frame(&self, payload: &[u8], shelf: &mut Shelf) {
        shelf.packet = self.packet;
        match self.kind {
            DATA => {
                let padding = if self.flags & PADDED == 0 {
                    0
                } else {
                    payload.first().map_or(0, |len| usize::from(*len) + 1)
                };
                let start = usize::from(self.flags & PADDED != 0);
                let end = payload.len().saturating_sub(padding.saturating_sub(start));
                let data = payload.get(start..end).unwrap_or_default();
                body::look(data, &Kind::Other, Coding::Identity, shelf);
            }
            HEADERS | CONTINUATION => {
                shelf.show("headers", "compressed, not decoded");
            }
            _ => {}
        }
    }
}
