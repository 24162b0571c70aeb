//! A walk through a capture: packet after packet, each with its captured bytes.

use crate::packet::Packet;
use crate::pcap::{Reader, Summary};
use crate::progress::Progress;
use crate::reassembly::fragments::{self, Fragments, Outcome};
use crate::source::{ReadError, Source};

/// Hands every packet to `take`; what the file says of itself.
///
/// A packet that was put together from fragments is handed out before the one that completed it, with the same
/// number and with bytes of its own: see [`Packet::is_whole`].
pub(crate) fn walk(
    source: &Source,
    step: &'static str,
    progress: &dyn Progress,
    mut take: impl FnMut(&mut Packet, &[u8]),
) -> Result<Summary, ReadError> {
    let mut reader = Reader::new(source)?;
    let mut fragments = Fragments::default();
    while let Some(record) = reader.next_record()? {
        let mut packet = Packet::of(&record);
        if let Some((key, part)) = fragments::part(&packet.dissection, record.data, packet.number) {
            match fragments.take(key, &part, packet.time_ns) {
                Outcome::Whole(whole) => {
                    take(&mut Packet::whole(&packet, &whole), &whole.bytes);
                    packet.dissection.settle_fragment();
                }
                Outcome::Waiting | Outcome::Repeated => packet.dissection.settle_fragment(),
                Outcome::Refused(fault) => packet.dissection.note(fault.rule(), fault.to_string()),
                Outcome::GivenUp => {}
            }
        }
        take(&mut packet, record.data);
        if let Some(position) = reader.position() {
            progress.at(step, position, Some(source.len()));
        }
    }
    progress.at(step, source.len(), Some(source.len()));
    let tally = fragments.finish();
    Ok(Summary { incomplete_packets: tally.unfinished, ..reader.into_summary() })
}
