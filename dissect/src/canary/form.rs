//! The forms of a canary: its encodings, and how many bits a chance hit would have to guess.

use super::{Canary, encoding};

/// One encoding of one canary.
#[derive(Debug)]
pub(super) struct Form {
    /// Name of the encoding.
    pub(super) name: &'static str,
    /// The encoded bytes.
    pub(super) bytes: Vec<u8>,
    /// Whether upper and lower case are the same.
    pub(super) fold: bool,
    /// Bits a chance hit must guess.
    pub(super) bits: f64,
    /// The ciphers over this form that are looked for too.
    pub(super) ciphers: Ciphers,
}

/// Which ciphers are undone before a form is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ciphers {
    /// None.
    None,
    /// A constant XORed or added to every byte, and each byte XORed with the one before.
    Chained,
    /// These, and a repeating XOR key.
    All,
}

/// All forms of a canary.
pub(super) fn forms(canary: &Canary) -> Vec<Form> {
    let secret = canary.secret.as_slice();
    let information = bits(secret, canary.is_text);
    let mut forms = Vec::new();
    let mut add = |name, bytes: Vec<u8>, fold, share: f64, ciphers| {
        let bits = (information * share.min(1.0)).min(bits(&bytes, fold));
        forms.push(Form { name, bytes, fold, bits, ciphers });
    };
    binary_forms(secret, canary.is_text, &mut add);
    match std::str::from_utf8(secret) {
        Ok(text) if canary.is_text => text_forms(text, &mut add),
        _ => add("bytes", secret.to_vec(), false, 1.0, Ciphers::Chained),
    }
    forms.retain(|form| !form.bytes.is_empty());
    forms.sort_by(|a, b| (&a.bytes, a.fold).cmp(&(&b.bytes, b.fold)));
    forms.dedup_by(|a, b| a.bytes == b.bytes && a.fold == b.fold);
    forms
}

/// Bits of a byte string against random bytes: the sum of its [`costs`].
pub(super) fn bits(bytes: &[u8], fold: bool) -> f64 {
    costs(bytes, fold).sum()
}

/// Bits of each byte against random bytes: 8, or 7 for a letter of either case, or 1 for a byte that repeats the
/// one before (runs are what captures are full of).
pub(super) fn costs(bytes: &[u8], fold: bool) -> impl Iterator<Item = f64> {
    let before = [None].into_iter().chain(bytes.iter().map(Some));
    bytes.iter().zip(before).map(move |(byte, before)| match byte {
        _ if before == Some(byte) => 1.0,
        letter if fold && letter.is_ascii_alphabetic() => 7.0,
        _ => 8.0,
    })
}

type Add<'a> = dyn FnMut(&'static str, Vec<u8>, bool, f64, Ciphers) + 'a;

fn binary_forms(bytes: &[u8], is_text: bool, add: &mut Add<'_>) {
    let ciphers = if is_text { Ciphers::All } else { Ciphers::None };
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    add("reversed bytes", reversed, false, 1.0, Ciphers::None);
    add("hex", encoding::hex(bytes, "", ""), true, 1.0, ciphers);
    add("spaced hex", encoding::hex(bytes, "", " "), true, 1.0, Ciphers::None);
    add("colon hex", encoding::hex(bytes, "", ":"), true, 1.0, Ciphers::None);
    // As programs print arrays of bytes.
    add("hex list", encoding::hex(bytes, "0x", ", "), true, 1.0, Ciphers::None);
    add("decimal list", encoding::decimal(bytes, ", "), false, 1.0, Ciphers::None);
    add("dense decimal list", encoding::decimal(bytes, ","), false, 1.0, Ciphers::None);
    add("octal escapes", encoding::octal_escape(bytes), false, 1.0, Ciphers::None);
    for skew in 0..3 {
        let standard = encoding::base64(bytes, skew);
        let share = share(standard.len() * 6, bytes);
        add("base64", standard, false, share, ciphers);
        add("base64url", encoding::base64_url(bytes, skew), false, share, Ciphers::None);
        add("uuencode", encoding::uuencode(bytes, skew), false, share, Ciphers::None);
    }
    for skew in 0..4 {
        let text = encoding::ascii85(bytes, skew);
        let share = share(text.len() / 5 * 32, bytes);
        add("ascii85", text, false, share, Ciphers::None);
    }
    for shift in 1..8 {
        let shifted = encoding::shifted_bits(bytes, shift);
        let share = share(shifted.len() * 8, bytes);
        add("shifted bits", shifted, false, share, Ciphers::None);
    }
    for skew in 0..5 {
        let text = encoding::base32(bytes, skew);
        let share = share(text.len() * 5, bytes);
        add("base32", text, true, share, Ciphers::None);
    }
    let mapped = |map: fn(u8) -> u8| bytes.iter().map(|byte| map(*byte)).collect::<Vec<u8>>();
    add("inverted bits", mapped(|byte| !byte), false, 1.0, Ciphers::None);
    add("swapped nibbles", mapped(|byte| byte.rotate_left(4)), false, 1.0, Ciphers::None);
    add("reversed bits", mapped(u8::reverse_bits), false, 1.0, Ciphers::None);
}

fn text_forms(text: &str, add: &mut Add<'_>) {
    let bytes = text.as_bytes();
    add("utf-8", bytes.to_vec(), true, 1.0, Ciphers::None);
    // A cipher keeps case, so differences are taken of the text as typed and of both cases.
    add("utf-8 as typed", bytes.to_vec(), false, 1.0, Ciphers::All);
    add("lower case", text.to_lowercase().into_bytes(), false, 1.0, Ciphers::All);
    add("upper case", text.to_uppercase().into_bytes(), false, 1.0, Ciphers::All);
    if let Some(latin1) = encoding::latin1(text) {
        add("latin-1", latin1, true, 1.0, Ciphers::None);
    }
    if let Some(ebcdic) = encoding::ebcdic(text) {
        add("ebcdic", ebcdic, false, 1.0, Ciphers::None);
    }
    add("utf-16le", encoding::utf16(text, u16::to_le_bytes), true, 1.0, Ciphers::All);
    add("utf-16be", encoding::utf16(text, u16::to_be_bytes), true, 1.0, Ciphers::All);
    add("utf-32le", encoding::utf32(text, u32::to_le_bytes), true, 1.0, Ciphers::None);
    add("utf-32be", encoding::utf32(text, u32::to_be_bytes), true, 1.0, Ciphers::None);
    add("percent escapes", encoding::hex(bytes, "%", ""), true, 1.0, Ciphers::None);
    add("quoted-printable", encoding::hex(bytes, "=", ""), true, 1.0, Ciphers::None);
    add("backslash escapes", encoding::hex(bytes, "\\x", ""), true, 1.0, Ciphers::None);
    add("json escapes", encoding::json_escape(text), true, 1.0, Ciphers::None);
    add("html entities", encoding::html_decimal(text), true, 1.0, Ciphers::None);
    add("html hex entities", encoding::html_hex(text), true, 1.0, Ciphers::None);
    add("rot13", encoding::rotate_letters(bytes, 13), true, 1.0, Ciphers::None);
    for places in (1..26).filter(|places| *places != 13) {
        add("rotated letters", encoding::rotate_letters(bytes, places), true, 1.0, Ciphers::None);
    }
    add("rot47", encoding::rot47(bytes), false, 1.0, Ciphers::None);
    add("atbash", encoding::atbash(bytes), true, 1.0, Ciphers::None);
    add("spaced letters", encoding::spaced(text), true, 1.0, Ciphers::None);
    for skew in 0..3 {
        let wide = encoding::utf16(text, u16::to_le_bytes);
        let digits = encoding::base64(&wide, skew);
        let share = share(digits.len() * 6, &wide);
        add("base64 of utf-16le", digits, false, share, Ciphers::None);
    }
    add("reversed text", text.chars().rev().collect::<String>().into_bytes(), true, 1.0, Ciphers::None);
    add("netbios", encoding::netbios(bytes), true, 1.0, Ciphers::None);
    // What programs really send escapes only what it must.
    for (name, form) in [
        ("url text", encoding::url_text(bytes, b"%20")),
        ("url form text", encoding::url_text(bytes, b"+")),
        ("json text", encoding::json_text(text, false)),
        ("json ascii text", encoding::json_text(text, true)),
        ("html text", encoding::html_text(text)),
        ("quoted-printable text", encoding::quoted_printable(bytes)),
    ] {
        if form != bytes {
            add(name, form, true, 1.0, Ciphers::None);
        }
    }
    if text.contains('.') {
        add("dns labels", encoding::dns_labels(text), true, 1.0, Ciphers::None);
    }
}

/// The share of the secret that `covered_bits` of an encoding hold.
fn share(covered_bits: usize, bytes: &[u8]) -> f64 {
    approximate(covered_bits) / approximate(bytes.len() * 8).max(1.0)
}

/// A count as a float; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of bytes and bits, far below 2^53")]
pub(super) const fn approximate(count: usize) -> f64 {
    count as f64
}
