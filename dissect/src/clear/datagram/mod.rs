//! The protocols that are spoken in datagrams, each of which shows by itself what it is.

mod dhcp;
pub(super) mod dns;
mod dtls;
mod rtp;
mod snmp;
mod stun;
pub(super) mod syslog;
mod wireguard;

use super::conversation::{Conversation, Rest};
use super::protocol::{Nature, Protocol};
use super::quic::Quic;
use super::shelf::Shelf;
use super::speaker::Speaker;
use super::stream::{self, Http, Sip};
use dtls::Dtls;
use rtp::Rtp;

/// The datagrams between two ends.
#[derive(Debug, Default)]
pub(super) struct Datagrams {
    spoken: Option<Protocol>,
    /// Whether some were of a protocol that seals.
    opaque: bool,
    quic: Option<Quic>,
    dtls: Dtls,
    wireguard: bool,
    rtp: Rtp,
}

impl Datagrams {
    /// Takes a datagram; the shelf knows its packet and direction.
    pub(super) fn take(&mut self, datagram: &[u8], shelf: &mut Shelf) {
        shelf.protocol = Protocol::Other;
        let protocol = self.sealed(datagram, shelf).or_else(|| {
            let clear = clear(datagram, shelf);
            clear.or_else(|| self.rtp.take(datagram, shelf))
        });
        match protocol {
            Some(protocol) => _ = self.spoken.get_or_insert(protocol),
            None => shelf.weigh(datagram),
        }
    }

    /// Protocols that seal.
    fn sealed(&mut self, datagram: &[u8], shelf: &mut Shelf) -> Option<Protocol> {
        let protocol =
            if Quic::fits(datagram) || self.quic.as_ref().is_some_and(|quic| quic.continues(datagram)) {
                shelf.protocol = Protocol::Quic;
                self.quic.get_or_insert_default().take(datagram, shelf);
                Protocol::Quic
            } else if self.dtls.fits(datagram) {
                shelf.protocol = Protocol::Dtls;
                self.dtls.take(datagram, shelf);
                Protocol::Dtls
            } else if wireguard::fits(datagram, self.wireguard) {
                shelf.protocol = Protocol::WireGuard;
                self.wireguard = true;
                wireguard::show(datagram, shelf);
                Protocol::WireGuard
            } else {
                return None;
            };
        self.opaque = true;
        Some(protocol)
    }

    /// The first protocol that was recognised.
    pub(super) fn protocol(&self) -> Protocol {
        self.spoken.unwrap_or(Protocol::Other)
    }

    /// What the protocols promise, before what was found in them.
    pub(super) const fn nature(&self) -> Nature {
        if self.opaque { Nature::Opaque } else { Nature::Unknown }
    }

    /// Memory held, about.
    pub(super) fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.dtls.held_bytes() + self.quic.as_ref().map_or(0, Quic::held_bytes)
    }
}

/// Whether a text is an answer: those begin with the version.
fn is_answer(datagram: &[u8]) -> bool {
    [b"HTTP/".as_slice(), b"SIP/", b"RTSP/"].iter().any(|version| datagram.starts_with(version))
}

/// Protocols that anybody can read.
fn clear(datagram: &[u8], shelf: &mut Shelf) -> Option<Protocol> {
    if stun::put(datagram, shelf) {
        return Some(Protocol::Stun);
    }
    if let Some(found) = dns::parse(datagram) {
        shelf.protocol = found.protocol();
        found.put(shelf);
        return Some(shelf.protocol);
    }
    if dhcp::put(datagram, shelf) {
        return Some(Protocol::Dhcp);
    }
    if snmp::put(datagram, shelf) {
        return Some(Protocol::Snmp);
    }
    let message: Box<dyn Speaker> = if stream::is_sip(datagram) {
        Box::new(Sip::default())
    } else if stream::is_http(datagram) {
        Box::new(Http::default())
    } else {
        return syslog::put(datagram, shelf).then_some(Protocol::Syslog);
    };
    let client = !is_answer(datagram);
    let (packet, from_initiator) = (shelf.packet, shelf.from_initiator);
    let mut conversation = Conversation::new(message, client == from_initiator);
    if conversation.take(shelf, from_initiator, packet, datagram) == Rest::Nothing {
        conversation.end(shelf);
    }
    Some(conversation.protocol())
}
