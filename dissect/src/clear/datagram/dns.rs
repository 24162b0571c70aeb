//! DNS (RFC 1035), and what shares its messages: mDNS, LLMNR and the NetBIOS name service (RFC 1002).

use crate::bytes::Endian::Big;
use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Message, Name};
use crate::clear::shelf::Shelf;

/// Header of a message, in bytes.
const HEADER_BYTES: usize = 12;
/// Names and records of one message that are read.
const RECORDS_MAX: usize = 256;
/// Different names of one message that are kept.
const NAMES_MAX: usize = 32;
/// RFC 1035 section 2.3.4.
const NAME_MAX_BYTES: usize = 255;
/// Types of records.
const NS: u16 = 2;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;
const SRV: u16 = 33;
const NETBIOS: u16 = 32;
const NETBIOS_STATUS: u16 = 33;
const OPT: u16 = 41;

/// What a message tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::clear) struct Found {
    netbios: bool,
    names: Vec<Vec<u8>>,
    texts: Vec<Vec<u8>>,
}

impl Found {
    /// Whose message it is.
    pub(in crate::clear) const fn protocol(&self) -> Protocol {
        if self.netbios { Protocol::NetBios } else { Protocol::Dns }
    }

    /// Puts names and texts on the shelf.
    pub(in crate::clear) fn put(self, shelf: &mut Shelf) {
        shelf.readable();
        for name in self.names {
            shelf.secret(Name, name);
        }
        for text in self.texts {
            shelf.secret(Message, text);
        }
    }

    fn name(&mut self, name: Vec<u8>) {
        if !name.is_empty() && self.names.len() < NAMES_MAX && !self.names.contains(&name) {
            self.names.push(name);
        }
    }
}

/// Whether the header could be of a message: a defined operation and answer, reserved bit zero, and few
/// questions.
pub(in crate::clear) fn header_fits(message: &[u8]) -> bool {
    let (Some(flags), Some(questions)) = (Big.u16(message, 2), Big.u16(message, 4)) else { return false };
    let operation = flags >> 11 & 0x0f;
    let records = [6, 8, 10].iter().filter_map(|at| Big.u16(message, *at));
    operation <= 8
        && flags & 0x000f <= 11
        && questions <= 32
        && records.fold(questions, u16::saturating_add) > 0
}

/// Reads a whole message; `None` when it is none.
pub(in crate::clear) fn parse(message: &[u8]) -> Option<Found> {
    if message.len() < HEADER_BYTES || !header_fits(message) {
        return None;
    }
    let questions = usize::from(Big.u16(message, 4)?);
    let records: usize = [6, 8, 10].iter().filter_map(|at| Big.u16(message, *at)).map(usize::from).sum();
    let mut found = Found::default();
    let mut at = HEADER_BYTES;
    for _ in 0..questions {
        let (name, end) = name(message, at)?;
        let (kind, class) = (Big.u16(message, end)?, Big.u16(message, end + 2)?);
        if !class_fits(class) {
            return None;
        }
        found.take_name(&name, kind);
        at = end + 4;
    }
    for _ in 0..records.min(RECORDS_MAX) {
        // A message may be cut at what fits, but what there is has to be right.
        if at == message.len() && questions > 0 {
            break;
        }
        at = found.record(message, at)?;
    }
    // A few bytes may follow; a message of another protocol would have many.
    (records > RECORDS_MAX || message.len() - at <= 8).then_some(found)
}

/// RFC 1035 section 3.2.4 and RFC 2136; the first bit is mDNS's.
const fn class_fits(class: u16) -> bool {
    matches!(class & 0x7fff, 1 | 3 | 4 | 254 | 255)
}

impl Found {
    fn take_name(&mut self, name: &[u8], kind: u16) {
        match netbios_name(name).filter(|_| matches!(kind, NETBIOS | NETBIOS_STATUS)) {
            Some(decoded) => {
                self.netbios = true;
                self.name(decoded);
            }
            None => self.name(name.to_vec()),
        }
    }

    /// Takes the record at an offset, and returns the offset behind it.
    fn record(&mut self, message: &[u8], at: usize) -> Option<usize> {
        let (owner, end) = name(message, at)?;
        let (kind, class) = (Big.u16(message, end)?, Big.u16(message, end + 2)?);
        let length = usize::from(Big.u16(message, end + 8)?);
        let start = end + 10;
        let data = message.get(start..start + length)?;
        if kind == OPT {
            return Some(start + length);
        }
        if !class_fits(class) {
            return None;
        }
        self.take_name(&owner, kind);
        let target = match kind {
            NS | CNAME | PTR => Some(start),
            MX => Some(start + 2),
            SRV if !self.netbios => Some(start + 6),
            _ => None,
        };
        if let Some((target, _)) = target.and_then(|at| name(message, at)) {
            self.name(target);
        }
        if kind == TXT {
            self.texts.extend(strings(data).map(<[u8]>::to_vec));
        }
        Some(start + length)
    }
}

/// Strings with their length in one byte before them.
fn strings(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&length, rest) = data.split_first()?;
        let (string, rest) = rest.split_at_checked(usize::from(length))?;
        data = rest;
        Some(string)
    })
    .filter(|string| !string.is_empty())
}

/// The name at an offset, with dots between its labels, and the offset behind it.
fn name(message: &[u8], start: usize) -> Option<(Vec<u8>, usize)> {
    let mut name = Vec::new();
    let (mut at, mut end) = (start, None);
    loop {
        let length = usize::from(*message.get(at)?);
        match length {
            0 => return Some((name, end.unwrap_or(at + 1))),
            1..=63 => {
                let label = message.get(at + 1..at + 1 + length)?;
                if !name.is_empty() {
                    name.push(b'.');
                }
                name.extend_from_slice(label);
                if name.len() > NAME_MAX_BYTES {
                    return None;
                }
                at += 1 + length;
            }
            0xc0.. => {
                let target = usize::from(Big.u16(message, at)? & 0x3fff);
                end = end.or(Some(at + 2));
                // Backwards only, so that it ends.
                if target >= at || target < HEADER_BYTES {
                    return None;
                }
                at = target;
            }
            _ => return None,
        }
    }
}

/// RFC 1001 section 14.1: sixteen characters, each as two letters; the last is a kind of service.
fn netbios_name(name: &[u8]) -> Option<Vec<u8>> {
    let first = name.split(|byte| *byte == b'.').next()?;
    if first.len() != 32 || !first.iter().all(|byte| (b'A'..=b'P').contains(byte)) {
        return None;
    }
    let decoded = first.as_chunks::<2>().0.iter().map(|[high, low]| (high - b'A') << 4 | (low - b'A'));
    let mut decoded: Vec<u8> = decoded.take(15).collect();
    let kept = decoded.trim_ascii_end().len();
    decoded.truncate(kept);
    Some(decoded)
}
