//! What the operator sees: sentences, or JSON with `--json`.

use super::printer::Printer;
use crate::failure::{Context, Failure};
use crate::output::{self, visible};
use crate::terminal::Screen;
use node_proto::hub::HubEvent;
use node_proto::hub::operator::Present;
use node_proto::log::LOBBY;
use serde_json::{Value, json};
use spec::fingerprint;
use spec::invite::Invite;
use spec::limits::KEY_BYTES;
use spec::wire::entry::{Entry, EntryKind};
use std::net::SocketAddr;

/// What follows trouble with the log.
const LOG_WORKS: &str = "the hub stores again";

/// Where the operator looks.
#[derive(Debug)]
pub(super) struct Report {
    is_json: bool,
    printer: Option<Printer>,
}

impl Report {
    pub(super) const fn new(is_json: bool) -> Self {
        Self { is_json, printer: None }
    }

    /// From now on lines go to this screen, by a thread of its own: a terminal that is stopped, or a pipe that
    /// nobody reads, must not stop the hub.
    pub(super) fn attach(&mut self, screen: Screen) -> Result<(), Failure> {
        self.printer = Some(Printer::start(screen)?);
        Ok(())
    }

    pub(super) fn ready(
        &mut self,
        listen: &[SocketAddr],
        hub_key: &[u8; KEY_BYTES],
        invite: &Invite,
    ) -> Result<(), Failure> {
        let listen: Vec<String> = listen.iter().map(ToString::to_string).collect();
        let (words, invite) = (fingerprint::words(hub_key), invite.to_string());
        let text = format!(
            "listening on {}\nfingerprint  {words}\ninvite       {invite}\njoin with    node join --hub '{invite}'\n/help lists what you can do here",
            listen.join(" and ")
        );
        self.say(
            || json!({"event": "ready", "listen": listen, "fingerprint": words, "invite": invite}),
            || Some(text.clone()),
        )
    }

    pub(super) fn event(&mut self, event: &HubEvent) -> Result<(), Failure> {
        match event {
            HubEvent::Opened { path } => {
                ::log::info!("a client at {} finished its handshake", path.remote);
                Ok(())
            }
            HubEvent::Greeted { name, path } => self.say(
                || json!({"event": "connected", "name": name, "address": path.remote.to_string()}),
                || Some(format!("* {} connected from {}", visible(name), path.remote)),
            ),
            HubEvent::Gone { name: None, why } => {
                ::log::info!("a client without a name {why}");
                Ok(())
            }
            HubEvent::Gone { name: Some(name), why } => self.say(
                || json!({"event": "gone", "name": name, "why": why}),
                || Some(format!("* {} is disconnected: {}", visible(name), visible(why))),
            ),
            HubEvent::PeerLogsKeys { name } => self.say(
                || json!({"event": "notice", "kind": "keylog", "name": name}),
                || Some(format!("* {} writes a key log: it can show others what it reads", visible(name))),
            ),
            HubEvent::Entry { room, entry, .. } => self.entry(*room == LOBBY, entry),
            HubEvent::LogTrouble(trouble) => self.say(
                || json!({"event": "error", "text": trouble.sentence()}),
                || Some(format!("! {}", trouble.sentence())),
            ),
            HubEvent::LogWorks => self.say(
                || json!({"event": "notice", "kind": "log-works", "text": LOG_WORKS}),
                || Some(format!("* {LOG_WORKS}")),
            ),
            HubEvent::KeyLog(_) | HubEvent::Attempts(_) => Ok(()),
        }
    }

    fn entry(&mut self, is_lobby: bool, entry: &[u8]) -> Result<(), Failure> {
        let Ok(entry) = Entry::decode(entry) else { return Ok(()) };
        let text = String::from_utf8_lossy(entry.body);
        let kind = match entry.kind {
            EntryKind::Text => "message",
            EntryKind::Action => "action",
            EntryKind::Joined => "joined",
            EntryKind::Left => "left",
            EntryKind::Alert => "alert",
            _ => return Ok(()),
        };
        self.say(
            || json!({"event": kind, "private": !is_lobby, "from": entry.name, "text": text, "time": entry.time.0}),
            || {
                let (name, text) = (visible(entry.name), visible(&text));
                Some(match entry.kind {
                    EntryKind::Text if is_lobby => format!("<{name}> {text}"),
                    EntryKind::Text => format!("<{name}, privately> {text}"),
                    EntryKind::Action => format!("* {name} {text}"),
                    EntryKind::Joined => format!("* {name} joined"),
                    EntryKind::Left if text.is_empty() => format!("* {name} left"),
                    EntryKind::Left => format!("* {name} left: {text}"),
                    _ => format!("! {text}"),
                })
            },
        )
    }

    pub(super) fn answer(&mut self, text: &str) -> Result<(), Failure> {
        self.say(|| json!({"event": "answer", "text": text}), || Some(text.into()))
    }

    pub(super) fn list(&mut self, present: &[Present]) -> Result<(), Failure> {
        let client = |present: &Present| {
            let stats = present.stats;
            json!({"name": present.name, "address": present.path.remote.to_string(),
                "rtt_ms": present.rtt.as_secs_f64() * 1000.0, "sent": stats.sent, "lost": stats.lost})
        };
        let line = |present: &Present| {
            let (name, rtt) = (visible(&present.name), present.rtt.as_secs_f64() * 1000.0);
            let (sent, lost) = (present.stats.sent, present.stats.lost);
            format!("{name}  {}  {rtt:.0} ms, {lost} of {sent} packets lost", present.path.remote)
        };
        self.say(
            || json!({"event": "list", "clients": present.iter().map(client).collect::<Vec<_>>()}),
            || {
                let none = || "nobody is connected".to_owned();
                let lines: Vec<String> = present.iter().map(line).collect();
                Some(if lines.is_empty() { none() } else { lines.join("\n") })
            },
        )
    }

    /// The last line; whoever reads gets a moment to see it.
    pub(super) fn closed(mut self) {
        let said = self
            .say(|| json!({"event": "closed", "reason": "stopped"}), || Some("the hub has stopped".into()));
        if let (Ok(()), Some(printer)) = (said, self.printer) {
            printer.finish();
        }
    }

    fn say(
        &mut self,
        value: impl FnOnce() -> Value,
        text: impl FnOnce() -> Option<String>,
    ) -> Result<(), Failure> {
        let Some(line) = (if self.is_json { Some(value().to_string()) } else { text() }) else {
            return Ok(());
        };
        match &mut self.printer {
            Some(printer) => {
                printer.print(line);
                Ok(())
            }
            None => output::line(&line).context("cannot write to stdout"),
        }
    }
}
