//! The first bytes of chosen packets, by a walk of their own.
//!
//! A packet is chosen because something is wrong with it, which may be that it tells a secret: only its headers are
//! shown unless secrets are to be.

use std::collections::{BTreeMap, BTreeSet};

use crate::packet::Packet;
use crate::progress::Progress;
use crate::source::{ReadError, Source};
use crate::tree::Class;
use crate::verdict::Finding;
use crate::walk::walk;

/// Bytes of a packet that are shown.
const BYTES_SHOWN: usize = 256;
/// Packets that are shown.
const PACKETS_SHOWN: usize = 200;

/// The bytes of packets, by their number; `None` in place of a byte that is withheld.
pub type Excerpts = BTreeMap<usize, Vec<Option<u8>>>;

/// The beginnings of the packets that `findings` name.
///
/// # Errors
/// [`ReadError`] when the source cannot be read any more.
pub fn of(
    source: &Source,
    findings: &[Finding],
    show_secrets: bool,
    progress: &dyn Progress,
) -> Result<Excerpts, ReadError> {
    let wanted: BTreeSet<usize> =
        findings.iter().filter_map(|finding| finding.packet).take(PACKETS_SHOWN).collect();
    let mut excerpts = Excerpts::new();
    if !wanted.is_empty() {
        walk(source, "excerpts", progress, |packet, data| {
            if wanted.contains(&packet.number) {
                excerpts.insert(packet.number, beginning(packet, data, show_secrets));
            }
        })?;
    }
    Ok(excerpts)
}

fn beginning(packet: &Packet, data: &[u8], show_secrets: bool) -> Vec<Option<u8>> {
    let mut shown: Vec<Option<u8>> = data.iter().take(BYTES_SHOWN).map(|byte| Some(*byte)).collect();
    if !show_secrets {
        for field in packet.dissection.tree.fields().iter().filter(|field| !is_header(field.class)) {
            shown.iter_mut().skip(field.start).take(field.len).for_each(|byte| *byte = None);
        }
    }
    shown
}

/// Whether bytes of this class say how a packet travels and nothing else.
const fn is_header(class: Class) -> bool {
    matches!(class, Class::L2 | Class::L3 | Class::L3Ext | Class::L4)
}
