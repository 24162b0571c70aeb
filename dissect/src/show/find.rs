//! `--find`: where a text, bytes or a pattern occur: in the summary, the fields, the bytes of a packet and what
//! it says in clear.
//!
//! Each packet is searched by itself; what runs across packets is found by `--canary`.

use std::io::{self, Write};

use regex::bytes::{Regex, RegexBuilder};

use super::column;
use super::field;
use super::listing::Listing;
use super::seen::Seen;
use super::value::{Kind, Value};
use crate::render::sanitise;

/// Places of one view of a packet that are printed.
const PLACES_MAX: usize = 8;
/// Bytes shown before and behind a place.
const AROUND: usize = 16;
/// Bytes that the program of the pattern may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// Searches packets as they come.
#[derive(Debug)]
pub(crate) struct Find {
    /// What is searched for, and in which encoding that is.
    patterns: Vec<(&'static str, Regex)>,
    /// Whether the pattern is text, and so sought in summaries and fields too.
    is_text: bool,
    places: u64,
    packets: u64,
}

impl Find {
    /// Reads `text:…`, `hex:…` or `regex:…`.
    ///
    /// # Errors
    /// A sentence about what is not understood.
    pub(crate) fn parse(argument: &str) -> Result<Self, String> {
        let (kind, sought) = argument.split_once(':').unwrap_or(("", ""));
        let compile = |pattern: &str| {
            let builder = &mut RegexBuilder::new(pattern);
            let regex = builder.case_insensitive(true).size_limit(REGEX_BYTES_MAX).build();
            regex.map_err(|error| {
                let reason = error.to_string();
                format!("not a regular expression: {}", reason.lines().last().unwrap_or_default())
            })
        };
        if sought.is_empty() {
            return Err("--find wants text:TEXT, hex:0a0b0c or regex:PATTERN".to_owned());
        }
        let patterns = match kind {
            "text" => vec![
                ("UTF-8", compile(&regex::escape(sought))?),
                ("UTF-16LE", compile(&utf16(sought, u16::to_le_bytes))?),
                ("UTF-16BE", compile(&utf16(sought, u16::to_be_bytes))?),
            ],
            "hex" => {
                let digits: String =
                    sought.chars().filter(|digit| !matches!(digit, ':' | ' ' | '-')).collect();
                let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
                let bytes = bytes.map_err(|_| "behind hex: stand pairs of hexadecimal digits".to_owned())?;
                let pattern: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
                vec![("bytes", compile(&format!("(?-ui:{pattern})"))?)]
            }
            "regex" => vec![("pattern", compile(sought)?)],
            _ => return Err("--find wants text:TEXT, hex:0a0b0c or regex:PATTERN".to_owned()),
        };
        Ok(Self { patterns, is_text: kind != "hex", places: 0, packets: 0 })
    }

    fn view(&mut self, number: usize, name: &str, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        for (encoding, regex) in &self.patterns {
            for (index, place) in regex.find_iter(bytes).enumerate() {
                self.places += 1;
                if index == PLACES_MAX {
                    writeln!(out, "packet {number}, {name}: more of them")?;
                    break;
                }
                let from = place.start().saturating_sub(AROUND);
                let to = place.end().saturating_add(AROUND).min(bytes.len());
                let around = printable(bytes.get(from..to).unwrap_or_default());
                writeln!(out, "packet {number}, {name} at {}, {encoding}: {around}", place.start())?;
            }
        }
        Ok(())
    }
}

impl Listing for Find {
    fn packet(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        let before = self.places;
        let number = seen.packet.number;
        if self.is_text {
            self.view(number, "summary", column::info(seen).as_bytes(), out)?;
            for field in field::all().filter(|field| field.kind == Kind::Text) {
                for occurrence in field.read(seen) {
                    if let Value::Text(text) = &occurrence.value {
                        self.view(number, field.name, text.as_bytes(), out)?;
                    }
                }
            }
        }
        self.view(number, "bytes", seen.data, out)?;
        if let Some(opened) = seen.context.opened {
            self.view(number, "clear text", &opened.plaintext, out)?;
        }
        self.packets += u64::from(self.places > before);
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} places in {} packets", self.places, self.packets)
    }
}

/// A pattern for a text in UTF-16, in either case.
fn utf16(text: &str, encode: fn(u16) -> [u8; 2]) -> String {
    let bytes = |character: char| -> String {
        let units = character.encode_utf16(&mut [0; 2]).to_vec();
        units.into_iter().flat_map(encode).map(|byte| format!("\\x{byte:02x}")).collect()
    };
    let character = |character: char| {
        let mut cases: Vec<String> = vec![bytes(character)];
        cases.extend(character.to_lowercase().map(bytes));
        cases.extend(character.to_uppercase().map(bytes));
        format!("(?:{})", cases.join("|"))
    };
    let pattern: String = text.chars().map(character).collect();
    format!("(?-ui:{pattern})")
}

/// Bytes as text with a point for what cannot be printed.
fn printable(bytes: &[u8]) -> String {
    let shown = match std::str::from_utf8(bytes) {
        Ok(text) => sanitise(text),
        Err(_) => bytes
            .iter()
            .map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' })
            .collect(),
    };
    format!("{shown:?}").replace("\\\\u{", "\\u{")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(find: &str, bytes: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        Find::parse(find).unwrap().view(1, "bytes", bytes, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn text_in_any_case_and_encoding() {
        assert_eq!(places("text:Mill", b"the old mILL"), ["packet 1, bytes at 8, UTF-8: \"the old mILL\""]);
        let wide: Vec<u8> = "öLd Mill".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(places("text:Öld", &wide)[0].starts_with("packet 1, bytes at 0, UTF-16LE"));
        assert_eq!(places("hex:00 ff", b"\x01\x00\xff").len(), 1);
        assert_eq!(places("hex:41", b"a").len(), 0, "bytes have no case");
        assert_eq!(places("regex:m.ll$", b"the old mill").len(), 1);
        assert_eq!(places("text:a", &[b'a'; 100]).len(), PLACES_MAX + 1);
        for broken in ["", "text:", "hex:0", "hex:xy", "regex:(", "word:a"] {
            assert!(Find::parse(broken).is_err(), "{broken}");
        }
    }
}
