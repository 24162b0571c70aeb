//! What is wrong with the log, in words.

/// What is wrong with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no space left.
    Full,
    /// It could not be made sure that an entry stays.
    Unwritable,
    /// An entry that is there could not be read.
    Unreadable,
}

impl Trouble {
    /// What a person is told, at the hub and elsewhere.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Full => "the hub's disk is full: it stores nothing until there is space",
            Self::Unwritable => "the hub's disk fails: it stores nothing until it can again",
            Self::Unreadable => "the hub cannot read some of what was said before",
        }
    }
}
