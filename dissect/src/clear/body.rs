//! Bodies of messages: opened when they are compressed, and looked into for secrets.

use std::io::{Cursor, Read};

use super::protocol::SecretKind::{self, Message, Password, Token, User};
use super::shelf::Shelf;
use super::text::{contains, first_word, is_text, percent_decoded, split_once, starts_with, unquoted};
use crate::bytes::count;

/// What is kept of one body as it was sent, in bytes.
pub(super) const BODY_MAX_BYTES: usize = 64 << 10;
/// What is opened of one compressed body, in bytes.
const OPENED_MAX_BYTES: usize = 1 << 20;
/// Text hardly shrinks to less than a tenth. A body that opens to more than this many times its length, and
/// a little more for short ones, is a bomb; so the work stays in proportion to the capture.
const OPENED_MAX_TIMES: usize = 32;
const OPENED_MIN_BYTES: usize = 4096;
/// Fields of one form or document that are looked at.
const FIELDS_MAX: usize = 256;

/// What a body holds, by its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/…`, with its boundary.
    Multipart(Vec<u8>),
    /// Anything else; JSON shows itself.
    #[default]
    Other,
}

impl Kind {
    /// The kind that a `Content-Type` names.
    pub(super) fn of(content_type: &[u8]) -> Self {
        if starts_with(content_type, "application/x-www-form-urlencoded") {
            Self::Form
        } else if starts_with(content_type, "multipart/") {
            let boundary = content_type
                .split(|byte| *byte == b';')
                .find_map(|part| super::text::after(part.trim_ascii(), "boundary=").map(unquoted));
            boundary.map_or(Self::Other, |boundary| Self::Multipart(boundary.to_vec()))
        } else {
            Self::Other
        }
    }
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Coding {
    /// Not, as far as the headers say.
    #[default]
    Identity,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// The coding that a `Content-Encoding` names; of several the one applied last.
    pub(super) fn of(header: &[u8]) -> Self {
        match header.rsplit(|byte| *byte == b',').next().unwrap_or_default().trim_ascii() {
            coding if super::text::is_one_of(coding, &["gzip", "x-gzip"]) => Self::Gzip,
            coding if coding.eq_ignore_ascii_case(b"deflate") => Self::Deflate,
            coding if coding.eq_ignore_ascii_case(b"br") => Self::Brotli,
            coding if coding.eq_ignore_ascii_case(b"zstd") => Self::Zstd,
            _ => Self::Identity,
        }
    }

    /// The coding that the bytes themselves begin with.
    fn by_magic(self, bytes: &[u8]) -> Self {
        match (self, bytes) {
            (Self::Identity, [0x1f, 0x8b, 8, ..]) => Self::Gzip,
            (Self::Identity, [0x28, 0xb5, 0x2f, 0xfd, ..]) => Self::Zstd,
            _ => self,
        }
    }

    /// Opens as much as it can.
    fn open(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let input = Cursor::new(bytes);
        let max_bytes = opened_max_bytes(bytes.len());
        match self {
            Self::Identity => None,
            Self::Gzip => Some(read(flate2::read::MultiGzDecoder::new(input), max_bytes)),
            Self::Deflate => {
                // RFC 9110 section 8.4.1.2: with the zlib header, which some senders leave out.
                let opened = read(flate2::read::ZlibDecoder::new(input.clone()), max_bytes);
                if opened.is_empty() {
                    Some(read(flate2::read::DeflateDecoder::new(input), max_bytes))
                } else {
                    Some(opened)
                }
            }
            Self::Brotli => Some(read(brotli_decompressor::Decompressor::new(input, 4096), max_bytes)),
            Self::Zstd => {
                ruzstd::decoding::StreamingDecoder::new(input).ok().map(|reader| read(reader, max_bytes))
            }
        }
    }
}

/// What may be opened of this many compressed bytes.
pub(super) fn opened_max_bytes(compressed_bytes: usize) -> usize {
    compressed_bytes.saturating_mul(OPENED_MAX_TIMES).saturating_add(OPENED_MIN_BYTES).min(OPENED_MAX_BYTES)
}

/// Reads up to the bound, or to the first damage.
fn read(reader: impl Read, max_bytes: usize) -> Vec<u8> {
    let mut opened = Vec::new();
    // What was opened before the damage is still worth looking into.
    reader.take(count(max_bytes)).read_to_end(&mut opened).ok();
    opened
}

/// Looks into a body for secrets.
pub(super) fn look(body: &[u8], kind: &Kind, coding: Coding, shelf: &mut Shelf) {
    let coding = coding.by_magic(body);
    let opened = coding.open(body);
    if opened.as_ref().is_some_and(|opened| !opened.is_empty()) {
        shelf.show("compressed body", format!("opened as {coding:?}"));
    }
    let body = opened.as_deref().unwrap_or(body);
    match kind {
        Kind::Form => fields(body, true, shelf),
        Kind::Multipart(boundary) => multipart(body, boundary, shelf),
        Kind::Other if is_text(body) => {
            json(body, shelf);
            shelf.secret(Message, body);
        }
        Kind::Other => {}
    }
}

/// What the value of a field with this name is, when it is a secret.
pub(super) fn sensitive(name: &[u8]) -> Option<SecretKind> {
    let any = |words: &[&str]| words.iter().any(|word| contains(name, word));
    if any(&["passw", "passphrase", "pwd", "passcode"])
        || super::text::is_one_of(name, &["pass", "pin", "otp"])
    {
        Some(Password)
    } else if any(&[
        "token",
        "secret",
        "api_key",
        "apikey",
        "api-key",
        "access_key",
        "session",
        "jwt",
        "credential",
    ]) || super::text::is_one_of(
        name,
        &["sid", "auth", "authorization", "code", "key", "signature", "sig"],
    ) {
        Some(Token)
    } else if any(&["user", "login", "email"]) {
        Some(User)
    } else {
        None
    }
}

/// `name=value&…`, of forms and of the queries of URLs; of a form, every value is content.
pub(super) fn fields(text: &[u8], form: bool, shelf: &mut Shelf) {
    for field in text.split(|byte| matches!(byte, b'&' | b';')).take(FIELDS_MAX) {
        let (name, value) = split_once(field, b'=').unwrap_or((field, b""));
        let (name, value) = (percent_decoded(name), percent_decoded(value));
        match sensitive(&name) {
            Some(kind) => shelf.secret(kind, value.trim_ascii_end()),
            None if form => shelf.secret(Message, value),
            None => {}
        }
    }
}

/// RFC 7578: parts with a header each.
fn multipart(body: &[u8], boundary: &[u8], shelf: &mut Shelf) {
    let delimiter = [b"--", boundary].concat();
    let starts: Vec<usize> = memchr::memmem::find_iter(body, &delimiter).take(FIELDS_MAX).collect();
    for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
        let part = body.get(start + delimiter.len()..*end).unwrap_or_default();
        let Some(at) = memchr::memmem::find(part, b"\r\n\r\n") else { continue };
        let (head, value) = part.split_at(at);
        let value = value.get(4..).unwrap_or_default();
        let value = value.strip_suffix(b"\r\n").unwrap_or(value);
        let name = memchr::memmem::find(head, b"name=").and_then(|at| head.get(at + 5..)).unwrap_or_default();
        let name = name.split(|byte| matches!(byte, b';' | b'\r')).next().map(unquoted).unwrap_or_default();
        match sensitive(name) {
            Some(kind) => shelf.secret(kind, value),
            None if is_text(value) => shelf.secret(Message, value),
            None => {}
        }
    }
}

/// The sensitive fields of a JSON document, at any depth.
fn json(text: &[u8], shelf: &mut Shelf) {
    if !matches!(first_word(text.trim_ascii_start()).0.first(), Some(b'{' | b'[')) {
        return;
    }
    let Ok(document) = serde_json::from_slice(text) else { return };
    let mut open = vec![(None, &document)];
    let mut left = FIELDS_MAX;
    while let Some((kind, value)) = open.pop() {
        match value {
            serde_json::Value::Object(fields) => {
                // In an order of their own: that of the map depends on what else is built.
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_unstable_by_key(|(name, _)| *name);
                open.extend(fields.into_iter().map(|(name, value)| (sensitive(name.as_bytes()), value)));
            }
            serde_json::Value::Array(values) => open.extend(values.iter().map(|value| (kind, value))),
            serde_json::Value::String(text) => {
                if let Some(kind) = kind {
                    shelf.secret(kind, text);
                    left -= 1;
                }
            }
            serde_json::Value::Number(number) => {
                if let Some(kind @ (Password | Token)) = kind {
                    shelf.secret(kind, number.to_string());
                    left -= 1;
                }
            }
            _ => {}
        }
        if left == 0 {
            return;
        }
    }
}

/// A resource asked for, and the secrets in its query and before its host.
pub(super) fn url(target: &[u8], shelf: &mut Shelf) {
    shelf.secret(SecretKind::Url, target);
    url_secrets(target, shelf);
}

/// The secrets in the query of a URL and before its host.
pub(super) fn url_secrets(url: &[u8], shelf: &mut Shelf) {
    if let Some((_, query)) = split_once(url, b'?').or_else(|| split_once(url, b'#')) {
        fields(query, false, shelf);
    }
    let Some(at) = memchr::memmem::find(url, b"://") else { return };
    let authority = url.get(at + 3..).unwrap_or_default();
    let authority = authority.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next().unwrap_or_default();
    if let Some((user_info, _)) = split_once(authority, b'@')
        && let Some((user, password)) = split_once(user_info, b':')
    {
        shelf.secret(User, percent_decoded(user));
        shelf.secret(Password, percent_decoded(password));
    }
}
