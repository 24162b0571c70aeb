//! Why a hub does not do what it is asked (PROTOCOL.md, Application messages).

/// Why a request was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody has this name.
    NoSuchName,
    /// There is no such room.
    NoSuchRoom,
    /// The body is larger than an entry may be.
    TooLarge,
    /// The account may not read or write this room.
    NotMember,
    /// The log takes no more at the moment.
    LogFull,
    /// The request makes no sense.
    NotValid,
    /// It is too soon after the last.
    TooSoon,
    /// The account's role does not allow it.
    NotAllowed,
    /// The name is taken, or no room's.
    NotARoomName,
    /// Rooms whose members alone hold the keys cannot be made yet.
    NoSealedRooms,
    /// There is no such message to be answered, or it is another's.
    NoSuchMessage,
    /// The account has no device with this number.
    NoSuchDevice,
    /// Nobody who wants to be a device of the account shows this code.
    NoSuchCode,
    /// It is the only device of the account.
    OnlyDevice,
    /// The account has as many devices as it may have.
    TooManyDevices,
    /// A reason this version does not know.
    Other(u64),
}

impl Refusal {
    const CODES: [(Self, u64); 15] = [
        (Self::NoSuchName, 1),
        (Self::NoSuchRoom, 2),
        (Self::TooLarge, 3),
        (Self::NotMember, 4),
        (Self::LogFull, 5),
        (Self::NotValid, 6),
        (Self::TooSoon, 7),
        (Self::NotAllowed, 8),
        (Self::NotARoomName, 9),
        (Self::NoSealedRooms, 10),
        (Self::NoSuchMessage, 11),
        (Self::NoSuchDevice, 20),
        (Self::NoSuchCode, 21),
        (Self::OnlyDevice, 22),
        (Self::TooManyDevices, 23),
    ];

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u64 {
        if let Self::Other(code) = self {
            return code;
        }
        Self::CODES.iter().find(|(known, _)| *known == self).map_or(0, |(_, code)| *code)
    }

    /// The reason behind a code.
    #[must_use]
    pub fn from_code(code: u64) -> Self {
        Self::CODES.iter().find(|(_, known)| *known == code).map_or(Self::Other(code), |(known, _)| *known)
    }
}
