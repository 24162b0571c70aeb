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
    /// Another device of the account revoked this one.
    Revoked,
    /// Nobody approved the device, and no password was proved, for long enough.
    NotEnrolled,
    /// Too many names that others have were asked for from this network.
    TooOften,
    /// A reason this version does not know.
    Other(u64),
}

impl CloseReason {
    /// The reasons with their codes, and their names in lower case.
    const KNOWN: [(Self, u64, &'static str); 15] = [
        (Self::Quit, 0, "quit"),
        (Self::Removed, 1, "removed"),
        (Self::Shutdown, 2, "shutdown"),
        (Self::NameTaken, 3, "name_taken"),
        (Self::NameRefused, 4, "name_refused"),
        (Self::TokenRefused, 5, "token_refused"),
        (Self::Violation, 6, "violation"),
        (Self::Replaced, 7, "replaced"),
        (Self::Slow, 8, "slow"),
        (Self::KeyLimit, 9, "key_limit"),
        (Self::Full, 10, "full"),
        (Self::Failed, 11, "failed"),
        (Self::Revoked, 0x20, "revoked"),
        (Self::NotEnrolled, 0x21, "not_enrolled"),
        (Self::TooOften, 0x22, "too_often"),
    ];

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u64 {
        if let Self::Other(code) = self {
            return code;
        }
        Self::KNOWN.iter().find(|(reason, ..)| *reason == self).map_or(0, |(_, code, _)| *code)
    }

    /// The reason behind a code.
    #[must_use]
    pub fn from_code(code: u64) -> Self {
        Self::KNOWN
            .iter()
            .find(|(_, known, _)| *known == code)
            .map_or(Self::Other(code), |(reason, ..)| *reason)
    }

    /// Its name in PROTOCOL.md, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::KNOWN.iter().find(|(reason, ..)| *reason == self).map_or("other", |(.., name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names() {
        for code in 0..40 {
            assert_eq!(CloseReason::from_code(code).code(), code);
        }
        assert_eq!((CloseReason::KeyLimit.code(), CloseReason::KeyLimit.name()), (9, "key_limit"));
        assert_eq!(CloseReason::from_code(12).name(), "other");
    }
}
