//! The compressions that captures come in, each as a sequence of members that follow each other.

use std::fmt;
use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use lz4_flex::frame::FrameDecoder;
use ruzstd::decoding::{BlockDecodingStrategy, StreamingDecoder};
use serde::Serialize;

use super::given::Given;

/// First bytes of a skippable frame of zstd and lz4, whose lowest four bits are free (RFC 8878, 3.1.2).
const SKIPPABLE: u32 = 0x184d_2a50;

/// Takes a piece of what was decompressed; whether it takes more.
type Sink<'a> = dyn FnMut(&[u8]) -> io::Result<bool> + 'a;

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The LZ4 frame format.
    Lz4,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        })
    }
}

impl Compression {
    /// The compression of a file that begins with these bytes.
    #[must_use]
    pub fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            _ => None,
        }
    }

    /// Decompresses all members; each piece of what comes out is given to `sink`, until it says that it has
    /// enough (`false`).
    ///
    /// # Errors
    /// Whatever is wrong with the compressed bytes or with reading them.
    pub(super) fn decompress(self, given: &mut Given<impl Read>, sink: &mut Sink<'_>) -> io::Result<()> {
        while !given.peek(1)?.is_empty() {
            if self != Self::Gzip && skip(given)? {
                continue;
            }
            let goes_on = match self {
                Self::Gzip => copy(&mut GzDecoder::new(&mut *given), sink)?,
                Self::Zstd => zstd(given, sink)?,
                Self::Lz4 => lz4(given, sink)?,
            };
            if !goes_on {
                break;
            }
        }
        Ok(())
    }
}

/// Skips one frame that holds no data; whether there was one.
fn skip(given: &mut Given<impl Read>) -> io::Result<bool> {
    let Some(&[magic @ .., a, b, c, d]) = given.peek(8)?.first_chunk::<8>() else { return Ok(false) };
    if u32::from_le_bytes(magic) & !0xf != SKIPPABLE {
        return Ok(false);
    }
    let whole = 8 + u64::from(u32::from_le_bytes([a, b, c, d]));
    let skipped = io::copy(&mut given.take(whole), &mut io::sink())?;
    if skipped < whole { Err(cut("a skippable frame")) } else { Ok(true) }
}

fn zstd(given: &mut Given<impl Read>, sink: &mut Sink<'_>) -> io::Result<bool> {
    /// The last block of a frame, empty, and room for a checksum.
    const END: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];
    let mut decoder = StreamingDecoder::new(given).map_err(io::Error::other)?;
    let copied = copy(&mut decoder, sink);
    let mut frame = decoder.into_frame_decoder();
    match copied {
        Ok(true) => {}
        Ok(false) => return Ok(false),
        // What was decoded is held back until it is out of reach for what follows. Nothing does.
        Err(error) => {
            frame.decode_blocks(END.as_slice(), BlockDecodingStrategy::All).ok();
            return copy(&mut frame, sink).and(Err(error));
        }
    }
    match frame.get_checksum_from_data() {
        Some(stated) if frame.get_calculated_checksum() != Some(stated) => {
            Err(io::Error::other("the checksum of a zstd frame is wrong"))
        }
        _ => Ok(true),
    }
}

/// The decoder takes the end of the file for the end of a frame, which it is not.
fn lz4(given: &mut Given<impl Read>, sink: &mut Sink<'_>) -> io::Result<bool> {
    given.end_was_met();
    let goes_on = copy(&mut FrameDecoder::new(&mut *given), sink)?;
    if given.end_was_met() { Err(cut("an lz4 frame")) } else { Ok(goes_on) }
}

fn cut(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the file ends inside {what}"))
}

/// Hands on what a decoder yields; whether the sink takes more.
fn copy(decoder: &mut impl Read, sink: &mut Sink<'_>) -> io::Result<bool> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = match decoder.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if read == 0 {
            return Ok(true);
        }
        if !sink(buffer.get(..read).unwrap_or_default())? {
            return Ok(false);
        }
    }
}
