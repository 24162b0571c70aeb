//! What EPHEMERAL frames say: worth nothing a moment later, and so never sent again.

use super::reader::{DecodeError, Reader};
use super::varint;
use alloc::vec::Vec;

const TYPING: u64 = 1;

/// An ephemeral message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ephemeral<'a> {
    /// Somebody is typing: the sender, or whom the hub names.
    Typing {
        /// The name; empty from a client.
        name: &'a str,
    },
    /// A message of a type this version does not know.
    Unknown,
}

impl<'a> Ephemeral<'a> {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if let Self::Typing { name } = self {
            varint::encode(TYPING, out);
            varint::encode_bytes(name.as_bytes(), out);
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// The field that does not decode.
    pub fn decode(message: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(message);
        //= spec/PROTOCOL.md#ephemeral-messages
        //# Its message is `type varint ‖ fields`; a receiver MUST ignore a message whose type it does not know, and
        //# bytes behind the fields it knows.
        match reader.varint("ephemeral type")? {
            TYPING => Ok(Self::Typing { name: reader.string("name")? }),
            _ => Ok(Self::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_and_what_is_ignored() {
        let mut out = Vec::new();
        Ephemeral::Typing { name: "ann" }.encode(&mut out);
        assert_eq!(Ephemeral::decode(&out), Ok(Ephemeral::Typing { name: "ann" }));
        //= spec/PROTOCOL.md#ephemeral-messages
        //= type=test
        //# Its message is `type varint ‖ fields`; a receiver MUST ignore a message whose type it does not know, and
        //# bytes behind the fields it knows.
        out.push(7);
        assert_eq!(Ephemeral::decode(&out), Ok(Ephemeral::Typing { name: "ann" }));
        assert_eq!(Ephemeral::decode(&[9, 1, 2]), Ok(Ephemeral::Unknown));
        assert!(Ephemeral::decode(&[1, 5, b'a']).is_err());
    }
}
