//! What the handshake messages of TLS show, which DTLS and QUIC share (RFC 8446 section 4, RFC 6066).

use super::der;
use super::shelf::Shelf;

/// Types of handshake messages.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
/// Names of a certificate that are shown; some have hundreds.
const NAMES_MAX: usize = 4;

/// Shows what a whole handshake message tells, the four bytes of its header not included.
pub(super) fn show(message_type: u8, body: &[u8], datagram: bool, shelf: &mut Shelf) {
    let known = match message_type {
        CLIENT_HELLO => client_hello(body, datagram, shelf),
        SERVER_HELLO => server_hello(body, shelf),
        CERTIFICATE => certificate(body, shelf),
        _ => None,
    };
    // What a damaged message shows before its damage stays shown.
    let _ = known;
}

fn client_hello(body: &[u8], datagram: bool, shelf: &mut Shelf) -> Option<()> {
    // Version and random.
    let mut rest = body.get(34..)?;
    vector(&mut rest, 1)?;
    if datagram {
        // The cookie (RFC 6347 section 4.2.1).
        vector(&mut rest, 1)?;
    }
    vector(&mut rest, 2)?;
    vector(&mut rest, 1)?;
    let mut extensions = vector(&mut rest, 2)?;
    while let Some((kind, mut value)) = extension(&mut extensions) {
        match kind {
            0 => {
                // server_name: a list of names, of which only host names are defined.
                let mut list = vector(&mut value, 2)?;
                list = list.get(1..)?;
                shelf.show("SNI", vector(&mut list, 2)?);
            }
            16 => {
                let mut list = vector(&mut value, 2)?;
                while let Some(name) = vector(&mut list, 1).filter(|name| !name.is_empty()) {
                    shelf.show("ALPN", name);
                }
            }
            54 => {
                let length = value.first().copied().unwrap_or(0);
                shelf.show("connection id", format!("of {length} bytes"));
            }
            // RFC 9849: the name in SNI is then that of the server in front.
            0xfe0d => shelf.show("encrypted hello", "offered"),
            _ => {}
        }
    }
    Some(())
}

fn server_hello(body: &[u8], shelf: &mut Shelf) -> Option<()> {
    let (version, _) = body.split_first_chunk::<2>()?;
    let mut version = u16::from_be_bytes(*version);
    let mut rest = body.get(34..)?;
    vector(&mut rest, 1)?;
    rest = rest.get(3..)?;
    if let Some(mut extensions) = vector(&mut rest, 2) {
        while let Some((kind, mut value)) = extension(&mut extensions) {
            match (kind, value.first_chunk::<2>()) {
                (43, Some(chosen)) => version = u16::from_be_bytes(*chosen),
                (16, _) => {
                    let mut list = vector(&mut value, 2)?;
                    shelf.show("ALPN", vector(&mut list, 1)?);
                }
                _ => {}
            }
        }
    }
    shelf.show("version", version_name(version));
    Some(())
}

/// The chain of TLS up to 1.2: the first certificate is the server's own.
fn certificate(body: &[u8], shelf: &mut Shelf) -> Option<()> {
    let mut rest = body;
    let mut chain = vector(&mut rest, 3)?;
    let own = vector(&mut chain, 3)?;
    for name in der::subject_names(own).into_iter().take(NAMES_MAX) {
        shelf.show("certificate of", name);
    }
    Some(())
}

/// The name of a version number of TLS or DTLS.
pub(super) fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        0xfeff => "DTLS 1.0".to_owned(),
        0xfefd => "DTLS 1.2".to_owned(),
        0xfefc => "DTLS 1.3".to_owned(),
        other => format!("0x{other:04x}"),
    }
}

/// A vector with its length in `length_bytes` before it.
pub(super) fn vector<'a>(rest: &mut &'a [u8], length_bytes: usize) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_at_checked(length_bytes)?;
    let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    let (value, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(value)
}

fn extension<'a>(rest: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let (kind, behind) = rest.split_first_chunk::<2>()?;
    *rest = behind;
    Some((u16::from_be_bytes(*kind), vector(rest, 2)?))
}

/// What is kept of the parts of one message, in bytes.
const ASSEMBLY_MAX_BYTES: usize = 16 << 10;
/// Parts that are kept: small ones cost more than their bytes.
const PARTS_MAX: usize = 64;

/// A message put together from parts that come in any order, and more than once.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    parts: std::collections::BTreeMap<u64, Vec<u8>>,
    held_bytes: usize,
}

impl Assembly {
    /// Keeps a part, unless there is no room or one as long stands there already.
    pub(super) fn put(&mut self, offset: u64, bytes: &[u8]) {
        let known = self.parts.get(&offset).map_or(0, Vec::len);
        let room =
            self.held_bytes - known + bytes.len() <= ASSEMBLY_MAX_BYTES && self.parts.len() < PARTS_MAX;
        if bytes.len() > known && room {
            self.held_bytes = self.held_bytes - known + bytes.len();
            self.parts.insert(offset, bytes.to_vec());
        }
    }

    /// The first `length` bytes, when they are all there.
    pub(super) fn prefix(&self, length: usize) -> Option<Vec<u8>> {
        // Looks before it copies: there may be many parts and nothing whole.
        if self.reach() < length {
            return None;
        }
        let mut whole: Vec<u8> = Vec::new();
        for (offset, part) in &self.parts {
            let start = usize::try_from(*offset).ok()?;
            // Where parts overlap the first one counts.
            let new = part.get(whole.len().checked_sub(start)?..).unwrap_or_default();
            whole.extend_from_slice(new);
            if whole.len() >= length {
                break;
            }
        }
        whole.truncate(length);
        Some(whole)
    }

    /// Bytes from the front without a hole.
    fn reach(&self) -> usize {
        let mut reach = 0;
        for (offset, part) in &self.parts {
            match usize::try_from(*offset) {
                Ok(start) if start <= reach => reach = reach.max(start + part.len()),
                _ => break,
            }
        }
        reach
    }

    pub(super) const fn held_bytes(&self) -> usize {
        self.held_bytes
    }
}
