//! Recognises Sealgram datagrams by their content, and names every byte of them.
//!
//! A LONG datagram shows its form, type, version and one of the lengths its type allows. A SHORT
//! datagram shows two form bits and one of ten lengths; it is believed only where a handshake with
//! the same hub was seen.

use spec::limits::{BUCKETS_BYTES, TAG_BYTES};
use spec::wire::long::{AttemptId, Long, LongKind, field, is_long};
use spec::wire::short::{self, ConnectionId, NUMBER_START};

use crate::fields;
use crate::tree::Tree;

/// The datagrams of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Half of message 1; the argument is the fragment index.
    Init(u8),
    /// The ML-KEM ciphertext and message 2.
    Resp,
    /// Message 3, with the first data.
    Fin,
    /// The cookie of a busy hub.
    Retry,
    /// A stranger asks an open hub for its key.
    KeyReq,
    /// The answer to it.
    Key,
    /// The versions a hub speaks.
    Version,
    /// Everything after the handshake.
    Short,
}

impl Kind {
    /// The name in PROTOCOL.md.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init(_) => "INIT",
            Self::Resp => "RESP",
            Self::Fin => "FIN",
            Self::Retry => "RETRY",
            Self::KeyReq => "KEYREQ",
            Self::Key => "KEY",
            Self::Version => "VERSION",
            Self::Short => "SHORT",
        }
    }

    /// The same with the number of an INIT's fragment.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Init(0) => "INIT 1/2",
            Self::Init(_) => "INIT 2/2",
            other => other.name(),
        }
    }

    /// Whether a client sends it; SHORT is sent by both.
    pub(super) const fn is_clients(self) -> bool {
        matches!(self, Self::Init(_) | Self::Fin | Self::KeyReq)
    }

    fn of(long: &Long<'_>) -> Self {
        match long.kind {
            LongKind::Init => Self::Init(u8::from(long.fragment == 1)),
            LongKind::Resp => Self::Resp,
            LongKind::Fin => Self::Fin,
            LongKind::Retry => Self::Retry,
            LongKind::KeyReq => Self::KeyReq,
            LongKind::Key => Self::Key,
            LongKind::Version => Self::Version,
        }
    }
}

/// What the first bytes of a datagram claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// A datagram of this kind, with its attempt id.
    Long(Kind, AttemptId),
    /// LONG form and our version, but not the length or type of a datagram.
    BadLong,
    /// SHORT form, with its connection id and whether the length is one of the allowed ones.
    Short(ConnectionId, bool),
    /// Neither.
    Other,
}

/// Reads form, type, version and length.
pub(super) fn claim(payload: &[u8]) -> Claim {
    if is_long(payload) && payload.get(field::VERSION) == Some(spec::VERSION.as_slice()) {
        return match Long::parse(payload) {
            Ok(long) => Claim::Long(Kind::of(&long), long.attempt),
            Err(_) => Claim::BadLong,
        };
    }
    match short::connection_id(payload) {
        Some(id) if short::is_short(payload) => Claim::Short(id, has_short_length(payload.len())),
        _ => Claim::Other,
    }
}

/// PROTOCOL.md#short-datagrams: number and frames fill a bucket; header and tag stand around it.
pub(crate) fn has_short_length(len: usize) -> bool {
    BUCKETS_BYTES.iter().any(|bucket| len == NUMBER_START + bucket + TAG_BYTES)
}

/// The fields of a datagram of this kind, by the table of fields.
pub(super) fn tree(kind: Kind, len: usize) -> Tree {
    let fragment = if let Kind::Init(fragment) = kind { fragment } else { 0 };
    let layout = fields::layout(kind.name(), fragment);
    layout.map(|layout| fields::tree(layout.parts, len, 0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_named_to_its_last_byte() {
        for (kind, len) in [
            (Kind::Init(0), 1200),
            (Kind::Init(1), 1200),
            (Kind::Resp, 1200),
            (Kind::Fin, 1200),
            (Kind::Retry, 128),
            (Kind::KeyReq, 1200),
            (Kind::Key, 128),
            (Kind::Version, 128),
            (Kind::Short, 93),
            (Kind::Short, 1200),
        ] {
            assert_eq!(tree(kind, len).len(), len, "{kind:?}");
        }
    }

    #[test]
    fn claims() {
        let long = |first: u8, version: &[u8], len: usize| {
            let mut datagram = vec![first];
            datagram.extend(version);
            datagram.resize(len, 7);
            claim(&datagram)
        };
        let id = AttemptId([7; 8]);
        assert_eq!(long(0b1100_0101, b"SGM1", 1200), Claim::Long(Kind::Init(1), id));
        assert_eq!(long(0b1101_0010, b"SGM1", 1200), Claim::Long(Kind::Fin, id));
        assert_eq!(long(0b1101_0110, b"SGM1", 1200), Claim::BadLong, "a FIN has no fragment 1");
        assert_eq!(long(0b1101_0010, b"SGM1", 1199), Claim::BadLong);
        assert_eq!(long(0b1111_1000, b"SGM1", 1200), Claim::BadLong, "type 7");
        assert_eq!(long(0b1100_0000, b"HTTP", 1200), Claim::Other);
        let short = |len: usize| claim(&vec![0b0100_0000; len]);
        for len in [93, 157, 285, 541, 1053, 1200, 1232, 1372, 1432, 1452] {
            assert_eq!(short(len), Claim::Short(ConnectionId([0b0100_0000; 8]), true));
        }
        for len in [94, 1201, 1453] {
            assert_eq!(short(len), Claim::Short(ConnectionId([0b0100_0000; 8]), false));
        }
        assert_eq!(short(28), Claim::Other, "shorter than any SHORT datagram");
        assert_eq!(claim(&[]), Claim::Other);
    }
}
