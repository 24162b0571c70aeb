//! Values of fields, printed as tshark prints them with `-T fields`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use super::time::{Date, seconds};
use crate::render::sanitise;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number.
    Unsigned,
    /// True or false.
    Bool,
    /// Bytes.
    Bytes,
    /// Text.
    Text,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A link-layer address.
    Mac,
    /// A time in seconds, or a number of them.
    Seconds,
    /// A date with a time of day, in UTC.
    Date,
    /// A whole protocol: its bytes.
    Protocol,
}

impl Kind {
    /// The kind with its article, for sentences.
    pub(crate) const fn described(self) -> &'static str {
        match self {
            Self::Unsigned => "a number",
            Self::Bool => "true or false",
            Self::Bytes => "bytes, such as 0a:0b:0c",
            Self::Text => "a text",
            Self::Ipv4 => "an IPv4 address or network, such as 10.0.0.0/8",
            Self::Ipv6 => "an IPv6 address or network, such as fe80::/10",
            Self::Mac => "a link-layer address, such as 02:00:00:00:00:01",
            Self::Seconds => "a number of seconds, such as 0.25",
            Self::Date => "a date, such as \"2026-11-20 18:30:00\"",
            Self::Protocol => "a protocol: its bytes, such as 0a:0b:0c, or a text in them",
        }
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A number, in decimal.
    Number(u64),
    /// A number, in hexadecimal of so many digits.
    Hex(u64, usize),
    /// True or false.
    Bool(bool),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// Text.
    Text(Cow<'a, str>),
    /// A network address.
    Ip(IpAddr),
    /// A link-layer address.
    Mac([u8; 6]),
    /// Nanoseconds.
    Seconds(i128),
    /// Nanoseconds since 1970.
    Date(i128),
    /// A protocol by its name, and its bytes.
    Protocol(&'static str, &'a [u8]),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Hex(number, digits) => write!(f, "0x{number:0digits$x}"),
            Self::Bool(is) => write!(f, "{}", u8::from(*is)),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            // A capture chooses its texts; they may not drive the terminal.
            Self::Text(text) => f.write_str(&sanitise(&escaped(text))),
            Self::Ip(address) => write!(f, "{address}"),
            Self::Mac([a, b, c, d, e, g]) => write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"),
            Self::Seconds(nanoseconds) => f.write_str(&seconds(*nanoseconds)),
            Self::Date(nanoseconds) => f.write_str(&Date::of(*nanoseconds).long()),
            Self::Protocol(name, _) => f.write_str(name),
        }
    }
}

/// Text with the control characters that have a letter in C written so, as tshark writes them.
fn escaped(text: &str) -> Cow<'_, str> {
    const LETTERS: [(char, &str); 7] = [
        ('\x07', "\\a"),
        ('\x08', "\\b"),
        ('\t', "\\t"),
        ('\n', "\\n"),
        ('\x0b', "\\v"),
        ('\x0c', "\\f"),
        ('\r', "\\r"),
    ];
    LETTERS.iter().fold(Cow::Borrowed(text), |text, (control, letter)| {
        if text.contains(*control) { Cow::Owned(text.replace(*control, letter)) } else { text }
    })
}

impl Value<'_> {
    /// How two values compare; `None` for what does not: a number and an address.
    pub(crate) fn order(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Ip(own), Value::Ip(other)) => (own.is_ipv4() == other.is_ipv4()).then(|| own.cmp(other)),
            (own, other) => match (own.nanoseconds(), other.nanoseconds()) {
                (Some(own), Some(other)) => Some(own.cmp(&other)),
                (None, None) => own.octets().zip(other.octets()).map(|(own, other)| own.cmp(&other)),
                _ => None,
            },
        }
    }

    /// Numbers and times on one scale: a number next to a time counts seconds.
    fn nanoseconds(&self) -> Option<i128> {
        match self {
            Self::Number(number) | Self::Hex(number, _) => Some(i128::from(*number) * 1_000_000_000),
            Self::Bool(is) => Some(i128::from(*is) * 1_000_000_000),
            Self::Seconds(time) | Self::Date(time) => Some(*time),
            _ => None,
        }
    }

    fn octets(&self) -> Option<Cow<'_, [u8]>> {
        let has_octets = matches!(self, Self::Bytes(_) | Self::Text(_) | Self::Mac(_) | Self::Protocol(..));
        has_octets.then(|| self.bytes())
    }

    /// The bytes that slices, `contains` and `matches` look at.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Protocol(_, bytes) => Cow::Borrowed(bytes),
            Self::Text(text) => Cow::Borrowed(text.as_bytes()),
            Self::Mac(address) => Cow::Borrowed(address),
            Self::Ip(IpAddr::V4(address)) => Cow::Owned(address.octets().to_vec()),
            Self::Ip(IpAddr::V6(address)) => Cow::Owned(address.octets().to_vec()),
            other => Cow::Owned(other.to_string().into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_as_tshark_prints_them() {
        for (value, shown) in [
            (Value::Number(17), "17"),
            (Value::Hex(0x800, 4), "0x0800"),
            (Value::Bool(true), "1"),
            (Value::Bytes(vec![0, 0xab].into()), "00ab"),
            (Value::Text("a\tb\u{1b}".into()), "a\\tb\\u{1b}"),
            (Value::Ip([10, 0, 0, 1].into()), "10.0.0.1"),
            (Value::Mac([0, 1, 2, 0xa, 0xb, 0xff]), "00:01:02:0a:0b:ff"),
            (Value::Seconds(1_500_000_000), "1.500000000"),
            (Value::Date(1_147_551_795_526_632_000), "May 13, 2006 20:23:15.526632000 UTC"),
            (Value::Protocol("udp", &[1]), "udp"),
        ] {
            assert_eq!(value.to_string(), shown);
        }
    }
}
