//! Keeps what a capture says from driving the terminal it is shown on.

use std::fmt::Write as _;

/// Replaces control characters, and the characters that reorder or hide text, by escapes.
pub(crate) fn sanitise(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_deceptive(character) {
            // Writing into a String cannot fail.
            let _ = write!(clean, "\\u{{{:x}}}", u32::from(character));
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Bidirectional controls, invisible characters, line separators and private or tag characters.
fn is_deceptive(character: char) -> bool {
    matches!(
        u32::from(character),
        0x00ad | 0x061c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xe000..=0xf8ff | 0xfe00..=0xfe0f
            | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xe0000..=0x10_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal() {
        for (given, shown) in [
            ("plain – ünïcode", "plain – ünïcode"),
            ("\x1b[31mred", "\\u{1b}[31mred"),
            ("a\u{9b}2Jb", "a\\u{9b}2Jb"),
            ("user\u{202e}txt", "user\\u{202e}txt"),
            ("tab\tnew\nline\u{7f}", "tab\\u{9}new\\u{a}line\\u{7f}"),
        ] {
            assert_eq!(sanitise(given), shown);
        }
    }
}
