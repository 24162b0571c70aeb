//! Copies what can be read only once to an unnamed temporary file, decompressed if it is compressed.

use std::fs::File;
use std::io::{self, BufRead as _, BufWriter, Read, Write as _};

use super::given::Given;
use super::{Bytes, Compression, Damage, ReadError, Source};
use crate::bytes::count;
use crate::progress::Progress;

/// See [`Source::spool`].
pub(super) fn spool(
    input: impl Read,
    decompressed_max: u64,
    progress: &dyn Progress,
) -> Result<Source, ReadError> {
    let mut given = Given::new(input);
    let compression = Compression::of(given.peek(4)?);
    let mut copy = Copy { file: BufWriter::new(tempfile::tempfile()?), len: 0, fault: None };
    let mut damage = None;
    match compression {
        None => copy.all(&mut given, progress)?,
        Some(compression) => {
            damage = copy.decompressed(compression, &mut given, decompressed_max, progress)?
        }
    }
    let (given_len, sha256) = given.finish()?;
    if let (Some(compression), Some(damage), 0) = (compression, &damage, copy.len) {
        return Err(ReadError::Undecodable(compression, damage.what.clone()));
    }
    let len = copy.len;
    let file: File = copy.file.into_inner().map_err(io::IntoInnerError::into_error)?;
    let given = super::Given { len: given_len, sha256: Some(sha256), compression };
    let source = Source { bytes: Bytes::File(file), len, given, damage };
    if let Some(outer) = compression {
        let mut start = [0; 4];
        let read = source.read_at(&mut start, 0)?;
        if let Some(inner) = Compression::of(start.get(..read).unwrap_or_default()) {
            return Err(ReadError::Nested(outer, inner));
        }
    }
    Ok(source)
}

struct Copy {
    file: BufWriter<File>,
    len: u64,
    /// Why nothing more could be written. A full disk is no damage of the capture.
    fault: Option<io::Error>,
}

impl Copy {
    fn all(&mut self, given: &mut Given<impl Read>, progress: &dyn Progress) -> io::Result<()> {
        loop {
            let bytes = given.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            let len = bytes.len();
            self.file.write_all(bytes)?;
            self.len += count(len);
            given.consume(len);
            progress.at("reading", self.len, None);
        }
    }

    /// What is broken, or longer than `max`, ends the copy and is damage.
    fn decompressed(
        &mut self,
        compression: Compression,
        given: &mut Given<impl Read>,
        max: u64,
        progress: &dyn Progress,
    ) -> io::Result<Option<Damage>> {
        let mut is_too_long = false;
        let outcome = compression.decompress(given, &mut |bytes| {
            let room = usize::try_from(max - self.len).unwrap_or(usize::MAX);
            is_too_long = bytes.len() > room;
            let bytes = bytes.get(..room).unwrap_or(bytes);
            if let Err(error) = self.file.write_all(bytes) {
                self.fault = Some(error);
                return Ok(false);
            }
            self.len += count(bytes.len());
            progress.at("decompressing", self.len, None);
            Ok(!is_too_long)
        });
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let what = match outcome {
            Ok(()) if is_too_long => format!("more than {max} bytes decompressed; the rest was not read"),
            Ok(()) => return Ok(None),
            Err(error) => format!("the {compression} stream is broken ({error}); the rest was not read"),
        };
        Ok(Some(Damage { offset: given.offset(), what }))
    }
}
