//! Who we are, and which hub is meant.

use super::key;
use super::report::Report;
use crate::cli::JoinOptions;
use crate::clock::Clock;
use crate::data::folder::default_path;
use crate::data::pins::{Pin, Pins};
use crate::exit;
use crate::failure::Failure;
use spec::gate::OPEN_ACCESS_SECRET;
use spec::invite::{HubAddress, Invite};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A hub that can be joined.
#[derive(Debug)]
pub(super) struct Found {
    /// As the person wrote it.
    pub(super) address: HubAddress,
    /// Where that is.
    pub(super) remote: SocketAddr,
    /// Its key, and what makes it answer.
    pub(super) pin: Pin,
    /// The invite's token, or nothing.
    pub(super) token: Vec<u8>,
}

/// The name to join under.
pub(super) fn name(wanted: Option<&str>) -> Result<String, Failure> {
    let user = || std::env::var("USER").or_else(|_| std::env::var("USERNAME")).ok();
    let name = wanted.map(str::to_owned).or_else(user).ok_or_else(|| {
        Failure::new("there is no user name to join under").advise("--name NAME").code(exit::USAGE)
    })?;
    spec::name::check(&name).map_err(|error| {
        let shown = crate::output::visible(&name);
        Failure::new(format!("{shown} cannot be a name: {error}")).advise("another --name").code(exit::USAGE)
    })?;
    Ok(name)
}

/// The folder of a name: each has a key of its own, so that two can join from one machine.
pub(super) fn folder(name: &str, wanted: Option<&Path>) -> Result<PathBuf, Failure> {
    let safe = |c: char| if c.is_alphanumeric() || "-_".contains(c) { c } else { '_' };
    let part: String = name.to_lowercase().chars().map(safe).collect();
    wanted.map_or_else(|| default_path(&["join", &part]), |path| Ok(path.to_owned()))
}

/// The hub that was named: by an invite, by its pin, or by its own word and a person's.
pub(super) fn hub(
    options: &JoinOptions,
    pins: &Pins,
    clock: &Clock,
    timeout: Option<Duration>,
    report: &mut Report,
) -> Result<Found, Failure> {
    if options.hub.trim().starts_with("sealgram:") {
        return invited(&options.hub, pins);
    }
    let address: HubAddress = options.hub.parse().map_err(|error| {
        Failure::new(format!("--hub {}: {error}", crate::output::visible(&options.hub)))
            .advise("an invite (sealgram://…) or HOST:PORT")
            .code(exit::USAGE)
    })?;
    let remote = resolve(&address)?;
    let (pin, token) = match pins.get(&address) {
        Some(pin) => (pin.clone(), Vec::new()),
        None => (key::ask(remote, &address, options.accept_new, clock, timeout, report)?, Vec::new()),
    };
    Ok(Found { address, remote, pin, token })
}

fn invited(text: &str, pins: &Pins) -> Result<Found, Failure> {
    let invite: Invite = text.parse().map_err(|error| Failure::new(error).code(exit::USAGE))?;
    let remote = resolve(&invite.address)?;
    let pin = Pin { hub_key: invite.hub_key, access_secret: invite.access_secret };
    let found = Found { address: invite.address, remote, pin, token: invite.token.unwrap_or_default() };
    match pins.get(&found.address) {
        Some(known) if known.hub_key != found.pin.hub_key => {
            let claimed = found.pin.hub_key;
            let known = Found { pin: known.clone(), ..found };
            Err(key::changed(&known, &claimed))
        }
        //= spec/PROTOCOL.md#open-hubs
        //# A client that holds an access secret MUST NOT join the same hub without it.
        Some(known) if *found.pin.access_secret.expose() == OPEN_ACCESS_SECRET => {
            Ok(Found { pin: known.clone(), ..found })
        }
        _ => Ok(found),
    }
}

fn resolve(address: &HubAddress) -> Result<SocketAddr, Failure> {
    let HubAddress { host, port } = address;
    let found = (host.as_str(), *port).to_socket_addrs().map_err(|error| {
        Failure::new(format!("cannot find {host}: {error}"))
            .advise("the name as the operator gave it, or an address")
    })?;
    // A hub without IPv6 is common, one without IPv4 is not.
    found.min_by_key(SocketAddr::is_ipv6).ok_or_else(|| Failure::new(format!("{host} has no address")))
}

/// The hub speaks other versions than we do.
pub(super) fn other_versions(versions: &[[u8; 4]]) -> Failure {
    let shown: Vec<String> = versions.iter().map(|version| version.escape_ascii().to_string()).collect();
    let ours = spec::VERSION.escape_ascii();
    Failure::new(format!("this hub speaks {}, and this program speaks {ours}", shown.join(", ")))
        .advise("the version of this program that fits the hub, or ask its operator")
}
