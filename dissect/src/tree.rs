//! What a packet consists of: byte spans of every field, each with its class.
//!
//! A [`Tree`] is built front to back and can neither overlap nor leave a gap, so that the ledger can
//! add up whole packets and notice when a byte was forgotten.

use std::ops::Range;

use serde::Serialize;

/// The class of a byte: what the ledger counts it as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A byte of the file that belongs to no packet.
    FileMeta,
    /// Link-layer header.
    L2,
    /// Bytes behind the network packet: Ethernet padding, frame check sequence.
    L2Trailer,
    /// Network header (IPv4, IPv6).
    L3,
    /// Network extension headers and options.
    L3Ext,
    /// Transport header (UDP).
    L4,
    /// A public field of a Sealgram header.
    Header,
    /// A header field under header protection.
    Masked,
    /// An X25519 key or an ML-KEM ciphertext: random, but not uniform.
    KeyShare,
    /// Bytes sealed by an AEAD.
    Ciphertext,
    /// The authentication tag of an AEAD.
    Tag,
    /// A message authentication code in clear.
    Mac,
    /// Random filling that carries nothing.
    Pad,
    /// A packet that is not Sealgram's.
    Foreign,
    /// A byte that could not be understood.
    Unparsed,
    /// A byte that was on the wire and is not in the file.
    Missing,
}

impl Class {
    /// Every class, in the order reports list them.
    pub const ALL: [Self; 16] = [
        Self::FileMeta,
        Self::L2,
        Self::L2Trailer,
        Self::L3,
        Self::L3Ext,
        Self::L4,
        Self::Header,
        Self::Masked,
        Self::KeyShare,
        Self::Ciphertext,
        Self::Tag,
        Self::Mac,
        Self::Pad,
        Self::Foreign,
        Self::Unparsed,
        Self::Missing,
    ];

    /// The name reports use, the same in text and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FileMeta => "file-meta",
            Self::L2 => "l2",
            Self::L2Trailer => "l2-trailer",
            Self::L3 => "l3",
            Self::L3Ext => "l3-ext",
            Self::L4 => "l4",
            Self::Header => "header",
            Self::Masked => "masked",
            Self::KeyShare => "key-share",
            Self::Ciphertext => "ciphertext",
            Self::Tag => "tag",
            Self::Mac => "mac",
            Self::Pad => "pad",
            Self::Foreign => "foreign",
            Self::Unparsed => "unparsed",
            Self::Missing => "missing",
        }
    }

    /// Whether the protocol promises these bytes to look uniformly random.
    #[must_use]
    pub const fn is_uniform(self) -> bool {
        matches!(self, Self::Masked | Self::Ciphertext | Self::Tag | Self::Mac | Self::Pad)
    }
}

/// One field of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// What the field is called, in the words of its specification.
    pub name: &'static str,
    /// What its bytes count as.
    pub class: Class,
    /// Offset of its first byte in the captured packet.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
}

impl Field {
    /// The bytes of the packet this field covers.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

/// The fields of one packet, from its first captured byte to its last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Tree {
    fields: Vec<Field>,
}

impl Tree {
    /// Adds a field of `len` bytes behind the last one; an empty field is left out.
    pub fn push(&mut self, name: &'static str, class: Class, len: usize) {
        if len > 0 {
            self.fields.push(Field { name, class, start: self.len(), len });
        }
    }

    /// Number of bytes the fields cover.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.last().map_or(0, |field| field.start + field.len)
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields, in packet order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The range of the first field of this name.
    #[must_use]
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        self.fields.iter().find(|field| field.name == name).map(Field::range)
    }

    /// Puts `parts` in the place of the one field that covers exactly `range`. Parts that do not fill
    /// the field leave the tree as it was.
    pub fn refine(&mut self, range: &Range<usize>, parts: &Self) {
        let Some(index) = self.fields.iter().position(|field| field.range() == *range) else { return };
        if parts.len() != range.len() {
            return;
        }
        let moved = parts.fields.iter().map(|part| Field { start: part.start + range.start, ..*part });
        self.fields.splice(index..=index, moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refined_field_is_covered_without_gap() {
        let mut tree = Tree::default();
        tree.push("ethernet", Class::L2, 14);
        tree.push("payload", Class::Foreign, 10);
        tree.push("trailer", Class::L2Trailer, 2);
        let mut parts = Tree::default();
        parts.push("first", Class::Header, 1);
        parts.push("sealed", Class::Ciphertext, 9);
        tree.refine(&(14..24), &parts);
        assert_eq!(tree.range("sealed"), Some(15..24));
        assert_eq!(tree.len(), 26);

        let unchanged = tree.clone();
        let mut short = Tree::default();
        short.push("first", Class::Header, 1);
        tree.refine(&(15..24), &short);
        assert_eq!(tree, unchanged, "parts that leave a gap are refused");
    }

    #[test]
    fn names_are_those_of_the_json() {
        for class in Class::ALL {
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{}\"", class.name()));
        }
    }
}
