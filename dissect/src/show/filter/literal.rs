//! What a filter compares fields with.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lexer::TokenKind;
use crate::show::field::Field;
use crate::show::time::{Date, parse_seconds};
use crate::show::value::{Kind, Value};

/// A value that was written down, or a network of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Value(Value<'static>),
    /// An address and how many of its bits count.
    Network(IpAddr, u32),
}

impl Literal {
    /// Reads a token as what a field of this kind may hold. `field` knows the names of its values.
    pub(super) fn read(token: &TokenKind, kind: Kind, field: &Field) -> Result<Self, String> {
        let value = match token {
            TokenKind::Word(word) => word_as(word, kind).or_else(|| named(word, kind, field)),
            TokenKind::Quoted(text) => return quoted_as(text, kind, field),
            _ => None,
        };
        value.ok_or_else(|| wrong(token, kind, field))
    }

    /// How a value compares with it. Every address of a network is equal to it.
    pub(super) fn order(&self, value: &Value<'_>) -> Option<Ordering> {
        match (self, value) {
            (Self::Value(own), value) => value.order(own),
            (Self::Network(own, prefix), Value::Ip(address)) => {
                let mask = |address: IpAddr| match address {
                    IpAddr::V4(address) => {
                        let bits = u32::MAX.checked_shl(32u32.saturating_sub(*prefix)).unwrap_or(0);
                        IpAddr::from(Ipv4Addr::from(u32::from(address) & bits))
                    }
                    IpAddr::V6(address) => {
                        let bits = u128::MAX.checked_shl(128u32.saturating_sub(*prefix)).unwrap_or(0);
                        IpAddr::from(Ipv6Addr::from(u128::from(address) & bits))
                    }
                };
                (own.is_ipv4() == address.is_ipv4()).then(|| mask(*address).cmp(&mask(*own)))
            }
            (Self::Network(..), _) => None,
        }
    }
}

fn word_as(word: &str, kind: Kind) -> Option<Literal> {
    let value = match kind {
        Kind::Unsigned => Value::Number(number(word)?),
        Kind::Bool => Value::Bool(match word.to_ascii_lowercase().as_str() {
            "1" | "true" => true,
            "0" | "false" => false,
            _ => return None,
        }),
        Kind::Bytes | Kind::Protocol => Value::Bytes(bytes(word)?.into()),
        Kind::Text => Value::Text(word.to_owned().into()),
        Kind::Ipv4 | Kind::Ipv6 => return network(word, kind),
        Kind::Mac => Value::Mac(bytes(word)?.try_into().ok()?),
        Kind::Seconds => Value::Seconds(parse_seconds(word).or_else(|| Date::parse(word))?),
        Kind::Date => Value::Date(Date::parse(word)?),
    };
    Some(Literal::Value(value))
}

fn quoted_as(text: &str, kind: Kind, field: &Field) -> Result<Literal, String> {
    match kind {
        Kind::Text | Kind::Bytes | Kind::Protocol => Ok(Literal::Value(Value::Bytes(unescape(text)?.into()))),
        _ => word_as(text, kind)
            .or_else(|| named(text, kind, field))
            .ok_or_else(|| wrong(&TokenKind::Quoted(text.to_owned()), kind, field)),
    }
}

/// A value by its name, such as `sealgram.type == INIT`.
fn named(word: &str, kind: Kind, field: &Field) -> Option<Literal> {
    let (value, _) = field.values.iter().find(|(_, name)| name.eq_ignore_ascii_case(word))?;
    (kind == Kind::Unsigned).then_some(Literal::Value(Value::Number(*value)))
}

fn wrong(token: &TokenKind, kind: Kind, field: &Field) -> String {
    let given = match token {
        TokenKind::Word(text) | TokenKind::Quoted(text) => format!("\"{}\"", crate::render::sanitise(text)),
        TokenKind::Sign(sign) => format!("\"{sign}\""),
        TokenKind::End => "the end".to_owned(),
    };
    let mut text = format!("{given} is not {}, which {} is compared with", kind.described(), field.name);
    if !field.values.is_empty() && kind == Kind::Unsigned {
        let names: Vec<&str> = field.values.iter().map(|(_, name)| *name).collect();
        text.push_str(&format!("; names of its values are {}", names.join(", ")));
    }
    text
}

/// Decimal, or hexadecimal behind `0x`.
fn number(word: &str) -> Option<u64> {
    let is_signed = word.starts_with('+');
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16).ok(),
        _ => word.parse().ok().filter(|_| !is_signed),
    }
}

/// `0a:0b:0c`, the same with `-` or `.`, or `0a0b0c`.
pub(super) fn bytes(word: &str) -> Option<Vec<u8>> {
    let separator = word.chars().find(|character| matches!(character, ':' | '-' | '.'));
    let pairs: Vec<&str> = match separator {
        Some(separator) => word.split(separator).collect(),
        None if word.len().is_multiple_of(2) && word.is_ascii() => {
            (0..word.len()).step_by(2).filter_map(|at| word.get(at..at + 2)).collect()
        }
        None => return None,
    };
    let byte = |pair: &str| {
        let is_pair = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_pair.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
    };
    pairs.into_iter().map(byte).collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty())
}

fn network(word: &str, kind: Kind) -> Option<Literal> {
    let (address, prefix) = match word.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
        None => (word, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let fits = address.is_ipv4() == (kind == Kind::Ipv4) && prefix.is_none_or(|prefix| prefix <= bits);
    fits.then(|| Literal::Network(address, prefix.unwrap_or(bits)))
}

/// The bytes of a text with escapes.
pub(super) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        match rest.next() {
            Some('n') => bytes.push(b'\n'),
            Some('r') => bytes.push(b'\r'),
            Some('t') => bytes.push(b'\t'),
            Some('0') => bytes.push(0),
            Some(same @ ('\\' | '"' | '\'')) => bytes.push(u8::try_from(same).unwrap_or(b'?')),
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                let byte = self::bytes(&digits).filter(|byte| byte.len() == 1);
                bytes.extend(byte.ok_or("behind \\x stand two hexadecimal digits")?);
            }
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
                let character = code.and_then(char::from_u32);
                let character = character.ok_or("behind \\u stand four hexadecimal digits")?;
                bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
            }
            other => {
                let other = other.map(String::from).unwrap_or_default();
                return Err(format!(
                    "\\{other} is no escape: they are \\n \\r \\t \\0 \\\\ \\\" \\xHH \\uHHHH"
                ));
            }
        }
    }
    Ok(bytes)
}
