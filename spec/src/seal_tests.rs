//! Sealing and opening: there and back, every flipped bit, the limits.

use super::*;
use crate::discard::Discard;
use crate::key_schedule::{Root, tests::DERIVED};
use crate::limits::BUCKETS_BYTES;
use crate::number::encoded_len;
use crate::wire::frame::Side;
use crate::wire::short::ConnectionId;
use alloc::vec;

fn keys() -> DirectionKeys {
    Root::from_handshake(&[1; 32], &Secret::new([2; 32]), &Secret::new([3; 32])).direction(Side::Client)
}

fn sealed(sealer: &mut Sealer, number: u64, number_len: usize, frames: &[u8]) -> Result<Vec<u8>, SealError> {
    let epoch = sealer.epoch_bits();
    let header = ShortHeader { epoch, number_len, reserved: 3, id: ConnectionId([4; 8]), number };
    let mut out = Vec::new();
    header.encode(&mut out);
    out.extend_from_slice(frames);
    sealer.seal(&header, &mut out, 0)?;
    Ok(out)
}

#[test]
fn every_size_and_number_length_there_and_back() {
    for number_len in 1..=4 {
        for frames_len in [0, 1, 60, 64, 67, 68, 300, 1171, 1172, 1300, 1400, 1423] {
            let frames = vec![1; frames_len];
            let mut datagram = sealed(&mut Sealer::new(&keys()), 200, number_len, &frames).unwrap();
            //= spec/PROTOCOL.md#short-datagrams
            //= type=test
            //# A sender MUST pad n plus the length of the frames to 68, 132, 260, 516, 1028, 1175, 1207, 1347, 1407 or
            //# 1427 bytes.
            assert!(BUCKETS_BYTES.contains(&(datagram.len() - 9 - 16)));
            let opened = Opener::new(&keys()).open(&mut datagram, Some(199)).unwrap();
            assert_eq!((opened.header.number, opened.header.reserved), (200, 3));
            let (content, padding) = datagram[opened.frames].split_at(frames_len);
            assert_eq!(content, frames);
            assert!(padding.iter().all(|byte| *byte == 0));
        }
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let datagram = sealed(&mut Sealer::new(&keys()), 0, 1, b"frames").unwrap();
    for bit in 0..datagram.len() * 8 {
        let mut flipped = datagram.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let mut opener = Opener::new(&keys());
        //= spec/PROTOCOL.md#short-datagrams
        //= type=test
        //# A receiver MUST remove the mask, complete the number and open the AEAD without an earlier way out
        //# that depends on a masked value.
        assert_eq!(opener.open(&mut flipped, None), Err(Discard::Unauthentic), "bit {bit}");
        assert_eq!(opener.failed(), 1);
    }
}

#[test]
fn the_same_sample_gives_the_same_mask_and_no_other() {
    let (one, two) = (vec![5; 40], vec![6; 40]);
    let key = keys().header;
    assert_eq!(header_mask(&key, &one), header_mask(&key, &one));
    assert_ne!(header_mask(&key, &one), header_mask(&key, &two));
}

#[test]
fn short_datagrams_do_not_panic() {
    for len in 0..64 {
        for byte in [0x40, 0x4f, 0x7f] {
            let mut datagram = vec![byte; len];
            assert!(Opener::new(&keys()).open(&mut datagram, None).is_err());
        }
    }
}

/// A datagram of a sealer that has gone on to `epoch`.
fn in_epoch(epoch: u64, number: u64) -> Vec<u8> {
    let mut sealer = Sealer::new(&keys());
    (0..epoch).for_each(|_| sealer.update());
    sealed(&mut sealer, number, 2, b"a").unwrap()
}

#[test]
fn three_epochs_open_and_no_other() {
    let mut opener = Opener::new(&keys());
    for epoch in 0..9 {
        let mut opens = |epoch, number| opener.open(&mut in_epoch(epoch, number), Some(epoch * 10));
        assert_eq!(opens(epoch, epoch * 10 + 1).unwrap().epoch, epoch);
        //= spec/PROTOCOL.md#key-updates
        //= type=test
        //# A receiver MUST drop a packet whose epoch bits name none of the epochs it holds.
        assert_eq!(opens(epoch + 2, epoch * 10 + 12), Err(Discard::Unauthentic));
        if epoch > 0 {
            assert_eq!(opens(epoch - 1, epoch * 10 - 5).unwrap().epoch, epoch - 1);
        }
        if epoch > 1 {
            assert_eq!(opens(epoch - 2, epoch * 10 - 15), Err(Discard::Unauthentic));
        }
    }
    opener.forget_previous();
    assert_eq!(opener.open(&mut in_epoch(7, 76), Some(81)), Err(Discard::Unauthentic));
    assert_eq!(opener.open(&mut in_epoch(8, 82), Some(81)).unwrap().epoch, 8);
}

#[test]
fn forged_epoch_bits_cost_one_open_and_no_derivation() {
    let mut opener = Opener::new(&keys());
    opener.open(&mut in_epoch(0, 1), None).unwrap();
    let before = DERIVED.get();
    for forged in 0..64 {
        let mut datagram = [0x40; 93];
        datagram[0] |= forged;
        datagram[40] = forged;
        //= spec/PROTOCOL.md#key-updates
        //= type=test
        //# A receiver MUST NOT derive a key because of a packet that did not open.
        assert_eq!(opener.open(&mut datagram, Some(1)), Err(Discard::Unauthentic));
    }
    assert_eq!((DERIVED.get(), opener.failed(), opener.epoch()), (before, 64, 0));
    let next = in_epoch(1, 2);
    let before = DERIVED.get();
    opener.open(&mut next.clone(), Some(1)).unwrap();
    assert_eq!((DERIVED.get(), opener.epoch()), (before + 1, 1), "the first packet of an epoch costs one");
    opener.open(&mut in_epoch(1, 3), Some(2)).unwrap();
    assert_eq!(opener.epoch(), 1);
}

#[test]
fn epochs_and_numbers_go_up_together() {
    //= spec/PROTOCOL.md#key-updates
    //= type=test
    //# A receiver MUST close the session with VIOLATION when a packet opens under epoch n whose number is above
    //# one that opened under n + 1, or under n + 1 whose number is below one that opened under n.
    for (packets, is_right) in [
        (&[(0, 5), (1, 9), (0, 8), (1, 10)][..], true),
        (&[(0, 5), (1, 9), (0, 10)], false),
        (&[(0, 5), (1, 4)], false),
        (&[(0, 5), (1, 9), (0, 8), (1, 7)], false),
        (&[(0, 5), (1, 9), (1, 6), (0, 7)], false),
        (&[(0, 5), (1, 9), (2, 12), (1, 11), (2, 10)], false),
        (&[(0, 5), (1, 9), (2, 12), (1, 8), (2, 13)], true),
        (&[(1, 3), (0, 2), (2, 4)], true),
    ] {
        let mut opener = Opener::new(&keys());
        let mut open = |(epoch, number): &(u64, u64)| {
            opener.open(&mut in_epoch(*epoch, *number), Some(8)).map(|opened| opened.epoch)
        };
        let (last, before) = packets.split_last().unwrap();
        before.iter().for_each(|packet| assert_eq!(open(packet), Ok(packet.0), "{packets:?}"));
        let expected = if is_right { Ok(last.0) } else { Err(Discard::EpochOrder) };
        assert_eq!(open(last), expected, "{packets:?}");
    }
}

/// F12: a number is cut and completed the same whatever the epoch, also where the encoding grows or wraps.
#[test]
fn an_update_at_the_edge_of_every_number_length() {
    for edge in [0x80, 0x100, 0x8000, 0x1_0000, 0x80_0000, 0x100_0000, 0x8000_0000, 0x1_0000_0000_u64] {
        for acknowledged in [None, Some(edge - 40), Some(edge.saturating_sub(0x90)), Some(edge / 3)] {
            let (mut sealer, mut opener) = (Sealer::new(&keys()), Opener::new(&keys()));
            // The largest opened is what the acknowledgement named, or further.
            let mut largest = acknowledged.or(Some(edge - 4));
            for number in edge - 3..edge + 3 {
                if number == edge {
                    sealer.update();
                }
                let number_len = encoded_len(number, acknowledged);
                let mut datagram = sealed(&mut sealer, number, number_len, b"a").unwrap();
                let opened = opener.open(&mut datagram, largest).unwrap();
                assert_eq!((opened.header.number, opened.epoch), (number, sealer.epoch()), "{edge}");
                largest = Some(number);
            }
            assert_eq!(opener.epoch(), 1);
        }
    }
}

#[test]
fn a_number_is_used_once_and_numbers_do_not_go_back() {
    //= spec/PROTOCOL.md#short-datagrams
    //= type=test
    //# A sender MUST NOT use a packet number twice, and MUST NOT go back.
    let mut sealer = Sealer::new(&keys());
    assert!(sealed(&mut sealer, 5, 1, b"a").is_ok());
    for number in [5, 4, 0] {
        assert_eq!(sealed(&mut sealer, number, 1, b"a"), Err(SealError::NumberReused));
    }
    assert!(sealed(&mut sealer, 6, 1, b"a").is_ok());
}

#[test]
fn limits_of_a_key() {
    //= spec/PROTOCOL.md#key-updates
    //= type=test
    //# An endpoint MUST end a session rather than seal more than 2^23 packets under one key.
    let mut sealer = Sealer::with_limit(&keys(), 8);
    for number in 0..8 {
        assert!(sealed(&mut sealer, number, 1, b"a").is_ok());
    }
    assert_eq!(sealed(&mut sealer, 8, 1, b"a"), Err(SealError::KeyLimit));
    sealer.update();
    assert!(sealed(&mut sealer, 8, 1, b"a").is_ok(), "the limit is one of a key");

    //= spec/PROTOCOL.md#key-updates
    //= type=test
    //# An endpoint MUST stop opening when 2^36 packets failed to open under the keys of one generation.
    let mut opener = Opener::with_limit(&keys(), 16);
    for _ in 0..16 {
        assert_eq!(opener.open(&mut [0x40; 93], None), Err(Discard::Unauthentic));
    }
    let mut good = sealed(&mut Sealer::new(&keys()), 0, 1, b"a").unwrap();
    assert_eq!(opener.open(&mut good, None), Err(Discard::KeyLimit));
}
