//! Names of people (PROTOCOL.md, Application messages).

use crate::limits::NAME_CHARS_MAX;
use alloc::string::String;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

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
    if are_alike(name, HUB_NAME) { Err(NameError::Reserved) } else { Ok(()) }
}

/// The form in which names are compared: without case, then without what cannot be told apart (UTS 39 section 4).
#[must_use]
pub fn fold(name: &str) -> String {
    without_case(&seen(&without_case(name)))
}

/// How a name looks as it is written: without what cannot be told apart, then without case. A capital I is an l
/// here, and an i in [`fold`].
#[must_use]
pub fn look(name: &str) -> String {
    without_case(&seen(name))
}

/// Whether two names may not belong to two accounts.
//= spec/PROTOCOL.md#application-messages
//# Two names are alike when a form of one, folded or seen, is a form of the other.
#[must_use]
pub fn are_alike(one: &str, other: &str) -> bool {
    let others = [fold(other), look(other)];
    [fold(one), look(one)].iter().any(|form| others.contains(form))
}

/// Compatible characters are one, and case is gone: upper case first, so that ß is ss and ς is σ.
fn without_case(text: &str) -> String {
    text.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

fn seen(text: &str) -> String {
    skeleton(&text.nfkc().collect::<String>()).collect()
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
    }

    #[test]
    fn what_cannot_be_told_apart_is_alike() {
        //= spec/PROTOCOL.md#application-messages
        //= type=test
        //# Two names are alike when a form of one, folded or seen, is a form of the other.
        for (one, other) in [
            ("ZOË", "zoë"),
            ("zoe\u{308}", "zoë"),
            ("paypal", "p\u{430}yp\u{430}l"),
            ("paypal", "paypaI"),
            ("PAYPAL", "paypa1"),
            ("bob", "b0b"),
            ("Straße", "STRASSE"),
            ("ﬁona", "Fiona"),
            ("ａｎｎ", "ann"),
            ("Ｈub", "hub"),
            ("corner", "comer"),
            ("\u{421}\u{410}\u{420}", "CAP"),
        ] {
            assert!(are_alike(one, other) && are_alike(other, one), "{one:?} {other:?}");
        }
        for (one, other) in [("ann", "anna"), ("ian", "lan"), ("a1", "a2"), ("Ян", "Ann"), ("李", "王")] {
            assert!(!are_alike(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn the_hubs_name_is_reserved_however_it_is_written() {
        for name in ["hub", "HUB", "h\u{fc}b", "\u{4bb}ub", "hu\u{184}"] {
            let expected = if name.contains('\u{fc}') { Ok(()) } else { Err(NameError::Reserved) };
            assert_eq!(check(name), expected, "{name:?}");
        }
    }
}
