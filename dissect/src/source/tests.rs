//! Files that come whole, slowly, compressed, and broken.

use std::io::{self, Read, Write as _};

use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::test_random::random_bytes;

/// A source that gives one byte at a time, as a slow pipe may.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(1).min(self.0.len());
        buffer[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = FrameEncoder::with_frame_info(
        FrameInfo::new().block_size(BlockSize::Max64KB).content_checksum(true),
        Vec::new(),
    );
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn spool(bytes: &[u8]) -> Result<Source, ReadError> {
    Source::spool(bytes, DECOMPRESSED_BYTES_MAX, &())
}

fn content(source: &Source) -> Vec<u8> {
    let mut bytes = Vec::new();
    source
        .chunks(|at, chunk| {
            assert_eq!(at, bytes.len() as u64);
            bytes.extend_from_slice(chunk);
        })
        .unwrap();
    assert_eq!(bytes.len() as u64, source.len());
    bytes
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compresses bytes.
type Packer = fn(&[u8]) -> Vec<u8>;

const PACKERS: [(Compression, Packer); 3] =
    [(Compression::Gzip, gzip), (Compression::Zstd, zstd), (Compression::Lz4, lz4)];

/// Text that compresses, and noise that does not.
fn sample() -> Vec<u8> {
    [b"to be or not to be, ".repeat(5_000), random_bytes(1, 70_000)].concat()
}

#[test]
fn whatever_the_way_it_comes_it_is_the_same() {
    let bytes = sample();
    let memory = Source::memory(bytes.clone());
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let file = Source::of_file(file, 0, &()).unwrap();
    let pipe = Source::spool(Drip(&bytes), 0, &()).unwrap();
    for source in [memory, file, pipe] {
        assert_eq!(content(&source), bytes);
        assert_eq!(source.sha256().unwrap(), hash(&bytes));
        assert_eq!((source.given_len(), source.compression()), (bytes.len() as u64, None));
    }
}

#[test]
fn a_window_moves_both_ways_and_ends_with_the_source() {
    let bytes = random_bytes(2, 3 * CHUNK_BYTES + 5);
    let source = Source::memory(bytes.clone());
    let mut window = Window::new(&source);
    for (at, len) in [(0, 10), (CHUNK_BYTES - 3, 9), (5, 2 * CHUNK_BYTES), (0, 1), (3 * CHUNK_BYTES, 5)] {
        assert_eq!(window.get(at as u64, len).unwrap(), &bytes[at..at + len], "{at} {len}");
    }
    assert_eq!(window.get(3 * CHUNK_BYTES as u64, 100).unwrap(), &bytes[3 * CHUNK_BYTES..]);
    assert_eq!(window.get(bytes.len() as u64 + 7, 100).unwrap(), b"");
}

#[test]
fn every_compression_in_several_members() {
    let bytes = sample();
    let (front, back) = bytes.split_at(777);
    for (compression, pack) in PACKERS {
        let mut file = pack(front);
        if compression != Compression::Gzip {
            file.extend(b"\x5a\x2a\x4d\x18\x03\x00\x00\x00any");
        }
        file.extend(pack(back));
        let source = Source::spool(Drip(&file), DECOMPRESSED_BYTES_MAX, &()).unwrap();
        assert_eq!(content(&source), bytes, "{compression}");
        assert_eq!((source.compression(), source.damage()), (Some(compression), None));
        assert_eq!((source.sha256().unwrap(), source.given_len()), (hash(&file), file.len() as u64));
    }
}

/// What stands before the damage is the capture; all of the file is hashed.
#[test]
fn a_broken_stream_is_damage_behind_what_could_be_read() {
    let bytes = sample();
    for (compression, pack) in PACKERS {
        let whole = pack(&bytes);
        let cut = whole[..whole.len() * 2 / 3].to_vec();
        let mut flipped = whole.clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        let garbage = [&whole[..], b"garbage"].concat();
        for (what, file) in [("cut", cut), ("flipped", flipped), ("garbage", garbage)] {
            // zstd frames of this encoder have a checksum, and so have the others.
            let source = spool(&file).unwrap();
            let read = content(&source);
            assert!(!read.is_empty() && bytes.starts_with(&read), "{compression} {what}");
            let damage = source.damage().unwrap_or_else(|| panic!("{compression} {what}"));
            assert!(damage.offset <= file.len() as u64 && damage.what.contains("broken"), "{damage:?}");
            assert_eq!(source.sha256().unwrap(), hash(&file));
        }
    }
}

#[test]
fn more_than_the_limit_is_not_decompressed() {
    let bytes = vec![7; 3_000_000];
    for (_, pack) in PACKERS {
        let source = Source::spool(pack(&bytes).as_slice(), 1_000_000, &()).unwrap();
        assert_eq!(source.len(), 1_000_000);
        assert!(source.damage().unwrap().what.contains("more than 1000000 bytes"));
    }
}

#[test]
fn what_is_compressed_twice_or_not_at_all_is_refused() {
    let twice = spool(&gzip(&zstd(b"inside"))).unwrap_err().to_string();
    assert!(twice.contains("zstd inside gzip"), "{twice}");
    for start in [&b"\x1f\x8b\x08\x00"[..], b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"] {
        let nothing = spool(start).unwrap_err().to_string();
        assert!(nothing.contains("can be decompressed"), "{nothing}");
    }
}
