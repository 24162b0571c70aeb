//! The reader of one protocol, fed with the tokens it asks for.
//!
//! A reader never sees where packets end: it says what its next token is, and is handed that token
//! whole. So what it finds does not depend on how a stream was cut.

use std::fmt;

use super::protocol::{Nature, Protocol};
use super::shelf::Shelf;

/// An end of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Who asks.
    Client,
    /// Who answers.
    Server,
}

impl Role {
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

/// The next piece of one direction that a reader can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Up to and without the next LF or CR LF; a long line is cut.
    Line,
    /// Up to and without the next `>`; a long one is cut.
    Tag,
    /// Exactly this many bytes, at most [`EXACTLY_MAX_BYTES`].
    Exactly(usize),
    /// Whatever comes, up to this many bytes. How it is cut may not change what is found.
    Some(u64),
}

/// The longest token of a fixed length.
pub(super) const EXACTLY_MAX_BYTES: usize = 512;

/// Whatever comes, without an end.
pub(super) const ENDLESS: Token = Token::Some(u64::MAX);

/// What follows after a token.
#[derive(Debug)]
pub(super) enum Next {
    /// The same protocol.
    Stay,
    /// Another protocol, in both directions.
    Become(Box<dyn Speaker>),
    /// Another protocol, which has yet to be recognised: a tunnel was opened.
    Recognise,
    /// This was not the protocol after all.
    Stranger,
}

/// A reader of one protocol; both directions of one conversation.
pub(super) trait Speaker: fmt::Debug + Send {
    /// The protocol it reads.
    fn protocol(&self) -> Protocol;

    /// The next token of one direction.
    fn wants(&self, role: Role) -> Token;

    /// Takes that token.
    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next;

    /// Bytes of a direction are missing in the capture, right where the next token should begin or
    /// inside it. Says whether the direction can be read on; a line or tag is read on after its end.
    fn missed(&mut self, role: Role, _bytes: u64) -> bool {
        matches!(self.wants(role), Token::Line | Token::Tag)
    }

    /// Nothing more will come.
    fn end(&mut self, _shelf: &mut Shelf) {}

    /// Whether the protocol as such can be read by anybody.
    fn nature(&self) -> Nature {
        Nature::Readable
    }

    /// Memory held, about.
    fn held_bytes(&self) -> usize {
        256
    }
}

/// Bytes of a known length, gathered as they come and kept up to a bound.
#[derive(Debug, Default)]
pub(super) struct Gather {
    left: u64,
    max_bytes: usize,
    bytes: Vec<u8>,
}

impl Gather {
    pub(super) fn new(length: u64, max_bytes: usize) -> Self {
        Self { left: length, max_bytes, bytes: Vec::new() }
    }

    pub(super) const fn token(&self) -> Token {
        Token::Some(self.left)
    }

    /// Takes some of them; `true` when they are complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        let room = self.max_bytes.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        self.left = self.left.saturating_sub(crate::bytes::count(bytes.len()));
        self.left == 0
    }

    /// Leaves a hole out; `true` when nothing is left to come, `None` when the hole is larger.
    pub(super) fn skip(&mut self, bytes: u64) -> Option<bool> {
        self.left = self.left.checked_sub(bytes)?;
        Some(self.left == 0)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) const fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}
