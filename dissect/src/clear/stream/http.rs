//! HTTP/1.x (RFC 9112): log-ins, cookies, URLs, and bodies, chunked and compressed ones too.

use std::collections::VecDeque;

use crate::bytes::count;
use crate::clear::body::{self, BODY_MAX_BYTES, Coding, Kind};
use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Cookie, Token as TokenSecret};
use crate::clear::sasl;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{ENDLESS, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};
use crate::clear::stream::websocket::WebSocket;
use crate::clear::text::{contains, first_word, is_one_of, number, split_once, starts_with, words};
use crate::clear::tokens::LINE_MAX_BYTES;

/// Requests without an answer yet that are remembered.
const ASKED_MAX: usize = 64;
/// Requests with these methods are recognised: RFC 9110, WebDAV and UPnP.
const METHODS: [&str; 22] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "M-SEARCH",
];

/// Whether these are the first bytes of HTTP/1.x.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(request_fits(client), Fit::by_prefix(server, b"HTTP/1."))
}

fn request_fits(head: &[u8]) -> Fit {
    let Some((method, rest)) = split_once(head, b' ') else {
        let begun = METHODS.iter().any(|method| method.as_bytes().starts_with(head));
        return if begun { Fit::More } else { Fit::No };
    };
    if !METHODS.iter().any(|known| known.as_bytes() == method) {
        return Fit::No;
    }
    match rest {
        [b'/', ..] => Fit::Yes,
        _ if starts_with(rest, "http") => Fit::Yes,
        _ => match split_once(rest, b'\n') {
            Some((target, _)) => Fit::when(contains(target, " HTTP/1.")),
            None => Fit::More,
        },
    }
}

/// Where one direction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Start,
    Headers,
    Body(u64),
    UntilClose,
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
}

/// The message of one direction.
#[derive(Debug, Default)]
struct Half {
    stage: Stage,
    /// After a hole: lines are dropped until a message begins.
    resync: bool,
    status: u16,
    content_length: u64,
    has_length: bool,
    chunked: bool,
    kind: Kind,
    coding: Coding,
    upgrade: bool,
    deflate: bool,
    packet: usize,
    body: Vec<u8>,
}

/// What an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Head,
    Connect,
    Other,
}

/// Reads HTTP/1.x.
#[derive(Debug, Default)]
pub(in crate::clear) struct Http {
    halves: [Half; 2],
    asked: VecDeque<Asked>,
}

impl Speaker for Http {
    fn protocol(&self) -> Protocol {
        Protocol::Http
    }

    fn wants(&self, role: Role) -> Token {
        match self.halves.get(role.index()).map(|half| half.stage) {
            Some(Stage::Body(left) | Stage::Chunk(left)) => Token::Some(left),
            Some(Stage::UntilClose) => ENDLESS,
            _ => Token::Line,
        }
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let [client, server] = &mut self.halves;
        let half = match role {
            Role::Client => client,
            Role::Server => server,
        };
        match half.stage {
            Stage::Start => return self.start(role, token, shelf),
            Stage::Headers if token.is_empty() => return self.headers_end(role, shelf),
            Stage::Headers => half.header(token, shelf),
            Stage::Body(left) => {
                half.gather(token, shelf);
                half.stage = match left.saturating_sub(count(token.len())) {
                    0 => half.body_end(shelf),
                    left => Stage::Body(left),
                };
            }
            Stage::UntilClose => half.gather(token, shelf),
            Stage::ChunkSize => {
                let digits = token.split(|byte| matches!(byte, b';' | b' ')).next().unwrap_or_default();
                let size =
                    std::str::from_utf8(digits).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
                half.stage = match size {
                    Some(0) => Stage::Trailers,
                    Some(size) => Stage::Chunk(size),
                    None => half.body_end(shelf),
                };
            }
            Stage::Chunk(left) => {
                half.gather(token, shelf);
                half.stage = match left.saturating_sub(count(token.len())) {
                    0 => Stage::ChunkEnd,
                    left => Stage::Chunk(left),
                };
            }
            Stage::ChunkEnd => half.stage = Stage::ChunkSize,
            Stage::Trailers if token.is_empty() => half.stage = half.body_end(shelf),
            Stage::Trailers => {}
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(half) = self.halves.get_mut(role.index()) else { return false };
        let left = match half.stage {
            Stage::Body(left) | Stage::Chunk(left) => left,
            Stage::UntilClose => return true,
            _ => 0,
        };
        half.stage = match (half.stage, left.saturating_sub(bytes)) {
            (Stage::Body(_), left @ 1..) => Stage::Body(left),
            (Stage::Chunk(_), left @ 1..) => Stage::Chunk(left),
            _ => {
                *half = Half { resync: true, ..Half::default() };
                Stage::Start
            }
        };
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

impl Http {
    fn start(&mut self, role: Role, line: &[u8], shelf: &mut Shelf) -> Next {
        let Some(half) = self.halves.get_mut(role.index()) else { return Next::Stay };
        let mut parts = words(line);
        let begins = match role {
            Role::Client => {
                line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0") || contains(line, " HTTP/1.")
            }
            Role::Server => line.starts_with(b"HTTP/1."),
        };
        if line.is_empty() || (half.resync && !begins) {
            return Next::Stay;
        }
        // A request line may be cut before its version.
        let cut = role == Role::Client && line.len() >= LINE_MAX_BYTES;
        if !begins && !cut {
            return Next::Stranger;
        }
        *half = Half { stage: Stage::Headers, ..Half::default() };
        shelf.readable();
        match role {
            Role::Client => {
                let asked = match parts.next().unwrap_or_default() {
                    b"HEAD" => Asked::Head,
                    b"CONNECT" => Asked::Connect,
                    _ => Asked::Other,
                };
                if self.asked.len() < ASKED_MAX {
                    self.asked.push_back(asked);
                }
                body::url(parts.next().unwrap_or_default(), shelf);
            }
            Role::Server => {
                half.status =
                    parts.nth(1).and_then(number).and_then(|code| u16::try_from(code).ok()).unwrap_or(0);
            }
        }
        Next::Stay
    }

    fn headers_end(&mut self, role: Role, shelf: &Shelf) -> Next {
        let Some(half) = self.halves.get_mut(role.index()) else { return Next::Stay };
        half.packet = shelf.packet;
        if role == Role::Server {
            let interim = half.status < 200 && half.status != 101;
            let asked = if interim { None } else { self.asked.pop_front() };
            if half.status == 101 {
                return if half.upgrade {
                    Next::Become(Box::new(WebSocket::new(half.deflate)))
                } else {
                    Next::Recognise
                };
            }
            if asked == Some(Asked::Connect) && (200..300).contains(&half.status) {
                return Next::Recognise;
            }
            if interim || asked == Some(Asked::Head) || matches!(half.status, 204 | 304) {
                half.stage = Stage::Start;
                return Next::Stay;
            }
        }
        half.stage = if half.chunked {
            Stage::ChunkSize
        } else if half.content_length > 0 {
            Stage::Body(half.content_length)
        } else if role == Role::Server && !half.has_length {
            Stage::UntilClose
        } else {
            Stage::Start
        };
        Next::Stay
    }
}

impl Half {
    fn header(&mut self, line: &[u8], shelf: &mut Shelf) {
        let Some((name, value)) = split_once(line, b':') else { return };
        let value = value.trim_ascii();
        match name.to_ascii_lowercase().as_slice() {
            b"authorization" | b"proxy-authorization" => sasl::authorization(value, shelf),
            b"cookie" => {
                for cookie in value.split(|byte| *byte == b';') {
                    shelf.secret(Cookie, cookie.trim_ascii());
                }
            }
            b"set-cookie" => shelf.secret(Cookie, value.split(|byte| *byte == b';').next().unwrap_or(value)),
            b"referer" | b"location" => body::url_secrets(value, shelf),
            b"host" => shelf.show("host", value),
            b"server" => shelf.show("server", value),
            b"content-length" => {
                self.content_length = number(value).unwrap_or(0);
                self.has_length = true;
            }
            b"transfer-encoding" => self.chunked = contains(value, "chunked"),
            b"content-type" => self.kind = Kind::of(value),
            b"content-encoding" => self.coding = Coding::of(value),
            b"upgrade" => self.upgrade = value.eq_ignore_ascii_case(b"websocket"),
            b"sec-websocket-extensions" => self.deflate = contains(value, "permessage-deflate"),
            name if contains(name, "token")
                || contains(name, "api-key")
                || is_one_of(name, &["x-auth", "x-session-id"]) =>
            {
                shelf.secret(TokenSecret, first_word(value).0);
            }
            _ => {}
        }
    }

    fn gather(&mut self, bytes: &[u8], shelf: &Shelf) {
        if self.body.is_empty() {
            self.packet = shelf.packet;
        }
        let room = BODY_MAX_BYTES.saturating_sub(self.body.len());
        self.body.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn body_end(&mut self, shelf: &mut Shelf) -> Stage {
        let body = std::mem::take(&mut self.body);
        let packet = std::mem::replace(&mut shelf.packet, self.packet);
        body::look(&body, &self.kind, self.coding, shelf);
        shelf.packet = packet;
        Stage::Start
    }
}
