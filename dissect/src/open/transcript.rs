//! Puts the frames of a session together to what was said: control messages, submissions and entries.

use std::collections::BTreeMap;
use std::iter;

use serde::Serialize;
use spec::wire::entry::{Entry, EntryKind, Submission, split_target};
use spec::wire::frame::{Frame, Side};
use spec::wire::message::Message;

use crate::bytes::count;
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
    /// Bytes that are of no whole message above: behind what was not captured, of blobs, of nothing that decodes,
    /// or sent again with other bytes in the same place.
    pub left_over_bytes: u64,
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
    left_over_bytes: usize,
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
                    self.entry((entries.room, sequence), bytes);
                }
                grown
            }
            Frame::Bulk { data, .. } => {
                self.left_over_bytes += data.len();
                0
            }
            _ => 0,
        }
    }

    fn entry(&mut self, place: (u64, u64), bytes: &[u8]) {
        let known = self.entries.entry(place).or_insert_with(|| bytes.to_vec());
        if known != bytes {
            self.left_over_bytes += bytes.len();
        }
    }

    /// How many ratchets the hub answered.
    pub(super) fn ratchets(&self) -> usize {
        let stream = self.streams.get(&(Side::Hub, CONTROL_STREAM));
        let bytes = stream.map(|pieces| pieces.joined().0).unwrap_or_default();
        messages(&bytes).filter(|message| matches!(message, Message::RatchetRsp { .. })).count()
    }

    /// Decodes everything that is whole. What was not captured ends a stream, and nothing else.
    pub(super) fn finish(mut self) -> Transcript {
        let mut transcript = Transcript::default();
        for ((side, stream), pieces) in &self.streams {
            let (bytes, left_over) = pieces.joined();
            let used = match (side, *stream) {
                (_, CONTROL_STREAM) => control(*side, &bytes, &mut transcript.control),
                (_, room) => submitted(room, &bytes, &mut transcript.submitted),
            };
            self.left_over_bytes += left_over + bytes.len().saturating_sub(used);
        }
        for (place, pieces) in std::mem::take(&mut self.fragments) {
            let (bytes, left_over) = pieces.joined();
            self.left_over_bytes += left_over;
            self.entry(place, &bytes);
        }
        for ((room, sequence), bytes) in &self.entries {
            let Ok(entry) = Entry::decode(bytes) else {
                self.left_over_bytes += bytes.len();
                continue;
            };
            transcript.entries.push(LogEntry {
                room: *room,
                sequence: *sequence,
                id: hex(&entry.id.0),
                time_ms: entry.time.0,
                name: entry.name.to_owned(),
                kind: format!("{:?}", entry.kind),
                text: text(entry.kind, entry.body),
            });
        }
        transcript.left_over_bytes = count(self.left_over_bytes);
        transcript
    }
}

/// Bytes of a stream by their offset.
#[derive(Debug, Default)]
struct Pieces {
    by_offset: BTreeMap<u64, Vec<u8>>,
    contradicting_bytes: usize,
}

impl Pieces {
    fn insert(&mut self, offset: u64, data: &[u8]) {
        let known = self.by_offset.entry(offset).or_default();
        self.contradicting_bytes += differing(known, data);
        if data.len() > known.len() {
            *known = data.to_vec();
        }
    }

    /// The bytes from offset 0 up to the first gap, and how many others there are.
    fn joined(&self) -> (Vec<u8>, usize) {
        let mut bytes: Vec<u8> = Vec::new();
        let mut left_over = self.contradicting_bytes;
        for (offset, data) in &self.by_offset {
            let at = usize::try_from(*offset).ok();
            let Some(overlap) = at.and_then(|offset| bytes.get(offset..)) else {
                left_over += data.len();
                continue;
            };
            left_over += differing(overlap, data);
            let overlap_len = overlap.len();
            bytes.extend_from_slice(data.get(overlap_len..).unwrap_or_default());
        }
        (bytes, left_over)
    }
}

/// In how many places two ways to tell the same bytes are not the same.
fn differing(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).filter(|(one, other)| one != other).count()
}

/// Adds the whole messages of a control stream; how many bytes they are.
fn control(side: Side, bytes: &[u8], said: &mut Vec<String>) -> usize {
    let mut used = 0;
    while let Ok(Some((message, len))) = Message::split(bytes.get(used..).unwrap_or_default()) {
        said.push(format!("{side:?}: {}", describe(&message)));
        used += len;
    }
    used
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
        Message::Login(message) => format!("Login {{ type: 0x{:x} }}", message.kind()),
        other => format!("{other:?}"),
    }
}

/// What it says, without the number of the entry it is about.
fn text(kind: EntryKind, body: &[u8]) -> String {
    let text = match split_target(body) {
        Ok((_, text)) if kind.is_about_another() => text,
        _ => body,
    };
    String::from_utf8_lossy(text).into_owned()
}

/// Adds the whole submissions of a stream; how many bytes they are.
fn submitted(room: u64, bytes: &[u8], said: &mut Vec<Submitted>) -> usize {
    let mut used = 0;
    while let Ok(Some((submission, len))) = Submission::split(bytes.get(used..).unwrap_or_default()) {
        said.push(Submitted {
            room,
            id: hex(&submission.id.0),
            kind: format!("{:?}", submission.kind),
            text: text(submission.kind, submission.body),
        });
        used += len;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::wire::entry::MessageId;

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
        let transcript = builder.finish();
        let texts: Vec<String> = transcript.submitted.into_iter().map(|submission| submission.text).collect();
        assert_eq!((texts, transcript.left_over_bytes), (vec!["first".to_owned(), "second".into()], 0));
    }

    #[test]
    fn what_is_of_no_message_is_counted() {
        for (pieces, joined, left_over) in [
            (vec![(0, "abc"), (4, "e")], "abc", 1),
            (vec![(0, "abc"), (1, "bcd")], "abcd", 0),
            (vec![(0, "abc"), (1, "bXd")], "abcd", 1),
            (vec![(0, "abc"), (0, "aXc")], "abc", 1),
            (vec![(2, "c"), (1, "b")], "", 2),
        ] {
            let mut stream = Pieces::default();
            pieces.iter().for_each(|(offset, data)| stream.insert(*offset, data.as_bytes()));
            assert_eq!(stream.joined(), (joined.as_bytes().to_vec(), left_over), "{pieces:?}");
        }
        let blob = Frame::Bulk { transfer: 1, offset: 0, data: b"blob" };
        let mut builder = Builder::default();
        builder.take(Side::Client, &blob);
        builder.take(Side::Client, &Frame::Stream { stream: 1, offset: 0, data: b"\x01" });
        assert_eq!(builder.finish().left_over_bytes, 5);
    }
}
