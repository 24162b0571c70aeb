//! A packet as filters, fields and tables see it: its bytes, and what the analysis knows of it.

use std::cell::OnceCell;
use std::ops::Range;

use super::conversation::Said;
use super::field::Occurrence;
use super::fields::sealgram;
use super::layer::{self, Layer, Place};
use super::stream::StreamPlace;
use super::time::Clock;
use crate::open::OpenedDatagram;
use crate::packet::Packet;
use crate::session::{Member, Session};

/// The session a packet belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Membership<'a> {
    /// The session.
    pub(crate) session: &'a Session,
    /// What the packet is in it.
    pub(crate) member: Member,
}

/// What the analysis knows of a packet besides its headers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context<'a> {
    /// Its session, where it has one.
    pub(crate) membership: Option<Membership<'a>>,
    /// What it says in clear, where the key log opened it.
    pub(crate) opened: Option<&'a OpenedDatagram>,
}

/// One packet, its captured bytes and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    /// The packet.
    pub(crate) packet: &'a Packet,
    /// Its captured bytes.
    pub(crate) data: &'a [u8],
    /// Its session and clear text.
    pub(crate) context: Context<'a>,
    /// When it was captured.
    pub(crate) clock: Clock,
    /// Its place among the streams of its transport protocol.
    pub(crate) stream: Option<StreamPlace>,
    /// Its headers.
    pub(crate) places: Vec<Place>,
    /// What became whole with it, of what its session says.
    pub(crate) said: Vec<Said>,
    /// The fields of our protocol, once somebody asked for one.
    facts: OnceCell<Vec<(&'static str, Occurrence<'a>)>>,
}

impl<'a> Seen<'a> {
    /// A packet on its own: without streams, and at a time that is counted from nothing.
    pub(crate) fn new(packet: &'a Packet, data: &'a [u8], context: Context<'a>) -> Self {
        let clock = Clock { now_ns: packet.time_ns, ..Clock::default() };
        let places = layer::places(packet, data);
        Self { packet, data, context, clock, stream: None, places, said: Vec::new(), facts: OnceCell::new() }
    }

    /// The headers of one protocol, outermost first.
    pub(crate) fn headers(&self, layer: Layer) -> impl Iterator<Item = Range<usize>> + '_ {
        self.places.iter().filter(move |place| place.layer == layer).map(|place| place.range.clone())
    }

    /// The fields of our protocol in it, in packet order.
    pub(crate) fn facts(&self) -> &[(&'static str, Occurrence<'a>)] {
        self.facts.get_or_init(|| sealgram::facts(self))
    }

    /// The payload of a UDP datagram or TCP segment; empty for others.
    pub(crate) fn payload(&self) -> &'a [u8] {
        self.payload_range().and_then(|range| self.data.get(range)).unwrap_or_default()
    }

    /// Where the payload stands; as much of it as there is, where it was cut.
    pub(crate) fn payload_range(&self) -> Option<Range<usize>> {
        let dissection = &self.packet.dissection;
        dissection.payload.clone().or(dissection.cut_payload.clone())
    }

    /// The protocols of the packet as tshark lists them, such as `eth:ethertype:ip:udp`.
    pub(crate) fn protocols(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for place in self.places.iter().skip(1) {
            names.push(place.layer.prefix());
            if matches!(place.layer, Layer::Ethernet | Layer::Vlan | Layer::ServiceVlan) {
                names.push("ethertype");
            }
        }
        names
    }

    /// What the packet is, as the column of the packet table says it.
    pub(crate) fn protocol(&self) -> String {
        match self.packet.message {
            Some(_) => "Sealgram".to_owned(),
            None => self.packet.dissection.protocol.to_string(),
        }
    }
}
