//! A capture held in memory as a whole, for analysers that are no folds yet.

use std::io::Read;
use std::ops::Range;

use super::{Reader, Summary};
use crate::source::{DECOMPRESSED_BYTES_MAX, ReadError, Source};

/// One captured packet, as a range of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub(crate) interface: Option<usize>,
    pub(crate) link_type: Option<u16>,
    pub(crate) fcs_len: usize,
    pub(crate) time_ns: Option<i128>,
    pub(crate) data: Range<usize>,
    pub(crate) original_len: u64,
}

/// A capture file in memory, cut into records.
#[derive(Debug)]
pub struct Capture {
    /// The whole file, decompressed.
    pub bytes: Vec<u8>,
    /// What it says beside its packets.
    pub summary: Summary,
    /// All packets, in file order.
    pub records: Vec<Stored>,
}

impl Capture {
    /// Reads a capture to its end.
    ///
    /// # Errors
    /// [`ReadError`] when the source cannot be read or is no capture.
    pub fn read(input: impl Read) -> Result<Self, ReadError> {
        Self::load(&Source::spool(input, DECOMPRESSED_BYTES_MAX, &())?)
    }

    pub(crate) fn load(source: &Source) -> Result<Self, ReadError> {
        let mut bytes = Vec::new();
        source.chunks(|_, chunk| bytes.extend_from_slice(chunk))?;
        let mut reader = Reader::new(source)?;
        let mut records = Vec::new();
        while let Some(record) = reader.next_record()? {
            let start = usize::try_from(record.offset).unwrap_or(usize::MAX);
            records.push(Stored {
                interface: record.interface,
                link_type: record.link_type,
                fcs_len: record.fcs_len,
                time_ns: record.time_ns,
                data: start..start + record.data.len(),
                original_len: record.original_len,
            });
        }
        Ok(Self { bytes, summary: reader.into_summary(), records })
    }

    /// The captured bytes of a record.
    #[must_use]
    pub fn data(&self, record: &Stored) -> &[u8] {
        self.bytes.get(record.data.clone()).unwrap_or_default()
    }
}
