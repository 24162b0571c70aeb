//! Hand-written dialogues, and what must hold for any bytes.

mod body;
mod dialogues;
mod mail;
mod opaque;
mod properties;

use std::fmt::Write as _;

use super::{Ends, FlowFinding, Piece, Watch};
use crate::dissection::{Endpoint, Protocol};

/// From the initiator, and from the responder.
const CLIENT: bool = true;
const SERVER: bool = false;

/// The ends of a flow whose ports say nothing.
fn ends(transport: Protocol) -> Ends {
    let end = |host, port| Endpoint { ip: [10, 0, 0, host].into(), port: Some(port) };
    Ends { transport, initiator: end(1, 40_000), responder: end(2, 40_001) }
}

/// Watches a stream; each part is a packet, counted from 1.
fn stream<T: AsRef<[u8]>>(parts: &[(bool, T)]) -> FlowFinding {
    let mut watch = Watch::new(ends(Protocol::Tcp));
    for (packet, (from_initiator, bytes)) in (1..).zip(parts) {
        watch.take(*from_initiator, packet, Piece::Bytes(bytes.as_ref()));
    }
    watch.finish()
}

/// Watches datagrams.
fn datagrams<T: AsRef<[u8]>>(parts: &[(bool, T)]) -> FlowFinding {
    let mut watch = Watch::new(ends(Protocol::Udp));
    for (packet, (from_initiator, bytes)) in (1..).zip(parts) {
        watch.take(*from_initiator, packet, Piece::Datagram(bytes.as_ref()));
    }
    watch.finish()
}

/// Everything that was found, as a person would see it who asked for the secrets.
fn told(flow: &FlowFinding) -> String {
    let mut told = format!("{}, {:?}, from packet {:?}\n", flow.protocol, flow.nature, flow.first_readable);
    for shown in &flow.shows {
        writeln!(told, "  {} {}", shown.what, shown.text).unwrap();
    }
    for secret in &flow.secrets {
        let from = if secret.from_initiator { ">" } else { "<" };
        writeln!(told, "{from} {:?} in {}: {}", secret.kind, secret.packet, secret.reveal()).unwrap();
    }
    told
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap()
}
