//! Names of people (PROTOCOL.md, Application messages).

use crate::limits::NAME_CHARS_MAX;
use alloc::string::String;

/// The hub's own name.
pub const HUB_NAME: &str = "hub";

/// Why a name is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has no character.
    #[error("a name needs at least one character")]
    Empty,
    /// It has more than 32 characters.
    #[error("a name has at most 32 characters")]
    TooLong,
    /// A character of it is a control character or a direction mark.
    #[error("a name has no control characters")]
    Control,
    /// White space at an end.
    #[error("a name neither begins nor ends with white space")]
    Space,
    /// It begins with `#`, as rooms do.
    #[error("a name does not begin with #")]
    Hash,
    /// It is the hub's own.
    #[error("that name is the hub's own")]
    Reserved,
}

/// Whether `name` may be a person's.
///
/// # Errors
/// [`NameError`].
pub fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(NameError::TooLong);
    }
    if name.chars().any(is_invisible) {
        return Err(NameError::Control);
    }
    if name.trim() != name {
        return Err(NameError::Space);
    }
    if name.starts_with('#') {
        return Err(NameError::Hash);
    }
    if fold(name) == HUB_NAME { Err(NameError::Reserved) } else { Ok(()) }
}

/// The form in which names are compared.
#[must_use]
pub fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// Characters that change what is seen without being seen: controls, and the direction and joining marks of
/// Unicode that make one name look like another.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_is_none() {
        for (name, expected) in [
            ("ann", Ok(())),
            ("Zoë van Dyk", Ok(())),
            ("", Err(NameError::Empty)),
            (" ann", Err(NameError::Space)),
            ("a\x1b[31mnn", Err(NameError::Control)),
            ("a\u{202e}nn", Err(NameError::Control)),
            ("#lobby", Err(NameError::Hash)),
            ("Hub", Err(NameError::Reserved)),
            ("123456789012345678901234567890123", Err(NameError::TooLong)),
        ] {
            assert_eq!(check(name), expected, "{name:?}");
        }
        assert_eq!(fold("ZOË"), fold("zoë"));
    }
}
