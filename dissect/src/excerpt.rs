//! The first bytes of chosen packets, by a walk of their own.

use std::collections::{BTreeMap, BTreeSet};

use crate::progress::Progress;
use crate::source::{ReadError, Source};
use crate::verdict::Finding;
use crate::walk::walk;

/// Bytes of a packet that are shown.
const BYTES_SHOWN: usize = 256;
/// Packets that are shown.
const PACKETS_SHOWN: usize = 200;

/// The bytes of packets, by their number.
pub type Excerpts = BTreeMap<usize, Vec<u8>>;

/// The beginnings of the packets that `findings` name.
///
/// # Errors
/// [`ReadError`] when the source cannot be read any more.
pub fn of(source: &Source, findings: &[Finding], progress: &dyn Progress) -> Result<Excerpts, ReadError> {
    let wanted: BTreeSet<usize> =
        findings.iter().filter_map(|finding| finding.packet).take(PACKETS_SHOWN).collect();
    let mut excerpts = Excerpts::new();
    if !wanted.is_empty() {
        walk(source, "excerpts", progress, |packet, data| {
            if wanted.contains(&packet.number) {
                excerpts.insert(packet.number, data.iter().take(BYTES_SHOWN).copied().collect());
            }
        })?;
    }
    Ok(excerpts)
}
