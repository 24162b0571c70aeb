//! The streams and columns of all directions of all flows, as far as they run on from packet to packet: what
//! lies within one packet, the file view shows.
//!
//! Of each direction the last pieces are kept. When enough has come together it is searched, and of what was
//! searched so much is kept that nothing which runs on is missed. Directions that were silent longest are
//! forgotten when there are too many, and counted.

use std::collections::BTreeMap;

use super::columns::{Columns, Edge};
use super::detector::Detector;
use super::seam::Seam;
use super::unpack::{Codec, INPUT_BYTES_MAX, Unpacker};
use super::view::{Hit, Origin, View};
use super::whole::search_whole;
use crate::dissection::{Endpoint, Protocol};

/// Directions that are remembered together.
const DIRECTIONS_MAX: usize = 65_536;
/// Bytes that are kept of all directions together.
const KEPT_BYTES_MAX: usize = 48 * 1024 * 1024;
/// Compressed bodies that are followed in one direction. Most begin by chance, and soon end.
const BODIES_MAX: usize = 8;

/// A protocol, a sender and a receiver.
pub(crate) type Direction = (Protocol, Endpoint, Endpoint);

/// Bytes of one payload, and where they come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) origin: Origin,
}

impl Payload<'_> {
    /// Whether the bytes stand in the file in one piece, so that the file view has searched them.
    pub(super) const fn is_in_file(&self) -> bool {
        !matches!(self.origin, Origin::Packet(_, None))
    }
}

/// All directions.
#[derive(Debug, Default)]
pub(super) struct Streams {
    directions: BTreeMap<Direction, Memory>,
    /// The directions by the turn in which they last spoke.
    by_turn: BTreeMap<u64, Direction>,
    turn: u64,
    kept_bytes: usize,
    forgotten: u64,
}

/// What is remembered of a direction.
#[derive(Debug)]
struct Memory {
    turn: u64,
    seam: Seam,
    columns: [Columns; 2],
    bodies: Vec<Body>,
}

/// A compressed body that goes on in the next packet.
#[derive(Debug)]
struct Body {
    codec: Codec,
    bytes: Vec<u8>,
    origin: Origin,
    /// Length at which it is tried again: twice that of the last time.
    retry_bytes: usize,
}

impl Streams {
    /// Directions that were forgotten before the capture ended: what would have run on in them was not searched.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Takes the next payload of a direction.
    pub(super) fn take(
        &mut self,
        detector: &Detector,
        unpacker: &mut Unpacker,
        key: Direction,
        payload: Payload<'_>,
        found: &mut impl FnMut(Hit),
    ) {
        self.turn += 1;
        let direction = self.directions.entry(key).or_default();
        self.by_turn.remove(&direction.turn);
        direction.turn = self.turn;
        self.by_turn.insert(self.turn, key);
        let before = direction.kept_bytes();
        direction.seam.take(detector, payload, found);
        direction.columns.iter_mut().for_each(|columns| columns.take(detector, payload, found));
        direction.follow_bodies(detector, unpacker, payload, found);
        self.kept_bytes = self.kept_bytes + direction.kept_bytes() - before;
        while self.directions.len() > DIRECTIONS_MAX || self.kept_bytes > KEPT_BYTES_MAX {
            let Some((_, key)) = self.by_turn.pop_first() else { break };
            let Some(mut silent) = self.directions.remove(&key) else { continue };
            self.kept_bytes -= silent.kept_bytes();
            self.forgotten += 1;
            silent.finish(detector, unpacker, found);
        }
    }

    /// Searches what was not yet searched of any direction.
    pub(super) fn finish(
        &mut self,
        detector: &Detector,
        unpacker: &mut Unpacker,
        found: &mut impl FnMut(Hit),
    ) {
        for direction in self.directions.values_mut() {
            direction.finish(detector, unpacker, found);
        }
        *self = Self { forgotten: self.forgotten, ..Self::default() };
    }
}

impl Default for Memory {
    fn default() -> Self {
        let columns = [Edge::Front, Edge::Back].map(Columns::of);
        Self { turn: 0, seam: Seam::default(), columns, bodies: Vec::new() }
    }
}

impl Memory {
    fn kept_bytes(&self) -> usize {
        let bodies: usize = self.bodies.iter().map(|body| body.bytes.capacity()).sum();
        let columns: usize = self.columns.iter().map(Columns::kept_bytes).sum();
        self.seam.kept_bytes() + columns + bodies
    }

    fn finish(&mut self, detector: &Detector, unpacker: &mut Unpacker, found: &mut impl FnMut(Hit)) {
        self.seam.search(detector, found);
        self.columns.iter_mut().for_each(|columns| columns.search(detector, found));
        for body in self.bodies.drain(..) {
            body.search(detector, unpacker, found);
        }
    }

    /// Adds to the bodies that go on, and begins one where a compressed body does not end in its packet.
    fn follow_bodies(
        &mut self,
        detector: &Detector,
        unpacker: &mut Unpacker,
        payload: Payload<'_>,
        found: &mut impl FnMut(Hit),
    ) {
        for mut body in std::mem::take(&mut self.bodies) {
            body.bytes.extend_from_slice(payload.bytes);
            let is_due = body.bytes.len() >= body.retry_bytes;
            if !is_due || (body.bytes.len() < INPUT_BYTES_MAX && body.is_still_open(unpacker)) {
                self.bodies.push(body);
            } else {
                body.search(detector, unpacker, found);
            }
        }
        for start in 0..payload.bytes.len() {
            let rest = payload.bytes.get(start..).unwrap_or_default();
            let Some(codec) = Codec::at(rest) else { continue };
            let origin = payload.origin.plus(start);
            let unpacked = unpacker.unpack(codec, rest);
            if !unpacked.goes_on {
                if !payload.is_in_file() {
                    search_whole(detector, View::UnpackedStream(codec), &unpacked.bytes, origin, found);
                }
                continue;
            }
            if self.bodies.len() == BODIES_MAX {
                self.bodies.remove(0).search(detector, unpacker, found);
            }
            self.bodies.push(Body { codec, bytes: rest.to_vec(), origin, retry_bytes: 2 * rest.len() });
        }
    }
}

impl Body {
    /// Whether its end has not come yet, nor an error.
    fn is_still_open(&mut self, unpacker: &mut Unpacker) -> bool {
        self.retry_bytes = 2 * self.bytes.len();
        unpacker.unpack(self.codec, &self.bytes).goes_on
    }

    fn search(self, detector: &Detector, unpacker: &mut Unpacker, found: &mut impl FnMut(Hit)) {
        let unpacked = unpacker.unpack(self.codec, &self.bytes);
        search_whole(detector, View::UnpackedStream(self.codec), &unpacked.bytes, self.origin, found);
    }
}
