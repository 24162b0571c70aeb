//! Puts the frames of a session together to what was said: control messages, submissions and entries.

use std::collections::BTreeMap;
use std::iter;

use serde::Serialize;
use spec::wire::entry::{Entry, Submission};
use spec::wire::frame::{Frame, Side};
use spec::wire::message::Message;

use crate::session::hex;

/// The stream of control messages; the others carry submissions.
const CONTROL_STREAM: u64 = 0;
/// Memory of a piece beside its bytes.
const PIECE_BYTES: usize = 64;

/// What was said in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Transcript {
    /// Control messages of the client, then of the hub.
    pub control: Vec<String>,
    /// What the client submitted, by room and in order.
    pub submitted: Vec<Submitted>,
    /// The entries the hub sent, by room and sequence number.
    pub entries: Vec<LogEntry>,
}

/// A message on its way to the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Submitted {
    /// The room.
    pub room: u64,
    /// The message id, in hexadecimal.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// What it says.
    pub text: String,
}

/// A committed entry on its way to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// The room.
    pub room: u64,
    /// Its place in the room.
    pub sequence: u64,
    /// The message id, in hexadecimal.
    pub id: String,
    /// When it was committed, in milliseconds since 1970.
    pub time_ms: u64,
    /// The author's name.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// What it says; bytes that are not text are replaced.
    pub text: String,
}

/// Collects pieces in any order; pieces that come again change nothing.
#[derive(Debug, Default)]
pub(super) struct Builder {
    streams: BTreeMap<(Side, u64), Pieces>,
    fragments: BTreeMap<(u64, u64), Pieces>,
    entries: BTreeMap<(u64, u64), Vec<u8>>,
}

impl Builder {
    /// Takes in one frame; by how many bytes the memory grew at most.
    pub(super) fn take(&mut self, side: Side, frame: &Frame<'_>) -> usize {
        match frame {
            Frame::Stream { stream, offset, data } => {
                self.streams.entry((side, *stream)).or_default().insert(*offset, data);
                PIECE_BYTES + data.len()
            }
            Frame::Fragment { room, sequence, offset, data, .. } => {
                self.fragments.entry((*room, *sequence)).or_default().insert(*offset, data);
                PIECE_BYTES + data.len()
            }
            Frame::Entries(entries) => {
                let mut grown = 0;
                for (sequence, bytes) in entries.iter() {
                    grown += PIECE_BYTES + bytes.len();
                    self.entries.insert((entries.room, sequence), bytes.to_vec());
                }
                grown
            }
            _ => 0,
        }
    }

    /// How many ratchets the hub answered.
    pub(super) fn ratchets(&self) -> usize {
        let bytes = self.streams.get(&(Side::Hub, CONTROL_STREAM)).map(Pieces::joined).unwrap_or_default();
        messages(&bytes).filter(|message| matches!(message, Message::RatchetRsp { .. })).count()
    }

    /// Decodes everything that is whole. What was not captured ends a stream, and nothing else.
    pub(super) fn finish(mut self) -> Transcript {
        let mut transcript = Transcript::default();
        for ((side, stream), pieces) in &self.streams {
            let bytes = pieces.joined();
            match (side, *stream) {
                (_, CONTROL_STREAM) => transcript.control.extend(control(*side, &bytes)),
                (_, room) => transcript.submitted.extend(submitted(room, &bytes)),
            }
        }
        for (place, pieces) in &self.fragments {
            self.entries.entry(*place).or_insert_with(|| pieces.joined());
        }
        let decode = |((room, sequence), bytes): (&(u64, u64), &Vec<u8>)| {
            let entry = Entry::decode(bytes).ok()?;
            Some(LogEntry {
                room: *room,
                sequence: *sequence,
                id: hex(&entry.id.0),
                time_ms: entry.time.0,
                name: entry.name.to_owned(),
                kind: format!("{:?}", entry.kind),
                text: String::from_utf8_lossy(entry.body).into_owned(),
            })
        };
        transcript.entries = self.entries.iter().filter_map(decode).collect();
        transcript
    }
}

/// Bytes of a stream by their offset.
#[derive(Debug, Default)]
struct Pieces(BTreeMap<u64, Vec<u8>>);

impl Pieces {
    fn insert(&mut self, offset: u64, data: &[u8]) {
        let known = self.0.entry(offset).or_default();
        if data.len() > known.len() {
            *known = data.to_vec();
        }
    }

    /// The bytes from offset 0 up to the first gap.
    fn joined(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::new();
        for (offset, data) in &self.0 {
            let Some(known) =
                usize::try_from(*offset).ok().and_then(|offset| bytes.len().checked_sub(offset))
            else {
                break;
            };
            bytes.extend_from_slice(data.get(known..).unwrap_or_default());
        }
        bytes
    }
}

fn control(side: Side, bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    messages(bytes).map(move |message| format!("{side:?}: {}", describe(&message)))
}

/// The whole messages that a control stream begins with.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    iter::from_fn(move || {
        let (message, used) = Message::split(bytes).ok()??;
        bytes = bytes.get(used..).unwrap_or_default();
        Some(message)
    })
}

/// A control message without its token, which is a secret of the invite, and without keys, which are long.
fn describe(message: &Message<'_>) -> String {
    match message {
        Message::Hello { flags, name, token } => {
            format!("Hello {{ flags: {flags}, name: {name:?}, token: {} bytes }}", token.len())
        }
        Message::RatchetReq { kem, .. } => format!("RatchetReq {{ kem: {} }}", kem.is_some()),
        Message::RatchetRsp { kem, .. } => format!("RatchetRsp {{ kem: {} }}", kem.is_some()),
        other => format!("{other:?}"),
    }
}

fn submitted(room: u64, mut bytes: &[u8]) -> Vec<Submitted> {
    let mut submissions = Vec::new();
    while let Ok(Some((submission, used))) = Submission::split(bytes) {
        submissions.push(Submitted {
            room,
            id: hex(&submission.id.0),
            kind: format!("{:?}", submission.kind),
            text: String::from_utf8_lossy(submission.body).into_owned(),
        });
        bytes = bytes.get(used..).unwrap_or_default();
    }
    submissions
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::wire::entry::{EntryKind, MessageId};

    #[test]
    fn pieces_in_any_order_and_twice() {
        let mut stream = Vec::new();
        for text in ["first", "second"] {
            let id = MessageId([7; 16]);
            Submission { id, kind: EntryKind::Text, body: text.as_bytes() }.encode(&mut stream);
        }
        let piece = |from: usize, to: usize| Frame::Stream {
            stream: 1,
            offset: from as u64,
            data: &stream[from..to],
        };
        let mut builder = Builder::default();
        for frame in [piece(30, stream.len()), piece(0, 10), piece(5, 31), piece(0, 10)] {
            builder.take(Side::Client, &frame);
        }
        let texts: Vec<String> =
            builder.finish().submitted.into_iter().map(|submission| submission.text).collect();
        assert_eq!(texts, ["first", "second"]);
    }

    #[test]
    fn a_gap_ends_a_stream() {
        let mut pieces = Pieces::default();
        pieces.insert(0, b"abc");
        pieces.insert(4, b"e");
        assert_eq!(pieces.joined(), b"abc");
    }
}
