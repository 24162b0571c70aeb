//! Named fields: what `-e`, `-Y`, `-V` and JSON call them, and how they are read from a packet.

use std::ops::Range;

use super::fields;
use super::layer::Layer;
use super::seen::Seen;
use super::value::{Kind, Value};

/// How many edits a name may be away from the one that is suggested for it.
const SUGGESTION_EDITS_MAX: usize = 4;

/// A value of a field in one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Occurrence<'a> {
    /// The value.
    pub(crate) value: Value<'a>,
    /// Its bytes in the captured packet; `None` for what is counted, derived or opened.
    pub(crate) range: Option<Range<usize>>,
}

impl<'a> Occurrence<'a> {
    /// A value that no bytes of the packet hold.
    pub(crate) const fn derived(value: Value<'a>) -> Self {
        Self { value, range: None }
    }
}

/// A named field.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name: tshark's, or `sealgram.` and the name in `spec/fields.toml`.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// What it means, for a person.
    pub(crate) meaning: &'static str,
    /// The names of its values, if they have names.
    pub(crate) values: &'static [(u64, &'static str)],
    /// How it is read.
    pub(super) read: Read,
}

/// Reads every occurrence in a packet.
pub(super) type Function = for<'a> fn(&Seen<'a>) -> Vec<Occurrence<'a>>;

/// How a field is read.
#[derive(Debug)]
pub(super) enum Read {
    /// From each header of a protocol.
    Header(HeaderPart),
    /// By its own function.
    Function(Function),
    /// From what our protocol's datagrams say.
    Sealgram,
}

/// A fixed place in a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderPart {
    pub(super) layer: Layer,
    /// Offset from the first byte of the header.
    pub(super) offset: usize,
    /// Length in bytes.
    pub(super) len: usize,
    /// The bits of the number that count; they are moved down to bit 0.
    pub(super) mask: u64,
    /// What the number counts in.
    pub(super) unit: u64,
    /// Digits in hexadecimal; 0 for decimal.
    pub(super) digits: usize,
}

impl Field {
    /// A number of `len` bytes at an offset of a header.
    pub(super) const fn number(
        name: &'static str,
        meaning: &'static str,
        layer: Layer,
        offset: usize,
        len: usize,
    ) -> Self {
        let part = HeaderPart { layer, offset, len, mask: u64::MAX, unit: 1, digits: 0 };
        Self { name, kind: Kind::Unsigned, meaning, values: &[], read: Read::Header(part) }
    }

    /// Bytes, or an address, at an offset of a header.
    pub(super) const fn fixed(
        name: &'static str,
        kind: Kind,
        meaning: &'static str,
        layer: Layer,
        offset: usize,
        len: usize,
    ) -> Self {
        Self { kind, ..Self::number(name, meaning, layer, offset, len) }
    }

    /// What a function reads.
    pub(super) const fn function(
        name: &'static str,
        kind: Kind,
        meaning: &'static str,
        function: Function,
    ) -> Self {
        Self { name, kind, meaning, values: &[], read: Read::Function(function) }
    }

    /// A field of our protocol.
    pub(super) const fn sealgram(
        name: &'static str,
        kind: Kind,
        meaning: &'static str,
        values: &'static [(u64, &'static str)],
    ) -> Self {
        Self { name, kind, meaning, values, read: Read::Sealgram }
    }

    /// Only these bits of the number.
    pub(super) const fn bits(mut self, mask: u64) -> Self {
        if let Read::Header(part) = &mut self.read {
            part.mask = mask;
        }
        self
    }

    /// One bit, true or false.
    pub(super) const fn flag(mut self, mask: u64) -> Self {
        self.kind = Kind::Bool;
        self.bits(mask)
    }

    /// A number that counts in units.
    pub(super) const fn times(mut self, unit: u64) -> Self {
        if let Read::Header(part) = &mut self.read {
            part.unit = unit;
        }
        self
    }

    /// A number that is printed with so many hexadecimal digits.
    pub(super) const fn hex(mut self, digits: usize) -> Self {
        if let Read::Header(part) = &mut self.read {
            part.digits = digits;
        }
        self
    }

    /// Every occurrence in a packet, in packet order.
    pub(crate) fn read<'a>(&self, seen: &Seen<'a>) -> Vec<Occurrence<'a>> {
        match &self.read {
            Read::Function(function) => function(seen),
            Read::Sealgram => {
                let own = seen.facts().iter().filter(|(name, _)| *name == self.name);
                own.map(|(_, occurrence)| occurrence.clone()).collect()
            }
            Read::Header(part) => {
                seen.headers(part.layer).filter_map(|header| part.read(self.kind, &header, seen)).collect()
            }
        }
    }

    /// The prefix of its name, which names its protocol.
    pub(crate) fn protocol(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }
}

impl HeaderPart {
    fn read<'a>(&self, kind: Kind, header: &Range<usize>, seen: &Seen<'a>) -> Option<Occurrence<'a>> {
        let start = header.start.checked_add(self.offset)?;
        let range = start..start.checked_add(self.len)?;
        if range.end > header.end {
            return None;
        }
        let bytes = seen.data.get(range.clone())?;
        let value = match kind {
            Kind::Mac => Value::Mac(bytes.try_into().ok()?),
            Kind::Ipv4 => Value::Ip(<[u8; 4]>::try_from(bytes).ok()?.into()),
            Kind::Ipv6 => Value::Ip(<[u8; 16]>::try_from(bytes).ok()?.into()),
            Kind::Bytes => Value::Bytes(bytes.into()),
            Kind::Bool => Value::Bool(self.value(bytes) != 0),
            _ if self.digits > 0 => Value::Hex(self.value(bytes), self.digits),
            _ => Value::Number(self.value(bytes)),
        };
        Some(Occurrence { value, range: Some(range) })
    }

    fn value(&self, bytes: &[u8]) -> u64 {
        let number = bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        let shift = self.mask.trailing_zeros().min(63);
        ((number & self.mask) >> shift).saturating_mul(self.unit)
    }
}

/// Every named field, protocol by protocol from the wire upwards.
pub(crate) fn all() -> impl Iterator<Item = &'static Field> {
    fields::TABLES.into_iter().flatten().chain(fields::sealgram::table())
}

/// The field of this name.
pub(crate) fn find(name: &str) -> Option<&'static Field> {
    all().find(|field| field.name == name)
}

/// The sentence for a name that no field has.
pub(crate) fn unknown(name: &str) -> String {
    let nearest = all()
        .map(|field| (strsim::damerau_levenshtein(name, field.name), field.name))
        .min()
        .filter(|(edits, _)| *edits <= SUGGESTION_EDITS_MAX.min(name.chars().count() / 2));
    let name = crate::render::sanitise(name);
    match nearest {
        Some((_, nearest)) => format!("there is no field \"{name}\"; did you mean \"{nearest}\"?"),
        None => format!("there is no field \"{name}\"; `-G fields` lists them all"),
    }
}
