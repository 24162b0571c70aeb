//! What must hold for any bytes.

use proptest::prelude::*;

use super::{CLIENT, SERVER, datagrams, ends, told};
use crate::clear::{FlowFinding, Piece, Watch, Watched, Watches, judge};
use crate::dissection::{Endpoint, Protocol};

/// The beginnings of many protocols, so that arbitrary bytes get past recognition.
const BEGINNINGS: [&[u8]; 24] = [
    b"NICK a\r\nUSER a b c :d\r\n",
    b"GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\nContent-Length: 9\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n4\r\n",
    b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n\xc1\x85",
    b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    b"220 x\r\n",
    b"EHLO x\r\nAUTH LOGIN\r\n",
    b"USER x\r\nPASS y\r\n",
    b"+OK\r\n",
    b"* OK x\r\n",
    b"a1 LOGIN a {5}\r\n",
    b"<?xml version='1.0'?><stream:stream to='x'><auth mechanism='PLAIN'>",
    b"INVITE sip:a SIP/2.0\r\nContent-Length: 7\r\n\r\n",
    b"\x10\x10\0\x04MQTT\x04\xc2\0\x3c",
    b"\xff\xfb\x18\xff\xfa\x18",
    b"login: ",
    b"\x16\x03\x01\x00\x40\x01\0\0\x3c\x03\x03",
    b"SSH-2.0-x\r\n\0\0\0\x14\x04\x14",
    b"\0\0\0\x08\x04\xd2\x16\x2f",
    b"\x4a\0\0\0\x0a8.0\0",
    b"\x30\x16\x02\x01\x01\x60\x11\x02\x01\x03\x04",
    b"*2\r\n$4\r\nAUTH\r\n$3\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\0\0\x01\0\x01",
];

fn part() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..60);
    let text = "[ -~\r\n]{0,60}".prop_map(String::into_bytes);
    let beginning = prop::sample::select(BEGINNINGS.to_vec()).prop_map(<[u8]>::to_vec);
    prop_oneof![beginning, noise, text]
}

fn dialogue() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
    prop::collection::vec((any::<bool>(), part()), 1..12)
}

/// Watches parts as packets; each is cut into pieces of the length that `cut` gives.
fn watch(parts: &[(bool, Vec<u8>)], mut cut: impl FnMut() -> usize) -> FlowFinding {
    let mut watch = Watch::new(ends(Protocol::Tcp));
    for (packet, (from_initiator, bytes)) in (1..).zip(parts) {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(cut().clamp(1, rest.len()));
            watch.take(*from_initiator, packet, Piece::Bytes(piece));
            rest = behind;
        }
    }
    watch.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_is_found_does_not_depend_on_how_a_stream_is_cut(
        parts in dialogue(),
        cuts in prop::collection::vec(1_usize..9, 1..20),
    ) {
        let whole = watch(&parts, || usize::MAX);
        let bytes = watch(&parts, || 1);
        let mut cuts = cuts.iter().cycle();
        let pieces = watch(&parts, || *cuts.next().unwrap());
        prop_assert_eq!(told(&whole), told(&bytes));
        prop_assert_eq!(&whole, &bytes);
        prop_assert_eq!(&whole, &pieces);
    }

    #[test]
    fn holes_and_datagrams_are_survived(parts in dialogue(), gaps in prop::collection::vec(0_u64..100, 12)) {
        let mut watch = Watch::new(ends(Protocol::Tcp));
        for (packet, ((from_initiator, bytes), gap)) in (1..).zip(parts.iter().zip(gaps)) {
            watch.take(*from_initiator, packet, Piece::Bytes(bytes));
            if gap % 3 == 0 {
                watch.take(*from_initiator, packet, Piece::Gap(gap));
            }
        }
        prop_assert!(watch.finish().bytes > 0 || parts.iter().all(|(_, bytes)| bytes.is_empty()));
        datagrams(&parts);
    }

    #[test]
    fn no_secret_is_in_what_is_said_without_being_asked(word in "[a-z0-9]{6,20}", which in 0_usize..8) {
        let line = match which {
            0 => format!("NICK {word}\r\nUSER {word} 0 * :{word}\r\nPRIVMSG #{word} :{word}\r\n"),
            1 => format!("GET /{word}?token={word} HTTP/1.1\r\nCookie: {word}={word}\r\nX-Api-Key: {word}\r\n\r\n"),
            2 => format!("POST / HTTP/1.1\r\nContent-Length: 40\r\n\r\n{{\"password\": \"{word}\"}}"),
            3 => format!("EHLO x\r\nMAIL FROM:<{word}@{word}>\r\nDATA\r\n{word}\r\n.\r\n"),
            4 => format!("USER {word}\r\nPASS {word}\r\nAPOP {word} {word}\r\n"),
            5 => format!("<?xml version='1.0'?><stream:stream to='x'><body>{word}</body>"),
            6 => format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{word}\r\n", word.len()),
            _ => format!("REGISTER sip:{word} SIP/2.0\r\nFrom: <sip:{word}@x>\r\n\r\n{word}"),
        };
        let flow = watch(&[(CLIENT, line.into_bytes()), (SERVER, b"+OK\r\n".to_vec())], || usize::MAX);
        let watched = Watched { flows: vec![flow], unwatched_pieces: 0 };
        let findings = format!("{:?}", judge(&watched, false));
        prop_assert!(!findings.contains(&word), "{findings}");
        let debug = format!("{watched:?}");
        prop_assert!(!debug.contains(&word), "{debug}");
    }
}

#[test]
fn secrets_are_revealed_when_asked_for() {
    let flow = watch(&[(CLIENT, b"EHLO x\r\nAUTH PLAIN AGFkYQBodW50ZXIy\r\n".to_vec())], || 7);
    let findings = judge(&Watched { flows: vec![flow], unwatched_pieces: 0 }, true);
    assert!(findings[0].text.contains("hunter2"), "{findings:?}");
    assert_eq!(findings[0].rule, "clear.smtp");
}

#[test]
fn flows_beyond_the_bound_are_counted() {
    let mut watches = Watches::default();
    let end = |number: u32| Endpoint { ip: number.to_be_bytes().into(), port: Some(7) };
    let flows = u32::try_from(super::super::FLOWS_MAX).unwrap();
    for number in 0..flows + 5 {
        watches.take(Protocol::Udp, end(number), end(u32::MAX), 1, Piece::Datagram(b"x"));
    }
    let watched = watches.finish();
    assert_eq!((watched.flows.len(), watched.unwatched_pieces), (super::super::FLOWS_MAX, 5));
    let last = judge(&watched, false).pop().unwrap();
    assert_eq!(last.rule, "flow.limit");
}
