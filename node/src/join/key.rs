//! The key of an open hub: asked for once, compared by a person, pinned; later only to explain silence.

use super::find::Found;
use super::report::Report;
use crate::clock::Clock;
use crate::data::pins::Pin;
use crate::entropy;
use crate::exit;
use crate::failure::{Context, Failure};
use crate::net::{self, Wires};
use crate::terminal::is_interactive;
use node_proto::client::key_request::KeyRequest;
use node_proto::transmit::{Path, Transmit};
use spec::fingerprint;
use spec::gate::OPEN_ACCESS_SECRET;
use spec::invite::HubAddress;
use spec::limits::KEY_BYTES;
use spec::secret::Secret;
use spec::time::Instant;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// After so long without an answer a person is told that there is none.
const SILENCE: Duration = node_proto::client::SILENCE;

/// Asks a hub that is not pinned for its key, and a person whether it is the right one.
pub(super) fn ask(
    remote: SocketAddr,
    address: &HubAddress,
    accept_new: bool,
    clock: &Clock,
    timeout: Option<Duration>,
    report: &mut Report,
) -> Result<Pin, Failure> {
    if !accept_new && !is_interactive() {
        return Err(Failure::new(format!(
            "{address} is not known, and nobody is here to compare its fingerprint"
        ))
        .advise("its invite, or --accept-new to trust what it claims"));
    }
    let hub_key = request(remote, address, clock, timeout, report)?;
    let words = fingerprint::words(&hub_key);
    report.answer(&format!("{address} is not known yet. It claims this fingerprint:\n\n  {words}\n"))?;
    if !accept_new && !confirmed()? {
        return Err(Failure::new("the fingerprint was not confirmed; nothing was pinned")
            .advise("compare it with the one the operator sees, by another way"));
    }
    Ok(Pin { hub_key, access_secret: Secret::new(OPEN_ACCESS_SECRET) })
}

fn request(
    remote: SocketAddr,
    address: &HubAddress,
    clock: &Clock,
    timeout: Option<Duration>,
    report: &mut Report,
) -> Result<[u8; KEY_BYTES], Failure> {
    let mut wires = Wires::new(vec![net::connect(remote)?], None)?;
    let path = Path::new(remote, 0);
    let start = clock.now();
    let mut request = KeyRequest::new(start, entropy::bytes()?);
    let mut silence = Some(start + SILENCE);
    loop {
        let now = clock.now();
        if timeout.is_some_and(|timeout| start + timeout <= now) {
            return Err(Failure::new(format!("{address} does not answer, or is not an open hub"))
                .advise("its invite: a hub that was not started with --open is silent to strangers"));
        }
        if silence.is_some_and(|at| at <= now) {
            silence = None;
            report.complaint(&format!("{address} does not answer; trying on"))?;
        }
        if let Some(question) = request.poll_transmit(now) {
            wires.send(&Transmit::one(path, question.len()), &question);
        }
        let stop = timeout.map(|timeout| start + timeout);
        let at = [Some(request.poll_timeout()), silence, stop].into_iter().flatten().min();
        wires.wait(at.map(|at| clock.until(at)))?;
        let mut answer = None;
        wires.receive(|_, datagram| answer = answer.or_else(|| request.handle_datagram(datagram).ok()));
        if let Some(key) = answer {
            return Ok(key);
        }
    }
}

fn confirmed() -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(b"Is that what the operator sees? (yes/no) ").context("cannot ask")?;
    out.flush().context("cannot ask")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

/// A hub answers with another key than the one we know.
pub(super) fn changed(known: &Found, claimed: &[u8; KEY_BYTES]) -> Failure {
    let address = &known.address;
    let text = format!(
        "the key of {address} is not the one you know\n  known    {}\n  claimed  {}\n\
         An answer claims it; nobody has proved it. Either the hub was set up anew, or someone stands between.",
        fingerprint::words(&known.pin.hub_key),
        fingerprint::words(claimed)
    );
    Failure::new(text)
        .advise(format!(
            "ask the operator by another way; if it was set up anew: node trust forget {address}"
        ))
        .code(exit::KEY_CHANGED)
}

/// Asks a silent open hub whether its key has changed.
#[derive(Debug)]
pub(super) struct KeyWatch {
    is_open: bool,
    request: Option<KeyRequest>,
}

impl KeyWatch {
    /// Only an open hub answers such a question.
    pub(super) fn new(found: &Found) -> Self {
        Self { is_open: *found.pin.access_secret.expose() == OPEN_ACCESS_SECRET, request: None }
    }

    /// The hub is silent.
    pub(super) fn begin(&mut self, now: Instant) -> Result<(), Failure> {
        if self.is_open && self.request.is_none() {
            self.request = Some(KeyRequest::new(now, entropy::bytes()?));
        }
        Ok(())
    }

    /// The hub is heard.
    pub(super) fn stop(&mut self) {
        self.request = None;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.request.as_ref().map(KeyRequest::poll_timeout)
    }

    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.request.as_mut()?.poll_transmit(now)
    }

    /// The key that an answer claims.
    pub(super) fn read(&self, datagram: &[u8]) -> Option<[u8; KEY_BYTES]> {
        self.request.as_ref()?.handle_datagram(datagram).ok()
    }
}
