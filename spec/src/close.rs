//! Why a session ends: the codes of CLOSE.

/// The reason in a CLOSE frame (PROTOCOL.md, Closing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CloseReason {
    /// The sender is done.
    Quit,
    /// An operator removed this client.
    Removed,
    /// The hub is going down.
    Shutdown,
    /// The name belongs to another key.
    NameTaken,
    /// The name is not allowed.
    NameRefused,
    /// The invite's token is not valid.
    TokenRefused,
    /// A packet that opened broke the protocol.
    Violation,
    /// A newer session of the same client took over.
    Replaced,
    /// Answers were not read.
    Slow,
    /// The keys may not be used any longer.
    KeyLimit,
    /// The hub takes no more sessions.
    Full,
    /// The hub could not store.
    Failed,
    /// A reason this version does not know.
    Other(u64),
}

impl CloseReason {
    /// The reasons by their codes, with their names in lower case.
    const KNOWN: [(Self, &'static str); 12] = [
        (Self::Quit, "quit"),
        (Self::Removed, "removed"),
        (Self::Shutdown, "shutdown"),
        (Self::NameTaken, "name_taken"),
        (Self::NameRefused, "name_refused"),
        (Self::TokenRefused, "token_refused"),
        (Self::Violation, "violation"),
        (Self::Replaced, "replaced"),
        (Self::Slow, "slow"),
        (Self::KeyLimit, "key_limit"),
        (Self::Full, "full"),
        (Self::Failed, "failed"),
    ];

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u64 {
        if let Self::Other(code) = self {
            return code;
        }
        (0..).zip(Self::KNOWN).find(|(_, (reason, _))| *reason == self).map_or(0, |(code, _)| code)
    }

    /// The reason behind a code.
    #[must_use]
    pub fn from_code(code: u64) -> Self {
        let index = usize::try_from(code).ok();
        index.and_then(|index| Self::KNOWN.get(index)).map_or(Self::Other(code), |(reason, _)| *reason)
    }

    /// Its name in PROTOCOL.md, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::KNOWN.iter().find(|(reason, _)| *reason == self).map_or("other", |(_, name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names() {
        for code in 0..20 {
            assert_eq!(CloseReason::from_code(code).code(), code);
        }
        assert_eq!((CloseReason::KeyLimit.code(), CloseReason::KeyLimit.name()), (9, "key_limit"));
        assert_eq!(CloseReason::from_code(12).name(), "other");
    }
}
