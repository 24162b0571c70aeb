//! Nodes, the links between them, and virtual time.

use core::time::Duration;
use node_proto::transmit::Ecn;
use sim::pipe::Pipe;
use spec::time::Instant;
use std::collections::BTreeMap;

/// Names a node: its place in the net.
pub(crate) type Address = usize;

/// What a network carries between hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// The payload of a UDP datagram, or a whole IP packet.
    pub(crate) bytes: Vec<u8>,
    /// Its congestion mark.
    pub(crate) ecn: Ecn,
}

/// One host: a transport and the application above it.
pub(crate) trait Node: Send {
    // what happened

    /// A packet came from another host.
    fn handle_packet(&mut self, now: Instant, from: Address, packet: Packet);
    /// A deadline passed.
    fn handle_timeout(&mut self, now: Instant);
    /// A person, or a program, hands in a line.
    fn say(&mut self, now: Instant, line: &str);

    // what to do

    /// The next packet to send, and to whom.
    fn poll_transmit(&mut self, now: Instant) -> Option<(Address, Packet)>;
    /// The next deadline.
    fn poll_timeout(&mut self, now: Instant) -> Option<Instant>;
    /// The next line that arrived here.
    fn poll_line(&mut self) -> Option<String>;

    // getters

    /// Whether the far end has answered the first thing that was said to it.
    fn is_ready(&self) -> bool;
    /// Bytes of a bulk transfer that arrived here in order.
    fn bulk_received(&self) -> u64;
    /// Bytes of headers that the network adds to each packet.
    fn header_bytes(&self) -> usize;
}

/// A line that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Where.
    pub(crate) to: Address,
    /// When.
    pub(crate) at: Instant,
    /// The line.
    pub(crate) line: String,
}

#[derive(Debug)]
struct Arrival {
    from: Address,
    to: Address,
    packet: Packet,
}

/// The world.
pub(crate) struct Net {
    /// The time.
    pub(crate) now: Instant,
    /// All lines that arrived anywhere, in order.
    pub(crate) delivered: Vec<Delivered>,
    /// Whether every packet is told to standard error.
    pub(crate) is_traced: bool,
    nodes: Vec<Box<dyn Node>>,
    pipes: Vec<Pipe>,
    routes: BTreeMap<(Address, Address), usize>,
    arrivals: BTreeMap<(Instant, u64), Arrival>,
    next_arrival: u64,
    sent_bytes: u64,
}

impl Net {
    /// A net without hosts.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self {
            now: Instant(0),
            delivered: Vec::new(),
            is_traced: false,
            nodes: Vec::new(),
            pipes: Vec::new(),
            routes: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            next_arrival: 0,
            sent_bytes: 0,
        }
    }

    /// Adds a host.
    pub(crate) fn add(&mut self, node: Box<dyn Node>) -> Address {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Adds a pipe, and returns its number.
    pub(crate) fn lay(&mut self, pipe: Pipe) -> usize {
        self.pipes.push(pipe);
        self.pipes.len() - 1
    }

    /// Packets from one host to another go through a pipe, as those of other routes may.
    pub(crate) fn route(&mut self, from: Address, to: Address, pipe: usize) {
        self.routes.insert((from, to), pipe);
    }

    /// From now on every pipe loses so many of 1000 packets.
    pub(crate) fn set_loss(&mut self, loss_per_mille: u64) {
        self.pipes.iter_mut().for_each(|pipe| pipe.link.loss_per_mille = loss_per_mille);
    }

    /// Bytes put into all pipes so far.
    #[must_use]
    pub(crate) const fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// A host.
    #[must_use]
    pub(crate) fn node(&self, at: Address) -> &dyn Node {
        self.nodes[at].as_ref()
    }

    /// Someone at a host says a line.
    pub(crate) fn say(&mut self, at: Address, line: &str) {
        let now = self.now;
        self.trace(|| format!("{at} says {}", &line[..8]));
        self.nodes[at].say(now, line);
        self.drain();
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        self.run_until(until, |_| false);
    }

    /// Runs until it `is_done`, at most until `until`; whether it became so.
    pub(crate) fn run_until(&mut self, until: Instant, is_done: impl Fn(&Self) -> bool) -> bool {
        self.drain();
        while !is_done(self) {
            let arrival_at = self.arrivals.first_key_value().map(|((at, _), _)| *at);
            let now = self.now;
            let timer_at = self.nodes.iter_mut().filter_map(|node| node.poll_timeout(now)).min();
            let Some(at) = arrival_at.into_iter().chain(timer_at).min().filter(|at| *at <= until) else {
                self.now = until;
                return false;
            };
            self.now = self.now.max(at);
            self.step();
        }
        true
    }

    /// The next arrival when it is due, and otherwise the timers.
    fn step(&mut self) {
        let now = self.now;
        match self.arrivals.first_entry().filter(|entry| entry.key().0 <= now) {
            Some(entry) => {
                let Arrival { from, to, packet } = entry.remove();
                self.trace(|| format!("{to} <- {from}: {} bytes", packet.bytes.len()));
                self.nodes[to].handle_packet(now, from, packet);
            }
            None => {
                for node in &mut self.nodes {
                    if node.poll_timeout(now).is_some_and(|at| at <= now) {
                        node.handle_timeout(now);
                    }
                }
            }
        }
        self.drain();
    }

    /// Everyone says what they have to say.
    fn drain(&mut self) {
        for from in 0..self.nodes.len() {
            while let Some((to, packet)) = self.nodes[from].poll_transmit(self.now) {
                self.send(from, to, &packet);
            }
            while let Some(line) = self.nodes[from].poll_line() {
                self.trace(|| format!("{from} reads {}", line.get(..8).unwrap_or(&line)));
                self.delivered.push(Delivered { to: from, at: self.now, line });
            }
        }
    }

    fn send(&mut self, from: Address, to: Address, packet: &Packet) {
        let Some(pipe) = self.routes.get(&(from, to)) else { return };
        // Headers take time on the line as well.
        let header_bytes = self.nodes[from].header_bytes();
        let on_the_line = [&vec![0; header_bytes][..], &packet.bytes].concat();
        self.sent_bytes += on_the_line.len() as u64;
        let deliveries = self.pipes[*pipe].carry(self.now, &on_the_line, packet.ecn);
        let fate = if deliveries.is_empty() { ", lost" } else { "" };
        self.trace(|| format!("{from} -> {to}: {} bytes{fate}", packet.bytes.len()));
        for delivery in deliveries {
            self.next_arrival += 1;
            let packet = Packet { bytes: delivery.datagram[header_bytes..].to_vec(), ecn: delivery.ecn };
            self.arrivals.insert((delivery.at, self.next_arrival), Arrival { from, to, packet });
        }
    }

    fn trace(&self, what: impl FnOnce() -> String) {
        if self.is_traced {
            eprintln!("{:>10.3} ms  {}", self.now.0 as f64 / 1000.0, what());
        }
    }
}
