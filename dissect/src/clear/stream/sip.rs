//! SIP (RFC 3261) and RTSP (RFC 7826), over streams and in datagrams: who calls whom, log-ins, and the
//! media keys of SDES (RFC 4568).

use crate::bytes::count;
use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Address, Message, Token as TokenSecret, Url};
use crate::clear::sasl;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};
use crate::clear::text::{after, is_text, number, split_once, starts_with};

/// What is kept of one body, in bytes.
const BODY_MAX_BYTES: usize = 8 << 10;

/// Reads SIP and RTSP.
#[derive(Debug, Default)]
pub(in crate::clear) struct Sip {
    rtsp: bool,
    halves: [Half; 2],
}

#[derive(Debug, Default)]
struct Half {
    in_headers: bool,
    body_left: u64,
    length: u64,
    packet: usize,
    body: Vec<u8>,
}

/// Whether these are the first bytes of SIP or RTSP.
pub(in crate::clear) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(message_fits(client), message_fits(server))
}

/// Both ends of SIP ask and answer.
fn message_fits(head: &[u8]) -> Fit {
    let answer = Fit::by_prefix(head, b"SIP/2.0 ").or(|| Fit::by_prefix(head, b"RTSP/1.0 "));
    answer.or(|| {
        let Some((method, rest)) = split_once(head, b' ') else {
            let begun = head.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_') && head.len() < 20;
            return if begun { Fit::More } else { Fit::No };
        };
        if method.len() >= 20
            || method.len() < 3
            || !method.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
        {
            return Fit::No;
        }
        let schemes = ["sip:", "sips:", "tel:", "rtsp:"];
        if schemes.iter().any(|scheme| starts_with(rest, scheme)) {
            return Fit::Yes;
        }
        match split_once(rest, b'\n') {
            Some((target, _)) => Fit::when(target.trim_ascii_end().ends_with(b" RTSP/1.0")),
            None if rest.len() < 5 || rest.starts_with(b"*") => Fit::More,
            None => Fit::No,
        }
    })
}

impl Speaker for Sip {
    fn protocol(&self) -> Protocol {
        if self.rtsp { Protocol::Rtsp } else { Protocol::Sip }
    }

    fn wants(&self, role: Role) -> Token {
        match self.halves.get(role.index()) {
            Some(half) if half.body_left > 0 => Token::Some(half.body_left),
            _ => Token::Line,
        }
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(half) = self.halves.get_mut(role.index()) else { return Next::Stay };
        if half.body_left > 0 {
            half.body_left = half.body_left.saturating_sub(count(token.len()));
            let room = BODY_MAX_BYTES.saturating_sub(half.body.len());
            half.body.extend_from_slice(token.get(..room).unwrap_or(token));
            if half.body_left == 0 {
                half.body_end(shelf);
            }
        } else if !half.in_headers {
            if !token.is_empty() {
                half.in_headers = true;
                half.length = 0;
                if memchr::memmem::find(token, b"RTSP/1.0").is_some() {
                    self.rtsp = true;
                    shelf.protocol = Protocol::Rtsp;
                }
                start_line(token, shelf);
            }
        } else if token.is_empty() {
            half.in_headers = false;
            half.body_left = half.length;
            half.packet = shelf.packet;
        } else {
            half.header(token, shelf);
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(half) = self.halves.get_mut(role.index()) else { return false };
        if half.body_left > bytes {
            half.body_left -= bytes;
        } else {
            *half = Half::default();
        }
        true
    }

    fn end(&mut self, shelf: &mut Shelf) {
        for half in &mut self.halves {
            half.body_end(shelf);
        }
    }

    fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.halves.iter().map(|half| half.body.capacity()).sum::<usize>()
    }
}

/// Everything in a start line can be read.
fn start_line(line: &[u8], shelf: &mut Shelf) {
    shelf.readable();
    let Some((method, rest)) = split_once(line, b' ') else { return };
    if method.contains(&b'/') {
        return;
    }
    let target = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
    let kind = if starts_with(target, "sip") || starts_with(target, "tel") { Address } else { Url };
    shelf.secret(kind, target);
    crate::clear::body::url_secrets(target, shelf);
}

impl Half {
    fn header(&mut self, line: &[u8], shelf: &mut Shelf) {
        let Some((name, value)) = split_once(line, b':') else { return };
        let value = value.trim_ascii();
        match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"from" | b"f" | b"to" | b"t" | b"contact" | b"m" => {
                let address = split_once(value, b'<').and_then(|(_, rest)| split_once(rest, b'>'));
                shelf.secret(Address, address.map_or(value, |(address, _)| address));
            }
            b"authorization" | b"proxy-authorization" => sasl::authorization(value, shelf),
            b"content-length" | b"l" => self.length = number(value).unwrap_or(0),
            b"user-agent" | b"server" => shelf.show("agent", value),
            _ => {}
        }
    }

    fn body_end(&mut self, shelf: &mut Shelf) {
        let body = std::mem::take(&mut self.body);
        let sdp = body.starts_with(b"v=0");
        for line in body.split(|byte| *byte == b'\n').filter(|_| sdp) {
            let line = line.trim_ascii_end();
            if let Some(media) = after(line, "m=") {
                shelf.show("media", media);
            } else if let Some(crypto) = after(line, "a=crypto:")
                && let Some(at) = memchr::memmem::find(crypto, b"inline:")
            {
                shelf.secret_in(self.packet, TokenSecret, crypto.get(at + 7..).unwrap_or_default());
            }
        }
        if !sdp && is_text(&body) {
            shelf.secret_in(self.packet, Message, body);
        }
    }
}
