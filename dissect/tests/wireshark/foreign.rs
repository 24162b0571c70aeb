//! Traffic of others: what looks random, what looks like ours, and what is neither.

use crate::run::{HUB, RESOLVER, Run};

const OTHER: crate::run::End = ([10, 0, 5, 1], 51_000);

struct Random(u64);

impl Random {
    /// xorshift64 (Marsaglia): any bytes do.
    fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_be_bytes()[3]
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }
}

/// Random datagrams of every length that is ours and of others, with every first byte; DNS; what WireGuard and QUIC
/// begin with; and our own handshake with one thing wrong.
pub(crate) fn traffic() -> Run {
    let mut run = Run { pace_seconds: 1, ..Run::default() };
    let mut random = Random(7);
    for first in 0..=255 {
        for len in [1200, 128, 93] {
            let mut payload = random.bytes(len);
            payload[0] = first;
            run.send(OTHER, HUB, payload);
        }
    }
    for len in [0, 1, 4, 5, 28, 29, 157, 285, 541, 1053, 1232, 1452] {
        let mut payload = random.bytes(len);
        run.send(HUB, OTHER, payload.clone());
        if let Some(first) = payload.first_mut() {
            *first = 0x40 | *first & 0x3f;
        }
        run.send(OTHER, HUB, payload);
    }
    let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01";
    run.send(OTHER, RESOLVER, query.to_vec());
    // A handshake initiation and a data message of WireGuard, a long and a short header of QUIC version 1.
    for (start, len) in
        [(&[1, 0, 0, 0][..], 148), (&[4, 0, 0, 0], 128), (&[0xc3, 0, 0, 0, 1, 8], 1200), (&[0x4e], 93)]
    {
        let mut payload = start.to_vec();
        payload.extend(random.bytes(len - start.len()));
        run.send(OTHER, HUB, payload);
    }
    // Another version, a length that its type does not have, type 7, a fragment that FIN does not have.
    for (first, version, len) in
        [(0xc0, b"SGM2", 1200), (0xc0, b"SGM1", 1199), (0xf8, b"SGM1", 1200), (0xd4, b"SGM1", 1200)]
    {
        let mut payload = vec![first];
        payload.extend(version);
        payload.extend(random.bytes(len - 5));
        run.send(OTHER, HUB, payload);
    }
    run
}
