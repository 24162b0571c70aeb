//! What happens before a hub is ready: folder, sockets, invite, signals.

use crate::capture::{Capture, route_to};
use crate::cli::{HubOptions, LogLevel, default_listen};
use crate::data::hub::HubData;
use crate::failure::{Context, Failure};
use crate::net::{self, Mailbox, Wires};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use spec::invite::{HubAddress, Invite};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// Sessions of a hub.
pub(super) const SESSIONS_MAX: usize = 10_000;

/// A hub that is about to be ready.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) data: HubData,
    pub(super) wires: Wires,
    pub(super) invite: Invite,
}

pub(super) fn start(options: &HubOptions) -> Result<Started, Failure> {
    let data = HubData::open(options.data.as_deref())?;
    let sockets = listen(&options.listen)?;
    let capture = options.capture.as_deref().map(Capture::open).transpose()?;
    let wires = Wires::new(sockets, capture)?;
    let address = advertised(options.advertise.as_deref(), wires.locals())?;
    let access_secret = data.access_secrets(options.open).swap_remove(0);
    let invite = Invite { address, hub_key: *data.identity.public(), access_secret, token: None };
    Ok(Started { data, wires, invite })
}

/// Opens what was asked for; by default IPv4 and IPv6, of which one is enough.
fn listen(wanted: &[SocketAddr]) -> Result<Vec<UdpSocket>, Failure> {
    if !wanted.is_empty() {
        return wanted.iter().map(|address| net::bind(*address)).collect();
    }
    let [v4, v6] = default_listen();
    let mut sockets = vec![net::bind(v4)?];
    match net::bind(v6) {
        Ok(socket) => sockets.push(socket),
        Err(failure) => ::log::warn!("no IPv6 here: {failure}"),
    }
    Ok(sockets)
}

/// What the invite tells others to dial: as advertised, or the best guess.
fn advertised(wanted: Option<&str>, locals: &[SocketAddr]) -> Result<HubAddress, Failure> {
    let port = locals.first().map_or(0, SocketAddr::port);
    let Some(wanted) = wanted else {
        let local = locals.first().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), SocketAddr::ip);
        let ip = if local.is_unspecified() { own_address() } else { local };
        return Ok(HubAddress { host: ip.to_string(), port });
    };
    let mut address: HubAddress =
        wanted.parse().map_err(|error| Failure::new(format!("--advertise {wanted}: {error}")))?;
    let names_port =
        wanted.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
    if !names_port {
        address.port = port;
    }
    Ok(address)
}

/// The address other machines are likely to reach us by.
fn own_address() -> IpAddr {
    // An address of the documentation range: the routing table is asked, nothing is sent.
    let somewhere = SocketAddr::from(([192, 0, 2, 1], 9));
    route_to(somewhere).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

pub(super) fn init_logging(level: LogLevel) {
    let level = match level {
        LogLevel::Off => ::log::LevelFilter::Off,
        LogLevel::Error => ::log::LevelFilter::Error,
        LogLevel::Warn => ::log::LevelFilter::Warn,
        LogLevel::Info => ::log::LevelFilter::Info,
        LogLevel::Debug => ::log::LevelFilter::Debug,
    };
    env_logger::Builder::new().filter_level(level).format_target(false).init();
}

/// SIGINT and SIGTERM arrive in `mailbox`.
pub(crate) fn watch_signals(mailbox: Mailbox<()>) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot watch for signals")?;
    let watch = move || {
        for _ in &mut signals {
            if !mailbox.put(()) {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".into()).spawn(watch);
    thread.map(drop).context("cannot start the thread of the signals")
}
