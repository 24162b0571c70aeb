//! QUIC (RFC 9000, RFC 9369): sealed, but for its long headers, and its first packets, whose keys anybody on
//! the way can derive (RFC 9001 section 5.2). They are opened here, for what the hello in them shows.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::AeadInOut as _;
use spec::crypto;
use spec::secret::Secret;

use super::hello::{self, Assembly};
use super::shelf::Shelf;
use crate::bytes::Endian::Big;

const LONG_HEADER: u8 = 0x80;
const FIXED_BIT: u8 = 0x40;
/// RFC 9000 section 17.2.
const CONNECTION_ID_MAX_BYTES: usize = 20;
const TAG_BYTES: usize = 16;
/// Initial packets of one flow that are tried: a hello takes a few.
const TRIED_MAX: u32 = 32;

/// What differs between versions: the salt, the labels, and the bits of an Initial packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    number: u32,
    name: &'static str,
    salt: [u8; 20],
    label: &'static str,
    initial: u8,
}

const VERSIONS: [Version; 3] = [
    // RFC 9001 section 5.2.
    Version {
        number: 1,
        name: "1",
        salt: [
            0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
            0xcc, 0xbb, 0x7f, 0x0a,
        ],
        label: "quic",
        initial: 0,
    },
    // RFC 9369 section 3.
    Version {
        number: 0x6b33_43cf,
        name: "2",
        salt: [
            0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
            0xf9, 0xbd, 0x2e, 0xd9,
        ],
        label: "quicv2",
        initial: 1,
    },
    // draft-ietf-quic-tls-29 section 5.2; it was in wide use.
    Version {
        number: 0xff00_001d,
        name: "draft 29",
        salt: [
            0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0,
            0x43, 0x90, 0xa8, 0x99,
        ],
        label: "quic",
        initial: 0,
    },
];

impl Version {
    fn of(number: u32) -> Option<Self> {
        VERSIONS.into_iter().find(|version| version.number == number)
    }
}

/// The invariant front of a long header (RFC 8999 section 5.1).
#[derive(Clone, Copy, Debug)]
struct LongHeader<'a> {
    first: u8,
    version: u32,
    destination: &'a [u8],
    source: &'a [u8],
    /// Bytes of it.
    len: usize,
}

impl<'a> LongHeader<'a> {
    fn parse(packet: &'a [u8]) -> Option<Self> {
        let first = *packet.first().filter(|first| **first & LONG_HEADER != 0)?;
        let version = Big.u32(packet, 1)?;
        let mut rest = packet.get(5..)?;
        let destination = hello::vector(&mut rest, 1)?;
        let source = hello::vector(&mut rest, 1)?;
        let fits = destination.len() <= CONNECTION_ID_MAX_BYTES && source.len() <= CONNECTION_ID_MAX_BYTES;
        let len = packet.len() - rest.len();
        fits.then_some(Self { first, version, destination, source, len })
    }
}

/// A connection of QUIC, or several between the same ends.
#[derive(Debug, Default)]
pub(super) struct Quic {
    /// Where the client sent its first packet to: all keys of Initial packets come from it.
    first_destination: Vec<u8>,
    hellos: [Assembly; 2],
    shown: [bool; 2],
    tried: u32,
}

impl Quic {
    /// Whether a datagram begins with a long header of a version that is known, or that negotiates one.
    pub(super) fn fits(datagram: &[u8]) -> bool {
        let Some(header) = LongHeader::parse(datagram) else { return false };
        let known = Version::of(header.version).is_some() && header.first & FIXED_BIT != 0;
        // Version negotiation lists versions; those reserved to keep it working are of the form ?a?a?a?a.
        let listed = datagram.get(header.len..).unwrap_or_default();
        let negotiates = header.version == 0
            && !listed.is_empty()
            && listed.len().is_multiple_of(4)
            && listed
                .as_chunks::<4>()
                .0
                .iter()
                .any(|version| Version::of(u32::from_be_bytes(*version)).is_some());
        known || negotiates
    }

    /// Whether a datagram can belong to a connection known: short headers show nothing but one bit.
    pub(super) fn continues(&self, datagram: &[u8]) -> bool {
        datagram.first().is_some_and(|first| first & (LONG_HEADER | FIXED_BIT) == FIXED_BIT)
            || LongHeader::parse(datagram).is_some()
    }

    /// Takes a datagram of one or more packets.
    pub(super) fn take(&mut self, datagram: &[u8], shelf: &mut Shelf) {
        let mut rest = datagram;
        while let Some(header) = LongHeader::parse(rest) {
            let Some(version) = Version::of(header.version) else {
                shelf.show(
                    "version",
                    if header.version == 0 {
                        "negotiated".to_owned()
                    } else {
                        format!("0x{:08x}", header.version)
                    },
                );
                return;
            };
            shelf.show("version", version.name);
            if !header.source.is_empty() {
                shelf.show("connection id", data_encoding::HEXLOWER.encode(header.source));
            }
            let initial = header.first >> 4 & 3 == version.initial;
            let Some((number_at, end)) = bounds(rest, &header, initial) else { return };
            let packet = rest.get(..end).unwrap_or(rest);
            if initial && self.tried < TRIED_MAX && self.shown != [true; 2] {
                self.tried += 1;
                self.initial(packet, number_at, version, &header, shelf);
            } else {
                shelf.weigh(packet.get(number_at..).unwrap_or_default());
            }
            rest = rest.get(end..).unwrap_or_default();
        }
        shelf.weigh(rest.get(1..).unwrap_or_default());
    }

    fn initial(
        &mut self,
        packet: &[u8],
        number_at: usize,
        version: Version,
        header: &LongHeader<'_>,
        shelf: &mut Shelf,
    ) {
        let from_client = |destination: &[u8]| {
            Keys::derive(version, destination, "client in").open(packet, number_at).map(|plain| (0, plain))
        };
        let known = self.first_destination.clone();
        let opened = from_client(&known)
            .or_else(|| {
                Keys::derive(version, &known, "server in").open(packet, number_at).map(|plain| (1, plain))
            })
            .or_else(|| {
                // The first of its connection, or behind a Retry.
                let opened = from_client(header.destination)?;
                self.first_destination = header.destination.to_vec();
                (self.hellos, self.shown) = Default::default();
                Some(opened)
            });
        let Some((side, plain)) = opened else { return };
        let (Some(message), Some(shown)) = (self.hellos.get_mut(side), self.shown.get_mut(side)) else {
            return;
        };
        frames(&plain, message);
        let Some([message_type, lengths @ ..]) =
            message.prefix(4).and_then(|head| head.first_chunk::<4>().copied())
        else {
            return;
        };
        let length = lengths.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        if let Some(whole) = message.prefix(4 + length).filter(|_| !*shown) {
            *shown = true;
            hello::show(message_type, whole.get(4..).unwrap_or_default(), false, shelf);
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.hellos.iter().map(Assembly::held_bytes).sum()
    }
}

/// Where the packet number of a packet stands, and where the packet ends; of a Retry, its own end.
fn bounds(packet: &[u8], header: &LongHeader<'_>, initial: bool) -> Option<(usize, usize)> {
    let mut rest = packet.get(header.len..)?;
    if initial {
        let token = usize::try_from(varint(&mut rest)?).ok()?;
        rest = rest.get(token..)?;
    }
    let length = usize::try_from(varint(&mut rest)?).ok()?;
    let number_at = packet.len() - rest.len();
    rest.get(..length)?;
    Some((number_at, number_at + length))
}

/// RFC 9000 section 16.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let first = *rest.first()?;
    let (bytes, behind) = rest.split_at_checked(1 << (first >> 6))?;
    *rest = behind;
    let value =
        bytes.iter().skip(1).fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte));
    Some(value)
}

/// Gathers the CRYPTO frames of an Initial packet, which may hold few others (RFC 9000 section 12.4).
fn frames(plain: &[u8], message: &mut Assembly) -> Option<()> {
    let mut rest = plain;
    while let Some((&kind, behind)) = rest.split_first() {
        rest = behind;
        match kind {
            0 | 1 => {}
            2 | 3 => {
                let (_largest, _delay) = (varint(&mut rest)?, varint(&mut rest)?);
                let ranges = varint(&mut rest)?;
                varint(&mut rest)?;
                for _ in 0..ranges {
                    let (_gap, _length) = (varint(&mut rest)?, varint(&mut rest)?);
                }
                for _ in 0..if kind == 3 { 3 } else { 0 } {
                    varint(&mut rest)?;
                }
            }
            6 => {
                let offset = varint(&mut rest)?;
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (data, behind) = rest.split_at_checked(length)?;
                message.put(offset, data);
                rest = behind;
            }
            _ => return None,
        }
    }
    Some(())
}

/// The keys of one end's Initial packets.
struct Keys {
    key: Secret<16>,
    iv: Secret<12>,
    header: Secret<16>,
}

impl Keys {
    /// RFC 9001 section 5.2.
    fn derive(version: Version, destination: &[u8], end: &str) -> Self {
        let initial = crypto::extract(&version.salt, destination);
        let secret = expand_label::<32>(&initial, end);
        let label = |word: &str| format!("{} {word}", version.label);
        Self {
            key: expand_label(&secret, &label("key")),
            iv: expand_label(&secret, &label("iv")),
            header: expand_label(&secret, &label("hp")),
        }
    }

    /// Removes the protection of header and payload (RFC 9001 sections 5.3 and 5.4).
    fn open(&self, packet: &[u8], number_at: usize) -> Option<Vec<u8>> {
        let mut mask = packet.get(number_at + 4..)?.first_chunk::<16>().copied()?.into();
        Aes128::new(self.header.expose().into()).encrypt_block(&mut mask);
        let mask: [u8; 16] = mask.into();
        let [first_mask, number_mask @ ..] = mask;
        let first = packet.first()? ^ (first_mask & 0x0f);
        let number_bytes = usize::from(first & 3) + 1;
        let mut header = packet.get(..number_at + number_bytes)?.to_vec();
        *header.first_mut()? = first;
        let mut nonce = *self.iv.expose();
        let number = header.get_mut(number_at..)?;
        for (byte, mask) in number.iter_mut().zip(number_mask) {
            *byte ^= mask;
        }
        for (nonce, byte) in nonce.iter_mut().rev().zip(number.iter().rev()) {
            *nonce ^= byte;
        }
        let (sealed, tag) = packet.get(number_at + number_bytes..)?.split_last_chunk::<TAG_BYTES>()?;
        let mut plain = sealed.to_vec();
        let cipher = Aes128Gcm::new(self.key.expose().into());
        let opened =
            cipher.decrypt_inout_detached(&nonce.into(), &header, plain.as_mut_slice().into(), tag.into());
        opened.ok().map(|()| plain)
    }
}

/// HKDF-Expand-Label (RFC 8446 section 7.1) without a context.
fn expand_label<const N: usize>(secret: &Secret<32>, label: &str) -> Secret<N> {
    let short = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
    let length = [0, short(N)];
    crypto::expand(secret, &[&length, &[short(label.len() + 6)], b"tls13 ", label.as_bytes(), &[0]])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// RFC 9001 appendix A.2: the client's first packet.
    pub(in crate::clear) const CLIENT_INITIAL: &str = include_str!("rfc9001-a2.hex");

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn keys_of_rfc_9001_appendix_a_1() {
        let [version, ..] = VERSIONS;
        let keys = Keys::derive(version, &hex("8394c8f03e515708"), "client in");
        assert_eq!(keys.key.expose(), hex("1f369613dd76d5467730efcbe3b1a22d").as_slice());
        assert_eq!(keys.iv.expose(), hex("fa044b2f42a3fd3b46fb255c").as_slice());
        assert_eq!(keys.header.expose(), hex("9f50449e04a0e810283a1e9933adedd2").as_slice());
        let keys = Keys::derive(version, &hex("8394c8f03e515708"), "server in");
        assert_eq!(keys.key.expose(), hex("cf3a5331653c364c88f0f379b6067e37").as_slice());
    }

    #[test]
    fn keys_of_rfc_9369_appendix_a_1() {
        let [_, version, _] = VERSIONS;
        let keys = Keys::derive(version, &hex("8394c8f03e515708"), "client in");
        assert_eq!(keys.key.expose(), hex("8b1a0bc121284290a29e0971b5cd045d").as_slice());
    }
}
