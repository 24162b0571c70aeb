//! Names of rooms (PROTOCOL.md, Rooms).

use crate::name::{self, NameError};

/// Why a name is no room's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    /// What is wrong with it would be wrong with a person's name too.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It has white space.
    #[error("the name of a room has no white space")]
    Space,
}

/// Whether `name`, without the `#` that people put in front, may be a room's.
///
/// # Errors
/// [`RoomNameError`].
pub fn check(name: &str) -> Result<(), RoomNameError> {
    name::check(name)?;
    if name.contains(char::is_whitespace) { Err(RoomNameError::Space) } else { Ok(()) }
}

/// The name as people may write it: with `#` in front or without.
#[must_use]
pub fn bare(written: &str) -> &str {
    written.strip_prefix('#').unwrap_or(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_is_none() {
        for (name, is_one) in
            [("dev", true), ("café-7", true), ("", false), ("two words", false), ("#x", false)]
        {
            assert_eq!(check(name).is_ok(), is_one, "{name}");
        }
        assert_eq!((bare("#dev"), bare("dev")), ("dev", "dev"));
    }
}
