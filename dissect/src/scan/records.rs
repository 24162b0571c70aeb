//! From bytes of a capture file to numbers of packets, by the headers of the records alone.
//!
//! Only what tells where packets stand is read, and damage ends it: this names places that were found, it
//! does not judge the file, which [`crate::pcap`] does.

use std::io::{self, BufRead, ErrorKind, Seek};
use std::ops::Range;

use crate::bytes::Endian;
use crate::pcap::BLOCK_BYTES_MAX;

/// The block that begins a section; the number reads the same in either byte order.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Magic numbers of the classic format: microseconds, nanoseconds, and Kuznetzov's.
const CLASSIC: [u32; 3] = [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34];
const CLASSIC_HEADER_BYTES: u64 = 24;

/// The numbers of the packets that hold these bytes of a capture file, from 1; `None` for a byte that is in no
/// packet, or behind damage. The file is read from its beginning; what is between headers is skipped.
///
/// # Errors
/// When the file cannot be read.
pub fn packets_of(file: impl BufRead + Seek, offsets: &[u64]) -> io::Result<Vec<Option<u64>>> {
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|&index| offsets.get(index));
    let mut wanted = order.into_iter().peekable();
    let mut numbers = vec![None; offsets.len()];
    let Some(mut walk) = Walk::new(file)? else { return Ok(numbers) };
    while wanted.peek().is_some()
        && let Some((number, data)) = walk.next_packet()?
    {
        while let Some(index) =
            wanted.next_if(|&index| offsets.get(index).is_some_and(|offset| *offset < data.end))
        {
            let inside = offsets.get(index).is_some_and(|offset| *offset >= data.start);
            if let Some(slot) = numbers.get_mut(index).filter(|_| inside) {
                *slot = Some(number);
            }
        }
    }
    Ok(numbers)
}

/// A walk from record to record.
struct Walk<F> {
    file: F,
    at: u64,
    packets: u64,
    endian: Endian,
    is_classic: bool,
}

impl<F: BufRead + Seek> Walk<F> {
    /// `None` when the file is no capture.
    fn new(mut file: F) -> io::Result<Option<Self>> {
        let mut magic = [0; 4];
        if !read(&mut file, &mut magic)? {
            return Ok(None);
        }
        let of = |endian: Endian| endian.u32(&magic, 0).is_some_and(|magic| CLASSIC.contains(&magic));
        let classic = [Endian::Little, Endian::Big].into_iter().find(|endian| of(*endian));
        let is_section = Endian::Big.u32(&magic, 0) == Some(SECTION_HEADER);
        if classic.is_none() && !is_section {
            return Ok(None);
        }
        let start = if is_section { 0 } else { CLASSIC_HEADER_BYTES };
        let (endian, is_classic) = (classic.unwrap_or(Endian::Little), classic.is_some());
        let mut walk = Self { file, at: 4, packets: 0, endian, is_classic };
        walk.go_to(start)?;
        Ok(Some(walk))
    }

    /// The next packet's number and where its bytes stand.
    fn next_packet(&mut self) -> io::Result<Option<(u64, Range<u64>)>> {
        let data = if self.is_classic { self.classic()? } else { self.blocks()? };
        self.packets += 1;
        Ok(data.map(|data| (self.packets, data)))
    }

    fn classic(&mut self) -> io::Result<Option<Range<u64>>> {
        let mut header = [0; 16];
        if !self.read(&mut header)? {
            return Ok(None);
        }
        let captured = self.endian.u32(&header, 8).unwrap_or(0);
        let data = self.at..self.at.saturating_add(u64::from(captured));
        self.go_to(data.end)?;
        Ok(Some(data))
    }

    /// Goes from block to block up to one that holds a packet.
    fn blocks(&mut self) -> io::Result<Option<Range<u64>>> {
        loop {
            let start = self.at;
            let mut header = [0; 12];
            if !self.read(&mut header)? {
                return Ok(None);
            }
            if Endian::Big.u32(&header, 0) == Some(SECTION_HEADER) {
                let is_big = header.ends_with(&[0x1a, 0x2b, 0x3c, 0x4d]);
                self.endian = if is_big { Endian::Big } else { Endian::Little };
            }
            let word = |offset| self.endian.u32(&header, offset).unwrap_or(0);
            let (kind, len, first) = (word(0), word(4), word(8));
            if len < 12 || usize::try_from(len).is_ok_and(|len| len > BLOCK_BYTES_MAX) {
                return Ok(None);
            }
            let data = match kind {
                ENHANCED_PACKET | OBSOLETE_PACKET => {
                    let mut fields = [0; 16];
                    if !self.read(&mut fields)? {
                        return Ok(None);
                    }
                    Some((28, self.endian.u32(&fields, 8).unwrap_or(0)))
                }
                // Its only length is the one on the wire; what was kept of it fills the block.
                SIMPLE_PACKET => Some((12, first)),
                _ => None,
            };
            let end = start.saturating_add(u64::from(len));
            self.go_to(end.saturating_add(u64::from(len.wrapping_neg() % 4)))?;
            if let Some((offset, captured)) = data {
                let begin = start.saturating_add(offset);
                return Ok(Some(begin..begin.saturating_add(u64::from(captured)).min(end.saturating_sub(4))));
            }
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<bool> {
        self.at = self.at.saturating_add(crate::bytes::count(into.len()));
        read(&mut self.file, into)
    }

    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        let ahead = i64::try_from(i128::from(offset) - i128::from(self.at)).unwrap_or(i64::MAX);
        self.at = offset;
        self.file.seek_relative(ahead)
    }
}

/// Whether the file still had so many bytes.
fn read(file: &mut impl BufRead, into: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn words(big: bool, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| if big { word.to_be_bytes() } else { word.to_le_bytes() }).collect()
    }

    #[test]
    fn classic_files_in_both_orders() {
        for big in [false, true] {
            let mut file = words(big, &[0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, 1]);
            for len in [3_u32, 70_000, 0, 2] {
                file.extend(words(big, &[0, 0, len, len]));
                file.extend(vec![7; usize::try_from(len).unwrap()]);
            }
            let last = u64::try_from(file.len()).unwrap() - 1;
            let offsets = [last, 0, 40, 42, 43, 24, last + 5, 59];
            let numbers = packets_of(Cursor::new(&file), &offsets).unwrap();
            assert_eq!(numbers, [Some(4), None, Some(1), Some(1), None, None, None, Some(2)]);
        }
    }

    #[test]
    fn blocks_of_several_kinds_and_sections_of_both_orders() {
        let mut file = Vec::new();
        let mut inside = Vec::new();
        for big in [false, true] {
            file.extend(words(big, &[SECTION_HEADER, 28, 0x1a2b_3c4d, 0x0001_0000, !0, !0, 28]));
            file.extend(words(big, &[1, 20, 1, 65_535, 20]));
            for kind in [ENHANCED_PACKET, OBSOLETE_PACKET] {
                inside.push(file.len() + 28);
                file.extend(words(big, &[kind, 40, 0, 0, 0, 5, 5, 0x6161_6161, 0x6161_6161, 40]));
            }
            inside.push(file.len() + 12);
            file.extend(words(big, &[SIMPLE_PACKET, 24, 900, 0x6161_6161, 0x6161_6161, 24]));
        }
        let offsets: Vec<u64> = inside.iter().map(|offset| u64::try_from(*offset).unwrap()).collect();
        let numbers = packets_of(Cursor::new(&file), &offsets).unwrap();
        assert_eq!(numbers, (1..=6).map(Some).collect::<Vec<_>>());
        // Five bytes were captured, and three fill the block up.
        let behind: Vec<u64> = offsets.iter().map(|offset| offset + 5).collect();
        let numbers = packets_of(Cursor::new(&file), &behind).unwrap();
        assert_eq!(numbers, [None, None, Some(3), None, None, Some(6)]);
    }

    #[test]
    fn damage_ends_the_walk() {
        for file in [&b""[..], b"abc", b"no capture at all", &words(false, &[SECTION_HEADER, 0, 0])] {
            assert_eq!(packets_of(Cursor::new(file), &[0, 9]).unwrap(), [None, None]);
        }
    }
}
