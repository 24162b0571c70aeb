//! What one flow shows: its protocol, and the secrets in it, which stay hidden until they are asked for.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::protocol::{Nature, Protocol, SecretKind};
use crate::dissection::{self, Endpoint};
use crate::render;

/// Who talks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// UDP or TCP.
    pub transport: dissection::Protocol,
    /// The sender of the first packet.
    pub initiator: Endpoint,
    /// Its receiver.
    pub responder: Endpoint,
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ↔ {}", self.transport, self.initiator, self.responder)
    }
}

/// A secret found in clear. Its text is in no other output than [`Secret::reveal`]'s.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The protocol it was found in.
    pub protocol: Protocol,
    /// What it is.
    pub kind: SecretKind,
    /// The packet it begins in.
    pub packet: usize,
    /// Whether the initiator of the flow sent it.
    pub from_initiator: bool,
    /// Its whole length, in bytes; the text may be cut.
    pub len_bytes: u64,
    pub(super) text: String,
}

impl Secret {
    /// The secret itself, without what could drive a terminal; a long one ends in `…`.
    #[must_use]
    pub fn reveal(&self) -> String {
        render::sanitise(&self.text)
    }

    /// One line: the kind, the length and the packet, and the text itself only when it is asked for.
    #[must_use]
    pub fn describe(&self, reveal: bool) -> String {
        let (kind, len) = (self.kind.word(1), self.len_bytes);
        let hidden = format!("{} {kind} of {len} bytes in packet {}", self.protocol, self.packet);
        if reveal { format!("{hidden}: {}", self.reveal()) } else { hidden }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe(false))
    }
}

/// Something public that a flow shows about itself: a version, a server name, a banner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What it is.
    pub what: &'static str,
    /// Its value, safe to print.
    pub text: String,
    /// The packet it begins in.
    pub packet: usize,
}

/// The judgement on one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowFinding {
    /// Whose flow it is.
    pub ends: Ends,
    /// The protocol spoken; of several, the first that was readable, or else the last.
    pub protocol: Protocol,
    /// Whether it can be read.
    pub nature: Nature,
    /// Where the reading begins, when it can be read.
    pub first_readable: Option<usize>,
    /// The first packet that carried anything.
    pub first_packet: Option<usize>,
    /// Bytes that were looked at.
    pub bytes: u64,
    /// Bytes that are not in the capture.
    pub missing_bytes: u64,
    /// The byte that nine tenths of a direction are, which nobody sealed.
    pub filling: Option<u8>,
    /// Secrets in clear, in the order found; a bounded number of different ones.
    pub secrets: Vec<Secret>,
    /// How many of each kind there were, repeated ones and those not kept included.
    pub secret_counts: BTreeMap<SecretKind, u64>,
    /// What the flow shows about itself.
    pub shows: Vec<Shown>,
    /// Why nothing more is known, when the flow was not followed to its end.
    pub given_up: Option<&'static str>,
}

impl FlowFinding {
    /// What was readable, in words and without a secret: `1 password, 3 texts`.
    #[must_use]
    pub fn readable_in_words(&self) -> String {
        let parts = self.secret_counts.iter().map(|(kind, &count)| format!("{count} {}", kind.word(count)));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// What it shows about itself, in words: `SNI example.org, ALPN h2`.
    #[must_use]
    pub fn shows_in_words(&self) -> String {
        let parts = self.shows.iter().map(|shown| format!("{} {}", shown.what, shown.text));
        parts.collect::<Vec<_>>().join(", ")
    }
}
