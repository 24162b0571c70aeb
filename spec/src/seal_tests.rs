//! Sealing and opening: there and back, every flipped bit, the limits.

use super::*;
use crate::key_schedule::Root;
use crate::limits::BUCKETS_BYTES;
use crate::wire::frame::Side;
use crate::wire::short::ConnectionId;
use alloc::vec;

fn keys() -> DirectionKeys {
    Root::from_handshake(&[1; 32], &Secret::new([2; 32]), &Secret::new([3; 32])).direction(Side::Client)
}

fn sealed(sealer: &mut Sealer, number: u64, number_len: usize, frames: &[u8]) -> Result<Vec<u8>, SealError> {
    let header = ShortHeader { epoch: 0, number_len, reserved: 3, id: ConnectionId([4; 8]), number };
    let mut out = Vec::new();
    header.encode(&mut out);
    out.extend_from_slice(frames);
    sealer.seal(&header, &mut out, 0)?;
    Ok(out)
}

#[test]
fn every_size_and_number_length_there_and_back() {
    for number_len in 1..=4 {
        for frames_len in [0, 1, 60, 64, 67, 68, 300, 1171] {
            let frames = vec![1; frames_len];
            let mut datagram = sealed(&mut Sealer::new(&keys()), 200, number_len, &frames).unwrap();
            //= spec/PROTOCOL.md#short-datagrams
            //= type=test
            //# A sender MUST pad n plus the length of the frames to 68, 132, 260, 516, 1028 or 1175 bytes.
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

#[test]
fn another_epoch_fails_to_open_and_costs_no_key() {
    //= spec/PROTOCOL.md#key-schedule
    //= type=test
    //# A receiver MUST drop a packet whose epoch bits are not 0.
    let header = ShortHeader { epoch: 1, number_len: 1, reserved: 0, id: ConnectionId([4; 8]), number: 0 };
    let mut out = Vec::new();
    header.encode(&mut out);
    out.push(1);
    Sealer::new(&keys()).seal(&header, &mut out, 0).unwrap();
    assert_eq!(Opener::new(&keys()).open(&mut out, None), Err(Discard::Unauthentic));
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
    //= spec/PROTOCOL.md#short-datagrams
    //= type=test
    //# An endpoint MUST end a session rather than seal more than 2^23 packets under one key.
    let mut sealer = Sealer::with_limit(&keys(), 8);
    for number in 0..8 {
        assert!(sealed(&mut sealer, number, 1, b"a").is_ok());
    }
    assert_eq!(sealed(&mut sealer, 8, 1, b"a"), Err(SealError::KeyLimit));

    //= spec/PROTOCOL.md#short-datagrams
    //= type=test
    //# An endpoint MUST stop opening when 2^36 packets failed to open under the keys of one generation.
    let mut opener = Opener::with_limit(&keys(), 16);
    for _ in 0..16 {
        assert_eq!(opener.open(&mut [0x40; 93], None), Err(Discard::Unauthentic));
    }
    let mut good = sealed(&mut Sealer::new(&keys()), 0, 1, b"a").unwrap();
    assert_eq!(opener.open(&mut good, None), Err(Discard::KeyLimit));
}
