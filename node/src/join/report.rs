//! What a member sees: lines, or JSON with `--json`.

use super::account::{self, Told};
use super::status::Seen;
use crate::failure::Failure;
use crate::output::{self, visible};
use crate::terminal::Screen;
use node_proto::client::{ClientEvent, Target};
use node_proto::hub::LOBBY_NAME;
use node_proto::log::{LOBBY, RoomId};
use serde_json::{Value, json};
use spec::wire::entry::{Entry, EntryKind, MessageId};
use spec::wire::message::{Refusal, RoomKind};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Where a member looks.
#[derive(Debug)]
pub(super) struct Report {
    is_json: bool,
    name: String,
    screen: Screen,
    rooms: BTreeMap<RoomId, String>,
    names: BTreeSet<String>,
}

impl Report {
    pub(super) fn new(is_json: bool, name: String) -> Self {
        let rooms = BTreeMap::from([(LOBBY, LOBBY_NAME.to_owned())]);
        Self { is_json, name, screen: Screen::plain(), rooms, names: BTreeSet::new() }
    }

    /// From now on lines go to this screen.
    pub(super) fn attach(&mut self, screen: Screen) {
        self.screen = screen;
    }

    pub(super) const fn is_interactive(&self) -> bool {
        self.screen.is_interactive()
    }

    /// Names that were seen here.
    pub(super) fn known_names(&self) -> impl Iterator<Item = String> + use<> {
        self.names.clone().into_iter()
    }

    pub(super) fn answer(&mut self, text: &str) -> Result<(), Failure> {
        self.say(|| json!({"event": "answer", "text": text}), || Some(text.to_owned()))
    }

    /// The next line is a password.
    pub(super) fn ask(&mut self, words: &str) -> Result<(), Failure> {
        self.screen.hide_next();
        self.say(|| json!({"event": "ask", "what": "password", "text": words}), || Some(format!("* {words}")))
    }

    /// How the connection is doing, when there is one.
    pub(super) fn status(&mut self, seen: Option<Seen>) -> Result<(), Failure> {
        let Some(seen) = seen else {
            return self.say(
                || json!({"event": "status", "connected": false}),
                || Some("there is no connection to the hub".to_owned()),
            );
        };
        self.say(|| seen.json(), || Some(seen.words()))
    }

    /// A sentence about what went wrong: on stderr in a pipe, so that it is not taken for a message.
    pub(super) fn complaint(&mut self, text: &str) -> Result<(), Failure> {
        if self.is_json {
            return self.say(|| json!({"event": "error", "text": text}), || None);
        }
        if self.screen.is_interactive() {
            return self.say(|| Value::Null, || Some(format!("! {text}")));
        }
        // Whoever closed stderr does not want to know.
        drop(writeln!(io::stderr(), "node: {text}"));
        Ok(())
    }

    /// A line of ours is on its way. A person sees it again when the hub has stored it.
    pub(super) fn said(
        &mut self,
        id: MessageId,
        target: &Target,
        kind: EntryKind,
        text: &str,
    ) -> Result<(), Failure> {
        let kind = if kind == EntryKind::Action { "action" } else { "message" };
        let to = match target {
            Target::Room(_) => LOBBY_NAME,
            Target::Direct(name) => name,
        };
        self.say(|| json!({"event": "sent", "id": hex(&id), "kind": kind, "to": to, "text": text}), || None)
    }

    /// We are leaving; the last line.
    pub(super) fn left(&mut self, reason: &str) -> Result<(), Failure> {
        self.say(|| json!({"event": "closed", "reason": reason, "text": "", "retrying": false}), || None)
    }

    pub(super) fn event(&mut self, event: &ClientEvent) -> Result<(), Failure> {
        match event {
            ClientEvent::Connected { name, is_again } => {
                self.name.clone_from(name);
                let shown = visible(name);
                let text =
                    format!("* you are {shown} in #{LOBBY_NAME}; /help lists what you can do, /quit leaves");
                let is_news = self.screen.is_interactive() && !is_again;
                self.say(
                    || json!({"event": "connected", "name": name, "room": LOBBY_NAME, "again": is_again}),
                    || is_news.then_some(text),
                )
            }
            ClientEvent::Heard => self.notice("heard", None, "the hub is back"),
            ClientEvent::Room { room, kind, name } => {
                let is_direct = *kind == RoomKind::Direct;
                self.rooms.insert(*room, name.clone());
                if is_direct {
                    self.names.insert(name.clone());
                }
                Ok(())
            }
            ClientEvent::Entry { room, sequence, entry } => self.entry(*room, sequence.0, entry),
            ClientEvent::Stored { id, sequence, .. } => {
                self.say(|| json!({"event": "stored", "id": hex(id), "seq": sequence.0}), || None)
            }
            ClientEvent::Refused { id, reason, name } => self.refused(id, *reason, name),
            ClientEvent::Members(names) => {
                self.names.extend(names.iter().cloned());
                let shown: Vec<String> = names.iter().map(|name| visible(name)).collect();
                self.say(
                    || json!({"event": "members", "room": LOBBY_NAME, "names": names}),
                    || Some(format!("* here: {}", shown.join(", "))),
                )
            }
            ClientEvent::Silent => {
                self.notice("silent", None, "the hub does not answer; trying on, nothing you say is lost")
            }
            ClientEvent::Closed { reason, text, retrying } => {
                let shown = visible(text);
                let text = if *retrying { format!("* {shown}; trying to come back") } else { String::new() };
                self.say(
                    || {
                        json!({"event": "closed", "reason": reason.name(), "text": shown,
                        "retrying": retrying})
                    },
                    || retrying.then_some(text),
                )
            }
            ClientEvent::HubLogsKeys => {
                self.notice("keylog", None, "the hub writes a key log: it can show others what it reads")
            }
            ClientEvent::Account(event) => match account::told(event, &self.name) {
                Told::News(value, text) => self.say(|| value, || Some(text)),
                Told::Complaint(text) => self.complaint(&text),
            },
            ClientEvent::Typing { name, .. } => {
                self.say(|| json!({"event": "typing", "name": name}), || None)
            }
            // No command of this program begins a transfer.
            ClientEvent::Put { .. } | ClientEvent::Got { .. } | ClientEvent::TransferRefused { .. } => Ok(()),
            ClientEvent::OtherVersions(_) | ClientEvent::KeyLog(_) => Ok(()),
        }
    }

    fn entry(&mut self, room: RoomId, sequence: u64, entry: &[u8]) -> Result<(), Failure> {
        let Ok(entry) = Entry::decode(entry) else { return Ok(()) };
        let text = String::from_utf8_lossy(entry.body).into_owned();
        self.names.insert(entry.name.to_owned());
        let (name, shown) = (visible(entry.name), visible(&text));
        match entry.kind {
            EntryKind::Joined => self.notice("joined", Some(entry.name), &format!("{name} joined")),
            EntryKind::Left => {
                let why = if text.is_empty() { String::new() } else { format!(": {shown}") };
                self.notice("left", Some(entry.name), &format!("{name} left{why}"))
            }
            EntryKind::Text | EntryKind::Action | EntryKind::Alert => {
                let place = self.rooms.get(&room).cloned().unwrap_or_default();
                let line = self.message_line(room, &entry, &name, &shown, &place);
                let kind = match entry.kind {
                    EntryKind::Action => "action",
                    EntryKind::Alert => "alert",
                    _ => "text",
                };
                self.say(
                    || json!({"event": "message", "room": place, "private": room != LOBBY, "from": entry.name,
                        "text": text, "kind": kind, "id": hex(&entry.id), "seq": sequence, "time": entry.time.0}),
                    || Some(line),
                )
            }
            _ => Ok(()),
        }
    }

    fn message_line(&self, room: RoomId, entry: &Entry<'_>, name: &str, text: &str, place: &str) -> String {
        let is_own = entry.name == self.name;
        match entry.kind {
            EntryKind::Alert => format!("! {name}: {text}"),
            EntryKind::Action => format!("* {name} {text}"),
            _ if room == LOBBY => format!("<{name}> {text}"),
            _ if is_own => format!("<to {}, privately> {text}", visible(place)),
            _ => format!("<{name}, privately> {text}"),
        }
    }

    fn refused(&mut self, id: &MessageId, reason: Refusal, name: &str) -> Result<(), Failure> {
        let why = match reason {
            Refusal::NoSuchName => format!("nobody here is called {}", visible(name)),
            Refusal::NoSuchRoom | Refusal::NotMember => "you may not write there".to_owned(),
            Refusal::TooLarge => "it is too large".to_owned(),
            Refusal::LogFull => "the hub cannot store it".to_owned(),
            _ => "the hub does not understand it".to_owned(),
        };
        if self.is_json {
            return self.say(|| json!({"event": "refused", "id": hex(id), "text": why}), || None);
        }
        self.complaint(&format!("not delivered: {why}"))
    }

    fn notice(&mut self, kind: &str, name: Option<&str>, text: &str) -> Result<(), Failure> {
        self.say(
            || json!({"event": "notice", "kind": kind, "name": name, "text": text}),
            || Some(format!("* {text}")),
        )
    }

    fn say(
        &mut self,
        value: impl FnOnce() -> Value,
        text: impl FnOnce() -> Option<String>,
    ) -> Result<(), Failure> {
        let written = if self.is_json {
            output::json(&value())
        } else {
            text().map_or(Ok(()), |text| self.screen.show(&text))
        };
        match written {
            // Whoever reads us has seen enough; what was said is still to be stored.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::new(format!("cannot write to stdout: {error}"))),
            Ok(()) => Ok(()),
        }
    }
}

fn hex(id: &MessageId) -> String {
    data_encoding::HEXLOWER_PERMISSIVE.encode(&id.0)
}
