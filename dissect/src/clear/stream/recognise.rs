//! Which protocol the first bytes of a stream are of.
//!
//! Candidates are asked in a fixed order, and one that needs more bytes is waited for.

use super::{
    dns, ftp, http, http2, imap, irc, ldap, mqtt, pop3, sip, smtp, sql, ssh, store, syslog, telnet, tls, xmpp,
};
use crate::clear::speaker::Speaker;

/// The first bytes of a direction that are looked at; a protocol not recognised by then is not known.
pub(in crate::clear) const HEAD_MAX_BYTES: usize = 512;

/// Whether bytes are the beginning of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clear) enum Fit {
    Yes,
    No,
    /// More bytes are needed.
    More,
}

impl Fit {
    /// Asks about each whole line until one decides. Text begins with a printable character.
    pub(super) fn by_lines(head: &[u8], fits: impl Fn(&[u8]) -> Self) -> Self {
        if head.first().is_some_and(|byte| !(b'!'..=b'~').contains(byte)) {
            return Self::No;
        }
        let mut rest = head;
        while let Some((line, behind)) = crate::clear::text::split_once(rest, b'\n') {
            match fits(line.strip_suffix(b"\r").unwrap_or(line)) {
                Self::More => rest = behind,
                decided => return decided,
            }
        }
        Self::More
    }

    /// Whether a head begins so.
    pub(super) fn by_prefix(head: &[u8], prefix: &[u8]) -> Self {
        let common = head.len().min(prefix.len());
        if head.get(..common) != prefix.get(..common) {
            Self::No
        } else if head.len() >= prefix.len() {
            Self::Yes
        } else {
            Self::More
        }
    }

    /// `Yes` or `No`.
    pub(super) const fn when(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }

    /// This, or else the other one.
    pub(super) fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Yes => Self::Yes,
            Self::No => other(),
            Self::More => {
                if other() == Self::Yes {
                    Self::Yes
                } else {
                    Self::More
                }
            }
        }
    }
}

/// Both directions of a protocol where one alone gives it away, unless the other contradicts.
pub(super) const fn either(client: Fit, server: Fit) -> Fit {
    match (client, server) {
        (Fit::No, _) | (_, Fit::No) => Fit::No,
        (Fit::Yes, _) | (_, Fit::Yes) => Fit::Yes,
        (Fit::More, Fit::More) => Fit::More,
    }
}

/// A protocol that a stream may be of.
struct Candidate {
    fits: fn(client: &[u8], server: &[u8]) -> Fit,
    speaker: fn() -> Box<dyn Speaker>,
    /// Where its servers usually listen: settles what the bytes leave open when no more come.
    ports: &'static [u16],
}

fn new<S: Speaker + Default + 'static>() -> Box<dyn Speaker> {
    Box::new(S::default())
}

const CANDIDATES: [Candidate; 22] = [
    Candidate { fits: tls::fits, speaker: new::<tls::Tls>, ports: &[443, 993, 995, 465, 853, 6697] },
    Candidate { fits: ssh::fits, speaker: new::<ssh::Ssh>, ports: &[22] },
    Candidate { fits: http2::fits, speaker: new::<http2::Http2>, ports: &[] },
    Candidate { fits: http::fits, speaker: new::<http::Http>, ports: &[80, 8080] },
    Candidate { fits: sip::fits, speaker: new::<sip::Sip>, ports: &[5060, 554] },
    Candidate { fits: xmpp::fits, speaker: new::<xmpp::Xmpp>, ports: &[5222, 5269] },
    Candidate { fits: mqtt::fits, speaker: new::<mqtt::Mqtt>, ports: &[1883] },
    Candidate { fits: sql::postgresql_fits, speaker: new::<sql::PostgreSql>, ports: &[5432] },
    Candidate { fits: sql::mysql_fits, speaker: new::<sql::MySql>, ports: &[3306] },
    Candidate { fits: ldap::fits, speaker: new::<ldap::Ldap>, ports: &[389] },
    Candidate { fits: dns::fits, speaker: new::<dns::DnsStream>, ports: &[53] },
    Candidate { fits: store::redis_fits, speaker: new::<store::Redis>, ports: &[6379] },
    Candidate { fits: store::memcached_fits, speaker: new::<store::Memcached>, ports: &[11211] },
    Candidate { fits: smtp::fits, speaker: new::<smtp::Smtp>, ports: &[25, 587] },
    Candidate { fits: ftp::fits, speaker: new::<ftp::Ftp>, ports: &[21] },
    Candidate { fits: pop3::fits, speaker: new::<pop3::Pop3>, ports: &[110] },
    Candidate { fits: imap::fits, speaker: new::<imap::Imap>, ports: &[143] },
    Candidate { fits: irc::fits, speaker: new::<irc::Irc>, ports: &[6667, 6668, 6669] },
    Candidate { fits: syslog::fits, speaker: new::<syslog::Syslog>, ports: &[514, 601] },
    Candidate { fits: telnet::negotiates, speaker: new::<telnet::Telnet>, ports: &[23] },
    Candidate { fits: telnet::prompts, speaker: new::<telnet::Telnet>, ports: &[23] },
    Candidate { fits: telnet::text, speaker: new::<telnet::Telnet>, ports: &[23, 2323] },
];

/// What is known of the protocol of a stream.
#[derive(Debug)]
pub(in crate::clear) enum Recognised {
    /// Its reader, and whether the initiator is the client.
    As(Box<dyn Speaker>, bool),
    /// It is none of those known.
    Stranger,
    /// More bytes are needed.
    Undecided,
}

/// Recognises a stream by the first bytes of both directions; `last` when no more of them come. The ports
/// are those of the initiator and of the responder.
pub(in crate::clear) fn recognise(
    initiator: &[u8],
    responder: &[u8],
    ports: [Option<u16>; 2],
    last: bool,
) -> Recognised {
    let mut likely = None;
    for candidate in &CANDIDATES {
        for client_is_initiator in [true, false] {
            let [initiator_port, responder_port] = ports;
            let (client, server, port) = if client_is_initiator {
                (initiator, responder, responder_port)
            } else {
                (responder, initiator, initiator_port)
            };
            match (candidate.fits)(client, server) {
                Fit::Yes => return Recognised::As((candidate.speaker)(), client_is_initiator),
                Fit::No => {}
                Fit::More if !last => return Recognised::Undecided,
                Fit::More => {
                    let usual = port.is_some_and(|port| candidate.ports.contains(&port));
                    likely = likely.or_else(|| usual.then_some((candidate, client_is_initiator)));
                }
            }
        }
    }
    match likely {
        Some((candidate, client_is_initiator)) => Recognised::As((candidate.speaker)(), client_is_initiator),
        None => Recognised::Stranger,
    }
}
