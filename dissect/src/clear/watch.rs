//! Watches one flow: recognises its protocol by its first bytes, then reads on.

use super::conversation::{Conversation, Rest, Stranger};
use super::datagram::Datagrams;
use super::finding::{Ends, FlowFinding};
use super::protocol::{Nature, Protocol, SecretKind};
use super::readability::Readability;
use super::shelf::Shelf;
use super::stream::{HEAD_MAX_BYTES, Recognised, recognise};
use crate::bytes::count;

/// Something that one end of a flow sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The next bytes of a stream, in its order.
    Bytes(&'a [u8]),
    /// A whole datagram.
    Datagram(&'a [u8]),
    /// This many bytes of a stream are not in the capture.
    Gap(u64),
}

/// One flow, watched in both directions.
#[derive(Debug)]
pub struct Watch {
    ends: Ends,
    shelf: Shelf,
    stage: Stage,
    bytes: u64,
    missing_bytes: u64,
    first_packet: Option<usize>,
    given_up: Option<&'static str>,
}

#[derive(Debug)]
enum Stage {
    /// The first bytes do not give the protocol away yet.
    Heads(Heads),
    Conversation(Conversation),
    Datagrams(Box<Datagrams>),
}

/// The first bytes of both directions, and in which order they came.
#[derive(Debug, Default)]
struct Heads {
    initiator: Vec<u8>,
    responder: Vec<u8>,
    order: Vec<(bool, usize, usize)>,
    /// Ends of lines that were looked at, in each direction.
    lines: [usize; 2],
}

/// Heads are looked at after each of these bytes,
const EVERY_BYTE_UNTIL: usize = 24;
/// then whenever so many more have come,
const STEP_BYTES: usize = 16;
/// and after this many ends of lines.
const LINES_MAX: usize = 32;

impl Heads {
    /// Keeps the front of `bytes`, up to the next place where heads are looked at, and returns how much it
    /// kept and whether that place was reached. Places are those of the stream: where packets end does not
    /// matter.
    fn push(&mut self, from_initiator: bool, packet: usize, bytes: &[u8]) -> (usize, bool) {
        let (head, lines) = if from_initiator {
            (&mut self.initiator, &mut self.lines[0])
        } else {
            (&mut self.responder, &mut self.lines[1])
        };
        let step = if head.len() < EVERY_BYTE_UNTIL { 1 } else { STEP_BYTES - head.len() % STEP_BYTES };
        let kept = bytes.get(..step).unwrap_or(bytes);
        let line_end = memchr::memchr(b'\n', kept).filter(|_| *lines < LINES_MAX);
        let kept = line_end.and_then(|at| kept.get(..=at)).unwrap_or(kept);
        *lines += usize::from(line_end.is_some());
        head.extend_from_slice(kept);
        match self.order.last_mut() {
            Some((side, last, len)) if *side == from_initiator && *last == packet => *len += kept.len(),
            _ => self.order.push((from_initiator, packet, kept.len())),
        }
        (kept.len(), kept.len() == step || line_end.is_some())
    }

    fn is_full(&self) -> bool {
        self.initiator.len() >= HEAD_MAX_BYTES || self.responder.len() >= HEAD_MAX_BYTES
    }

    fn held_bytes(&self) -> usize {
        self.initiator.capacity()
            + self.responder.capacity()
            + self.order.capacity() * size_of::<(bool, usize, usize)>()
    }
}

impl Watch {
    /// Watches the flow between these ends.
    #[must_use]
    pub fn new(ends: Ends) -> Self {
        Self {
            ends,
            shelf: Shelf::default(),
            stage: Stage::Heads(Heads::default()),
            bytes: 0,
            missing_bytes: 0,
            first_packet: None,
            given_up: None,
        }
    }

    /// Takes what one end sent. Packets come in the order of the capture, the bytes of a stream in its own.
    pub fn take(&mut self, from_initiator: bool, packet: usize, piece: Piece<'_>) {
        if self.given_up.is_some() {
            return;
        }
        match piece {
            Piece::Gap(bytes) => {
                self.missing_bytes = self.missing_bytes.saturating_add(bytes);
                self.settle();
                if let Stage::Conversation(conversation) = &mut self.stage {
                    conversation.miss(from_initiator, bytes);
                }
            }
            Piece::Bytes([]) | Piece::Datagram([]) => {}
            Piece::Bytes(bytes) => {
                self.count(packet, bytes);
                self.take_bytes(from_initiator, packet, bytes);
            }
            Piece::Datagram(datagram) => {
                self.count(packet, datagram);
                if let Stage::Heads(_) = self.stage {
                    self.stage = Stage::Datagrams(Box::default());
                }
                if let Stage::Datagrams(datagrams) = &mut self.stage {
                    (self.shelf.packet, self.shelf.from_initiator) = (packet, from_initiator);
                    datagrams.take(datagram, &mut self.shelf);
                }
            }
        }
    }

    fn count(&mut self, packet: usize, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(count(bytes.len()));
        self.first_packet.get_or_insert(packet);
    }

    fn take_bytes(&mut self, from_initiator: bool, packet: usize, bytes: &[u8]) {
        let mut input = bytes;
        while !input.is_empty() {
            match &mut self.stage {
                Stage::Heads(heads) => {
                    let (kept, look) = heads.push(from_initiator, packet, input);
                    input = input.get(kept..).unwrap_or_default();
                    let last = heads.is_full();
                    if look {
                        self.recognise(last);
                    }
                }
                Stage::Conversation(conversation) => {
                    match conversation.take(&mut self.shelf, from_initiator, packet, input) {
                        Rest::Nothing => return,
                        Rest::Recognise(left) => {
                            input = input.get(input.len().saturating_sub(left)..).unwrap_or_default();
                            self.stage = Stage::Heads(Heads::default());
                        }
                    }
                }
                Stage::Datagrams(_) => return,
            }
        }
    }

    /// Looks at the heads, and reads them again as the protocol they are of.
    fn recognise(&mut self, last: bool) {
        let Stage::Heads(heads) = &mut self.stage else { return };
        let ports = [self.ends.initiator.port, self.ends.responder.port];
        let conversation = match recognise(&heads.initiator, &heads.responder, ports, last) {
            Recognised::As(speaker, client_is_initiator) => Conversation::new(speaker, client_is_initiator),
            Recognised::Stranger => Conversation::new(Box::new(Stranger), true),
            Recognised::Undecided => return,
        };
        let heads = std::mem::take(heads);
        self.stage = Stage::Conversation(conversation);
        let (mut initiator, mut responder) = (heads.initiator.as_slice(), heads.responder.as_slice());
        for (from_initiator, packet, len) in heads.order {
            let head = if from_initiator { &mut initiator } else { &mut responder };
            let (bytes, rest) = head.split_at(len.min(head.len()));
            *head = rest;
            self.take_bytes(from_initiator, packet, bytes);
        }
    }

    /// Decides by what there is.
    fn settle(&mut self) {
        while let Stage::Heads(heads) = &self.stage {
            if heads.order.is_empty() {
                return;
            }
            self.recognise(true);
        }
    }

    /// Reads no further, and says why.
    pub(super) fn give_up(&mut self, why: &'static str) {
        self.settle();
        self.given_up = Some(why);
        if let Stage::Conversation(conversation) = &mut self.stage {
            conversation.end(&mut self.shelf);
        }
    }

    /// Memory held, about.
    pub(super) fn held_bytes(&self) -> usize {
        let stage = match &self.stage {
            Stage::Heads(heads) => heads.held_bytes(),
            Stage::Conversation(conversation) => conversation.held_bytes(),
            Stage::Datagrams(datagrams) => datagrams.held_bytes(),
        };
        size_of::<Self>() + stage + self.shelf.held_bytes()
    }

    /// The judgement on the flow.
    #[must_use]
    pub fn finish(mut self) -> FlowFinding {
        if self.given_up.is_none() {
            self.settle();
            if let Stage::Conversation(conversation) = &mut self.stage {
                conversation.end(&mut self.shelf);
            }
        }
        let (spoken, by_kind) = match &self.stage {
            Stage::Heads(_) => (Protocol::Other, Nature::Unknown),
            Stage::Conversation(conversation) => (conversation.protocol(), conversation.nature()),
            Stage::Datagrams(datagrams) => (datagrams.protocol(), datagrams.nature()),
        };
        self.shelf.protocol = spoken;
        let nature = self.weighed(by_kind);
        let shelf = self.shelf;
        let begins = shelf.readable.map(|(_, packet)| packet).or(self.first_packet);
        FlowFinding {
            ends: self.ends,
            protocol: shelf.readable.map_or(spoken, |(protocol, _)| protocol),
            nature,
            first_readable: begins.filter(|_| nature == Nature::Readable),
            first_packet: self.first_packet,
            bytes: self.bytes,
            missing_bytes: self.missing_bytes,
            filling: shelf.readability.iter().find_map(Readability::filling),
            secrets: shelf.secrets,
            secret_counts: shelf.secret_counts,
            shows: shelf.shows,
            given_up: self.given_up,
        }
    }

    /// The nature of the flow, after all bytes of unknown meaning were weighed.
    fn weighed(&mut self, by_kind: Nature) -> Nature {
        let mut texts = Vec::new();
        for (readability, from_initiator) in self.shelf.readability.iter().zip([true, false]) {
            if let Some((packet, text)) = readability.readable() {
                texts.push((packet, from_initiator, text.to_vec()));
            }
        }
        for (packet, from_initiator, text) in texts {
            (self.shelf.packet, self.shelf.from_initiator) = (packet, from_initiator);
            self.shelf.readable();
            self.shelf.secret(SecretKind::Message, text);
        }
        let mut weighed = self.shelf.readability.iter().filter(|side| !side.is_empty()).peekable();
        match by_kind {
            _ if self.shelf.readable.is_some() => Nature::Readable,
            Nature::Unknown if weighed.peek().is_some() && weighed.all(|side| side.looks_random()) => {
                Nature::Opaque
            }
            nature => nature,
        }
    }
}
