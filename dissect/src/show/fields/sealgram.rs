//! The fields of our protocol: the table of `spec/fields.toml`, and how each is read from a datagram.

use std::ops::Range;
use std::sync::LazyLock;

use spec::wire::entry::{Entry, EntryKind, Submission, split_target};
use spec::wire::frame::{Frames, Side};
use spec::wire::message::Message;

use super::frame::whole;
use super::frames;
use super::messages;
use crate::bytes::count;
use crate::fields::{FIELDS, FieldSpec, HEADER_LONG_BITS, HEADER_SHORT_BITS, Shown, find};
use crate::session::Kind as Datagram;
use crate::show::conversation::Said;
use crate::show::field::{Field, Occurrence};
use crate::show::layer::Layer;
use crate::show::seen::Seen;
use crate::show::value::{Kind, Value};

static TABLE: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let whole: Field =
        Field::function("sealgram", Kind::Protocol, "Sealgram", |seen| whole(Layer::Sealgram, seen));
    std::iter::once(whole).chain(FIELDS.iter().map(field)).collect()
});

/// The named fields, in the order of `spec/fields.toml`.
pub(crate) fn table() -> &'static [Field] {
    &TABLE
}

fn field(spec: &FieldSpec) -> Field {
    let kind = match spec.shown {
        Shown::Bool => Kind::Bool,
        Shown::Decimal | Shown::Hexadecimal(_) => Kind::Unsigned,
        Shown::Bytes => Kind::Bytes,
        Shown::Text => Kind::Text,
    };
    Field::sealgram(spec.name, kind, spec.purpose, spec.values)
}

/// Every field of our protocol in a packet, in packet order: what stands on the wire, what is known of the
/// datagram, and what the key log opened.
pub(crate) fn facts<'a>(seen: &Seen<'a>) -> Vec<(&'static str, Occurrence<'a>)> {
    let mut facts = Facts(Vec::new());
    if seen.packet.message.is_some() {
        wire(seen, &mut facts);
        derived(seen, &mut facts);
        opened(seen, &mut facts);
    }
    facts.0
}

/// The fields found so far. What is not in the table is left out: the table is the law.
pub(super) struct Facts<'a>(Vec<(&'static str, Occurrence<'a>)>);

impl<'a> Facts<'a> {
    pub(super) fn number(&mut self, name: &str, number: u64) {
        self.push(name, None, |shown| match shown {
            Shown::Hexadecimal(digits) => Value::Hex(number, digits),
            Shown::Bool => Value::Bool(number != 0),
            _ => Value::Number(number),
        });
    }

    /// Bytes, where there are any.
    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.push(name, None, |_| Value::Bytes(bytes.to_vec().into()));
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.push(name, None, |_| Value::Text(text.to_owned().into()));
    }

    /// Bytes of the packet itself.
    fn wire(&mut self, name: &str, range: Range<usize>, bytes: &'a [u8]) {
        let number = bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        self.push(name, Some(range), |shown| match shown {
            Shown::Bool => Value::Bool(number != 0),
            Shown::Decimal => Value::Number(number),
            Shown::Hexadecimal(digits) => Value::Hex(number, digits),
            Shown::Bytes => Value::Bytes(bytes.into()),
            Shown::Text => Value::Text(String::from_utf8_lossy(bytes)),
        });
    }

    fn push(&mut self, name: &str, range: Option<Range<usize>>, value: impl FnOnce(Shown) -> Value<'a>) {
        if let Some(spec) = find(name) {
            self.0.push((spec.name, Occurrence { value: value(spec.shown), range }));
        }
    }
}

/// What the tree of the packet names, and the bits of the first byte.
fn wire<'a>(seen: &Seen<'a>, facts: &mut Facts<'a>) {
    for part in seen.packet.dissection.tree.fields() {
        let Some(bytes) = seen.data.get(part.range()) else { continue };
        // Where the packet number is in clear the tree holds the masked bytes of it.
        if part.name != "sealgram.number" {
            facts.wire(part.name, part.range(), bytes);
        }
        if part.name == "sealgram.first" {
            first(seen, part.range(), bytes.first().copied().unwrap_or(0), facts);
        }
    }
}

fn first<'a>(seen: &Seen<'a>, range: Range<usize>, first: u8, facts: &mut Facts<'a>) {
    let is_short = seen.packet.message == Some(Datagram::Short.name());
    let bits = if is_short { HEADER_SHORT_BITS.as_slice() } else { HEADER_LONG_BITS.as_slice() };
    for (name, mask) in bits {
        // All but the form of a SHORT datagram is masked.
        if !is_short || *name == "sealgram.form" {
            let value = u64::from((first & mask) >> mask.trailing_zeros());
            facts.push(name, Some(range.clone()), |_| Value::Number(value));
        }
    }
}

fn derived<'a>(seen: &Seen<'a>, facts: &mut Facts<'a>) {
    facts.text("sealgram.message", seen.packet.message.unwrap_or_default());
    facts.number("sealgram.length", count(seen.payload().len()));
    if let Some(membership) = &seen.context.membership {
        facts.number("sealgram.session", count(membership.member.session));
        facts.text("sealgram.session.attempt_id", &membership.session.attempt());
        facts.text("sealgram.direction", if membership.member.from_client { "client" } else { "hub" });
    }
    facts.number("sealgram.opened", u64::from(seen.context.opened.is_some()));
    if let Some(packet) = seen.context.opened.and_then(|opened| opened.repeats) {
        facts.number("sealgram.repeats", count(packet));
    }
}

fn opened<'a>(seen: &Seen<'a>, facts: &mut Facts<'a>) {
    let Some(opened) = seen.context.opened else { return };
    if let Some(place) = opened.place {
        let number_len = seen.packet.dissection.tree.range("sealgram.number").map_or(0, |range| range.len());
        for (name, mask) in HEADER_SHORT_BITS.iter().filter(|(name, _)| *name != "sealgram.form") {
            facts.number(name, u64::from((place.first & mask) >> mask.trailing_zeros()));
        }
        let bits = u32::try_from(8 * number_len).unwrap_or(64);
        let mask = u64::MAX.checked_shl(bits).map_or(u64::MAX, |high| !high);
        facts.number("sealgram.number", place.number & mask);
        facts.number("sealgram.packet_number", place.number);
        facts.number("sealgram.epoch", place.epoch);
        facts.number("sealgram.generation", place.generation);
    }
    let side = if opened.from_client { Side::Client } else { Side::Hub };
    for frame in Frames::parse(&opened.plaintext, side).iter().flat_map(Frames::iter) {
        frames::facts(&frame, facts);
    }
    for said in &seen.said {
        match said {
            Said::Control(bytes) => {
                if let Ok(message) = Message::decode(bytes) {
                    messages::facts(&message, facts);
                }
            }
            Said::Submission(_, bytes) => submission(bytes, facts),
            Said::Entry(_, sequence, bytes) => entry(*sequence, bytes, facts),
        }
    }
}

fn submission(bytes: &[u8], facts: &mut Facts<'_>) {
    let Ok(submission) = Submission::decode(bytes) else { return };
    facts.bytes("sealgram.submission.id", &submission.id.0);
    facts.number("sealgram.submission.kind", submission.kind.code().into());
    let body = without_target("sealgram.submission.target", submission.kind, submission.body, facts);
    facts.text("sealgram.submission.text", &String::from_utf8_lossy(body));
}

fn entry(sequence: u64, bytes: &[u8], facts: &mut Facts<'_>) {
    let Ok(entry) = Entry::decode(bytes) else { return };
    facts.number("sealgram.entry.sequence", sequence);
    facts.number("sealgram.entry.author", entry.author);
    facts.bytes("sealgram.entry.id", &entry.id.0);
    facts.number("sealgram.entry.time", entry.time.0);
    facts.number("sealgram.entry.kind", entry.kind.code().into());
    facts.text("sealgram.entry.name", entry.name);
    let body = without_target("sealgram.entry.target", entry.kind, entry.body, facts);
    facts.text("sealgram.entry.text", &String::from_utf8_lossy(body));
}

/// The text behind the number of another entry, where there is one; the number is noted.
fn without_target<'b>(
    name: &'static str,
    kind: EntryKind,
    body: &'b [u8],
    facts: &mut Facts<'_>,
) -> &'b [u8] {
    match split_target(body) {
        Ok((target, text)) if kind.is_about_another() => {
            facts.number(name, target);
            text
        }
        _ => body,
    }
}
