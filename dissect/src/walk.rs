//! A walk through a capture: packet after packet, each with its captured bytes.

use crate::packet::Packet;
use crate::pcap::{Reader, Summary};
use crate::progress::Progress;
use crate::source::{ReadError, Source};

/// Hands every packet to `take`; what the file says of itself.
pub(crate) fn walk(
    source: &Source,
    step: &'static str,
    progress: &dyn Progress,
    mut take: impl FnMut(&mut Packet, &[u8]),
) -> Result<Summary, ReadError> {
    let mut reader = Reader::new(source)?;
    while let Some(record) = reader.next_record()? {
        let mut packet = Packet::of(&record);
        take(&mut packet, record.data);
        if let Some(position) = reader.position() {
            progress.at(step, position, Some(source.len()));
        }
    }
    progress.at(step, source.len(), Some(source.len()));
    Ok(reader.into_summary())
}
