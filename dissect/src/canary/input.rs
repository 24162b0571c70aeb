//! Canaries as people give them: a text on the command line, or a file with one a line.

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};

use super::Canary;

/// Longest canary, in bytes. A longer secret is known by any part of it.
pub const CANARY_BYTES_MAX: usize = 4_096;
/// Most canaries that are searched together.
pub const CANARIES_MAX: usize = 1_000;

/// Why a line is no canary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Nothing is left of it.
    #[error("an empty canary is everywhere")]
    Empty,
    /// It is longer than [`CANARY_BYTES_MAX`].
    #[error("a canary of {0} bytes is too long: give at most {CANARY_BYTES_MAX} bytes of it")]
    TooLong(usize),
    /// Behind `hex:` stands something else.
    #[error("behind `hex:` only pairs of hexadecimal digits may stand")]
    Hex,
    /// Behind `b64:` stands something else.
    #[error("behind `b64:` only base64 may stand")]
    Base64,
    /// The line is no text.
    #[error("it is no UTF-8 text: write its bytes behind `hex:`")]
    NotText,
    /// There are more than [`CANARIES_MAX`].
    #[error("more than {CANARIES_MAX} canaries: search them in several runs")]
    TooMany,
}

/// A mistake in a file of canaries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {error}")]
pub struct LineError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub error: InputError,
}

impl Canary {
    /// The canary that a text on the command line is, taken as it stands.
    ///
    /// # Errors
    /// [`InputError::Empty`] and [`InputError::TooLong`].
    pub fn from_text(text: &str) -> Result<Self, InputError> {
        Self::given(text.as_bytes().to_vec(), true)
    }

    /// The canary that a line of a file means: a text, or bytes behind `hex:` or `b64:`. A text that begins
    /// in such a way is written behind `text:`.
    ///
    /// # Errors
    /// Every [`InputError`] but [`InputError::TooMany`].
    pub fn from_line(line: &[u8]) -> Result<Self, InputError> {
        if let Some(digits) = line.strip_prefix(b"hex:") {
            let secret = HEXLOWER_PERMISSIVE.decode(digits).map_err(|_| InputError::Hex)?;
            return Self::given(secret, false);
        }
        if let Some(digits) = line.strip_prefix(b"b64:") {
            let secret = BASE64.decode(digits).or_else(|_| BASE64_NOPAD.decode(digits));
            return Self::given(secret.map_err(|_| InputError::Base64)?, false);
        }
        let text = line.strip_prefix(b"text:").unwrap_or(line);
        Self::from_text(std::str::from_utf8(text).map_err(|_| InputError::NotText)?)
    }

    fn given(secret: Vec<u8>, is_text: bool) -> Result<Self, InputError> {
        match secret.len() {
            0 => Err(InputError::Empty),
            len if len > CANARY_BYTES_MAX => Err(InputError::TooLong(len)),
            _ => Ok(Self { label: String::new(), secret, is_text, is_key: false }),
        }
    }
}

/// The canaries of a file with one a line; empty lines mean nothing.
///
/// # Errors
/// The first line that is no canary.
pub fn from_file(bytes: &[u8]) -> Result<Vec<Canary>, LineError> {
    let mut canaries = Vec::new();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            continue;
        }
        if canaries.len() == CANARIES_MAX {
            return Err(LineError { line, error: InputError::TooMany });
        }
        canaries.push(Canary::from_line(text).map_err(|error| LineError { line, error })?);
    }
    Ok(canaries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let file = b"plain words\r\n\nhex:00fF10\nb64:AP8=\nb64:AP8\ntext:hex:00\n caf\xc3\xa9 ";
        let canaries = from_file(file).unwrap();
        let seen: Vec<(&[u8], bool)> =
            canaries.iter().map(|canary| (canary.secret.as_slice(), canary.is_text)).collect();
        let expected: [(&[u8], bool); 6] = [
            (b"plain words", true),
            (b"\x00\xff\x10", false),
            (b"\x00\xff", false),
            (b"\x00\xff", false),
            (b"hex:00", true),
            (b" caf\xc3\xa9 ", true),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn mistakes_name_their_line() {
        for (file, line, error) in [
            (&b"a\nhex:0"[..], 2, InputError::Hex),
            (b"hex:zz", 1, InputError::Hex),
            (b"\n\nb64:%", 3, InputError::Base64),
            (b"text:", 1, InputError::Empty),
            (b"caf\xe9", 1, InputError::NotText),
            (&[b'x'; 5_000], 1, InputError::TooLong(5_000)),
            (&b"x\n".repeat(1_001), 1_001, InputError::TooMany),
        ] {
            assert_eq!(from_file(file), Err(LineError { line, error }));
        }
    }
}
