//! How long lines take.

use super::net::Address;
use super::peers::{FIRST, Protocol, SECOND, SERVER, World};
use super::stats::Times;
use super::stream_app::Service;
use core::fmt;
use core::time::Duration;
use sim::network::Link;
use spec::time::Instant;

/// Bytes of a line.
const LINE_BYTES: usize = 100;
/// Time after the last line in which one may still arrive.
const DRAIN_TIME: Duration = Duration::from_secs(30);

/// The way of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// From the server, where it is committed, to a client.
    Down,
    /// From a client to the server, which commits it.
    Up,
    /// From a client through the server to another client.
    Through,
}

impl Way {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Down, Self::Up, Self::Through];

    const fn ends(self) -> (Address, Address) {
        match self {
            Self::Down => (SERVER, FIRST),
            Self::Up => (FIRST, SERVER),
            Self::Through => (FIRST, SECOND),
        }
    }

    fn world(self, protocol: Protocol, link: Link, seed: u64) -> World {
        match self {
            Self::Down | Self::Up => World::connected(protocol, Service::Lines, 1, link, seed),
            Self::Through => World::connected(protocol, Service::Relay, 2, link, seed),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::Through => "through",
        })
    }
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    /// How many.
    pub(crate) count: usize,
    /// Time from one to the next.
    pub(crate) every: Duration,
}

impl Lines {
    /// Ten a second, for a minute.
    pub(crate) const DENSE: Self = Self { count: 600, every: Duration::from_millis(100) };
    /// One every two seconds, for two minutes.
    pub(crate) const SPARSE: Self = Self { count: 60, every: Duration::from_secs(2) };
}

/// What became of the lines of one run, or of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// How long each took.
    pub(crate) latencies: Vec<Option<Duration>>,
    /// Bytes on the wire while they were said, in all directions, headers and acknowledgements included.
    pub(crate) wire_bytes: u64,
}

impl Outcome {
    /// Adds the lines of another run.
    pub(crate) fn extend(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.wire_bytes += other.wire_bytes;
    }

    /// Percentiles of the latencies.
    #[must_use]
    pub(crate) fn times(&self) -> Times {
        Times::new(self.latencies.iter().copied())
    }

    /// Bytes on the wire for each line.
    #[must_use]
    pub(crate) fn bytes_per_line(&self) -> f64 {
        self.wire_bytes as f64 / self.latencies.len().max(1) as f64
    }
}

/// One run; whether it is told packet by packet to standard error.
#[must_use]
pub(crate) fn run(
    protocol: Protocol,
    way: Way,
    lines: Lines,
    link: Link,
    seed: u64,
    is_traced: bool,
) -> Outcome {
    let (from, to) = way.ends();
    let mut world = way.world(protocol, link, seed);
    let net = &mut world.net;
    net.is_traced = is_traced;
    let bytes_before = net.sent_bytes();
    let mut said: Vec<Instant> = Vec::with_capacity(lines.count);
    for number in 0..lines.count {
        said.push(net.now);
        net.say(from, &format!("{number:08}{}", ".".repeat(LINE_BYTES - 8)));
        net.run(lines.every);
    }
    let wire_bytes = net.sent_bytes() - bytes_before;
    let last = lines.count;
    let until = net.now + DRAIN_TIME;
    net.run_until(until, |net| net.delivered.iter().filter(|line| line.to == to).count() >= last);
    let mut latencies = vec![None; lines.count];
    for delivered in net.delivered.iter().filter(|delivered| delivered.to == to) {
        let number: Option<usize> = delivered.line.get(..8).and_then(|number| number.parse().ok());
        if let Some(number) = number.filter(|number| *number < lines.count) {
            assert_eq!(latencies[number], None, "{protocol} delivers a line once");
            latencies[number] = Some(delivered.at.since(said[number]));
        }
    }
    Outcome { latencies, wire_bytes }
}
