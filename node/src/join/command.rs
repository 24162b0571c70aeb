//! What a line means.

use super::account;
use crate::hub::{split_name, split_word};
use node_proto::client::account::Ask;
use spec::limits::BODY_BYTES_MAX;

/// What can be typed.
pub(super) const HELP: &str = "\
TEXT             say something to everyone
/me TEXT         the same in the third person
/msg NAME TEXT   say something to one person; both find it when they come back
/list            who is here
/devices         your devices; /devices approve CODE adds one, /devices revoke NUMBER removes it
/passwd          set a password, or another: the next line, which is not shown
/status          how the connection to the hub is doing
/help            this
/quit            leave
//TEXT           say something that begins with /";

/// A line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// An empty line.
    Nothing,
    /// A line for everyone.
    Say(String),
    /// A line in the third person.
    Me(String),
    /// A line for one person.
    Msg(String, String),
    /// Who is here?
    List,
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
    pub(super) fn parse(line: &str, known: impl Iterator<Item = String>) -> Self {
        let command = Self::read(line, known);
        let (Self::Say(text) | Self::Me(text) | Self::Msg(_, text)) = &command else { return command };
        if text.len() > BODY_BYTES_MAX {
            let most = BODY_BYTES_MAX / 1024;
            return Self::Wrong(format!("a message has at most {most} KiB, and this one has more"));
        }
        command
    }

    fn read(line: &str, known: impl Iterator<Item = String>) -> Self {
        if line.trim().is_empty() {
            return Self::Nothing;
        }
        let Some(rest) = line.strip_prefix('/') else { return Self::Say(line.to_owned()) };
        if rest.starts_with('/') {
            return Self::Say(rest.to_owned());
        }
        let (word, rest) = split_word(rest);
        match word.to_lowercase().as_str() {
            "help" => Self::Help,
            "list" => Self::List,
            "status" => Self::Status,
            // A password behind the command would stand on the screen, and in the history.
            "passwd" if rest.is_empty() => Self::Password,
            "passwd" => Self::Wrong("type /passwd alone: the password is asked for, and not shown".into()),
            "devices" => account::devices(rest).map_or_else(Self::Wrong, Self::Account),
            "quit" => Self::Quit,
            "me" if !rest.is_empty() => Self::Me(rest.to_owned()),
            "me" => Self::Wrong("usage: /me TEXT".into()),
            "msg" => match split_name(rest, known) {
                Some((name, text)) if !text.is_empty() => Self::Msg(name, text.to_owned()),
                _ => Self::Wrong("usage: /msg NAME TEXT".into()),
            },
            _ => Self::Wrong(format!(
                "unknown command /{}: /help lists them, and // in front says it",
                crate::output::visible(word)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lines_mean() {
        let say = |text: &str| Command::Say(text.into());
        for (line, command) in [
            ("", Command::Nothing),
            ("   ", Command::Nothing),
            ("hello ", say("hello ")),
            ("//etc is a folder", say("/etc is a folder")),
            ("/ME waves", Command::Me("waves".into())),
            ("/msg bob hi there", Command::Msg("bob".into(), "hi there".into())),
            ("/msg ann lee hi", Command::Msg("Ann Lee".into(), "hi".into())),
            ("/msg bob", Command::Wrong("usage: /msg NAME TEXT".into())),
            ("/List", Command::List),
            ("/status", Command::Status),
            ("/quit", Command::Quit),
            ("/help", Command::Help),
        ] {
            let known = ["Ann Lee"].map(String::from).into_iter();
            assert_eq!(Command::parse(line, known), command, "{line}");
        }
        let none = || std::iter::empty();
        assert!(matches!(Command::parse("/frobnicate", none()), Command::Wrong(_)));
        assert!(matches!(Command::parse(&"x".repeat(65_537), none()), Command::Wrong(_)));
        assert_eq!(Command::parse(&"x".repeat(65_536), none()), say(&"x".repeat(65_536)));
    }
}
