//! Frames in one line each.

use spec::wire::entry::Entry;
use spec::wire::ephemeral::Ephemeral;
use spec::wire::frame::Frame;

use crate::session::hex;

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
            let (name, marks) = match ack.ecn {
                Some(ecn) => ("ACK_ECN", format!(" ect0 {} ect1 {} ce {}", ecn.ect0, ecn.ect1, ecn.ce)),
                None => ("ACK", String::new()),
            };
            format!("{name} {} window {}{marks}", ranges.join(" "), ack.window)
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
        Frame::PathChallenge { data } => format!("PATH_CHALLENGE {}", hex(data)),
        Frame::PathResponse { data } => format!("PATH_RESPONSE {}", hex(data)),
        Frame::Ephemeral { room, message } => format!("EPHEMERAL room {room}: {}", ephemeral(message)),
        Frame::Bulk { transfer, offset, data } => {
            format!("BULK {transfer} at {offset}, {} bytes", data.len())
        }
        Frame::MaxBulk { transfer, limit } => format!("MAX_BULK {transfer} to {limit}"),
        Frame::Extension { kind, data } => format!("extension 0x{kind:x}, {} bytes", data.len()),
    }
}

/// How many bytes of a frame carry what people wrote and did, and not how it travels.
pub(super) fn said_bytes(frame: &Frame<'_>) -> usize {
    match frame {
        Frame::Stream { data, .. } | Frame::Fragment { data, .. } | Frame::Bulk { data, .. } => data.len(),
        Frame::Entries(entries) => entries.iter().map(|(_, entry)| entry.len()).sum(),
        Frame::Ephemeral { message, .. } => message.len(),
        _ => 0,
    }
}

fn ephemeral(message: &[u8]) -> String {
    match Ephemeral::decode(message) {
        Ok(Ephemeral::Typing { name }) => format!("TYPING {}", quote(name)),
        Ok(Ephemeral::Unknown) => format!("of an unknown type, {} bytes", message.len()),
        Err(error) => format!("which does not decode: {error}"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use spec::wire::ack::{Ack, EcnCounts};

    #[test]
    fn what_people_wrote_is_told_from_how_it_travels() {
        let data = b"hello";
        assert_eq!(said_bytes(&Frame::Stream { stream: 1, offset: 0, data }), 5);
        assert_eq!(said_bytes(&Frame::Ephemeral { room: 1, message: data }), 5);
        assert_eq!(said_bytes(&Frame::Padding { len: 40 }), 0);
        assert_eq!(said_bytes(&Frame::Ping), 0);
    }

    #[test]
    fn frames_are_named_as_in_the_protocol() {
        let ack = Ack::new(0, 64, [(7, 9), (2, 4)].into_iter()).unwrap();
        let marked = ack.clone().with_ecn(Some(EcnCounts { ect0: 5, ect1: 0, ce: 1 }));
        let mut typing = Vec::new();
        Ephemeral::Typing { name: "ann" }.encode(&mut typing);
        for (shown, expected) in [
            (Frame::Ack(ack), "ACK 7-9 2-4 window 64"),
            (Frame::Ack(marked), "ACK_ECN 7-9 2-4 window 64 ect0 5 ect1 0 ce 1"),
            (Frame::PathChallenge { data: [0xab; 8] }, "PATH_CHALLENGE abababababababab"),
            (Frame::PathResponse { data: [1; 8] }, "PATH_RESPONSE 0101010101010101"),
            (Frame::Ephemeral { room: 1, message: &typing }, "EPHEMERAL room 1: TYPING \"ann\""),
            (Frame::Ephemeral { room: 1, message: &[9] }, "EPHEMERAL room 1: of an unknown type, 1 bytes"),
        ] {
            assert_eq!(frame(&shown), expected);
        }
    }
}
