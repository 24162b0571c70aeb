//! The capture that all programs work on.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// Writes a classic capture of raw IPv4 with UDP datagrams of 200 to 1,200 random bytes between two hosts, up to
/// this size; returns the number of packets. The same bytes every time.
pub(crate) fn write(path: &Path, bytes: u64) -> io::Result<u64> {
    const LINKTYPE_RAW: u32 = 101;
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for word in [0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, LINKTYPE_RAW] {
        file.write_all(&word.to_be_bytes())?;
    }
    let mut random = Random(0x5ea1_97a3);
    let (mut written, mut packets) = (24, 0);
    while written < bytes {
        let len = 200 + u16::try_from(random.next() % 1_001).unwrap_or(0);
        let microseconds = packets * 100;
        for word in [microseconds / 1_000_000, microseconds % 1_000_000] {
            file.write_all(&u32::try_from(word).unwrap_or(0).to_be_bytes())?;
        }
        let captured = u32::from(len) + 28;
        file.write_all(&captured.to_be_bytes())?;
        file.write_all(&captured.to_be_bytes())?;
        file.write_all(&[0x45, 0])?;
        file.write_all(&(len + 28).to_be_bytes())?;
        // Identification, fragment, time to live 64, UDP, checksum, 192.0.2.1 to 192.0.2.2.
        file.write_all(&[0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2])?;
        for field in [40_000, 40_001, len + 8, 0] {
            file.write_all(&field.to_be_bytes())?;
        }
        let mut left = usize::from(len);
        while left > 0 {
            let word = random.next().to_le_bytes();
            let part = left.min(word.len());
            file.write_all(&word[..part])?;
            left -= part;
        }
        written += 16 + u64::from(captured);
        packets += 1;
    }
    file.flush()?;
    Ok(packets)
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }
}
