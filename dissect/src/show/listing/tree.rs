//! The fields of a packet, protocol by protocol: `-V` and `-O`.

use std::io::{self, Write};
use std::ops::Range;

use crate::render::sanitise;
use crate::show::field::{self, Field, Occurrence};
use crate::show::layer::{Layer, Place};
use crate::show::seen::Seen;
use crate::show::value::{Kind, Value};

/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 64;

/// Which protocols are shown with their fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Details {
    /// None: one line a packet.
    #[default]
    None,
    /// All: `-V`.
    All,
    /// Those with these prefixes; the others are named: `-O`.
    Only(Vec<String>),
}

impl Details {
    fn has(&self, layer: Layer) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(prefixes) => prefixes.iter().any(|prefix| prefix == layer.prefix()),
        }
    }
}

/// Writes name, value, bytes, class and meaning of every field; then every byte with what it counts as.
pub(super) fn write(seen: &Seen<'_>, details: &Details, out: &mut dyn Write) -> io::Result<()> {
    for (index, place) in seen.places.iter().enumerate() {
        let earlier = seen.places.get(..index).unwrap_or_default();
        let repeat = earlier.iter().filter(|other| other.layer == place.layer).count();
        let next = seen.places.iter().skip(index + 1).find(|other| other.layer == place.layer);
        let end = next.map_or(place.range.end, |next| next.range.start);
        writeln!(out, "  {}, bytes {}..{}", place.layer.title(), place.range.start, place.range.end)?;
        if details.has(place.layer) {
            layer(seen, place, end, repeat == 0, out)?;
        }
    }
    if *details == Details::All {
        bytes(seen, out)?;
    }
    Ok(())
}

/// The fields of one header. Fields that no byte holds stand below the first header of their protocol.
fn layer(seen: &Seen<'_>, place: &Place, end: usize, is_first: bool, out: &mut dyn Write) -> io::Result<()> {
    if place.layer == Layer::Sealgram {
        for (name, occurrence) in seen.facts() {
            if let Some(field) = field::find(name) {
                line(seen, field, occurrence, out)?;
            }
        }
        return Ok(());
    }
    let is_own = |occurrence: &Occurrence<'_>| match &occurrence.range {
        Some(range) => (place.range.start..end).contains(&range.start),
        None => is_first,
    };
    let own = |field: &&Field| field.protocol() == place.layer.prefix() && field.kind != Kind::Protocol;
    for field in field::all().filter(own) {
        for occurrence in field.read(seen).iter().filter(|occurrence| is_own(occurrence)) {
            line(seen, field, occurrence, out)?;
        }
    }
    Ok(())
}

fn line(seen: &Seen<'_>, field: &Field, occurrence: &Occurrence<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut value = shortened(&occurrence.value.to_string());
    let number = match occurrence.value {
        Value::Number(number) | Value::Hex(number, _) => Some(number),
        _ => None,
    };
    let named = |number| field.values.iter().find(|(value, _)| *value == number);
    if let Some((_, name)) = number.and_then(named) {
        value = format!("{value} ({name})");
    }
    let place = occurrence.range.as_ref().map_or_else(String::new, |range| {
        format!(" [{}..{} {}]", range.start, range.end, class(seen, range))
    });
    writeln!(out, "    {:<30} {value}{place}  {}", field.name, field.meaning)
}

/// Every byte of the packet, whether a field names it or not.
fn bytes(seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  Bytes and what they count as")?;
    for part in seen.packet.dissection.tree.fields() {
        let range = part.range();
        writeln!(out, "    {:>5}..{:<5} {:<11} {}", range.start, range.end, part.class.name(), part.name)?;
    }
    for anomaly in &seen.packet.dissection.anomalies {
        writeln!(out, "    [{}] {}", anomaly.rule, sanitise(&anomaly.text))?;
    }
    Ok(())
}

fn class(seen: &Seen<'_>, range: &Range<usize>) -> &'static str {
    let fields = seen.packet.dissection.tree.fields().iter();
    let field = fields.into_iter().find(|field| field.range().contains(&range.start));
    field.map_or("missing", |field| field.class.name())
}

fn shortened(value: &str) -> String {
    let mut shown: String = value.chars().take(VALUE_CHARS_MAX).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    shown
}
