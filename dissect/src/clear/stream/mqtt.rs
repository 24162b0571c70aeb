//! MQTT 3.1, 3.1.1 and 5: log-ins, topics and payloads.

use crate::clear::body::{self, Coding, Kind};
use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Message, Name, Password, User};
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Gather, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::Fit;
use crate::clear::text::is_text;

/// What is kept of one packet, in bytes.
const PACKET_MAX_BYTES: usize = 16 << 10;

/// Reads MQTT.
#[derive(Debug, Default)]
pub(super) struct Mqtt {
    halves: [Half; 2],
    version: u8,
}

#[derive(Debug, Default)]
struct Half {
    first: u8,
    /// The remaining length as far as it was read, and the shift of its next byte.
    length: u64,
    shift: Option<u32>,
    packet: usize,
    rest: Option<Gather>,
}

/// Whether these are the first bytes of MQTT: a CONNECT with the protocol's name.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    if Fit::by_prefix(server, &[0x20]) == Fit::No {
        return Fit::No;
    }
    let Some((&0x10, rest)) = client.split_first() else {
        return if client.is_empty() { Fit::More } else { Fit::No };
    };
    let length_bytes = rest.iter().take(4).position(|byte| byte & 0x80 == 0);
    let Some(length_bytes) = length_bytes else {
        return if rest.len() < 4 { Fit::More } else { Fit::No };
    };
    let name = rest.get(length_bytes + 1..).unwrap_or_default();
    Fit::by_prefix(name, b"\x00\x04MQTT").or(|| Fit::by_prefix(name, b"\x00\x06MQIsdp"))
}

impl Speaker for Mqtt {
    fn protocol(&self) -> Protocol {
        Protocol::Mqtt
    }

    fn wants(&self, role: Role) -> Token {
        let rest = self.halves.get(role.index()).and_then(|half| half.rest.as_ref());
        rest.map_or(Token::Exactly(1), Gather::token)
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(half) = self.halves.get_mut(role.index()) else { return Next::Stay };
        if let Some(rest) = &mut half.rest {
            if rest.take(token) {
                let body = half.rest.take().map(Gather::into_bytes).unwrap_or_default();
                let (first, packet) = (half.first, std::mem::replace(&mut shelf.packet, half.packet));
                self.packet(first, &body, shelf);
                shelf.packet = packet;
            }
            return Next::Stay;
        }
        let byte = token.first().copied().unwrap_or(0);
        let Some(shift) = half.shift else {
            (half.first, half.length, half.shift, half.packet) = (byte, 0, Some(0), shelf.packet);
            return if byte >> 4 == 0 { Next::Stranger } else { Next::Stay };
        };
        half.length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 != 0 {
            half.shift = Some(shift + 7);
            return if shift >= 21 { Next::Stranger } else { Next::Stay };
        }
        half.shift = None;
        if half.length > 0 {
            half.rest = Some(Gather::new(half.length, PACKET_MAX_BYTES));
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(half) = self.halves.get_mut(role.index()) else { return false };
        match half.rest.as_mut().map(|rest| rest.skip(bytes)) {
            Some(Some(done)) => {
                if done {
                    half.rest = None;
                }
                true
            }
            _ => false,
        }
    }

    fn held_bytes(&self) -> usize {
        let rests = self.halves.iter().filter_map(|half| half.rest.as_ref());
        size_of::<Self>() + rests.map(Gather::held_bytes).sum::<usize>()
    }
}

impl Mqtt {
    fn packet(&mut self, first: u8, body: &[u8], shelf: &mut Shelf) {
        match first >> 4 {
            1 => {
                let _ = self.connect(body, shelf);
            }
            3 => {
                let _ = self.publish(first, body, shelf);
            }
            8 => {
                let _ = self.subscribe(body, shelf);
            }
            _ => {}
        }
    }

    /// Section 3.1 of MQTT 5. `None` when the packet ends too early.
    fn connect(&mut self, body: &[u8], shelf: &mut Shelf) -> Option<()> {
        let mut rest = body;
        string(&mut rest)?;
        let [version, flags, _, _] = *rest.first_chunk::<4>()?;
        rest = rest.get(4..)?;
        self.version = version;
        shelf.show("version", version.to_string());
        self.properties(&mut rest)?;
        shelf.secret(Name, string(&mut rest)?);
        if flags & 0x04 != 0 {
            self.properties(&mut rest)?;
            shelf.secret(Name, string(&mut rest)?);
            shelf.secret(Message, string(&mut rest)?);
        }
        if flags & 0x80 != 0 {
            shelf.secret(User, string(&mut rest)?);
        }
        if flags & 0x40 != 0 {
            shelf.secret(Password, string(&mut rest)?);
        }
        Some(())
    }

    /// Section 3.3 of MQTT 5.
    fn publish(&self, first: u8, body: &[u8], shelf: &mut Shelf) -> Option<()> {
        let mut rest = body;
        let topic = string(&mut rest)?;
        if first & 0x06 != 0 {
            rest = rest.get(2..)?;
        }
        self.properties(&mut rest)?;
        shelf.secret(Name, topic);
        if is_text(rest) {
            body::look(rest, &Kind::Other, Coding::Identity, shelf);
        } else {
            shelf.secret(Message, rest);
        }
        Some(())
    }

    /// Section 3.8 of MQTT 5.
    fn subscribe(&self, body: &[u8], shelf: &mut Shelf) -> Option<()> {
        let mut rest = body.get(2..)?;
        self.properties(&mut rest)?;
        while !rest.is_empty() {
            shelf.secret(Name, string(&mut rest)?);
            rest = rest.get(1..)?;
        }
        Some(())
    }

    /// Properties, which only version 5 has, are passed over; theirs is a variable length of up to 4 bytes.
    fn properties(&self, rest: &mut &[u8]) -> Option<()> {
        if self.version < 5 {
            return Some(());
        }
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21] {
            let (&byte, behind) = rest.split_first()?;
            *rest = behind;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                *rest = rest.get(length..)?;
                return Some(());
            }
        }
        None
    }
}

/// A string with its length in two bytes before it.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<2>()?;
    let (string, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = behind;
    Some(string)
}
