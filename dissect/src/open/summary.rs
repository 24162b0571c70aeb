//! Frames in one line each.

use spec::wire::entry::Entry;
use spec::wire::frame::Frame;

/// Bytes of text that are shown of a frame.
const SHOWN: usize = 60;

/// A frame as people read it. What is text in it stands in quotes.
pub(super) fn frame(frame: &Frame<'_>) -> String {
    match frame {
        Frame::Padding { len } => format!("PADDING {len}"),
        Frame::Ping => "PING".to_owned(),
        Frame::Ack(ack) => {
            let ranges: Vec<String> =
                ack.ranges().iter().map(|range| format!("{}-{}", range.start(), range.end())).collect();
            format!("ACK {} window {}", ranges.join(" "), ack.window)
        }
        Frame::Stream { stream, offset, data } => {
            format!("STREAM {stream} at {offset}, {} bytes", data.len())
        }
        Frame::Entries(entries) => {
            let shown: Vec<String> = entries.iter().map(|(sequence, bytes)| entry(sequence, bytes)).collect();
            format!("ENTRIES room {}: {}", entries.room, shown.join("; "))
        }
        Frame::Fragment { room, sequence, total, offset, data } => {
            format!("FRAGMENT room {room} entry {sequence}, {} bytes at {offset} of {total}", data.len())
        }
        Frame::Close { reason, text } => format!("CLOSE {reason:?} {}", quote(text)),
        Frame::Done => "DONE".to_owned(),
        Frame::MaxStream { stream, limit } => format!("MAX_STREAM {stream} to {limit}"),
        Frame::PathChallenge { .. } => "PATH_CHALLENGE".to_owned(),
        Frame::PathResponse { .. } => "PATH_RESPONSE".to_owned(),
        Frame::Ephemeral { room, message } => format!("EPHEMERAL room {room}, {} bytes", message.len()),
        Frame::Extension { kind, data } => format!("extension 0x{kind:x}, {} bytes", data.len()),
    }
}

fn entry(sequence: u64, bytes: &[u8]) -> String {
    match Entry::decode(bytes) {
        Ok(entry) => format!("{sequence} {:?} of {} {}", entry.kind, quote(entry.name), body(entry.body)),
        Err(error) => format!("{sequence} which does not decode: {error}"),
    }
}

fn body(bytes: &[u8]) -> String {
    quote(&String::from_utf8_lossy(bytes))
}

/// The beginning of a text in quotes.
fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
