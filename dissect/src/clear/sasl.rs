//! Log-ins that several protocols share (RFC 4422), in the order their messages come.

use super::protocol::SecretKind::{Password, Proof, Token, User};
use super::shelf::Shelf;
use super::text::{base64, is_one_of, split_once, words};

/// A log-in in the making: what the client's next response means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sasl {
    /// None.
    #[default]
    None,
    /// RFC 4616.
    Plain,
    /// The user name of LOGIN comes.
    LoginUser,
    /// The password of LOGIN comes.
    LoginPassword,
    /// A bearer token (RFC 7628 and XOAUTH2).
    Bearer,
    /// Anything else: challenge and response.
    Challenge,
}

impl Sasl {
    /// A log-in with this mechanism begins.
    pub(super) fn begin(mechanism: &[u8]) -> Self {
        if mechanism.eq_ignore_ascii_case(b"PLAIN") {
            Self::Plain
        } else if mechanism.eq_ignore_ascii_case(b"LOGIN") {
            Self::LoginUser
        } else if is_one_of(mechanism, &["XOAUTH2", "OAUTHBEARER"]) {
            Self::Bearer
        } else {
            Self::Challenge
        }
    }

    /// Takes a response in base64, and says what the next one means.
    pub(super) fn respond(self, response: &[u8], shelf: &mut Shelf) -> Self {
        // RFC 4954 section 4: `=` is an empty response and `*` gives up.
        if response == b"*" {
            return Self::None;
        }
        let Some(decoded) = base64(response) else { return Self::None };
        match self {
            Self::None => Self::None,
            Self::Plain => {
                plain(&decoded, shelf);
                Self::None
            }
            Self::LoginUser => {
                shelf.secret(User, decoded);
                Self::LoginPassword
            }
            Self::LoginPassword => {
                shelf.secret(Password, decoded);
                Self::None
            }
            Self::Bearer => {
                shelf.secret(Token, decoded);
                Self::None
            }
            Self::Challenge => {
                challenge(&decoded, shelf);
                Self::Challenge
            }
        }
    }
}

/// RFC 4616: authorisation identity, user and password, with zero bytes between.
pub(super) fn plain(decoded: &[u8], shelf: &mut Shelf) {
    let mut parts = decoded.splitn(3, |byte| *byte == 0).skip(1);
    if let (Some(user), Some(password)) = (parts.next(), parts.next()) {
        shelf.secret(User, user);
        shelf.secret(Password, password);
    }
}

/// RFC 7617: user and password, with a colon between; the password may have more of them.
pub(super) fn basic(encoded: &[u8], shelf: &mut Shelf) {
    let Some(decoded) = base64(encoded) else { return };
    match split_once(&decoded, b':') {
        Some((user, password)) => {
            shelf.secret(User, user);
            shelf.secret(Password, password);
        }
        None => shelf.secret(Token, decoded),
    }
}

/// CRAM-MD5 (`user digest`), DIGEST-MD5 (`username="…",response=…`) and SCRAM (`n=user` … `p=proof`).
fn challenge(decoded: &[u8], shelf: &mut Shelf) {
    if let Some(user) = parameter(decoded, "username").or_else(|| parameter(decoded, "n")) {
        shelf.secret(User, user);
    }
    if let Some(proof) = parameter(decoded, "response").or_else(|| parameter(decoded, "p")) {
        shelf.secret(Proof, proof);
    }
    let mut two = words(decoded);
    if let (Some(user), Some(digest), None) = (two.next(), two.next(), two.next())
        && digest.len() == 32
    {
        shelf.secret(User, user);
        shelf.secret(Proof, digest);
    }
}

/// The value of `name=value` or `name="value"` in a list with commas between.
pub(super) fn parameter<'a>(list: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = list;
    while !rest.is_empty() {
        let (key, behind) = split_once(rest, b'=')?;
        let (value, behind) = match behind.strip_prefix(b"\"") {
            Some(quoted) => split_once(quoted, b'"').unwrap_or((quoted, b"")),
            None => split_once(behind, b',').unwrap_or((behind, b"")),
        };
        let key = key.rsplit(|byte| matches!(byte, b',' | b' ')).next().unwrap_or(key);
        if key.eq_ignore_ascii_case(name.as_bytes()) {
            return Some(value);
        }
        rest = behind;
    }
    None
}

/// `Authorization` of HTTP, SIP and RTSP (RFC 9110 section 11.6.2).
pub(super) fn authorization(value: &[u8], shelf: &mut Shelf) {
    let (scheme, rest) = super::text::first_word(value);
    if scheme.eq_ignore_ascii_case(b"Basic") {
        basic(rest, shelf);
    } else if scheme.eq_ignore_ascii_case(b"Digest") {
        shelf.secret(User, parameter(rest, "username").unwrap_or_default());
        shelf.secret(Proof, parameter(rest, "response").unwrap_or_default());
    } else {
        shelf.secret(Token, rest);
    }
}
