//! What is said in the streams of a session, packet by packet: each message where its last byte arrives.

use std::collections::BTreeMap;

use spec::wire::frame::{Frame, Frames, Side};
use spec::wire::varint;

use crate::open::OpenedDatagram;

/// The stream of control messages; the others carry submissions.
const CONTROL_STREAM: u64 = 0;
/// Bytes of one stream that wait for a piece before them. A message is no longer than this.
const WAITING_BYTES_MAX: usize = 256 * 1024;
/// Streams and entries in pieces that are put together at a time.
const OPEN_MAX: usize = 4_096;

/// Something that was said whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A control message.
    Control(Vec<u8>),
    /// A submission to a room.
    Submission(u64, Vec<u8>),
    /// An entry of a room, by its sequence number.
    Entry(u64, u64, Vec<u8>),
}

/// The streams of all sessions, as far as they are put together.
#[derive(Debug, Default)]
pub(crate) struct Conversations {
    streams: BTreeMap<(String, bool, u64), Pieces>,
    fragments: BTreeMap<(String, u64, u64), Pieces>,
    /// Whether there was more to put together at a time than is kept.
    pub(crate) is_full: bool,
}

impl Conversations {
    /// Takes in an opened datagram; what became whole with it.
    pub(crate) fn take(&mut self, opened: &OpenedDatagram) -> Vec<Said> {
        let side = if opened.from_client { Side::Client } else { Side::Hub };
        let Ok(frames) = Frames::parse(&opened.plaintext, side) else { return Vec::new() };
        frames.iter().flat_map(|frame| self.frame(opened, &frame)).collect()
    }

    fn frame(&mut self, opened: &OpenedDatagram, frame: &Frame<'_>) -> Vec<Said> {
        match frame {
            Frame::Stream { stream, offset, data } => {
                let key = (opened.attempt_id.clone(), opened.from_client, *stream);
                let Some(pieces) = open(&mut self.streams, key, &mut self.is_full) else { return Vec::new() };
                pieces.insert(*offset, data);
                let said = |bytes| match *stream {
                    CONTROL_STREAM => Said::Control(bytes),
                    room => Said::Submission(room, bytes),
                };
                pieces.messages().into_iter().map(said).collect()
            }
            Frame::Entries(entries) => {
                let said =
                    |(sequence, bytes): (u64, &[u8])| Said::Entry(entries.room, sequence, bytes.into());
                entries.iter().map(said).collect()
            }
            Frame::Fragment { room, sequence, total, offset, data } => {
                let key = (opened.attempt_id.clone(), *room, *sequence);
                let Some(pieces) = open(&mut self.fragments, key.clone(), &mut self.is_full) else {
                    return Vec::new();
                };
                pieces.insert(*offset, data);
                if u64::try_from(pieces.joined.len()).is_ok_and(|len| len < *total) {
                    return Vec::new();
                }
                let pieces = self.fragments.remove(&key).unwrap_or_default();
                vec![Said::Entry(*room, *sequence, pieces.joined)]
            }
            _ => Vec::new(),
        }
    }
}

/// The pieces of `key`, begun if there is room.
fn open<'a, K: Ord>(all: &'a mut BTreeMap<K, Pieces>, key: K, is_full: &mut bool) -> Option<&'a mut Pieces> {
    if all.len() >= OPEN_MAX && !all.contains_key(&key) {
        *is_full = true;
        return None;
    }
    Some(all.entry(key).or_default())
}

/// Bytes that arrive in any order.
#[derive(Debug, Default)]
struct Pieces {
    /// Where `joined` begins.
    start: u64,
    /// Bytes without a gap that nothing was made of yet.
    joined: Vec<u8>,
    /// Bytes behind a gap, by their offset.
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_bytes: usize,
}

impl Pieces {
    fn insert(&mut self, offset: u64, data: &[u8]) {
        let grows = self.waiting.get(&offset).is_none_or(|known| known.len() < data.len());
        if !grows || self.waiting_bytes.saturating_add(data.len()) > WAITING_BYTES_MAX {
            return;
        }
        let replaced = self.waiting.insert(offset, data.to_vec()).map_or(0, |known| known.len());
        self.waiting_bytes = self.waiting_bytes + data.len() - replaced;
        while let Some(entry) = self.waiting.first_entry() {
            let end = self.start.saturating_add(crate::bytes::count(self.joined.len()));
            let Some(known) = end.checked_sub(*entry.key()) else { return };
            let piece = entry.remove();
            self.waiting_bytes -= piece.len();
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            self.joined.extend_from_slice(piece.get(known..).unwrap_or_default());
        }
    }

    /// The whole messages at the front, without their lengths.
    fn messages(&mut self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while let Ok((len, used)) = varint::decode(&self.joined) {
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            let end = used.saturating_add(len);
            let Some(message) = self.joined.get(used..end) else { break };
            messages.push(message.to_vec());
            self.joined.drain(..end);
            self.start = self.start.saturating_add(crate::bytes::count(end));
        }
        if self.joined.len() > WAITING_BYTES_MAX {
            // No message is this long: what the length said was no length.
            self.joined.clear();
            self.start = u64::MAX;
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_appear_where_their_last_byte_does() {
        let stream = b"\x03abc\x02de\x01f";
        let mut pieces = Pieces::default();
        for (offset, len, said) in [
            (4, 3, vec![]),
            (0, 2, vec![]),
            (0, 2, vec![]),
            (1, 4, vec![b"abc".to_vec(), b"de".to_vec()]),
            (0, 9, vec![b"f".to_vec()]),
        ] {
            pieces.insert(offset as u64, &stream[offset..offset + len]);
            assert_eq!(pieces.messages(), said, "{offset}");
        }
        assert_eq!((pieces.joined.len(), pieces.waiting.len(), pieces.waiting_bytes), (0, 0, 0));
    }

    #[test]
    fn what_waits_for_a_gap_is_bounded() {
        let mut pieces = Pieces::default();
        for offset in 1..100 {
            pieces.insert(offset * 10_000, &[0; 10_000]);
        }
        assert!(pieces.waiting_bytes <= WAITING_BYTES_MAX);
    }
}
