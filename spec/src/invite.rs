//! Invites: where a hub is, its key, and the secret that makes it answer.

use crate::gate::OPEN_ACCESS_SECRET;
use crate::limits::KEY_BYTES;
use crate::secret::Secret;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use data_encoding::BASE64URL_NOPAD;

/// The port when an address names none.
pub const DEFAULT_PORT: u16 = 5555;

const SCHEME: &str = "sealgram://";

/// A host, an IPv4 address or an IPv6 address in brackets, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HubAddress {
    /// As written, IPv6 without its brackets.
    pub host: String,
    /// 5555 when it was absent.
    pub port: u16,
}

impl FromStr for HubAddress {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, tail) = rest.split_once(']').ok_or(InviteError::Host)?;
                host.parse::<core::net::Ipv6Addr>().map_err(|_| InviteError::Host)?;
                let port = match tail {
                    "" => None,
                    tail => Some(tail.strip_prefix(':').ok_or(InviteError::Host)?),
                };
                (host, port)
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:%".contains(c);
        if host.is_empty() || !host.chars().all(allowed) {
            return Err(InviteError::Host);
        }
        let port = port.map_or(Ok(DEFAULT_PORT), parse_port)?;
        Ok(Self { host: host.to_string(), port })
    }
}

fn parse_port(text: &str) -> Result<u16, InviteError> {
    // `u16::from_str` takes a sign, and no port has one.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).ok_or(InviteError::Port)
}

impl fmt::Display for HubAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// An invite (PROTOCOL.md, Invites).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Where the hub is.
    pub address: HubAddress,
    /// The hub's public key.
    pub hub_key: [u8; KEY_BYTES],
    /// The access secret; zeros for an open hub.
    pub access_secret: Secret<32>,
    /// What the hub asks of a newcomer, if anything.
    pub token: Option<Vec<u8>>,
}

/// Why a text is no invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// Another scheme, or none.
    #[error("an invite begins with sealgram://")]
    Scheme,
    /// The host is missing or has characters no host has.
    #[error("the invite names no usable host")]
    Host,
    /// The port is no number up to 65535.
    #[error("the port is not a number from 0 to 65535")]
    Port,
    /// The key is missing.
    #[error("the invite has no hub key (k=...); copy it whole")]
    KeyMissing,
    /// Key or secret are not 32 bytes, or a value is not base64url.
    #[error("the invite is damaged; copy it whole")]
    Value,
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        //= spec/PROTOCOL.md#invites
        //# A reader MUST refuse an invite without a key, with an empty host, with a port that is no number from
        //# 0 to 65535, or with a value that is not base64url.
        let rest = text.trim().strip_prefix(SCHEME).ok_or(InviteError::Scheme)?;
        let (address, query) = rest.split_once('?').ok_or(InviteError::KeyMissing)?;
        let address = address.strip_suffix('/').unwrap_or(address).parse()?;
        let (mut key, mut secret, mut token) = (None, None, None);
        //= spec/PROTOCOL.md#invites
        //# A reader MUST ignore a parameter it does not know; of a parameter that stands twice the last counts.
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "k" => key = Some(decode(value)?),
                "s" => secret = Some(decode(value)?),
                "t" => token = Some(decode(value)?),
                _ => {}
            }
        }
        let hub_key = exactly(&key.ok_or(InviteError::KeyMissing)?)?;
        let access_secret = secret.as_deref().map_or(Ok(OPEN_ACCESS_SECRET), exactly)?;
        Ok(Self { address, hub_key, access_secret: Secret::new(access_secret), token })
    }
}

fn decode(value: &str) -> Result<Vec<u8>, InviteError> {
    BASE64URL_NOPAD.decode(value.as_bytes()).map_err(|_| InviteError::Value)
}

fn exactly(bytes: &[u8]) -> Result<[u8; 32], InviteError> {
    //= spec/PROTOCOL.md#invites
    //# A reader MUST refuse an invite whose key or secret is not 32 bytes.
    bytes.try_into().map_err(|_| InviteError::Value)
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/?k={}", self.address, BASE64URL_NOPAD.encode(&self.hub_key))?;
        if *self.access_secret.expose() != OPEN_ACCESS_SECRET {
            write!(f, "&s={}", BASE64URL_NOPAD.encode(self.access_secret.expose()))?;
        }
        match &self.token {
            Some(token) => write!(f, "&t={}", BASE64URL_NOPAD.encode(token)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(address: &str) -> Invite {
        let access_secret = Secret::new([2; 32]);
        let address = address.parse().unwrap();
        Invite { address, hub_key: [1; 32], access_secret, token: Some(Vec::from(*b"room")) }
    }

    #[test]
    fn there_and_back() {
        for address in ["chat.example:7000", "192.0.2.1:5555", "[2001:db8::1]:5555"] {
            let invite = invite(address);
            assert_eq!(invite.to_string().parse(), Ok(invite));
        }
        assert_eq!(invite("[::1]").address.port, DEFAULT_PORT);
    }

    #[test]
    fn refusals() {
        let good = invite("host").to_string();
        //= spec/PROTOCOL.md#invites
        //= type=test
        //# A reader MUST ignore a parameter it does not know; of a parameter that stands twice the last counts.
        assert!(alloc::format!("{good}&x=1&y").parse::<Invite>().is_ok());
        let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        for (text, error) in [
            ("http://host/?k=", InviteError::Scheme),
            //= spec/PROTOCOL.md#invites
            //= type=test
            //# A reader MUST refuse an invite without a key, with an empty host, with a port that is no number
            //# from 0 to 65535, or with a value that is not base64url.
            ("sealgram://host/", InviteError::KeyMissing),
            ("sealgram://host/?s=AQ", InviteError::KeyMissing),
            //= spec/PROTOCOL.md#invites
            //= type=test
            //# A reader MUST refuse an invite whose key or secret is not 32 bytes.
            ("sealgram://host/?k=AQ", InviteError::Value),
            (&alloc::format!("sealgram://host/?k={key}&s=AQ"), InviteError::Value),
            (&alloc::format!("sealgram://host/?k={key}="), InviteError::Value),
            (&alloc::format!("sealgram:///?k={key}"), InviteError::Host),
            (&alloc::format!("sealgram://ho st/?k={key}"), InviteError::Host),
            (&alloc::format!("sealgram://host:70000/?k={key}"), InviteError::Port),
            (&alloc::format!("sealgram://[::1/?k={key}"), InviteError::Host),
        ] {
            assert_eq!(text.parse::<Invite>(), Err(error), "{text}");
        }
    }
}
