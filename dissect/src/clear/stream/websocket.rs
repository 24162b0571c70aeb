//! WebSocket (RFC 6455) with compressed messages (RFC 7692). The mask is sent along: it hides nothing.

use flate2::{Decompress, FlushDecompress};

use crate::bytes::count;
use crate::clear::body::{self, BODY_MAX_BYTES, Coding, Kind};
use crate::clear::protocol::Protocol;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Next, Role, Speaker, Token};

/// What a decompressor holds, about: its window and tables.
const INFLATE_HELD_BYTES: usize = 48 << 10;

/// Reads WebSocket, after the handshake that HTTP made.
#[derive(Debug)]
pub(super) struct WebSocket {
    halves: [Half; 2],
    deflate: bool,
}

/// Where one direction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The first two bytes.
    #[default]
    Start,
    /// The rest of the length, and the mask.
    Lengths,
    /// The payload: bytes left.
    Payload(u64),
}

#[derive(Debug, Default)]
struct Half {
    stage: Stage,
    frame: Frame,
    /// The message so far, its first packet, and whether it is compressed.
    message: Vec<u8>,
    packet: usize,
    compressed: bool,
    cut: bool,
    inflate: Option<Decompress>,
}

/// The header of the frame at hand (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    first: u8,
    second: u8,
    mask: [u8; 4],
    /// Bytes of payload unmasked so far, modulo 4.
    phase: usize,
}

impl Frame {
    const fn is_final(self) -> bool {
        self.first & 0x80 != 0
    }

    const fn is_control(self) -> bool {
        self.first & 0x08 != 0
    }

    const fn is_masked(self) -> bool {
        self.second & 0x80 != 0
    }

    /// Bytes of header behind the first two.
    const fn lengths_bytes(self) -> usize {
        let length = match self.second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        length + if self.is_masked() { 4 } else { 0 }
    }
}

impl WebSocket {
    pub(super) fn new(deflate: bool) -> Self {
        Self { halves: Default::default(), deflate }
    }
}

impl Speaker for WebSocket {
    fn protocol(&self) -> Protocol {
        Protocol::WebSocket
    }

    fn wants(&self, role: Role) -> Token {
        let Some(half) = self.halves.get(role.index()) else { return Token::Exactly(2) };
        match half.stage {
            Stage::Start => Token::Exactly(2),
            Stage::Lengths => Token::Exactly(half.frame.lengths_bytes()),
            Stage::Payload(left) => Token::Some(left),
        }
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let deflate = self.deflate;
        let Some(half) = self.halves.get_mut(role.index()) else { return Next::Stay };
        match half.stage {
            Stage::Start => {
                let [first, second] = *token else { return Next::Stranger };
                half.frame = Frame { first, second, ..Frame::default() };
                // Reserved bits other than the one that RFC 7692 uses, or a reserved opcode.
                if first & 0x30 != 0 || matches!(first & 0x0f, 3..=7 | 11..) {
                    return Next::Stranger;
                }
                if half.frame.lengths_bytes() == 0 {
                    half.begin(u64::from(second & 0x7f), deflate, shelf);
                } else {
                    half.stage = Stage::Lengths;
                }
            }
            Stage::Lengths => {
                let length_bytes = token.len() - if half.frame.is_masked() { 4 } else { 0 };
                let (length, mask) = token.split_at(length_bytes.min(token.len()));
                half.frame.mask = mask.try_into().unwrap_or_default();
                let length = match length {
                    [] => u64::from(half.frame.second & 0x7f),
                    bytes => bytes.iter().fold(0, |length: u64, byte| length << 8 | u64::from(*byte)),
                };
                half.begin(length, deflate, shelf);
            }
            Stage::Payload(left) => {
                half.payload(token);
                let left = left.saturating_sub(count(token.len()));
                half.stage = Stage::Payload(left);
                if left == 0 {
                    half.frame_end(deflate, shelf);
                }
            }
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(half) = self.halves.get_mut(role.index()) else { return false };
        match half.stage {
            Stage::Payload(left) if left > bytes => {
                half.stage = Stage::Payload(left - bytes);
                half.frame.phase = (half.frame.phase + usize::from(bytes.to_le_bytes()[0] & 3)) % 4;
                half.cut = true;
                true
            }
            _ => false,
        }
    }

    fn held_bytes(&self) -> usize {
        let halves = self.halves.iter().map(|half| {
            half.message.capacity() + if half.inflate.is_some() { INFLATE_HELD_BYTES } else { 0 }
        });
        size_of::<Self>() + halves.sum::<usize>()
    }
}

impl Half {
    fn begin(&mut self, length: u64, deflate: bool, shelf: &mut Shelf) {
        let opcode = self.frame.first & 0x0f;
        if matches!(opcode, 1 | 2) {
            self.message.clear();
            self.packet = shelf.packet;
            self.compressed = self.frame.first & 0x40 != 0;
            self.cut = false;
        }
        self.stage = Stage::Payload(length);
        if length == 0 {
            self.frame_end(deflate, shelf);
        }
    }

    fn payload(&mut self, bytes: &[u8]) {
        let keep = !self.frame.is_control();
        for &byte in bytes {
            let key = self.frame.mask.get(self.frame.phase).copied().unwrap_or(0);
            self.frame.phase = (self.frame.phase + 1) % 4;
            if keep && self.message.len() < BODY_MAX_BYTES {
                self.message.push(byte ^ key);
            } else if keep {
                self.cut = true;
            }
        }
    }

    fn frame_end(&mut self, deflate: bool, shelf: &mut Shelf) {
        self.stage = Stage::Start;
        if !self.frame.is_final() || self.frame.is_control() {
            return;
        }
        let mut message = std::mem::take(&mut self.message);
        if self.compressed && deflate {
            message = self.inflate(message);
        }
        let packet = std::mem::replace(&mut shelf.packet, self.packet);
        body::look(&message, &Kind::Other, Coding::Identity, shelf);
        shelf.packet = packet;
    }

    /// RFC 7692 section 7.2.2. Messages share a window, so one that was cut spoils those behind it.
    fn inflate(&mut self, mut message: Vec<u8>) -> Vec<u8> {
        message.extend_from_slice(&[0, 0, 0xff, 0xff]);
        let inflate = self.inflate.get_or_insert_with(|| Decompress::new(false));
        let max_bytes = body::opened_max_bytes(message.len());
        let mut opened = Vec::with_capacity(message.len().saturating_mul(4).min(max_bytes));
        let mut used = 0;
        while used < message.len() || opened.len() == opened.capacity() {
            if opened.len() == opened.capacity() {
                opened.reserve(4096);
            }
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let input = message.get(used..).unwrap_or_default();
            let failed = inflate.decompress_vec(input, &mut opened, FlushDecompress::Sync).is_err();
            used += usize::try_from(inflate.total_in() - before_in).unwrap_or(usize::MAX);
            let stuck = inflate.total_in() == before_in && inflate.total_out() == before_out;
            if failed || opened.len() > max_bytes || (stuck && used < message.len()) {
                self.cut = true;
                break;
            }
            if stuck {
                break;
            }
        }
        if std::mem::take(&mut self.cut) {
            self.inflate = None;
        }
        opened
    }
}
