//! What lines lead to: messages, requests, answers.

use super::Running;
use super::command::{Command, HELP};
use super::export::{Export, Format};
use super::password::Asked;
use crate::clock;
use crate::failure::Failure;
use node_proto::client::{ClientEvent, Target};
use node_proto::log::{RoomId, Seq};
use spec::fingerprint;
use spec::time::UnixTime;
use spec::wire::entry::{EntryKind, MessageId};
use spec::wire::request::{Request, Setting};
use std::path::Path;
use std::time::Duration;

/// Messages of a search that are shown.
const SEARCH_COUNT: u64 = 20;

impl Running {
    pub(super) fn take_line(&mut self, line: &str) -> Result<(), Failure> {
        match Command::parse(line, &self.report.known_names()) {
            Command::Nothing => Ok(()),
            Command::Help => self.report.answer(HELP),
            Command::Status => self.report.status(self.seen()),
            Command::WhoAmI => self.report.answer(&self.who_am_i()),
            Command::Account(ask) => self.ask_account(ask),
            Command::Password => self.ask_password(Asked::New),
            Command::Wrong(why) => self.complain(&why),
            Command::Quit => {
                self.ending.quit();
                self.explain_waiting()
            }
            Command::Say(text) => self.say(self.place.target(), EntryKind::Text, &text),
            Command::Me(text) => self.say(self.place.target(), EntryKind::Action, &text),
            Command::Msg(name, text) => self.say(Target::Direct(name), EntryKind::Text, &text),
            Command::About(kind, entry, text) => self.say_about(kind, entry, &text),
            Command::Private(name) => {
                self.place.talk_to(name);
                Ok(())
            }
            Command::Ignore(name) => self.report.ignore(&name),
            Command::Who => {
                let Some(room) = self.here()? else { return Ok(()) };
                self.client.ask_members(room);
                self.ending.expect_answer();
                Ok(())
            }
            Command::Join(name) => {
                self.place.go(&name);
                self.ask(Request::Join { name: name.into() })
            }
            Command::Create(flags, name) => {
                self.place.go(&name);
                self.ask(Request::Create { flags, name: name.into() })
            }
            Command::Rooms => self.ask(Request::Rooms { after: "".into() }),
            command => self.take_room_command(command),
        }
    }

    /// What is about the room we are in.
    fn take_room_command(&mut self, command: Command) -> Result<(), Failure> {
        if let Command::Grant(role, name, true) = command {
            return self.ask(Request::Grant { room: 0, role, name: name.into() });
        }
        let Some(id) = self.here()? else { return Ok(()) };
        let room = id.0;
        let history = |from, since_ms, count| Request::History { room, from, offset: 0, since_ms, count };
        self.ask(match command {
            Command::Leave => Request::Leave { room },
            Command::Topic(text) => Request::Set { room, setting: Setting::Topic(text.into()) },
            Command::Pin(sequence) => Request::Set { room, setting: Setting::Pinned(sequence) },
            Command::Slow(seconds) => Request::Set { room, setting: Setting::Slow(seconds) },
            Command::Invite(name) => Request::Invite { room, name: name.into() },
            Command::Grant(role, name, _) => Request::Grant { room, role, name: name.into() },
            Command::Last(count) => {
                let last = self.client.last_of(id).unwrap_or_default().0;
                history(last.saturating_sub(count.saturating_sub(1)).max(1), 0, count)
            }
            Command::Since(ago) => history(1, before(clock::unix_time(), ago).0, u64::MAX >> 2),
            Command::Search(words) => {
                Request::Search { room, before: 0, count: SEARCH_COUNT, words: words.into() }
            }
            Command::Export(format, path) => return self.export(id, format, &path),
            _ => return Ok(()),
        })
    }

    fn say(&mut self, target: Target, kind: EntryKind, text: &str) -> Result<(), Failure> {
        let said = self.client.say(target.clone(), kind, text);
        self.said(said, &target, kind, text)
    }

    /// Something about another message, the last one that fits when there is no number.
    fn say_about(&mut self, kind: EntryKind, entry: Option<u64>, text: &str) -> Result<(), Failure> {
        let target = self.place.target();
        let Some(room) = self.client.room_of(&target) else {
            return self.complain("nothing was said there yet");
        };
        let is_own = matches!(kind, EntryKind::Edit | EntryKind::Delete);
        let Some(entry) = entry.or_else(|| self.report.last_line(room, is_own)) else {
            return self.complain("which message? /history shows their numbers, as in #12");
        };
        let said = self.client.say_about(target.clone(), kind, Seq(entry), text);
        self.said(said, &target, kind, text)
    }

    fn said(
        &mut self,
        said: Result<MessageId, node_proto::client::OutboxFull>,
        target: &Target,
        kind: EntryKind,
        text: &str,
    ) -> Result<(), Failure> {
        match said {
            Ok(id) => self.report.said(id, target, kind, text),
            Err(full) => self.complain(&format!("a line was not sent: {full}")),
        }
    }

    pub(super) fn ask(&mut self, request: Request<'static>) -> Result<(), Failure> {
        match self.client.ask(request) {
            Ok(_) => Ok(()),
            Err(full) => self.complain(&format!("the hub was not asked: {full}")),
        }
    }

    /// The room we are in; `None`, and said so, when we are in none yet.
    fn here(&mut self) -> Result<Option<RoomId>, Failure> {
        let room = self.client.room_of(self.place.room());
        if room.is_none() {
            self.complain("you are not in that room yet: wait for it, or /join another")?;
        }
        Ok(room)
    }

    fn who_am_i(&self) -> String {
        let (name, hub) = (self.report.name(), &self.path.remote);
        let place = self.place.prompt();
        let place = place.trim_end_matches("> ");
        let place = if place.is_empty() { "the lobby" } else { place };
        let words = fingerprint::words(&self.hub_key);
        format!("you are {name}, at the hub {hub}, in {place}\nthe hub's fingerprint: {words}")
    }

    // files

    fn export(&mut self, room: RoomId, format: Format, path: &Path) -> Result<(), Failure> {
        let export = match Export::begin(format, path, &self.report.place(room)) {
            Ok(export) => export,
            Err(failure) => return self.complain(&failure.sentence()),
        };
        let all = Request::History { room: room.0, from: 1, offset: 0, since_ms: 0, count: u64::MAX >> 2 };
        match self.client.ask(all) {
            Ok(id) => {
                self.exports.insert(id, export);
                Ok(())
            }
            Err(full) => self.complain(&format!("the hub was not asked: {full}")),
        }
    }

    /// Whether what was said before goes into a file.
    pub(super) fn takes_for_export(&mut self, event: &ClientEvent) -> Result<bool, Failure> {
        match event {
            ClientEvent::Past { id, entries, is_last, .. } => {
                let Some(mut export) = self.exports.remove(id) else { return Ok(false) };
                if let Err(failure) = export.write(entries) {
                    self.complain(&failure.sentence())?;
                } else if *is_last {
                    self.finish_export(export)?;
                } else {
                    self.exports.insert(*id, export);
                }
                Ok(true)
            }
            ClientEvent::Denied { id, .. } => {
                self.exports.remove(id);
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn finish_export(&mut self, export: Export) -> Result<(), Failure> {
        match export.finish() {
            Ok((entries, path)) => {
                let path = crate::output::visible(&path.display().to_string());
                self.report.answer(&format!("{entries} messages were written to {path}"))
            }
            Err(failure) => self.complain(&failure.sentence()),
        }
    }

    // rooms

    /// Goes where we are sent, and looks there.
    pub(super) fn follow_rooms(&mut self, event: &ClientEvent) {
        match event {
            ClientEvent::Denied {
                request: Request::Join { name } | Request::Create { name, .. }, ..
            } => {
                self.place.leave(name);
                self.ending.failed();
            }
            ClientEvent::Denied { .. } => self.ending.failed(),
            ClientEvent::Gone { room, .. } => self.place.leave(&self.report.place(*room)),
            _ => {}
        }
        self.report.look_at(self.client.room_of(self.place.room()));
    }
}

/// A time so long before another.
fn before(time: UnixTime, ago: Duration) -> UnixTime {
    UnixTime(time.0.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)))
}
