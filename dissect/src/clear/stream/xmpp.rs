//! XMPP (RFC 6120): a stream of XML without TLS.
//!
//! Tokens are the text before a tag and the tag itself, which is all of XML that is needed here.

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Address, Message, Password, Proof, User};
use crate::clear::sasl::Sasl;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};
use crate::clear::stream::tls::Tls;
use crate::clear::text::{contains, split_once, words};

/// Reads XMPP.
#[derive(Debug, Default)]
pub(super) struct Xmpp {
    sasl: Sasl,
    /// The element whose text comes next, in each direction.
    open: [Vec<u8>; 2],
}

/// Whether these are the first bytes of XMPP.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(stream_fits(client), stream_fits(server))
}

fn stream_fits(head: &[u8]) -> Fit {
    let xml = Fit::by_prefix(head, b"<?xml").or(|| Fit::by_prefix(head, b"<stream:stream"));
    if xml == Fit::Yes && !contains(head, "<stream:stream") { Fit::More } else { xml }
}

impl Speaker for Xmpp {
    fn protocol(&self) -> Protocol {
        Protocol::Xmpp
    }

    fn wants(&self, _role: Role) -> Token {
        Token::Tag
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let (text, tag) = split_once(token, b'<').unwrap_or((token, b""));
        let element = self.open.get_mut(role.index()).map(std::mem::take).unwrap_or_default();
        self.text(role, &element, text, shelf);
        let (name, attributes) = name_and_attributes(tag);
        match name {
            b"stream:stream" => shelf.show("domain", attribute(attributes, "to").unwrap_or_default()),
            b"auth" => self.sasl = Sasl::begin(attribute(attributes, "mechanism").unwrap_or_default()),
            b"message" | b"presence" | b"iq" => {
                for end in ["from", "to"] {
                    shelf.secret(Address, attribute(attributes, end).unwrap_or_default());
                }
            }
            b"proceed" if role == Role::Server => return Next::Become(Box::new(Tls::default())),
            b"failure" => self.sasl = Sasl::None,
            _ => {}
        }
        if let Some(open) = self.open.get_mut(role.index())
            && !name.starts_with(b"/")
            && !tag.ends_with(b"/")
        {
            *open = name.to_vec();
        }
        Next::Stay
    }

    fn held_bytes(&self) -> usize {
        256 + self.open.iter().map(Vec::capacity).sum::<usize>()
    }
}

impl Xmpp {
    /// The text of an element, up to its end or first child.
    fn text(&mut self, role: Role, element: &[u8], text: &[u8], shelf: &mut Shelf) {
        let text = text.trim_ascii();
        match element {
            b"auth" | b"response" if role == Role::Client && !text.is_empty() && text != b"=" => {
                self.sasl = self.sasl.respond(text, shelf);
            }
            b"body" | b"subject" | b"status" | b"nick" => shelf.secret(Message, text),
            b"username" => shelf.secret(User, text),
            b"password" => shelf.secret(Password, text),
            b"digest" => shelf.secret(Proof, text),
            _ => {}
        }
    }
}

fn name_and_attributes(tag: &[u8]) -> (&[u8], &[u8]) {
    let name = words(tag).next().unwrap_or_default();
    let attributes = tag.get(name.len()..).unwrap_or_default();
    (name.strip_suffix(b"/").filter(|name| !name.is_empty()).unwrap_or(name), attributes)
}

/// The value of an attribute, in either kind of quotes.
fn attribute<'a>(attributes: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = attributes;
    while let Some((key, behind)) = split_once(rest, b'=') {
        let (&quote, quoted) = behind.split_first()?;
        let (value, behind) = split_once(quoted, quote)?;
        if key.trim_ascii() == name.as_bytes() {
            return Some(value);
        }
        rest = behind;
    }
    None
}
