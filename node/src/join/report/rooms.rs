//! What is said of rooms, and of what was asked.

use super::{Report, hex};
use crate::failure::Failure;
use crate::join::export::{kind_name, parts};
use crate::join::moment;
use crate::output::visible;
use node_proto::client::{RoomInfo, RoomState};
use node_proto::log::{RoomId, Seq};
use serde_json::{Value, json};
use spec::wire::entry::{Entry, EntryKind};
use spec::wire::message::{Refusal, RoomKind};
use spec::wire::request::{ROOM_INVITE_ONLY, ROOM_WITHOUT_PAST, Request, Role, Setting};

/// What a room is, in words.
fn words(flags: u64) -> String {
    let mut words = vec!["open"];
    if flags & ROOM_INVITE_ONLY != 0 {
        words.push("invite-only");
    }
    if flags & ROOM_WITHOUT_PAST != 0 {
        words.push("no history for newcomers");
    }
    words.join(", ")
}

impl Report {
    /// There is a room, or we know it already.
    pub(super) fn room(&mut self, room: RoomId, kind: RoomKind, name: &str) -> Result<(), Failure> {
        let known = self.rooms.entry(room).or_default();
        let is_news = known.name != name;
        (known.name, known.is_direct) = (name.to_owned(), kind == RoomKind::Direct);
        if known.is_direct {
            self.names.insert(name.to_owned());
        }
        let is_room = kind == RoomKind::Open && is_news && room != node_proto::log::LOBBY;
        if !is_room {
            return Ok(());
        }
        let state = known.state.clone();
        let text = match state.topic.as_str() {
            "" => format!("* you are in #{} ({})", visible(name), words(state.flags)),
            topic => format!("* you are in #{} ({}): {}", visible(name), words(state.flags), visible(topic)),
        };
        self.say(|| room_json("room", name, &state), || Some(text))
    }

    /// A room is other than it was.
    pub(super) fn state(&mut self, room: RoomId, state: RoomState) -> Result<(), Failure> {
        let known = self.rooms.entry(room).or_default();
        let before = std::mem::replace(&mut known.state, state.clone());
        let name = known.name.clone();
        if name.is_empty() || before == RoomState::default() || before == state {
            return Ok(());
        }
        let shown = visible(&name);
        let mut changes = Vec::new();
        if before.topic != state.topic {
            changes.push(match state.topic.as_str() {
                "" => format!("* #{shown} has no topic any more"),
                topic => format!("* #{shown} is about: {}", visible(topic)),
            });
        }
        if before.pinned != state.pinned {
            changes.push(match state.pinned {
                0 => format!("* nothing is pinned in #{shown} any more"),
                pinned => format!("* message #{pinned} is pinned in #{shown}: /history shows it"),
            });
        }
        if before.slow_secs != state.slow_secs {
            changes.push(match state.slow_secs {
                0 => format!("* #{shown} has no slow pace any more"),
                seconds => format!("* #{shown} takes a message of each member every {seconds} s"),
            });
        }
        if let Some(role) = state.role.filter(|role| before.role != Some(*role)) {
            changes.push(format!("* you are {} in #{shown}", role.name()));
        }
        let text = (!changes.is_empty()).then(|| changes.join("\n"));
        self.say(|| room_json("state", &name, &state), || text)
    }

    /// We are in a room no more.
    pub(super) fn gone(&mut self, room: RoomId, why: &str) -> Result<(), Failure> {
        let Some(known) = self.rooms.remove(&room) else { return Ok(()) };
        let why_shown = if why.is_empty() { String::new() } else { format!(": {}", visible(why)) };
        self.say(
            || json!({"event": "gone", "room": known.name, "text": why}),
            || Some(format!("* you are not in #{} any more{why_shown}", visible(&known.name))),
        )
    }

    pub(super) fn room_list(&mut self, rooms: &[RoomInfo], more: bool) -> Result<(), Failure> {
        let object = |room: &RoomInfo| {
            json!({"name": room.name, "topic": room.topic, "members": room.members,
                "kind": "open", "invite_only": room.flags & ROOM_INVITE_ONLY != 0,
                "no_history": room.flags & ROOM_WITHOUT_PAST != 0})
        };
        let line = |room: &RoomInfo| {
            let topic =
                if room.topic.is_empty() { String::new() } else { format!(": {}", visible(&room.topic)) };
            format!("* #{} ({}, {} members){topic}", visible(&room.name), words(room.flags), room.members)
        };
        self.say(
            || json!({"event": "rooms", "rooms": rooms.iter().map(object).collect::<Vec<_>>(), "more": more}),
            || Some(rooms.iter().map(line).collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty()),
        )
    }

    /// What was said before, as it is asked for.
    pub(super) fn past(
        &mut self,
        room: RoomId,
        entries: &[(Seq, Vec<u8>)],
        is_last: bool,
    ) -> Result<(), Failure> {
        let place = self.rooms.get(&room).map(|known| known.name.clone()).unwrap_or_default();
        for (sequence, bytes) in entries {
            let Ok(entry) = Entry::decode(bytes) else { continue };
            let Some(kind) = kind_name(entry.kind) else { continue };
            let (about, text) = parts(&entry);
            if self.ignored.contains(&spec::name::fold(entry.name)) {
                continue;
            }
            let line = format!(
                "#{} {} {}",
                sequence.0,
                moment::local(entry.time),
                self.line(room, &entry, about, &text, true)
            );
            self.say(
                || {
                    json!({"event": "past", "room": place, "from": entry.name, "kind": kind, "re": about,
                    "text": text, "id": hex(&entry.id), "seq": sequence.0, "time": entry.time.0})
                },
                || Some(line),
            )?;
        }
        if is_last {
            return self.say(|| json!({"event": "past-end", "room": place}), || None);
        }
        Ok(())
    }

    pub(super) fn granted(&mut self, request: &Request<'_>) -> Result<(), Failure> {
        let text = match request {
            Request::Invite { name, .. } => format!("* {} is invited", visible(name)),
            Request::Grant { room, role, name } => {
                let place = if *room == 0 { "on the whole hub" } else { "here" };
                format!("* {} is {} {place}", visible(name), role.name())
            }
            // What else was granted is seen by what comes of it.
            _ => String::new(),
        };
        self.say(
            || json!({"event": "granted", "request": verb(request)}),
            || (!text.is_empty()).then_some(text),
        )
    }

    pub(super) fn denied(&mut self, request: &Request<'_>, reason: Refusal) -> Result<(), Failure> {
        let why = denial(request, reason);
        if self.is_json {
            return self.say(|| json!({"event": "denied", "request": verb(request), "text": why}), || None);
        }
        self.complaint(&why)
    }

    /// Shows nothing of someone any more, or shows it again.
    pub(in crate::join) fn ignore(&mut self, name: &str) -> Result<(), Failure> {
        let folded = spec::name::fold(name);
        let text = if self.ignored.remove(&folded) {
            format!("{} is shown again", visible(name))
        } else {
            self.ignored.insert(folded);
            format!("nothing of {} is shown until you leave; /ignore again ends it", visible(name))
        };
        self.answer(&text)
    }
}

fn room_json(event: &str, name: &str, state: &RoomState) -> Value {
    json!({"event": event, "room": name, "kind": "open", "topic": state.topic, "role": state.role.map(Role::name),
        "pinned": state.pinned, "slow": state.slow_secs, "invite_only": state.flags & ROOM_INVITE_ONLY != 0,
        "no_history": state.flags & ROOM_WITHOUT_PAST != 0})
}

/// What a request is called in JSON.
const fn verb(request: &Request<'_>) -> &'static str {
    match request {
        Request::Create { .. } => "create",
        Request::Join { .. } => "join",
        Request::Leave { .. } => "leave",
        Request::Rooms { .. } => "rooms",
        Request::Set { setting: Setting::Topic(_), .. } => "topic",
        Request::Set { setting: Setting::Pinned(_), .. } => "pin",
        Request::Set { setting: Setting::Slow(_), .. } => "slow",
        Request::Invite { .. } => "invite",
        Request::Grant { .. } => "role",
        Request::History { .. } => "history",
        Request::Search { .. } => "search",
    }
}

/// Why not, and what to do.
fn denial(request: &Request<'_>, reason: Refusal) -> String {
    match (request, reason) {
        (Request::Join { name }, Refusal::NoSuchRoom) => {
            let name = visible(name);
            format!("there is no room #{name} that you may join: /rooms lists them, /create {name} makes it")
        }
        (Request::Join { name }, Refusal::NotAllowed) => {
            format!("guests join #{} only when they are invited", visible(name))
        }
        (Request::Create { name, .. }, Refusal::NotARoomName) => match spec::room_name::check(name) {
            Ok(()) => format!("there is a room of the name {}: another one, or /join {0}", visible(name)),
            Err(error) => format!("#{} cannot be a room: {error}", visible(name)),
        },
        (_, Refusal::NoSealedRooms) => {
            "sealed rooms cannot be made yet: in an open room the hub can read what is said".to_owned()
        }
        (Request::Create { .. }, Refusal::LogFull) => "this hub makes no more rooms for you".to_owned(),
        (Request::Leave { .. }, Refusal::NotValid) => {
            "the lobby is for everyone: /ignore hides people".to_owned()
        }
        (_, Refusal::NoSuchName) => "nobody here has that name".to_owned(),
        (_, Refusal::NoSuchRoom) => "you are in no such room".to_owned(),
        (_, Refusal::NotAllowed) => {
            "your role does not allow it: an owner of the room can change that".to_owned()
        }
        (_, Refusal::LogFull) => "the hub cannot store it now; try again".to_owned(),
        (_, Refusal::NotValid) => "the hub does not take that value".to_owned(),
        _ => "the hub refuses".to_owned(),
    }
}

/// The last lines of rooms, so that what is about them can be told in words.
#[derive(Debug, Default)]
pub(super) struct Recent {
    lines: std::collections::VecDeque<(RoomId, u64, String, String)>,
}

/// Lines that are remembered.
const RECENT_MAX: usize = 500;
/// Characters of a line that is quoted.
const QUOTED_CHARS: usize = 40;

impl Recent {
    /// Remembers a line.
    pub(super) fn push(&mut self, room: RoomId, sequence: u64, name: &str, text: &str) {
        if self.lines.len() >= RECENT_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back((room, sequence, name.to_owned(), text.to_owned()));
    }

    /// The line as it is quoted: by its words, else by its number.
    pub(super) fn quote(&self, room: RoomId, sequence: u64) -> String {
        let line = self.lines.iter().rev().find(|(known, number, ..)| (*known, *number) == (room, sequence));
        let Some((_, _, name, text)) = line else { return format!("#{sequence}") };
        let mut shown: String = text.chars().take(QUOTED_CHARS).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        format!("{}: \"{}\"", visible(name), visible(&shown))
    }

    /// The last line of a room that is ours, or is not.
    pub(super) fn last(&self, room: RoomId, own: &str, is_own: bool) -> Option<u64> {
        let fits =
            |(known, _, name, _): &&(RoomId, u64, String, String)| *known == room && (name == own) == is_own;
        self.lines.iter().rev().find(fits).map(|(_, sequence, ..)| *sequence)
    }
}

impl Report {
    /// An entry as a line: `is_past` when it is asked for and bears its number.
    pub(super) fn line(
        &self,
        room: RoomId,
        entry: &Entry<'_>,
        about: Option<u64>,
        text: &str,
        is_past: bool,
    ) -> String {
        let (name, text) = (visible(entry.name), visible(text));
        let quote = about.map(|about| self.recent.quote(room, about)).unwrap_or_default();
        let known = self.rooms.get(&room);
        let is_direct = known.is_some_and(|known| known.is_direct);
        let is_here = is_past || is_direct || self.looks_at.is_none_or(|here| here == room);
        let place = known.map(|known| visible(&known.name)).unwrap_or_default();
        let front = if is_here { String::new() } else { format!("[#{place}] ") };
        let line = match entry.kind {
            EntryKind::Alert => format!("! {name}: {text}"),
            EntryKind::Action => format!("* {name} {text}"),
            EntryKind::Edit => format!("* {name} changes {quote} to: {text}"),
            EntryKind::Delete => format!("* {name} deletes {quote}"),
            EntryKind::React if text.is_empty() => format!("* {name} takes back a sign at {quote}"),
            EntryKind::React => format!("* {name} puts {text} at {quote}"),
            EntryKind::Deleted => format!("* a message of {name} was deleted"),
            EntryKind::Joined => format!("* {name} joined"),
            EntryKind::Left if text.is_empty() => format!("* {name} left"),
            EntryKind::Left => format!("* {name} left: {text}"),
            _ if is_direct && entry.name == self.name => format!("<to {place}, privately> {text}"),
            _ if is_direct => format!("<{name}, privately> {text}"),
            EntryKind::Reply => format!("<{name}, to {quote}> {text}"),
            _ => format!("<{name}> {text}"),
        };
        format!("{front}{line}")
    }
}
