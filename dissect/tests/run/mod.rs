//! A session made with the protocol's own code, and what a broken build of it would send.

mod sender;
mod talk;

use dissect::open::OpenedDatagram;
use dissect::packet::Packet;
use dissect::row::Row;
use dissect::session::Member;
use dissect::source::Source;
use dissect::{KeyLog, Options, Report, examine};

pub(crate) use sender::Leak;
pub(crate) use talk::Talk;

/// The client's nickname.
pub(crate) const NAME: &str = "annabelle-lee";
/// Address and port of the client.
pub(crate) const CLIENT: End = ([10, 0, 0, 1], 40_000);
/// Another program on the client's host.
pub(crate) const NEIGHBOUR: End = ([10, 0, 0, 1], 40_001);
/// Address and port of the hub.
pub(crate) const HUB: End = ([10, 0, 0, 2], 5_555);
/// Where a relay sends from, or a client that moved.
pub(crate) const RELAY: End = ([10, 0, 0, 9], 41_000);
/// Somebody else.
pub(crate) const RESOLVER: End = ([10, 0, 0, 53], 53);

/// An address and a port.
pub(crate) type End = ([u8; 4], u16);

/// A UDP datagram.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    /// Sender.
    pub(crate) from: End,
    /// Receiver.
    pub(crate) to: End,
    /// What it carries.
    pub(crate) payload: Vec<u8>,
}

/// A run of one client and a hub.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// In the order of the wire.
    pub(crate) datagrams: Vec<Datagram>,
    /// Seconds from one to the next.
    pub(crate) pace_seconds: u32,
    /// Enough to open everything.
    pub(crate) key_log: String,
    /// What the client said.
    pub(crate) texts: Vec<String>,
}

impl Run {
    /// Shakes hands and says `count` lines; the hub sends each one back as an entry.
    pub(crate) fn new(seed: u8, count: usize, leak: Leak) -> Self {
        let mut talk = Talk::new(seed, leak);
        talk.say(count);
        talk.run
    }

    /// Adds a datagram.
    pub(crate) fn send(&mut self, from: End, to: End, payload: Vec<u8>) {
        self.datagrams.push(Datagram { from, to, payload });
    }

    /// The key log, for the judge.
    pub(crate) fn keys(&self) -> Options {
        Options { key_log: Some(KeyLog::parse(&self.key_log).unwrap()), ..Options::default() }
    }

    /// The judgement on the run.
    pub(crate) fn judge(&self, options: &Options) -> Report {
        judge(&self.pcap(), options)
    }

    /// The run as a classic capture of raw IPv4.
    pub(crate) fn pcap(&self) -> Vec<u8> {
        let mut file: Vec<u8> = [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 101]
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect();
        for (number, datagram) in (0..).zip(&self.datagrams) {
            let second = 1_790_000_000 + number * self.pace_seconds;
            let udp_len = u16::try_from(datagram.payload.len() + 8).unwrap();
            let ip_len = udp_len + 20;
            for word in [second, 0, u32::from(ip_len), u32::from(ip_len)] {
                file.extend(word.to_be_bytes());
            }
            file.extend([0x45, 0]);
            file.extend(ip_len.to_be_bytes());
            file.extend([0, 0, 0, 0, 64, 17, 0, 0]);
            file.extend(datagram.from.0);
            file.extend(datagram.to.0);
            for field in [datagram.from.1, datagram.to.1, udp_len, 0] {
                file.extend(field.to_be_bytes());
            }
            file.extend(&datagram.payload);
        }
        file
    }
}

/// The judgement on a capture, whose ledger must add up.
pub(crate) fn judge(capture: &[u8], options: &Options) -> Report {
    rows(capture, options).0
}

/// A packet as it was judged.
pub(crate) struct Judged {
    /// The packet.
    pub(crate) packet: Packet,
    /// Its place in a session.
    pub(crate) member: Option<Member>,
    /// What it says.
    pub(crate) opened: Option<OpenedDatagram>,
}

/// The judgement, and every packet.
pub(crate) fn rows(capture: &[u8], options: &Options) -> (Report, Vec<Judged>) {
    let mut rows = Vec::new();
    let mut take = |row: &Row<'_>| {
        rows.push(Judged { packet: row.packet.clone(), member: row.member, opened: row.opened.cloned() });
    };
    let source = Source::memory(capture.to_vec());
    let report = examine(&source, options, &(), &mut take).expect("it is a capture");
    assert!(report.ledger.balanced, "the ledger adds up");
    (report, rows)
}

/// The rules of the findings that keep a report from its required level.
pub(crate) fn rules(report: &Report) -> Vec<&'static str> {
    report
        .findings
        .iter()
        .filter(|finding| finding.severity != dissect::verdict::Severity::Note)
        .filter(|finding| finding.level <= report.verdict.required)
        .map(|finding| finding.rule)
        .collect()
}
