//! Statistics: tshark's `-z`, and some of our own.

mod conversations;
mod endpoints;
mod expert;
mod handshake;
mod hierarchy;
mod interval;
mod lengths;
mod loss;
mod rtt;
mod sessions;
mod track;

use super::filter::Filter;
use super::fold::{Filtered, Fold};

/// What `-z help` prints.
pub(crate) const HELP: &str = "\
io,phs[,FILTER]              protocols, one inside the other, with packets and bytes
io,stat,SECONDS[,FILTER]...  packets and bytes in each interval; 0 is one interval
conv,TYPE[,FILTER]           conversations of eth, ip, ipv6, tcp or udp
endpoints,TYPE[,FILTER]      ends of eth, ip, ipv6, tcp or udp
plen,tree[,FILTER]           lengths of packets
expert[,FILTER]              findings and oddities, by rule, with their first packets
sealgram,sessions            sessions: ends, datagrams, bytes, duration
sealgram,handshake           handshakes: their steps, repeats and round trips
sealgram,rtt                 round trips: of handshakes, and of acknowledgements with a key log
sealgram,loss                gaps, reordering and repeats by packet number, with a key log
";

/// The statistic of a `-z`.
///
/// # Errors
/// A sentence about what is not understood.
pub(crate) fn parse(argument: &str) -> Result<Box<dyn Fold>, String> {
    let (name, rest) = split(argument);
    let (kind, filter) = split(rest);
    let fold: Box<dyn Fold> = match (name, kind) {
        ("io", "stat") => return interval::Intervals::parse(filter).map(|fold| Box::new(fold) as _),
        ("io", "phs") => Box::new(hierarchy::Hierarchy::default()),
        ("conv", kind) => Box::new(conversations::Conversations::new(End::parse(kind)?)),
        ("endpoints", kind) => Box::new(endpoints::Endpoints::new(End::parse(kind)?)),
        ("plen", "tree") => Box::new(lengths::Lengths::default()),
        ("sealgram", "sessions") => Box::new(sessions::Sessions::default()),
        ("sealgram", "handshake") => Box::new(handshake::Handshakes::default()),
        ("sealgram", "rtt") => Box::new(rtt::RoundTrips::default()),
        ("sealgram", "loss") => Box::new(loss::Losses::default()),
        ("expert", _) => return filtered(Box::new(expert::Expert::default()), rest),
        _ => {
            let given = crate::render::sanitise(argument);
            return Err(format!("there is no statistic \"{given}\"; `-z help` lists them"));
        }
    };
    filtered(fold, filter)
}

fn filtered(inner: Box<dyn Fold>, filter: &str) -> Result<Box<dyn Fold>, String> {
    if filter.is_empty() {
        return Ok(inner);
    }
    let filter = Filter::parse(filter).map_err(|error| error.to_string())?;
    Ok(Box::new(Filtered { filter, inner }))
}

fn split(text: &str) -> (&str, &str) {
    text.split_once(',').unwrap_or((text, ""))
}

/// What conversations and endpoints are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Ethernet,
    Ipv4,
    Ipv6,
    Tcp,
    Udp,
}

impl End {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "eth" => Self::Ethernet,
            "ip" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "tcp" => Self::Tcp,
            "udp" => Self::Udp,
            _ => {
                let given = crate::render::sanitise(text);
                return Err(format!("\"{given}\" is none of eth, ip, ipv6, tcp and udp"));
            }
        })
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Ethernet => "Ethernet",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }

    /// Sender and receiver of a packet, where it has them.
    fn of(self, seen: &super::seen::Seen<'_>) -> Option<(String, String)> {
        use crate::dissection::Protocol;
        let dissection = &seen.packet.dissection;
        let both = |source: &str, destination: &str| {
            let read = |name: &str| super::field::find(name)?.read(seen).into_iter().next();
            Some((read(source)?.value.to_string(), read(destination)?.value.to_string()))
        };
        match self {
            Self::Ethernet => both("eth.src", "eth.dst"),
            Self::Ipv4 => both("ip.src", "ip.dst"),
            Self::Ipv6 => both("ipv6.src", "ipv6.dst"),
            Self::Tcp | Self::Udp => {
                let wanted = if self == Self::Tcp { Protocol::Tcp } else { Protocol::Udp };
                let (source, destination) = dissection.ends.filter(|_| dissection.protocol == wanted)?;
                Some((source.to_string(), destination.to_string()))
            }
        }
    }
}

/// A line as wide as a table.
fn rule(width: usize) -> String {
    "=".repeat(width)
}
