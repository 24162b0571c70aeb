//! What a member sees: lines, or JSON with `--json`.

mod rooms;

use super::account::{self, Told};
use super::export::{kind_name, parts};
use super::status::Seen;
use crate::failure::Failure;
use crate::output::{self, visible};
use crate::terminal::Screen;
use node_proto::client::{ClientEvent, RoomState, Target};
use node_proto::hub::LOBBY_NAME;
use node_proto::log::{LOBBY, RoomId};
use rooms::Recent;
use serde_json::{Value, json};
use spec::name::fold;
use spec::wire::entry::{Entry, EntryKind, MessageId};
use spec::wire::message::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Where a member looks.
#[derive(Debug)]
pub(super) struct Report {
    is_json: bool,
    name: String,
    screen: Screen,
    rooms: BTreeMap<RoomId, Known>,
    names: BTreeSet<String>,
    /// Folded names of whom nothing is shown.
    ignored: BTreeSet<String>,
    recent: Recent,
    looks_at: Option<RoomId>,
}

/// A room as we know it.
#[derive(Debug, Default)]
struct Known {
    name: String,
    is_direct: bool,
    state: RoomState,
}

impl Report {
    pub(super) fn new(is_json: bool, name: String) -> Self {
        let lobby = Known { name: LOBBY_NAME.to_owned(), ..Known::default() };
        Self {
            is_json,
            name,
            screen: Screen::plain(),
            rooms: BTreeMap::from([(LOBBY, lobby)]),
            names: BTreeSet::new(),
            ignored: BTreeSet::new(),
            recent: Recent::default(),
            looks_at: Some(LOBBY),
        }
    }

    /// From now on lines go to this screen.
    pub(super) fn attach(&mut self, screen: Screen) {
        self.screen = screen;
    }

    pub(super) const fn is_interactive(&self) -> bool {
        self.screen.is_interactive()
    }

    /// Our name.
    pub(super) fn name(&self) -> String {
        visible(&self.name)
    }

    /// Names that were seen here.
    pub(super) fn known_names(&self) -> Vec<String> {
        self.names.iter().cloned().collect()
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
        let kind = match kind {
            EntryKind::Text => "message",
            kind => kind_name(kind).unwrap_or("message"),
        };
        let to = match target {
            Target::Room(room) => self.place(*room),
            Target::Direct(name) | Target::Named(name) => name.clone(),
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
            ClientEvent::Room { room, kind, name } => self.room(*room, *kind, name),
            ClientEvent::State { room, state } => self.state(*room, state.clone()),
            ClientEvent::Gone { room, text } => self.gone(*room, text),
            ClientEvent::Granted { request, .. } => self.granted(request),
            ClientEvent::Denied { request, reason, .. } => self.denied(request, *reason),
            ClientEvent::Rooms { rooms, more, .. } => self.room_list(rooms, *more),
            ClientEvent::Past { room, entries, is_last, .. } => self.past(*room, entries, *is_last),
            ClientEvent::Entry { room, sequence, entry } => self.entry(*room, sequence.0, entry),
            ClientEvent::Stored { id, sequence, .. } => {
                self.say(|| json!({"event": "stored", "id": hex(id), "seq": sequence.0}), || None)
            }
            ClientEvent::Refused { id, reason, name } => self.refused(id, *reason, name),
            ClientEvent::Members { room, names } => {
                self.names.extend(names.iter().cloned());
                let shown: Vec<String> = names.iter().map(|name| visible(name)).collect();
                let place = self.place(*room);
                self.say(
                    || json!({"event": "members", "room": place, "names": names}),
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
        let Some(kind) = kind_name(entry.kind) else { return Ok(()) };
        let (about, text) = parts(&entry);
        self.names.insert(entry.name.to_owned());
        if self.ignored.contains(&fold(entry.name)) {
            return Ok(());
        }
        let line = self.line(room, &entry, about, &text, false);
        let place = self.place(room);
        if matches!(entry.kind, EntryKind::Joined | EntryKind::Left) {
            let plain = line.rsplit_once("* ").map_or("", |(_, plain)| plain).to_owned();
            return self.say(
                || json!({"event": "notice", "kind": kind, "name": entry.name, "room": place, "text": plain}),
                || Some(line),
            );
        }
        if entry.kind.is_line() {
            self.recent.push(room, sequence, entry.name, &text);
        }
        let is_private = self.rooms.get(&room).is_some_and(|known| known.is_direct);
        self.say(
            || {
                json!({"event": "message", "room": place, "private": is_private, "from": entry.name, "re": about,
                    "text": text, "kind": kind, "id": hex(&entry.id), "seq": sequence, "time": entry.time.0})
            },
            || Some(line),
        )
    }

    /// What a room is called.
    pub(super) fn place(&self, room: RoomId) -> String {
        self.rooms.get(&room).map(|known| known.name.clone()).unwrap_or_default()
    }

    /// The last line of a room that is ours, or is not.
    pub(super) fn last_line(&self, room: RoomId, is_own: bool) -> Option<u64> {
        self.recent.last(room, &self.name, is_own)
    }

    /// The room that a person looks at: what comes from others bears their names.
    pub(super) const fn look_at(&mut self, room: Option<RoomId>) {
        self.looks_at = room;
    }

    fn refused(&mut self, id: &MessageId, reason: Refusal, name: &str) -> Result<(), Failure> {
        let why = match reason {
            Refusal::NoSuchName => format!("nobody here is called {}", visible(name)),
            Refusal::NoSuchRoom | Refusal::NotMember => "you may not write there".to_owned(),
            Refusal::NotAllowed => "your role does not allow you to write there".to_owned(),
            Refusal::TooSoon => format!("this room is slow: again in {} s", visible(name)),
            Refusal::NoSuchMessage => "there is no such message, or it is not yours".to_owned(),
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

pub(super) fn hex(id: &MessageId) -> String {
    data_encoding::HEXLOWER_PERMISSIVE.encode(&id.0)
}
