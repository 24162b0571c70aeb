//! What goes to stdout: sentences for people or JSON for programs, and nothing that commands a terminal.

use serde_json::Value;
use spec::name::is_invisible;
use std::io::{self, Write};

/// Writes one line to stdout at once.
///
/// # Errors
/// When stdout is closed: the reader has seen enough.
pub fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes one JSON object as a line to stdout at once.
///
/// # Errors
/// As [`line()`].
pub fn json(value: &Value) -> io::Result<()> {
    line(&value.to_string())
}

/// `text` as it may be shown: what would move the cursor, change colours or turn the direction becomes `�`;
/// a tab becomes a space.
#[must_use]
pub fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        c if is_invisible(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_commands_a_terminal() {
        assert_eq!(visible("a\x1b[31mb\r\n\tc\u{202e}d"), "a\u{fffd}[31mb\u{fffd}\u{fffd} c\u{fffd}d");
        assert_eq!(visible("Grüße, 世界 🎉"), "Grüße, 世界 🎉");
    }
}
