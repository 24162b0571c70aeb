//! Where the readers of protocols put what they find, bounded in number and length.

use std::collections::BTreeMap;

use super::finding::{Secret, Shown};
use super::protocol::{Protocol, SecretKind};
use super::readability::Readability;
use crate::bytes::count;
use crate::render;

/// Different secrets kept of one flow; more are counted.
const SECRETS_MAX: usize = 64;
/// What is kept of the text of one secret, in bytes.
const SECRET_TEXT_MAX_BYTES: usize = 256;
/// Different things kept that a flow shows about itself.
const SHOWS_MAX: usize = 24;
/// What is kept of one, in bytes.
const SHOWN_TEXT_MAX_BYTES: usize = 120;

/// Everything found in one flow so far.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) protocol: Protocol,
    /// The packet in which the bytes at hand begin.
    pub(super) packet: usize,
    pub(super) from_initiator: bool,
    pub(super) secrets: Vec<Secret>,
    pub(super) secret_counts: BTreeMap<SecretKind, u64>,
    pub(super) shows: Vec<Shown>,
    /// The first readable protocol, and where it was first read.
    pub(super) readable: Option<(Protocol, usize)>,
    /// What should look random, of the initiator and of the responder.
    pub(super) readability: [Readability; 2],
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            protocol: Protocol::Other,
            packet: 0,
            from_initiator: true,
            secrets: Vec::new(),
            secret_counts: BTreeMap::new(),
            shows: Vec::new(),
            readable: None,
            readability: Default::default(),
        }
    }
}

impl Shelf {
    /// Content that anybody can read begins here.
    pub(super) fn readable(&mut self) {
        if self.readable.is_none() {
            self.readable = Some((self.protocol, self.packet));
        }
    }

    /// A secret that begins in the packet at hand. An empty one is none.
    pub(super) fn secret(&mut self, kind: SecretKind, text: impl AsRef<[u8]>) {
        self.secret_in(self.packet, kind, text);
    }

    /// A secret that begins in an earlier packet.
    pub(super) fn secret_in(&mut self, packet: usize, kind: SecretKind, text: impl AsRef<[u8]>) {
        let bytes = text.as_ref();
        if bytes.is_empty() {
            return;
        }
        self.readable();
        *self.secret_counts.entry(kind).or_default() += 1;
        let secret = Secret {
            protocol: self.protocol,
            kind,
            packet,
            from_initiator: self.from_initiator,
            len_bytes: count(bytes.len()),
            text: cut(bytes, SECRET_TEXT_MAX_BYTES),
        };
        let known = |kept: &Secret| kept.kind == kind && kept.text == secret.text;
        if self.secrets.len() < SECRETS_MAX && !self.secrets.iter().any(known) {
            self.secrets.push(secret);
        }
    }

    /// Something public that the flow shows about itself.
    pub(super) fn show(&mut self, what: &'static str, text: impl AsRef<[u8]>) {
        let text = render::sanitise(&cut(text.as_ref(), SHOWN_TEXT_MAX_BYTES));
        let known = |kept: &Shown| kept.what == what && kept.text == text;
        if !text.is_empty() && self.shows.len() < SHOWS_MAX && !self.shows.iter().any(known) {
            self.shows.push(Shown { what, text, packet: self.packet });
        }
    }

    /// Bytes that the protocol at hand promises to be sealed, or of which nothing is known: are they text?
    pub(super) fn weigh(&mut self, bytes: &[u8]) {
        let packet = self.packet;
        if let Some(readability) = self.readability.get_mut(usize::from(!self.from_initiator)) {
            readability.take(packet, bytes);
        }
    }

    /// Memory held, about.
    pub(super) fn held_bytes(&self) -> usize {
        let secrets: usize = self.secrets.iter().map(|secret| secret.text.len() + size_of::<Secret>()).sum();
        secrets + self.shows.len() * (size_of::<Shown>() + SHOWN_TEXT_MAX_BYTES)
    }
}

/// The beginning of a text as UTF-8, with `…` for what was left out.
fn cut(bytes: &[u8], max_bytes: usize) -> String {
    match bytes.get(..max_bytes) {
        Some(beginning) if bytes.len() > max_bytes => String::from_utf8_lossy(beginning).into_owned() + "…",
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
