//! Every frame there and back, and what is refused.

use super::*;
use alloc::vec;
use proptest::prelude::*;

fn encoded(frames: &[Frame<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for frame in frames {
        frame.encode(&mut out);
    }
    out
}

#[test]
fn every_frame_there_and_back() {
    let frames = vec![
        Frame::Ping,
        Frame::Ack(Ack::new(3, 1024, [(5, 6), (0, 1)].into_iter()).unwrap()),
        Frame::Stream { stream: 1, offset: 70_000, data: b"abc" },
        Frame::Entries(Entries { room: 1, first: 9, count: 2, bytes: b"\x01a\x02bc" }),
        Frame::Fragment { room: 1, sequence: 4, total: 2000, offset: 1100, data: b"xyz" },
        Frame::MaxStream { stream: 1, limit: 131_072 },
        Frame::Done,
        Frame::PathChallenge { data: [7; 8] },
        Frame::Bulk { transfer: 2, offset: 70_000, data: b"abc" },
        Frame::MaxBulk { transfer: 2, limit: 1 << 30 },
        Frame::Ephemeral { room: 1, message: b"\x01\x00" },
        Frame::Close { reason: CloseReason::Removed, text: "enough" },
        Frame::Extension { kind: grease(2), data: b"?" },
        Frame::Padding { len: 40 },
    ];
    let bytes = encoded(&frames);
    let parsed = Frames::parse(&bytes, Side::Hub).unwrap();
    assert_eq!(parsed.iter().collect::<Vec<_>>(), frames);
    let Some(Frame::Entries(entries)) = parsed.iter().nth(3) else { panic!("the fourth is ENTRIES") };
    assert_eq!(entries.iter().collect::<Vec<_>>(), [(9, &b"a"[..]), (10, b"bc")]);
}

#[test]
fn refusals() {
    use DecodeErrorKind::{Direction, Empty, NotUtf8, OutOfRange, Truncated, UnknownFrame};
    //= spec/PROTOCOL.md#frames
    //= type=test
    //# A receiver MUST drop a packet whose frames do not decode to its last byte.
    for (payload, kind) in [
        (&b""[..], Empty),
        (b"\x0f", UnknownFrame),
        (b"\x3f", UnknownFrame),
        (b"\x01\x04", Truncated),
        (b"\x04\x01\x00\x05ab", Truncated),
        (b"\x07\x00\x01\xff", NotUtf8),
        (b"\x06\x01\x01\x02\x01\x02ab", OutOfRange),
        (b"\x05\x01\x01\x02\x01a", Truncated),
        //= spec/PROTOCOL.md#streams
        //= type=test
        //# A receiver MUST drop a packet with stream bytes above the limit it gave, or on a stream above 2^32.
        (b"\x04\xc0\x00\x00\x01\x00\x00\x00\x01\x00\x00", OutOfRange),
    ] {
        assert_eq!(Frames::parse(payload, Side::Hub).unwrap_err().kind, kind, "{payload:?}");
    }
    //= spec/PROTOCOL.md#frames
    //= type=test
    //# The hub MUST drop a packet that carries a frame only a hub sends.
    for payload in [&b"\x08"[..], b"\x05\x01\x01\x00", b"\x06\x01\x01\x01\x00\x00", b"\x0a12345678"] {
        assert_eq!(Frames::parse(payload, Side::Client).unwrap_err().kind, Direction);
        assert!(Frames::parse(payload, Side::Hub).is_ok());
    }
    //= spec/PROTOCOL.md#frames
    //= type=test
    //# The client MUST drop a packet that carries a frame only a client sends.
    assert_eq!(Frames::parse(b"\x0b12345678", Side::Hub).unwrap_err().kind, Direction);
    assert!(Frames::parse(b"\x0b12345678", Side::Client).is_ok());
}

#[test]
fn an_unknown_extension_is_skipped() {
    //= spec/PROTOCOL.md#frames
    //= type=test
    //# A receiver MUST skip an extension frame it does not know.
    let payload = encoded(&[Frame::Extension { kind: 0x1234, data: &[7; 300] }, Frame::Ping]);
    assert_eq!(Frames::parse(&payload, Side::Client).unwrap().iter().last(), Some(Frame::Ping));
}

proptest! {
    /// What decodes encodes back to the same bytes.
    #[test]
    fn encoding_undoes_decoding(payload in prop::collection::vec(0u8..80, 0..60)) {
        for side in [Side::Hub, Side::Client] {
            if let Ok(frames) = Frames::parse(&payload, side) {
                prop_assert_eq!(encoded(&frames.iter().collect::<Vec<_>>()), payload.clone());
            }
        }
    }
}
