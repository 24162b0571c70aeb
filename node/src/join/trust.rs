//! `node trust`: the pins, by hand.

use super::find;
use crate::cli::TrustPlace;
use crate::data::Folder;
use crate::data::pins::Pins;
use crate::exit;
use crate::failure::{Context, Failure};
use crate::output;
use spec::fingerprint;
use spec::invite::HubAddress;
use std::process::ExitCode;

/// Shows the hubs that are pinned.
///
/// # Errors
/// When the pins cannot be read.
pub fn list(place: &TrustPlace) -> Result<ExitCode, Failure> {
    let folder = open(place)?;
    let pins = Pins::read(&folder)?;
    if pins.iter().count() == 0 {
        output::line("no hub is pinned").context("cannot write to stdout")?;
    }
    for (address, pin) in pins.iter() {
        let line = format!("{address}  {}", fingerprint::words(&pin.hub_key));
        output::line(&line).context("cannot write to stdout")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Forgets the key of a hub.
///
/// # Errors
/// When it was not known, or the pins cannot be written.
pub fn forget(hub: &str, place: &TrustPlace) -> Result<ExitCode, Failure> {
    let address: HubAddress = hub
        .parse()
        .map_err(|error| Failure::new(format!("{}: {error}", output::visible(hub))).code(exit::USAGE))?;
    let folder = open(place)?;
    if !Pins::read(&folder)?.forget(&address)? {
        return Err(Failure::new(format!("{address} is not pinned")).advise("node trust list"));
    }
    output::line(&format!("{address} is forgotten; the next join asks anew"))
        .context("cannot write to stdout")?;
    Ok(ExitCode::SUCCESS)
}

fn open(place: &TrustPlace) -> Result<Folder, Failure> {
    let name = find::name(place.name.as_deref())?;
    Folder::open(&find::folder(&name, place.data.as_deref())?, "a running node join")
}
