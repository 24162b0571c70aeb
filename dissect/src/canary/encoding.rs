//! The encodings a secret may travel in. Each is a function from bytes to bytes.

use std::fmt::Write as _;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Base64 of `bytes` standing `skew` (0 to 2) bytes into a longer text: only the characters that do
/// not depend on the neighbours.
pub(super) fn base64(bytes: &[u8], skew: usize) -> Vec<u8> {
    digits(bytes, skew, 6, |digit| BASE64.get(digit).copied().unwrap_or(b'A'))
}

/// The same with the alphabet for URLs and file names.
pub(super) fn base64_url(bytes: &[u8], skew: usize) -> Vec<u8> {
    let swap = |byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    };
    base64(bytes, skew).into_iter().map(swap).collect()
}

/// Base32 of `bytes` standing `skew` (0 to 4) bytes into a longer text.
pub(super) fn base32(bytes: &[u8], skew: usize) -> Vec<u8> {
    digits(bytes, skew, 5, |digit| BASE32.get(digit).copied().unwrap_or(b'A'))
}

/// The digits of `width` bits that lie wholly inside `bytes`, when `bytes` begins `skew` bytes
/// behind a digit boundary.
fn digits(bytes: &[u8], skew: usize, width: usize, alphabet: impl Fn(usize) -> u8) -> Vec<u8> {
    let bit = |position: usize| {
        let byte = bytes.get(position / 8).copied().unwrap_or(0);
        usize::from(byte >> (7 - position % 8) & 1)
    };
    let first = (width - skew * 8 % width) % width;
    let digit_count = (bytes.len() * 8).saturating_sub(first) / width;
    (0..digit_count)
        .map(|index| {
            let start = first + index * width;
            alphabet((start..start + width).fold(0, |value, position| value << 1 | bit(position)))
        })
        .collect()
}

/// Two lower-case hexadecimal digits a byte, each byte behind `prefix` and before `suffix`.
pub(super) fn hex(bytes: &[u8], prefix: &str, suffix: &str) -> Vec<u8> {
    let mut text = String::new();
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(text, "{prefix}{byte:02x}{suffix}");
    }
    text.into_bytes()
}

/// HTML entities with decimal numbers, one a character.
pub(super) fn html_decimal(text: &str) -> Vec<u8> {
    text.chars().map(|character| format!("&#{};", u32::from(character))).collect::<String>().into_bytes()
}

/// HTML entities with hexadecimal numbers, one a character.
pub(super) fn html_hex(text: &str) -> Vec<u8> {
    text.chars().map(|character| format!("&#x{:x};", u32::from(character))).collect::<String>().into_bytes()
}

/// `\uXXXX` for every UTF-16 unit, as in JSON.
pub(super) fn json_escape(text: &str) -> Vec<u8> {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>().into_bytes()
}

/// Every byte as two letters, `A` plus each nibble: NetBIOS names.
pub(super) fn netbios(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 0x0f)]).collect()
}

/// Labels of a DNS name, each behind its length.
pub(super) fn dns_labels(text: &str) -> Vec<u8> {
    let mut labels = Vec::new();
    for label in text.split('.') {
        labels.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        labels.extend_from_slice(label.as_bytes());
    }
    labels
}

/// Letters moved by so many places in the alphabet, less than 26.
pub(super) fn rotate_letters(bytes: &[u8], places: u8) -> Vec<u8> {
    let rotate = |byte: &u8| match byte {
        b'a'..=b'z' => (byte - b'a' + places) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + places) % 26 + b'A',
        other => *other,
    };
    bytes.iter().map(rotate).collect()
}

/// All printable characters but the space moved by 47 places.
pub(super) fn rot47(bytes: &[u8]) -> Vec<u8> {
    let rotate = |byte: &u8| match byte {
        b'!'..=b'~' => (byte - b'!' + 47) % 94 + b'!',
        other => *other,
    };
    bytes.iter().map(rotate).collect()
}

/// The alphabet backwards.
pub(super) fn atbash(bytes: &[u8]) -> Vec<u8> {
    let mirror = |byte: &u8| match byte {
        b'a'..=b'z' => b'z' - (byte - b'a'),
        b'A'..=b'Z' => b'Z' - (byte - b'A'),
        other => *other,
    };
    bytes.iter().map(mirror).collect()
}

/// A space behind each character.
pub(super) fn spaced(text: &str) -> Vec<u8> {
    text.chars().flat_map(|character| [character, ' ']).collect::<String>().into_bytes()
}

/// Decimal numbers of the bytes, each before `separator`.
pub(super) fn decimal(bytes: &[u8], separator: &str) -> Vec<u8> {
    bytes.iter().map(|byte| format!("{byte}{separator}")).collect::<String>().into_bytes()
}

/// A backslash and three octal digits for each byte.
pub(super) fn octal_escape(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| format!("\\{byte:03o}")).collect::<String>().into_bytes()
}

/// Uuencoded, `skew` (0 to 2) bytes into a longer text.
pub(super) fn uuencode(bytes: &[u8], skew: usize) -> Vec<u8> {
    digits(bytes, skew, 6, |digit| match u8::try_from(digit) {
        Ok(digit @ 1..) => b' ' + digit,
        _ => b'`',
    })
}

/// Ascii85 of the whole groups of four bytes behind the first `skew` (0 to 3) bytes.
pub(super) fn ascii85(bytes: &[u8], skew: usize) -> Vec<u8> {
    let (groups, _) = bytes.get(skew..).unwrap_or_default().as_chunks::<4>();
    let digits = |group: &[u8; 4]| {
        let number = u32::from_be_bytes(*group);
        let digit = |power: u32| b'!' + u8::try_from(number / 85_u32.pow(power) % 85).unwrap_or(0);
        [digit(4), digit(3), digit(2), digit(1), digit(0)]
    };
    groups.iter().flat_map(digits).collect()
}

/// Bytes that do not begin at a byte of the haystack, but `shift` (1 to 7) bits behind it.
pub(super) fn shifted_bits(bytes: &[u8], shift: u32) -> Vec<u8> {
    bytes.array_windows().map(|[high, low]| high << (8 - shift) | low >> shift).collect()
}

/// A text in a letter: what is not printable, and the sign of equality, in escapes.
pub(super) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b'=' => b"=3D".to_vec(),
        b' '..=b'~' => vec![*byte],
        byte => format!("={byte:02X}").into_bytes(),
    };
    bytes.iter().flat_map(escape).collect()
}

/// Latin-1, when every character has a place there.
pub(super) fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

/// EBCDIC (code page 37) of letters, digits, space and the commonest punctuation.
pub(super) fn ebcdic(text: &str) -> Option<Vec<u8>> {
    let code = |character: char| {
        Some(match character {
            'a'..='i' => 0x81 + offset(character, 'a')?,
            'j'..='r' => 0x91 + offset(character, 'j')?,
            's'..='z' => 0xa2 + offset(character, 's')?,
            'A'..='I' => 0xc1 + offset(character, 'A')?,
            'J'..='R' => 0xd1 + offset(character, 'J')?,
            'S'..='Z' => 0xe2 + offset(character, 'S')?,
            '0'..='9' => 0xf0 + offset(character, '0')?,
            ' ' => 0x40,
            '.' => 0x4b,
            ',' => 0x6b,
            '-' => 0x60,
            '_' => 0x6d,
            ':' => 0x7a,
            '@' => 0x7c,
            '\'' => 0x7d,
            '/' => 0x61,
            '?' => 0x6f,
            '!' => 0x5a,
            _ => return None,
        })
    };
    text.chars().map(code).collect()
}

fn offset(character: char, first: char) -> Option<u8> {
    u8::try_from(u32::from(character) - u32::from(first)).ok()
}

/// UTF-16 in little-endian or big-endian order.
pub(super) fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

/// UTF-32 in little-endian or big-endian order.
pub(super) fn utf32(text: &str, order: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().flat_map(|character| order(u32::from(character))).collect()
}

/// A text in an address: letters, digits and `-._~` as they are, spaces as given, the rest in percent escapes.
pub(super) fn url_text(bytes: &[u8], space: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b' ' => space.to_vec(),
        b'-' | b'.' | b'_' | b'~' => vec![*byte],
        byte if byte.is_ascii_alphanumeric() => vec![*byte],
        byte => format!("%{byte:02X}").into_bytes(),
    };
    bytes.iter().flat_map(escape).collect()
}

/// A text in a JSON string; `ascii` escapes everything else too.
pub(super) fn json_text(text: &str, ascii: bool) -> Vec<u8> {
    let escape = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        other if other.is_control() || (ascii && !other.is_ascii()) => {
            other.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }
        other => other.to_string(),
    };
    text.chars().map(escape).collect::<String>().into_bytes()
}

/// A text in an HTML page.
pub(super) fn html_text(text: &str) -> Vec<u8> {
    let escape = |character: char| match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#x27;".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(escape).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_in_addresses_json_and_html() {
        let text = "say \"x\" & caf\u{e9}";
        for (form, expected) in [
            (url_text(text.as_bytes(), b"%20"), "say%20%22x%22%20%26%20caf%C3%A9"),
            (url_text(text.as_bytes(), b"+"), "say+%22x%22+%26+caf%C3%A9"),
            (json_text(text, false), "say \\\"x\\\" & caf\u{e9}"),
            (json_text(text, true), "say \\\"x\\\" & caf\\u00e9"),
            (html_text(text), "say &quot;x&quot; &amp; caf\u{e9}"),
        ] {
            assert_eq!(String::from_utf8(form).unwrap(), expected);
        }
    }

    use super::*;

    #[test]
    fn published_examples() {
        // RFC 4648 section 10, without the padding and the characters that depend on it.
        assert_eq!(base64(b"foobar", 0), b"Zm9vYmFy");
        assert_eq!(base32(b"fooba", 0), b"MZXW6YTB");
        assert_eq!(dns_labels("www.example.net"), b"\x03www\x07example\x03net");
        assert_eq!(netbios(b"F"), b"EG");
        assert_eq!(rotate_letters(b"Hello, 1", 13), b"Uryyb, 1");
        assert_eq!(rotate_letters(b"Xyz", 3), b"Abc");
        assert_eq!(rot47(b"Hello, 1"), b"w6==@[ `");
        assert_eq!(atbash(b"Hello, 1"), b"Svool, 1");
        assert_eq!(spaced("a\u{e9}"), "a \u{e9} ".as_bytes());
        assert_eq!(decimal(b"a\xff", ", "), b"97, 255, ");
        assert_eq!(octal_escape(b"a\xff"), b"\\141\\377");
        // The example of Wikipedia's article on uuencoding, and of that on Ascii85.
        assert_eq!(uuencode(b"Cat", 0), b"0V%T");
        assert_eq!(ascii85(b"Man is d", 0), b"9jqo^BlbD-");
        assert_eq!(shifted_bits(b"\x12\x34\x56", 4), b"\x23\x45");
        assert_eq!(quoted_printable(b"a=\xe9"), b"a=3D=E9");
        assert_eq!(ebcdic("Az9").unwrap(), [0xc1, 0xa9, 0xf9]);
        assert_eq!(json_escape("a"), b"\\u0061");
        assert_eq!(hex(b"\x0a\xff", "%", ""), b"%0a%ff");
    }

    #[test]
    fn every_alignment_is_the_middle_of_the_whole() {
        for skew in 0..3 {
            let whole = base64(&[&b"xy"[..skew], b"secret text", b"z"].concat(), 0);
            let middle = base64(b"secret text", skew);
            assert!(whole.windows(middle.len()).any(|window| window == middle), "skew {skew}");
        }
        for skew in 0..5 {
            let whole = base32(&[&b"wxyz"[..skew], b"secret text", b"zzzz"].concat(), 0);
            let middle = base32(b"secret text", skew);
            assert!(whole.windows(middle.len()).any(|window| window == middle), "skew {skew}");
        }
    }
}
