//! What the protocol's fields are: their names in filters, what their bytes count as, and what each may carry.
//!
//! The tables are made from `spec/fields.toml`, as are the fields of `spec/wireshark/sealgram.lua`: both name the
//! same things alike.

mod table;

use serde::Serialize;

use crate::tree::{Class, Tree};

pub use table::{FIELDS, HEADER_LONG_BITS, HEADER_SHORT_BITS, LAYOUTS};

/// A field of the protocol, or something that is known of a datagram from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FieldSpec {
    /// The name that filters use.
    pub name: &'static str,
    /// How its value is shown.
    pub shown: Shown,
    /// What its bytes count as; `None` for what is no byte of the wire.
    pub class: Option<Class>,
    /// What its values may be: `constant`, `counter`, `random-id` and so on.
    pub kind: &'static str,
    /// What a sender may choose there.
    pub budget: Budget,
    /// Its values and their names.
    #[serde(skip)]
    pub values: &'static [(u64, &'static str)],
    /// The section of PROTOCOL.md.
    pub section: &'static str,
    /// What it is for.
    pub purpose: &'static str,
}

/// How a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// True or false.
    Bool,
    /// A number in decimal.
    Decimal,
    /// A number in hexadecimal, in so many digits.
    Hexadecimal(usize),
    /// Bytes in hexadecimal.
    Bytes,
    /// Text.
    Text,
}

/// Bits a sender may choose without a break of PROTOCOL.md that somebody sees who has the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// For who has the capture alone.
    pub blind_bits: u32,
    /// For who has the key log too.
    pub keyed_bits: u32,
    /// How often.
    pub per: Per,
}

/// How often a budget may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// In every datagram that has the field.
    Datagram,
    /// Once: handshake datagrams are repeated byte for byte.
    Session,
    /// Whenever a connection id is new.
    Id,
}

/// The fields of a datagram, from its first byte to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Name of the datagram.
    pub message: &'static str,
    /// The fragment index, where the type has one.
    pub fragment: u8,
    /// Bytes of the datagram, where they are always the same.
    pub bytes: Option<usize>,
    /// As an observer sees it.
    pub parts: &'static [Part],
    /// As it is when the mask is removed, if it has one.
    pub opened: &'static [Part],
}

/// A field in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name that filters use.
    pub name: &'static str,
    /// What its bytes count as.
    pub class: Class,
    /// How long it is.
    pub len: Len,
}

/// The length of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Len {
    /// So many bytes.
    Bytes(usize),
    /// As many bytes as the packet number has.
    OfNumber,
    /// Everything up to so many bytes before the end.
    UpTo(usize),
}

/// The field with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static FieldSpec> {
    FIELDS.iter().find(|field| field.name == name)
}

/// The layout of a datagram.
#[must_use]
pub fn layout(message: &str, fragment: u8) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.message == message && layout.fragment == fragment)
}

/// A datagram of `len` bytes in these parts; `number_len` is what its packet number takes.
#[must_use]
pub fn tree(parts: &[Part], len: usize, number_len: usize) -> Tree {
    let mut tree = Tree::default();
    for part in parts {
        let len = match part.len {
            Len::Bytes(bytes) => bytes,
            Len::OfNumber => number_len,
            Len::UpTo(rest) => len.saturating_sub(tree.len()).saturating_sub(rest),
        };
        tree.push(part.name, part.class, len);
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::limits::BUCKETS_BYTES;

    #[test]
    fn every_layout_is_as_long_as_its_datagram() {
        for layout in &LAYOUTS {
            let buckets = BUCKETS_BYTES.map(|bucket| 9 + bucket + 16).to_vec();
            for len in layout.bytes.map_or(buckets, |bytes| vec![bytes]) {
                assert_eq!(tree(layout.parts, len, 0).len(), len, "{layout:?}");
                for number_len in (1..=4).filter(|_| !layout.opened.is_empty()) {
                    assert_eq!(tree(layout.opened, len, number_len).len(), len, "{layout:?}");
                }
            }
        }
    }

    #[test]
    fn what_stands_in_a_datagram_is_a_field_of_the_same_class() {
        for part in LAYOUTS.iter().flat_map(|layout| layout.parts.iter().chain(layout.opened)) {
            assert_eq!(find(part.name).map(|field| field.class), Some(Some(part.class)), "{part:?}");
        }
        for (name, _) in HEADER_LONG_BITS.iter().chain(&HEADER_SHORT_BITS) {
            assert!(find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_are_used_once_and_everything_has_a_purpose() {
        let names: std::collections::BTreeSet<_> = FIELDS.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), FIELDS.len());
        assert!(FIELDS.iter().all(|field| !field.purpose.is_empty() && !field.section.is_empty()));
        // Who has the keys sees more, and never less.
        let keyed = |field: &&FieldSpec| field.budget.keyed_bits > field.budget.blind_bits;
        let sealed = |field: &FieldSpec| field.class == Some(Class::Ciphertext);
        assert!(FIELDS.iter().filter(keyed).all(sealed), "only what is sealed is chosen unseen");
    }
}
