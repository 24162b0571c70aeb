//! What endpoints have to say, and where it goes; and the checks that look at it.

use super::agenda::Event;
use super::{World, hub_address};
use crate::ClientId;
use crate::checks::Violation;
use core::net::SocketAddr;
use core::time::Duration;
use node_proto::client::ClientEvent;
use node_proto::log::{RoomId, Seq};
use node_proto::transmit::{Ecn, Path};

/// Sends an endpoint may ask for in a row: one that always has another hangs.
const SENDS_AT_ONCE_MAX: usize = 20_000;

impl World {
    /// Gives a datagram to the hub as if it came from `from`, in a turn of its own, and returns what the hub says to
    /// anyone.
    pub fn inject(&mut self, from: SocketAddr, datagram: &[u8]) -> Vec<(SocketAddr, Vec<u8>)> {
        self.now = self.now + Duration::from_micros(1);
        let mut answers = Vec::new();
        let mut copy = datagram.to_vec();
        let (now, path) = (self.hub_machine.clock(self.now), Path::new(from, 0));
        let hub = self.hub();
        // Silence is the usual answer to a stranger, and the reason stays inside.
        let _: Result<(), _> = hub.handle_datagram(now, path, &mut copy);
        let mut out = Vec::new();
        while let Some(transmit) = hub.poll_transmit(now, &mut out) {
            let to = transmit.path.remote;
            answers.extend(transmit.datagrams(&out).map(|datagram| (to, datagram.to_vec())));
        }
        answers
    }

    /// Everyone says what they have to say.
    pub(super) fn drain(&mut self) {
        if core::mem::take(&mut self.hub_machine.is_touched) && !self.hub_machine.is_asleep(self.now) {
            self.drain_hub();
        }
        for index in 0..self.nodes.len() {
            let machine = &mut self.nodes[index].machine;
            if core::mem::take(&mut machine.is_touched) && !machine.is_asleep(self.now) {
                self.drain_client(ClientId(index));
            }
        }
    }

    fn drain_hub(&mut self) {
        let Some(mut hub) = self.hub.take() else { return };
        let now = self.hub_machine.clock(self.now);
        let mut out = Vec::new();
        let mut sends = 0;
        loop {
            while let Some(transmit) = hub.poll_transmit(now, &mut out) {
                let to = transmit.path.remote;
                transmit.datagrams(&out).for_each(|datagram| self.send_down(to, datagram, transmit.ecn));
                sends += 1;
                assert!(sends < SENDS_AT_ONCE_MAX, "{}: the hub sends and sends", self.place());
            }
            let Some(request) = hub.poll_blob() else { break };
            hub.handle_blob(now, self.blobs.answer(request));
        }
        let mut wakes_log = false;
        while let Some(effect) = hub.poll_effect() {
            wakes_log |= self.store.ask(effect);
        }
        while let Some(event) = hub.poll_event() {
            self.tell(|| format!("    hub: {}", brief(&event)));
            self.hub_events.push(event);
        }
        self.hub_machine.set_alarm(hub.poll_timeout().map(|(at, _)| at));
        self.look(|checks, plant, _| checks.hub(&hub, plant));
        self.hub = Some(hub);
        if wakes_log {
            let incarnation = self.incarnation;
            self.agenda.put(self.now + self.store.commit_time, Event::Log { incarnation });
        }
    }

    fn drain_client(&mut self, id: ClientId) {
        let Some(mut client) = self.nodes[id.0].client.take() else { return };
        let now = self.nodes[id.0].machine.clock(self.now);
        // The keys of a session are given out before its first datagram is sent.
        self.hear(id, &mut client);
        let mut out = Vec::new();
        let mut sends = 0;
        loop {
            while let Some(transmit) = client.poll_transmit(now, &mut out) {
                transmit.datagrams(&out).for_each(|datagram| self.send_up(id, datagram, transmit.ecn));
                sends += 1;
                assert!(sends < SENDS_AT_ONCE_MAX, "{}: client {} sends and sends", self.place(), id.0);
            }
            let Some(request) = client.poll_blob() else { break };
            client.handle_blob(now, self.nodes[id.0].blobs.answer(request));
        }
        self.hear(id, &mut client);
        self.nodes[id.0].machine.set_alarm(client.poll_timeout().map(|(at, _)| at));
        self.look(|checks, plant, _| checks.client(id, &client, plant));
        self.nodes[id.0].client = Some(client);
    }

    /// A person reads what the client shows.
    fn hear(&mut self, id: ClientId, client: &mut node_proto::Client) {
        while let Some(event) = client.poll_event() {
            let events = match &mut self.plant {
                None => vec![event],
                Some(plant) => plant.events(id, event),
            };
            for event in events {
                self.tell(|| format!("    client {}: {}", id.0, brief(&event)));
                self.look(|checks, _, store| checks.event(id, &event, store));
                if let ClientEvent::Stored { id: line, .. } = &event {
                    self.nodes[id.0].stored.push(*line);
                }
                self.nodes[id.0].events.push(event);
            }
        }
    }

    fn send_down(&mut self, to: SocketAddr, datagram: &[u8], ecn: Ecn) {
        for mut datagram in self.leave(hub_address(), to, datagram) {
            let later = self.fate(&mut datagram);
            let Some(node) = self.nodes.iter_mut().find(|node| node.address == to) else { continue };
            node.down.link = node.links.map_or(self.down, |(_, down)| down);
            let deliveries = node.down.carry(self.now, &datagram, ecn);
            for (delivery, extra) in deliveries.into_iter().flat_map(|delivery| with_extras(delivery, &later))
            {
                let event = Event::ToClient { to, datagram: delivery.datagram, ecn: delivery.ecn };
                self.agenda.put(delivery.at + extra, event);
            }
        }
    }

    fn send_up(&mut self, id: ClientId, datagram: &[u8], ecn: Ecn) {
        let from = self.nodes[id.0].address;
        for mut datagram in self.leave(from, hub_address(), datagram) {
            let later = self.fate(&mut datagram);
            let node = &mut self.nodes[id.0];
            node.up.link = node.links.map_or(self.up, |(up, _)| up);
            let deliveries = node.up.carry(self.now, &datagram, ecn);
            for (delivery, extra) in deliveries.into_iter().flat_map(|delivery| with_extras(delivery, &later))
            {
                let event = Event::ToHub { from, datagram: delivery.datagram, ecn: delivery.ecn };
                self.agenda.put(delivery.at + extra, event);
            }
        }
    }

    /// A datagram leaves its endpoint: as one, unless a defect was planted.
    fn leave(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let left = match &mut self.plant {
            None => vec![datagram.to_vec()],
            Some(plant) => plant.datagrams(datagram),
        };
        for datagram in &left {
            self.look(|checks, _, _| checks.datagram(datagram));
            if self.records {
                self.wire.push((from, to, datagram.clone()));
            }
        }
        left
    }

    /// How much later than its link would have it each copy of the datagram arrives that is sent now; it may be
    /// damaged too.
    fn fate(&mut self, datagram: &mut [u8]) -> Vec<Duration> {
        let place = self.sent;
        self.sent += 1;
        if let Some(bit) = self.flips.get(&place) {
            let bit = bit % (datagram.len() * 8).max(1);
            datagram[bit / 8] ^= 1 << (bit % 8);
        }
        let first = self.fates.get(&place).copied().unwrap_or(Some(Duration::ZERO));
        first.into_iter().chain(self.repeats.get(&place).copied()).collect()
    }

    /// Shows the checks what the log has committed beyond `heads`.
    pub(super) fn look_at_log(&mut self, heads: &[(RoomId, Seq)]) {
        self.look(|checks, _, store| {
            for room in store.rooms() {
                let known = heads.iter().find(|(known, _)| *known == room).map_or(0, |(_, head)| head.0);
                for sequence in known + 1..=store.head(room).0 {
                    let entry = store.entry(room, Seq(sequence)).unwrap_or_default();
                    checks.committed(room, Seq(sequence), entry)?;
                }
            }
            Ok(())
        });
    }

    /// Asks the checks, if there are any, and fails if something is wrong.
    fn look(
        &mut self,
        look: impl FnOnce(
            &mut crate::checks::Checks,
            Option<&mut (dyn crate::plant::Plant + 'static)>,
            &crate::store::Store,
        ) -> Result<(), Violation>,
    ) {
        let Some(checks) = &mut self.checks else { return };
        if let Err(violation) = look(checks, self.plant.as_deref_mut(), &self.store) {
            panic!("{}: {violation}", self.place());
        }
    }
}

/// One arrival for each of `extras`.
fn with_extras(
    delivery: crate::pipe::Delivery,
    extras: &[Duration],
) -> impl Iterator<Item = (crate::pipe::Delivery, Duration)> + use<> {
    let extras: Vec<Duration> = extras.to_vec();
    extras.into_iter().map(move |extra| (delivery.clone(), extra))
}

/// The beginning of what is told: entries are long.
fn brief(event: &impl core::fmt::Debug) -> String {
    format!("{event:?}").chars().take(100).collect()
}
