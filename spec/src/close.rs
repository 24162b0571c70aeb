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
    const CODES: [(Self, u64); 12] = [
        (Self::Quit, 0),
        (Self::Removed, 1),
        (Self::Shutdown, 2),
        (Self::NameTaken, 3),
        (Self::NameRefused, 4),
        (Self::TokenRefused, 5),
        (Self::Violation, 6),
        (Self::Replaced, 7),
        (Self::Slow, 8),
        (Self::KeyLimit, 9),
        (Self::Full, 10),
        (Self::Failed, 11),
    ];

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u64 {
        if let Self::Other(code) = self {
            return code;
        }
        Self::CODES.iter().find(|(reason, _)| *reason == self).map_or(u64::MAX >> 2, |(_, code)| *code)
    }

    /// The reason behind a code.
    #[must_use]
    pub fn from_code(code: u64) -> Self {
        Self::CODES.iter().find(|(_, known)| *known == code).map_or(Self::Other(code), |(reason, _)| *reason)
    }
}
