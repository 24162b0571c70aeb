//! The admin console: what the operator types.

use crate::output::visible;
use node_proto::Hub;
use node_proto::hub::operator::{Present, Unsaid};
use spec::limits::BODY_BYTES_MAX;
use spec::name::fold;
use spec::time::Instant;
use spec::wire::request::Role;

/// What stands in front of a half-typed command.
pub(super) const PROMPT: &str = "hub> ";

const HELP: &str = "\
/list                   who is connected, from where, how far away
/kick NAME [REASON]     send someone away, and tell them why
/alert TEXT             say something to everyone
/msg NAME TEXT          say something to one person
/role NAME ROLE         on the whole hub: owner, moderator, member, guest or read-only
/rooms                  the rooms there are
/help                   this
/quit                   tell everyone and stop";

/// What a command leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing to say.
    None,
    /// A sentence for the operator.
    Say(String),
    /// The clients that are connected.
    List(Vec<Present>),
    /// Stop the hub.
    Stop,
}

/// The console itself keeps nothing.
#[derive(Debug)]
pub(super) struct Console;

impl Console {
    /// Does what a line says.
    pub(super) fn run(hub: &mut Hub, now: Instant, line: &str) -> Action {
        let (command, rest) = split_word(line.trim());
        match command.to_lowercase().as_str() {
            "" => Action::None,
            "/help" => Action::Say(HELP.into()),
            "/list" => Action::List(hub.list()),
            "/quit" => Action::Stop,
            "/kick" => kick(hub, now, rest),
            "/alert" if rest.is_empty() => Action::Say("usage: /alert TEXT".into()),
            "/alert" => match hub.alert(rest) {
                Ok(()) => Action::None,
                Err(why) => unsaid(why, "", std::iter::empty()),
            },
            "/msg" => whisper(hub, rest),
            "/role" => appoint(hub, rest),
            "/rooms" => Action::Say(rooms(hub)),
            _ => Action::Say(format!("unknown command {}: /help lists them", visible(command))),
        }
    }
}

fn kick(hub: &mut Hub, now: Instant, rest: &str) -> Action {
    let names = hub.list().into_iter().map(|present| present.name);
    let Some((name, reason)) = split_name(rest, names) else {
        return Action::Say("usage: /kick NAME [REASON]".into());
    };
    match hub.kick(now, &name, reason) {
        Ok(()) => Action::Say(format!("{} was sent away", visible(&name))),
        Err(why) => unsaid(why, &name, hub.list().into_iter().map(|present| present.name)),
    }
}

fn whisper(hub: &mut Hub, rest: &str) -> Action {
    match split_name(rest, hub.present_names().into_iter()) {
        Some((name, text)) if !text.is_empty() => match hub.whisper(&name, text) {
            Ok(()) => Action::None,
            Err(why) => unsaid(why, &name, hub.present_names().into_iter()),
        },
        _ => Action::Say("usage: /msg NAME TEXT".into()),
    }
}

fn appoint(hub: &mut Hub, rest: &str) -> Action {
    let usage = || Action::Say("usage: /role NAME owner|moderator|member|guest|read-only".into());
    let Some((name, role)) = rest.trim_end().rsplit_once(char::is_whitespace) else { return usage() };
    let Some(role) = Role::from_name(role) else { return usage() };
    let name = name.trim_end();
    match hub.appoint(name, role) {
        Ok(()) => Action::Say(format!("{} is {} on the whole hub", visible(name), role.name())),
        Err(why) => unsaid(why, name, hub.present_names().into_iter()),
    }
}

fn rooms(hub: &Hub) -> String {
    let names: Vec<String> = hub.room_names().map(|name| format!("#{}", visible(name))).collect();
    names.join(" ")
}

fn unsaid(why: Unsaid, name: &str, names: impl Iterator<Item = String>) -> Action {
    Action::Say(match why {
        Unsaid::NoSuchName => no_such_name(name, names),
        Unsaid::TooLong => format!("a text has at most {} KiB, and this one has more", BODY_BYTES_MAX / 1024),
    })
}

fn no_such_name(name: &str, names: impl Iterator<Item = String>) -> String {
    let name = visible(name);
    match nearest(&name, names) {
        Some(nearest) => format!("nobody here is called {name}; did you mean {}?", visible(&nearest)),
        None => format!("nobody here is called {name}"),
    }
}

/// The name that takes the fewest edits, at most two, to become one of `names`.
fn nearest(name: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let edits = |candidate: String| {
        (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate)
    };
    names.map(edits).filter(|(edits, _)| *edits <= 2).min().map(|(_, candidate)| candidate)
}

/// Splits a name off the front of `rest`: the longest of `known` that stands there, as names may have spaces,
/// else its first word.
pub(crate) fn split_name(rest: &str, known: impl Iterator<Item = String>) -> Option<(String, &str)> {
    let stands = |name: &String| {
        let front: String = rest.chars().take(name.chars().count()).collect();
        let ends = rest[front.len()..].chars().next().is_none_or(char::is_whitespace);
        fold(&front) == fold(name) && ends
    };
    if let Some(name) = known.filter(stands).max_by_key(String::len) {
        let len: usize = rest.chars().take(name.chars().count()).map(char::len_utf8).sum();
        return Some((name, rest[len..].trim_start()));
    }
    let (word, text) = split_word(rest);
    (!word.is_empty()).then(|| (word.to_owned(), text))
}

/// Splits off the first word.
pub(crate) fn split_word(line: &str) -> (&str, &str) {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (word, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> impl Iterator<Item = String> {
        ["Ann", "Ann Lee", "bob"].map(String::from).into_iter()
    }

    #[test]
    fn names_with_spaces_are_found_whole() {
        for (rest, expected) in [
            ("ann lee go away", Some(("Ann Lee", "go away"))),
            ("ANN go", Some(("Ann", "go"))),
            ("annie go", Some(("annie", "go"))),
            ("bob", Some(("bob", ""))),
            ("", None),
        ] {
            let split = split_name(rest, known());
            assert_eq!(split.as_ref().map(|(name, text)| (name.as_str(), *text)), expected, "{rest}");
        }
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(no_such_name("bbo", known()), "nobody here is called bbo; did you mean bob?");
        assert_eq!(no_such_name("zebra", known()), "nobody here is called zebra");
    }
}
