//! What a line means.

use super::account;
use super::export::Format;
use super::moment;
use crate::hub::{split_name, split_word};
use node_proto::client::account::Ask;
use spec::limits::{BODY_BYTES_MAX, NAME_CHARS_MAX, TOPIC_CHARS_MAX, WORDS_BYTES_MAX};
use spec::room_name::bare;
use spec::wire::entry::EntryKind;
use spec::wire::request::{ROOM_INVITE_ONLY, ROOM_SEALED, ROOM_WITHOUT_PAST, Role};
use std::path::PathBuf;
use std::time::Duration;

/// What can be typed.
pub(super) const HELP: &str = "\
TEXT                  say something in the room you are in
/me TEXT              the same in the third person
//TEXT                say something that begins with /
/msg NAME TEXT        say something to one person; both find it when they come back
/private NAME         from now on lines go to this person alone; /private off ends it
/reply [#N] TEXT      answer the last message, or number N
/edit [#N] TEXT       say it otherwise, of your last message or number N
/delete [#N]          delete your last message, or number N
/react [#N] SIGN      put a sign at the last message, or number N

/rooms                the rooms there are
/join ROOM            go to a room; become a member of it
/leave                be a member of this room no more
/create ROOM          make a room; --invite-only ROOM, --no-history ROOM
/topic TEXT           what this room is about
/pin #N               a message that stands above all others; /pin off
/slow SECONDS         the pace of this room; /slow 0 for any
/invite NAME          let someone into this room
/role NAME ROLE       owner, moderator, member, guest or read-only here; on the whole hub with --hub
/who, /list           who is here

/history [N]          the last 20 messages, or N; /history since 2h
/search WORDS         the messages in this room that have all these words
/export FORMAT FILE   everything said in this room as csv, jsonl or md
/devices              your devices; /devices approve CODE adds one, /devices revoke NUMBER removes it
/passwd               set a password, or another: the next line, which is not shown
/ignore NAME          show nothing of someone until you leave; again to end it
/whoami               who you are, and where
/status               how the connection to the hub is doing
/help                 this
/quit                 leave";

/// The commands of older programs, behind `#`, and ours.
const ALIASES: [(&str, &str); 9] = [
    ("help", "help"),
    ("listu", "who"),
    ("listf", "files"),
    ("trfu", "put"),
    ("trfd", "get"),
    ("exit", "quit"),
    ("kill", "kick"),
    ("alert", "alert"),
    ("private", "private"),
];

/// Messages that `/history` shows when nobody says how many.
const HISTORY_COUNT: u64 = 20;

/// A line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// An empty line.
    Nothing,
    /// A line for whoever is addressed.
    Say(String),
    /// The same in the third person.
    Me(String),
    /// A line for one person.
    Msg(String, String),
    /// Address one person, or the room again.
    Private(Option<String>),
    /// Something about another message, the last fitting one when there is no number.
    About(EntryKind, Option<u64>, String),
    /// Which rooms are there?
    Rooms,
    /// Go to a room.
    Join(String),
    /// Be a member no more.
    Leave,
    /// Make a room.
    Create(u64, String),
    /// What is the room about?
    Topic(String),
    /// A message above all others; 0 for none.
    Pin(u64),
    /// Seconds between two messages.
    Slow(u64),
    /// Let someone in.
    Invite(String),
    /// Give someone a role; whether on the whole hub.
    Grant(Role, String, bool),
    /// The last messages.
    Last(u64),
    /// The messages of this time.
    Since(Duration),
    /// Where were these words said?
    Search(String),
    /// Everything, into a file.
    Export(Format, PathBuf),
    /// Show nothing of someone, or show it again.
    Ignore(String),
    /// Who is here?
    Who,
    /// Who am I?
    WhoAmI,
    /// How is the connection doing?
    Status,
    /// Something about the account.
    Account(Ask),
    /// A new password.
    Password,
    /// What can be typed?
    Help,
    /// Leave.
    Quit,
    /// A line that makes no sense, and why.
    Wrong(String),
}

impl Command {
    /// Reads a line; `known` are names that may have spaces.
    pub(super) fn parse(line: &str, known: &[String]) -> Self {
        let command = Self::read(line, known);
        if let Some(why) = command.is_too_long() {
            return Self::Wrong(why.into());
        }
        let (Self::Say(text) | Self::Me(text) | Self::Msg(_, text) | Self::About(_, _, text)) = &command
        else {
            return command;
        };
        // The number of another message stands in front of the text.
        let front = if matches!(command, Self::About(..)) { 8 } else { 0 };
        if text.len() + front > BODY_BYTES_MAX {
            let most = BODY_BYTES_MAX / 1024;
            return Self::Wrong(format!("a message has at most {most} KiB, and this one has more"));
        }
        command
    }

    /// Why no hub would take it: a name, a topic or words that are too long.
    fn is_too_long(&self) -> Option<&'static str> {
        match self {
            Self::Msg(name, _)
            | Self::Private(Some(name))
            | Self::Join(name)
            | Self::Create(_, name)
            | Self::Invite(name)
            | Self::Grant(_, name, _)
            | Self::Ignore(name)
                if name.chars().count() > NAME_CHARS_MAX =>
            {
                Some("a name has at most 32 characters")
            }
            Self::Topic(text) if text.chars().count() > TOPIC_CHARS_MAX => {
                Some("a topic has at most 300 characters")
            }
            Self::Search(words) if words.len() > WORDS_BYTES_MAX => {
                Some("a search has at most 1024 bytes of words")
            }
            _ => None,
        }
    }

    fn read(line: &str, known: &[String]) -> Self {
        if line.trim().is_empty() {
            return Self::Nothing;
        }
        if let Some((word, rest)) = line.strip_prefix('#').map(split_word)
            && let Some((_, ours)) = ALIASES.iter().find(|(old, _)| word.eq_ignore_ascii_case(old))
        {
            return Self::of(ours, rest, known);
        }
        let Some(rest) = line.strip_prefix('/') else { return Self::Say(line.to_owned()) };
        if rest.starts_with('/') {
            return Self::Say(rest.to_owned());
        }
        let (word, rest) = split_word(rest);
        Self::of(&word.to_lowercase(), rest, known)
    }

    fn of(word: &str, rest: &str, known: &[String]) -> Self {
        let rest = rest.trim_end();
        let text = || rest.to_owned();
        match word {
            "help" => Self::Help,
            "list" | "who" => Self::Who,
            "whoami" => Self::WhoAmI,
            "status" => Self::Status,
            // A password behind the command would stand on the screen, and in the history.
            "passwd" if rest.is_empty() => Self::Password,
            "passwd" => Self::Wrong("type /passwd alone: the password is asked for, and not shown".into()),
            "devices" => account::devices(rest).map_or_else(Self::Wrong, Self::Account),
            "quit" | "stop" | "exit" => Self::Quit,
            "rooms" => Self::Rooms,
            "leave" => Self::Leave,
            "topic" => Self::Topic(text()),
            "me" if !rest.is_empty() => Self::Me(text()),
            "me" => usage("/me TEXT"),
            "msg" => match name_and_text(rest, known) {
                Some((name, text)) if !text.is_empty() => Self::Msg(name, text),
                _ => usage("/msg NAME TEXT"),
            },
            "private" if rest.eq_ignore_ascii_case("off") => Self::Private(None),
            "private" => {
                person(rest, known).map_or(usage("/private NAME, or off"), |name| Self::Private(Some(name)))
            }
            "join" => room(rest).map_or(usage("/join ROOM"), Self::Join),
            "create" => create(rest),
            "invite" => person(rest, known).map_or(usage("/invite NAME"), Self::Invite),
            "ignore" => person(rest, known).map_or(usage("/ignore NAME"), Self::Ignore),
            "role" => grant(rest, known),
            "pin" if rest.eq_ignore_ascii_case("off") => Self::Pin(0),
            "pin" => number(rest).map_or(usage("/pin #N, or off"), Self::Pin),
            "slow" => rest.parse().map_or(usage("/slow SECONDS"), Self::Slow),
            "history" => history(rest),
            "search" if !rest.is_empty() => Self::Search(text()),
            "search" => usage("/search WORDS"),
            "export" => export(rest),
            "reply" => about(EntryKind::Reply, rest, "/reply [#N] TEXT"),
            "edit" => about(EntryKind::Edit, rest, "/edit [#N] TEXT"),
            "react" => about(EntryKind::React, rest, "/react [#N] SIGN"),
            "delete" if rest.is_empty() => Self::About(EntryKind::Delete, None, String::new()),
            "delete" => number(rest).map_or(usage("/delete [#N]"), |number| {
                Self::About(EntryKind::Delete, Some(number), String::new())
            }),
            _ => Self::Wrong(format!(
                "unknown command /{}: /help lists them, and // in front says it",
                crate::output::visible(word)
            )),
        }
    }
}

fn usage(how: &str) -> Command {
    Command::Wrong(format!("usage: {how}"))
}

fn name_and_text(rest: &str, known: &[String]) -> Option<(String, String)> {
    split_name(rest, known.iter().cloned()).map(|(name, text)| (name, text.to_owned()))
}

/// One name and nothing else.
fn person(rest: &str, known: &[String]) -> Option<String> {
    let (name, more) = name_and_text(rest, known)?;
    // A name that was never seen here may have spaces too.
    Some(if more.is_empty() { name } else { rest.to_owned() })
}

/// One room and nothing else.
fn room(rest: &str) -> Option<String> {
    let (name, more) = split_word(rest);
    (!bare(name).is_empty() && more.is_empty()).then(|| bare(name).to_owned())
}

/// The number of a message: `#12` or `12`.
fn number(text: &str) -> Option<u64> {
    bare(text).parse().ok().filter(|number| *number > 0)
}

fn create(rest: &str) -> Command {
    let (mut flags, mut name) = (0, None);
    for word in rest.split_whitespace() {
        match word {
            "--invite-only" => flags |= ROOM_INVITE_ONLY,
            "--no-history" => flags |= ROOM_WITHOUT_PAST,
            "--sealed" => flags |= ROOM_SEALED,
            word if name.is_none() && !word.starts_with("--") => name = room(word),
            _ => return usage("/create [--invite-only] [--no-history] ROOM"),
        }
    }
    name.map_or(usage("/create [--invite-only] [--no-history] ROOM"), |name| Command::Create(flags, name))
}

fn grant(rest: &str, known: &[String]) -> Command {
    let how = "/role NAME owner|moderator|member|guest|read-only [--hub]";
    let (rest, everywhere) = match rest.strip_suffix("--hub") {
        Some(rest) => (rest.trim_end(), true),
        None => (rest, false),
    };
    let Some((name, role)) = rest.rsplit_once(char::is_whitespace) else { return usage(how) };
    let name = person(name.trim_end(), known);
    match (name, Role::from_name(role)) {
        (Some(name), Some(role)) => Command::Grant(role, name, everywhere),
        _ => usage(how),
    }
}

fn history(rest: &str) -> Command {
    let how = "/history [N], or /history since 2h (s, m, h or d)";
    match split_word(rest) {
        ("", _) => Command::Last(HISTORY_COUNT),
        ("since", time) => moment::duration(time).map_or(usage(how), Command::Since),
        (count, "") => count.parse().map_or(usage(how), Command::Last),
        _ => usage(how),
    }
}

fn export(rest: &str) -> Command {
    let (format, file) = split_word(rest);
    match (Format::from_name(format), file) {
        (Some(format), file) if !file.is_empty() => Command::Export(format, file.into()),
        _ => usage("/export csv|jsonl|md FILE"),
    }
}

/// A text about another message, whose number may stand in front.
fn about(kind: EntryKind, rest: &str, how: &str) -> Command {
    let (word, text) = split_word(rest);
    let (entry, text) = match number(word).filter(|_| word.starts_with('#')) {
        Some(entry) => (Some(entry), text),
        None => (None, rest),
    };
    if text.is_empty() { usage(how) } else { Command::About(kind, entry, text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lines_mean() {
        let say = |text: &str| Command::Say(text.into());
        let about = |kind, entry, text: &str| Command::About(kind, entry, text.into());
        for (line, command) in [
            ("", Command::Nothing),
            ("   ", Command::Nothing),
            ("hello ", say("hello ")),
            ("//etc is a folder", say("/etc is a folder")),
            ("#lobby is a room", say("#lobby is a room")),
            ("/ME waves", Command::Me("waves".into())),
            ("/msg bob hi there", Command::Msg("bob".into(), "hi there".into())),
            ("/msg ann lee hi", Command::Msg("Ann Lee".into(), "hi".into())),
            ("/msg bob", Command::Wrong("usage: /msg NAME TEXT".into())),
            ("/private ann lee", Command::Private(Some("Ann Lee".into()))),
            ("#Private bob", Command::Private(Some("bob".into()))),
            ("/private off", Command::Private(None)),
            ("/List", Command::Who),
            ("#listU", Command::Who),
            ("/status", Command::Status),
            ("/quit", Command::Quit),
            ("#EXIT", Command::Quit),
            ("/stop", Command::Quit),
            ("#help", Command::Help),
            ("/join #dev", Command::Join("dev".into())),
            ("/join two rooms", Command::Wrong("usage: /join ROOM".into())),
            ("/create --invite-only dev", Command::Create(ROOM_INVITE_ONLY, "dev".into())),
            (
                "/create --no-history --sealed #dev",
                Command::Create(ROOM_WITHOUT_PAST | ROOM_SEALED, "dev".into()),
            ),
            ("/pin #7", Command::Pin(7)),
            ("/slow 30", Command::Slow(30)),
            ("/invite Ann Lee", Command::Invite("Ann Lee".into())),
            ("/role bob Moderator", Command::Grant(Role::Moderator, "bob".into(), false)),
            ("/role ann lee owner --hub", Command::Grant(Role::Owner, "Ann Lee".into(), true)),
            ("/history", Command::Last(20)),
            ("/history 200", Command::Last(200)),
            ("/history since 2h", Command::Since(Duration::from_secs(7200))),
            ("/search old mill", Command::Search("old mill".into())),
            ("/export csv my file.csv", Command::Export(Format::Csv, "my file.csv".into())),
            ("/reply so it is", about(EntryKind::Reply, None, "so it is")),
            ("/reply #12 so it is", about(EntryKind::Reply, Some(12), "so it is")),
            ("/edit 12 angry men", about(EntryKind::Edit, None, "12 angry men")),
            ("/delete", about(EntryKind::Delete, None, "")),
            ("/delete 7", about(EntryKind::Delete, Some(7), "")),
            ("/react #7 👍", about(EntryKind::React, Some(7), "👍")),
        ] {
            assert_eq!(Command::parse(line, &["Ann Lee".into()]), command, "{line}");
        }
        assert!(matches!(Command::parse("/frobnicate", &[]), Command::Wrong(_)));
        assert!(matches!(Command::parse("#TrfU file", &[]), Command::Wrong(_)));
        for (command, longest) in [
            ("/msg {} hi", 32),
            ("/private {}", 32),
            ("/join {}", 32),
            ("/create {}", 32),
            ("/invite {}", 32),
            ("/role {} guest", 32),
            ("/ignore {}", 32),
            ("/topic {}", 300),
            ("/search {}", 1024),
        ] {
            let with = |len: usize| Command::parse(&command.replace("{}", &"x".repeat(len)), &[]);
            let is_wrong = |command| matches!(command, Command::Wrong(_));
            assert!(!is_wrong(with(longest)) && is_wrong(with(longest + 1)), "{command}");
            assert!(is_wrong(with(70_000)), "{command}");
        }
        assert!(matches!(Command::parse(&"x".repeat(65_537), &[]), Command::Wrong(_)));
        assert_eq!(Command::parse(&"x".repeat(65_536), &[]), say(&"x".repeat(65_536)));
    }
}
