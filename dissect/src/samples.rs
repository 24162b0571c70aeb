//! The bytes that should look random.

use crate::opacity::{KEY_SHARE, Sample};
use crate::packet::Packet;
use crate::tree::{Class, Field};

/// Hands out each run of sealed fields of a Sealgram datagram, each MAC, each key share, and each attempt id and
/// connection id.
pub(crate) fn of<'a>(packet: &Packet, data: &'a [u8], mut take: impl FnMut(Sample<'a>)) {
    let Some(kind) = packet.message else { return };
    let mut add = |kind, range| {
        let bytes = data.get(range).unwrap_or_default();
        take(Sample { packet: packet.number, kind, bytes });
    };
    // A MAC stands alone: a repeated INIT may change its second MAC and nothing else.
    let joins = |a: &Field, b: &Field| {
        let sealed = |field: &Field| field.class.is_uniform() && field.class != Class::Mac;
        sealed(a) && sealed(b)
    };
    for run in packet.dissection.tree.fields().chunk_by(joins) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let range = first.start..last.range().end;
        match first.class {
            Class::Mac => add("mac", range),
            Class::KeyShare => add(KEY_SHARE, range),
            class if class.is_uniform() => add(kind, range),
            _ if matches!(first.name, "sealgram.attempt_id" | "sealgram.connection_id") => add("id", range),
            _ => {}
        }
    }
}
