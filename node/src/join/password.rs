//! Passwords as they are typed: asked for at a terminal, the next line of a pipe, the first line of a file.

use super::Running;
use crate::failure::{Context, Failure};
use node_proto::client::account::Ask;
use node_proto::opaque::Password;
use std::path::Path;

/// Characters of a new password (NIST SP 800-63B section 3.1.1.2 asks for so many where it is not the only factor).
const CHARS_MIN: usize = 8;
/// Characters of any password.
const CHARS_MAX: usize = 256;

/// A password that is waited for.
#[derive(Debug)]
pub(super) enum Asked {
    /// Of the account that is joined.
    Present,
    /// A new one.
    New,
    /// The same once more, as nobody sees what is typed.
    Again(Password),
}

/// What a line led to.
#[derive(Debug)]
pub(super) enum Typed {
    /// This proves who we are.
    Proof(Password),
    /// This is to be the password.
    Set(Password),
    /// Something else is to be asked for.
    Ask(Asked),
    /// It will not do.
    Wrong(String),
}

impl Asked {
    /// What a person reads.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Present => "your password, which is not shown:",
            Self::New => "a new password of at least 8 characters, which is not shown:",
            Self::Again(_) => "the same again:",
        }
    }

    /// Takes the line that was typed; `is_seen_by_nobody` when it is to be typed twice.
    pub(super) fn take(self, line: &str, is_seen_by_nobody: bool) -> Typed {
        let password = Password::new(line);
        let chars = password.chars();
        match self {
            _ if chars > CHARS_MAX => Typed::Wrong(format!("a password has at most {CHARS_MAX} characters")),
            Self::Present => Typed::Proof(password),
            Self::New if chars < CHARS_MIN => {
                Typed::Wrong(format!("a password has at least {CHARS_MIN} characters: nothing has changed"))
            }
            Self::New if is_seen_by_nobody => Typed::Ask(Self::Again(password)),
            Self::New => Typed::Set(password),
            Self::Again(first) if first == password => Typed::Set(password),
            Self::Again(_) => Typed::Wrong("these were two passwords: nothing has changed".into()),
        }
    }
}

/// The password in the first line of a file.
pub(super) fn read(path: &Path) -> Result<Password, Failure> {
    let text = std::fs::read_to_string(path).context(format!("cannot read {}", path.display()))?;
    Ok(Password::new(text.lines().next().unwrap_or_default()))
}

/// Why a password was not taken.
pub(super) fn refusal(wait_secs: u64) -> String {
    match wait_secs {
        0 => "the name or the password is wrong".into(),
        1..120 => format!("it was tried too often: wait {wait_secs} s"),
        _ => format!("it was tried too often: wait {} minutes", wait_secs.div_ceil(60)),
    }
}

impl Running {
    pub(super) fn ask_account(&mut self, ask: Ask) -> Result<(), Failure> {
        match self.client.ask_account(ask) {
            Ok(()) => {
                self.ending.expect_answer();
                Ok(())
            }
            Err(full) => self.complain(&full.to_string()),
        }
    }

    /// The next line is a password.
    pub(super) fn ask_password(&mut self, asked: Asked) -> Result<(), Failure> {
        self.report.ask(asked.words())?;
        self.asked = Some(asked);
        Ok(())
    }

    pub(super) fn take_password(&mut self, asked: Asked, line: &str) -> Result<(), Failure> {
        let is_present = matches!(asked, Asked::Present);
        match asked.take(line, self.report.is_interactive()) {
            Typed::Proof(password) => {
                self.client.prove(password);
                Ok(())
            }
            Typed::Set(password) => self.ask_account(Ask::Password(password)),
            Typed::Ask(asked) => self.ask_password(asked),
            Typed::Wrong(why) => {
                self.complain(&why)?;
                if is_present { self.ask_password(Asked::Present) } else { Ok(()) }
            }
        }
    }

    /// A person may try again; what stands behind in a pipe was not meant as a password.
    pub(super) fn password_refused(&mut self, wait_secs: u64) -> Result<(), Failure> {
        let why = refusal(wait_secs);
        if !self.ending.stays() {
            return Err(
                Failure::new(why).advise("the password that /passwd has set, or --device without one")
            );
        }
        self.report.complaint(&why)?;
        self.ask_password(Asked::Present)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_typed_twice_where_nobody_sees_it() {
        let again = |line: &str| match Asked::New.take("long enough", true) {
            Typed::Ask(again) => again.take(line, true),
            other => panic!("{other:?}"),
        };
        assert!(matches!(again("long enough"), Typed::Set(_)));
        assert!(matches!(again("long enouhg"), Typed::Wrong(_)));
        assert!(matches!(Asked::New.take("long enough", false), Typed::Set(_)));
        assert!(matches!(Asked::New.take("short", false), Typed::Wrong(_)));
        assert!(matches!(Asked::Present.take("short", false), Typed::Proof(_)));
        assert!(matches!(Asked::Present.take(&"x".repeat(257), false), Typed::Wrong(_)));
    }

    #[test]
    fn how_a_refusal_reads() {
        let read: Vec<String> = [0, 8, 900].map(refusal).into();
        insta::assert_snapshot!(read.join("\n"));
    }
}
