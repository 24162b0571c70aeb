//! The different bodies that the datagrams of a handshake had.

use std::collections::BTreeMap;

use spec::handshake;
use spec::limits::{KEM_CIPHERTEXT_BYTES, KEY_BYTES};
use spec::wire::long::{AttemptId, field};

use super::Kind;
use crate::bytes::array;

/// Different bodies of one kind that are told apart; the hub itself keeps two.
const CANDIDATES_MAX: usize = 4;

/// What identifies a body.
pub(crate) type Digest = [u8; 32];

/// One body.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) digest: Digest,
    /// Number of the first packet that carried it.
    pub(crate) packet: usize,
    /// The ephemeral key in it.
    pub(super) key: Option<[u8; KEY_BYTES]>,
    /// The body itself, as long as it is needed.
    pub(crate) bytes: Vec<u8>,
}

/// The bodies of one handshake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bodies {
    kinds: BTreeMap<Kind, Vec<Body>>,
    /// Whether two INIT fragments were seen whose hash is the attempt id.
    is_bound: bool,
}

impl Bodies {
    /// Takes in a datagram. The bodies themselves are kept while the attempt id is not accounted for, and longer
    /// when somebody wants them; returns by how many bytes that made the memory grow.
    pub(super) fn take(
        &mut self,
        kind: Kind,
        attempt: AttemptId,
        datagram: &[u8],
        packet: usize,
        is_wanted: bool,
    ) -> isize {
        let own = self.kinds.entry(kind).or_default();
        let Some(bytes) = datagram.get(field::BODY).filter(|_| own.len() < CANDIDATES_MAX) else { return 0 };
        let digest = digest(bytes);
        if own.iter().any(|body| body.digest == digest) {
            return 0;
        }
        let key = match kind {
            Kind::Init(0) => array(bytes, 0),
            Kind::Resp => array(bytes, KEM_CIPHERTEXT_BYTES),
            _ => None,
        };
        let is_open = matches!(kind, Kind::Init(_)) && !self.is_bound;
        let bytes = if is_wanted || is_open { bytes.to_vec() } else { Vec::new() };
        let before = self.kept();
        let own = self.kinds.entry(kind).or_default();
        own.push(Body { digest, packet, key, bytes });
        if is_open && self.fits(attempt) {
            self.is_bound = true;
            if !is_wanted {
                self.forget();
            }
        }
        self.kept() - before
    }

    /// The different bodies of one kind, in the order of the capture.
    pub(crate) fn of(&self, kind: Kind) -> &[Body] {
        self.kinds.get(&kind).map_or(&[], Vec::as_slice)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Body> {
        self.kinds.values().flatten()
    }

    /// PROTOCOL.md#handshake: the attempt id is the beginning of the hash of message 1. Whether both fragments
    /// are there, and no two of them fit it.
    pub(super) fn contradicts(&self) -> Option<usize> {
        self.of(Kind::Init(0)).first()?;
        let second = self.of(Kind::Init(1)).first()?;
        (!self.is_bound).then_some(second.packet)
    }

    fn fits(&self, attempt: AttemptId) -> bool {
        let matches = |a: &Body, b: &Body| {
            handshake::attempt_id(&[a.bytes.as_slice(), b.bytes.as_slice()].concat()) == attempt
        };
        let (first, second) = (self.of(Kind::Init(0)), self.of(Kind::Init(1)));
        first.iter().any(|a| second.iter().any(|b| matches(a, b)))
    }

    fn forget(&mut self) {
        for body in self.kinds.values_mut().flatten() {
            body.bytes = Vec::new();
        }
    }

    fn kept(&self) -> isize {
        self.all().map(|body| body.bytes.len().cast_signed()).sum()
    }
}

/// The digest of a body.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    spec::crypto::sha256(&[bytes])
}
