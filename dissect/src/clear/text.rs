//! Small helpers for protocols of lines and words.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD};

/// The words of a line.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// The first word of a line, and the rest without the spaces between.
pub(super) fn first_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    (word, rest.trim_ascii_start())
}

/// Whether a word is one of these, whatever its case.
pub(super) fn is_one_of(word: &[u8], known: &[&str]) -> bool {
    known.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether `text` begins with this, whatever its case.
pub(super) fn starts_with(text: &[u8], beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning.as_bytes()))
}

/// What follows this beginning, whatever its case.
pub(super) fn after<'a>(text: &'a [u8], beginning: &str) -> Option<&'a [u8]> {
    starts_with(text, beginning).then(|| text.get(beginning.len()..).unwrap_or_default())
}

/// Whether `needle` stands anywhere in `text`, whatever its case.
pub(super) fn contains(text: &[u8], needle: &str) -> bool {
    text.windows(needle.len().max(1)).any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Splits at the first `byte`, which is in neither part.
pub(super) fn split_once(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Text without the quotes around it.
pub(super) fn unquoted(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    inner.unwrap_or(text)
}

/// Decodes base64, with or without padding, of either alphabet.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let bare = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    [BASE64_NOPAD, BASE64URL_NOPAD]
        .iter()
        .find_map(|encoding| encoding.decode(bare).ok())
        .or_else(|| BASE64.decode(text).ok())
}

/// Undoes the encoding of URLs and forms (WHATWG URL, section 5).
pub(super) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let digits = (byte == b'%').then(|| behind.split_at_checked(2)).flatten();
        let escaped = digits.and_then(|(digits, behind)| {
            let value = data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok()?;
            Some((*value.first()?, behind))
        });
        match (byte, escaped) {
            (_, Some((value, behind))) => {
                decoded.push(value);
                rest = behind;
            }
            (b'+', None) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
    }
    decoded
}

/// Whether bytes are text that a person could read: UTF-8, and hardly a control character.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The last character may be cut.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n'))
}

/// A decimal number; `None` when there is anything else.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(base64(b"dGVzdDoxOjM0").unwrap(), b"test:1:34");
        assert_eq!(base64(b"AGEAYg==").unwrap(), b"\0a\0b");
        assert_eq!(base64(b"!"), None);
        assert_eq!(percent_decoded(b"a%20b+c%zz%4"), b"a b c%zz%4");
        assert!(
            is_text("gr\u{fc}n".as_bytes())
                && is_text(b"cut \xc3")
                && !is_text(b"\x00")
                && !is_text(b"\xff.")
        );
    }
}
