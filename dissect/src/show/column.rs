//! The columns of the packet table: tshark's.

use super::layer::Layer;
use super::seen::Seen;
use super::time::TimeFormat;
use crate::dissection::{Endpoint, Protocol};
use crate::render::sanitise;

/// The names of the columns.
pub(crate) const NAMES: [&str; 7] = ["No.", "Time", "Source", "Destination", "Protocol", "Length", "Info"];

/// Flags of TCP in the order tshark lists them, by bit.
const FLAGS: [(u8, &str); 8] = [
    (0x01, "FIN"),
    (0x02, "SYN"),
    (0x04, "RST"),
    (0x08, "PSH"),
    (0x10, "ACK"),
    (0x20, "URG"),
    (0x40, "ECE"),
    (0x80, "CWR"),
];

/// One row of the packet table.
pub(crate) fn row(seen: &Seen<'_>, time: TimeFormat) -> [String; 7] {
    let [source, destination] = ends(seen);
    [
        seen.packet.number.to_string(),
        seen.clock.shown(time),
        source,
        destination,
        seen.protocol(),
        seen.packet.original_len.to_string(),
        sanitise(&info(seen)),
    ]
}

/// Network addresses; of a packet that has none, link-layer addresses.
fn ends(seen: &Seen<'_>) -> [String; 2] {
    if let Some((source, destination)) = seen.packet.dissection.ends {
        return [source, destination].map(|end: Endpoint| end.ip.to_string());
    }
    ["eth.src", "eth.dst"].map(|name| {
        let occurrence = super::field::find(name).and_then(|field| field.read(seen).into_iter().next());
        occurrence.map_or_else(|| "-".to_owned(), |occurrence| occurrence.value.to_string())
    })
}

/// What the analysis found out about the packet; else its ports and what they are accompanied by.
pub(crate) fn info(seen: &Seen<'_>) -> String {
    let dissection = &seen.packet.dissection;
    if seen.packet.message.is_some() || seen.packet.info != dissection.describe() {
        return seen.packet.info.clone();
    }
    let ports = dissection.ends.and_then(|(source, destination)| source.port.zip(destination.port));
    let Some((source, destination)) = ports else { return seen.packet.info.clone() };
    let len = seen.payload().len();
    let mut line = match dissection.protocol {
        Protocol::Tcp => format!("{source} → {destination} {}Len={len}", tcp(seen)),
        _ => format!("{source} → {destination} Len={len}"),
    };
    for anomaly in &dissection.anomalies {
        line.push_str("; ");
        line.push_str(&anomaly.text);
    }
    line
}

fn tcp(seen: &Seen<'_>) -> String {
    let header = seen.headers(Layer::Tcp).last().and_then(|range| seen.data.get(range)).unwrap_or_default();
    let byte = |at: usize| header.get(at).copied().unwrap_or(0);
    let flags = byte(13);
    let names: Vec<&str> = FLAGS.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    let (sequence, acknowledgement) =
        seen.stream.map_or((0, 0), |place| (place.sequence, place.acknowledgement));
    let acknowledges = if flags & 0x10 != 0 { format!("Ack={acknowledgement} ") } else { String::new() };
    let window = u16::from_be_bytes([byte(14), byte(15)]);
    format!("[{}] Seq={sequence} {acknowledges}Win={window} ", names.join(", "))
}
