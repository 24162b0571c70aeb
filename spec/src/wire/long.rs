//! LONG datagrams: the frame of every handshake message. Their MACs are in [`gate`](crate::gate).

use super::reader::{DecodeError, Reader};
use crate::discard::Discard;
use crate::limits::{ANSWER_BODY_BYTES, LONG_ANSWER_BYTES, LONG_BODY_BYTES, LONG_DATAGRAM_BYTES, MAC_BYTES};
use alloc::vec::Vec;
use core::ops::Range;

/// Names one handshake: SHA-256 of its message 1, cut to 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub [u8; 8]);

/// Where the fields stand, as ranges of a datagram.
pub mod field {
    use super::Range;

    /// Form, type, fragment index and reserved bits.
    pub const FIRST: usize = 0;
    /// The version.
    pub const VERSION: Range<usize> = 1..5;
    /// The attempt id.
    pub const ATTEMPT: Range<usize> = 5..13;
    /// The body of a 1200-byte datagram.
    pub const BODY: Range<usize> = 13..1168;
    /// mac1 of a 1200-byte datagram.
    pub const MAC1: Range<usize> = 1168..1184;
    /// mac2 of a 1200-byte datagram.
    pub const MAC2: Range<usize> = 1184..1200;
    /// The body of a 128-byte datagram.
    pub const ANSWER_BODY: Range<usize> = 13..112;
    /// mac1 of a 128-byte datagram.
    pub const ANSWER_MAC1: Range<usize> = 112..128;
}

/// The type of a LONG datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LongKind {
    /// Half of message 1.
    Init,
    /// Message 2.
    Resp,
    /// Message 3.
    Fin,
    /// A cookie.
    Retry,
    /// Asks an open hub for its key.
    KeyReq,
    /// The key of an open hub.
    Key,
    /// The versions a hub speaks.
    Version,
}

impl LongKind {
    /// All types, by their number.
    pub const ALL: [Self; 7] =
        [Self::Init, Self::Resp, Self::Fin, Self::Retry, Self::KeyReq, Self::Key, Self::Version];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name in PROTOCOL.md.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Resp => "RESP",
            Self::Fin => "FIN",
            Self::Retry => "RETRY",
            Self::KeyReq => "KEYREQ",
            Self::Key => "KEY",
            Self::Version => "VERSION",
        }
    }

    /// Length of a whole datagram of this type.
    #[must_use]
    pub const fn datagram_bytes(self) -> usize {
        match self {
            Self::Init | Self::Resp | Self::Fin | Self::KeyReq => LONG_DATAGRAM_BYTES,
            Self::Retry | Self::Key | Self::Version => LONG_ANSWER_BYTES,
        }
    }

    /// Length of its body.
    #[must_use]
    pub const fn body_bytes(self) -> usize {
        if self.has_mac2() { LONG_BODY_BYTES } else { ANSWER_BODY_BYTES }
    }

    /// Whether it ends with mac2.
    #[must_use]
    pub const fn has_mac2(self) -> bool {
        self.datagram_bytes() == LONG_DATAGRAM_BYTES
    }

    /// Whether it belongs to strangers, who know no hub key: its gate is made of zeros.
    #[must_use]
    pub const fn is_for_strangers(self) -> bool {
        matches!(self, Self::KeyReq | Self::Key)
    }
}

/// Whether `datagram` has the form of a LONG datagram.
#[must_use]
pub fn is_long(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| first >> 6 == 0b11)
}

/// The fields of a LONG datagram of the right length; MACs not yet checked.
#[derive(Clone, Copy, Debug)]
pub struct Long<'a> {
    /// The type.
    pub kind: LongKind,
    /// The fragment index: 0 or, in INIT, 1.
    pub fragment: usize,
    /// The version.
    pub version: [u8; 4],
    /// The attempt.
    pub attempt: AttemptId,
    /// The body.
    pub body: &'a [u8],
    /// mac1.
    pub mac1: [u8; MAC_BYTES],
    /// mac2, or nothing in a 128-byte datagram.
    pub mac2: Option<[u8; MAC_BYTES]>,
    /// The bytes mac1 is made over.
    pub before_mac1: &'a [u8],
    /// The bytes mac2 is made over when it is made from a cookie.
    pub before_mac2: &'a [u8],
}

impl<'a> Long<'a> {
    /// Reads the fields.
    ///
    /// # Errors
    /// [`Discard::Kind`] for an unknown type, [`Discard::Length`] and [`Discard::FragmentIndex`] for what the
    /// type does not have.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Discard> {
        let first = *datagram.first().ok_or(Discard::Length)?;
        let kind = *LongKind::ALL.get(usize::from(first >> 3 & 0b111)).ok_or(Discard::Kind)?;
        //= spec/PROTOCOL.md#long-datagrams
        //# A receiver MUST drop a LONG datagram whose length is not the one of its type.
        if !is_long(datagram) || datagram.len() != kind.datagram_bytes() {
            return Err(Discard::Length);
        }
        //= spec/PROTOCOL.md#long-datagrams
        //# The fragment index is 0 or 1 in INIT; a receiver MUST drop any other LONG datagram whose fragment
        //# index is 1.
        let fragment = usize::from(first >> 2 & 1);
        if fragment == 1 && kind != LongKind::Init {
            return Err(Discard::FragmentIndex);
        }
        Ok(Self::split(kind, fragment, datagram)?)
    }

    fn split(kind: LongKind, fragment: usize, datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(datagram);
        reader.byte("first")?;
        let version = reader.array("version")?;
        let attempt = AttemptId(reader.array("attempt id")?);
        let body = reader.take(kind.body_bytes(), "body")?;
        let before_mac1 = datagram.get(..reader.offset()).unwrap_or_default();
        let mac1 = reader.array("mac1")?;
        let before_mac2 = datagram.get(..reader.offset()).unwrap_or_default();
        let mac2 = if kind.has_mac2() { Some(reader.array("mac2")?) } else { None };
        Ok(Self { kind, fragment, version, attempt, body, mac1, mac2, before_mac1, before_mac2 })
    }
}

/// The bytes of a LONG datagram before mac1.
///
/// `reserved`: two random bits, in the low bits. `body`: as long as the type has it.
#[must_use]
pub fn build(
    kind: LongKind,
    fragment: usize,
    reserved: u8,
    version: [u8; 4],
    attempt: AttemptId,
    body: &[u8],
) -> Vec<u8> {
    debug_assert_eq!(body.len(), kind.body_bytes(), "a body has the length of its type");
    let mut datagram = Vec::with_capacity(kind.datagram_bytes());
    let fragment_bit = if fragment == 1 { 0b100 } else { 0 };
    datagram.push(0b1100_0000 | kind.code() << 3 | fragment_bit | (reserved & 0b11));
    datagram.extend_from_slice(&version);
    datagram.extend_from_slice(&attempt.0);
    datagram.extend_from_slice(body);
    datagram
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VERSION;
    use alloc::vec;

    fn whole(kind: LongKind, fragment: usize) -> Vec<u8> {
        let mut datagram =
            build(kind, fragment, 0b10, VERSION, AttemptId([1; 8]), &vec![7; kind.body_bytes()]);
        datagram.resize(kind.datagram_bytes(), 9);
        datagram
    }

    #[test]
    fn every_type_there_and_back() {
        for kind in LongKind::ALL {
            let datagram = whole(kind, 0);
            let long = Long::parse(&datagram).unwrap();
            assert_eq!((long.kind, long.fragment, long.version), (kind, 0, VERSION));
            assert_eq!(long.body, vec![7; kind.body_bytes()]);
            assert_eq!((long.mac1, long.mac2.is_some()), ([9; 16], kind.has_mac2()));
        }
    }

    #[test]
    fn what_a_type_does_not_have_is_refused() {
        for kind in LongKind::ALL {
            //= spec/PROTOCOL.md#long-datagrams
            //= type=test
            //# A receiver MUST drop a LONG datagram whose length is not the one of its type.
            let mut long = whole(kind, 0);
            long.push(0);
            assert_eq!(Long::parse(&long).unwrap_err(), Discard::Length);
            long.truncate(long.len() - 2);
            assert_eq!(Long::parse(&long).unwrap_err(), Discard::Length);
            //= spec/PROTOCOL.md#long-datagrams
            //= type=test
            //# The fragment index is 0 or 1 in INIT; a receiver MUST drop any other LONG datagram whose
            //# fragment index is 1.
            let second = Long::parse(&whole(kind, 1)).map(|long| long.fragment);
            let expected = if kind == LongKind::Init { Ok(1) } else { Err(Discard::FragmentIndex) };
            assert_eq!(second, expected);
        }
        assert_eq!(Long::parse(&[0xff; 1200]).unwrap_err(), Discard::Kind);
        assert_eq!(Long::parse(&[]).unwrap_err(), Discard::Length);
    }
}
