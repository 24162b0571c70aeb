//! The tables of `PROTOCOL.md`.

use crate::table::{Bits, Field, Item, Len, Table, coding};

/// The content between each pair of markers, by its name.
pub(crate) fn sections(table: &Table) -> Vec<(&'static str, String)> {
    vec![
        ("long", long(table)),
        ("types", types(table)),
        ("short", short(table)),
        ("frames", items("frame", &table.frame)),
        ("messages", items("message", &table.message)),
        ("budget", budget(table)),
    ]
}

const PLACES: [&str; 5] = ["offset", "size", "field", "purpose", "an observer learns"];

fn rows(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule = format!("{}|\n", "|---".repeat(head.len()));
    rows.into_iter().fold(line(&head) + &rule, |text, row| text + &line(&row))
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn learns(field: &Field) -> String {
    field.learns.clone().unwrap_or_else(|| panic!("{}: what does an observer learn?", field.name))
}

/// The bits of a mask as they are counted, from 7 down to 0.
fn bit_range(mask: u8) -> String {
    match (7 - mask.leading_zeros(), mask.trailing_zeros()) {
        (high, low) if high == low => format!("bit {high}"),
        (high, low) => format!("bits {high}-{low}"),
    }
}

/// The form of LONG or of SHORT in binary.
fn form(table: &Table, name: &str) -> String {
    let values = table.values(table.find("form").unwrap());
    format!("`{:02b}`", values.iter().find(|(_, value)| value == name).unwrap().0)
}

fn long(table: &Table) -> String {
    let layout = &table.layouts(&table.datagram[0])[0];
    let header = table.header.long.len();
    let mut out = Vec::new();
    let mut offset = 0;
    for (at, (name, len)) in layout.iter().enumerate() {
        let Len::Bytes(len) = len else { panic!("{name} has no fixed length") };
        let field = table.find(name).unwrap();
        let row = |size: usize, name: String, purpose: &str, learns: String| {
            vec![offset.to_string(), size.to_string(), name, purpose.to_owned(), learns]
        };
        if at == 0 {
            let bits = |(name, mask): &Bits| match name.as_str() {
                "form" => format!("{} {}", bit_range(*mask), form(table, "LONG")),
                name => format!("{} {}", bit_range(*mask), words(name)),
            };
            let bits: Vec<String> = table.header.long_bits.iter().map(bits).collect();
            out.push(row(*len, words(name), &bits.join("; "), learns(table.find("type").unwrap())));
        } else if at < header || field.class == "mac" {
            out.push(row(*len, words(name), &field.purpose, learns(field)));
        } else if at == header {
            let macs = layout.iter().filter(|(name, _)| name.starts_with("mac")).count();
            let body = table.datagram[0].bytes.unwrap() - offset - 16 * macs;
            let nothing = "a key share or ciphertext, no content".to_owned();
            out.push(row(body, "body".to_owned(), "the type's own content", nothing));
        }
        offset += len;
    }
    rows(&PLACES, out)
}

fn types(table: &Table) -> String {
    let row = |datagram: &crate::table::Datagram| {
        let (code, body, bytes) = (datagram.code?, datagram.body.clone()?, datagram.bytes?);
        Some(vec![code.to_string(), datagram.name.clone(), datagram.from.clone(), bytes.to_string(), body])
    };
    rows(&["type", "name", "sent by", "length", "body"], table.datagram.iter().filter_map(row))
}

fn short(table: &Table) -> String {
    let mut out = Vec::new();
    for (name, mask) in &table.header.short_bits {
        let field = table.find(name).unwrap();
        let name = if name == "form" { format!("form {}", form(table, "SHORT")) } else { words(name) };
        out.push(vec!["0".to_owned(), bit_range(*mask), name, field.purpose.clone(), learns(field)]);
    }
    let datagram = table.datagram.iter().find(|datagram| datagram.name == "SHORT").unwrap();
    let (mut offset, mut behind_number) = (0, false);
    for (name, len) in &table.layouts(datagram)[1] {
        let field = table.find(name).unwrap();
        let place = if behind_number { format!("{offset} + n") } else { offset.to_string() };
        let (place, size) = match (len, len.rest()) {
            (Len::Bytes(_), _) if name == "first" => (String::new(), String::new()),
            (Len::Bytes(bytes), _) if behind_number => (format!("last {bytes}"), bytes.to_string()),
            (Len::Bytes(bytes), _) => (place, bytes.to_string()),
            (_, Some(_)) => (place, "...".to_owned()),
            _ => (place, "n = 1-4".to_owned()),
        };
        behind_number |= matches!(len, Len::Words(_));
        if let Len::Bytes(bytes) = len {
            offset += bytes;
        }
        if name != "first" {
            out.push(vec![place, size, words(name), field.purpose.clone(), learns(field)]);
        }
    }
    rows(&PLACES, out)
}

/// Frames or messages, and the fields of each in words.
fn items(what: &str, items: &[Item]) -> String {
    let row = |item: &Item| {
        vec![format!("0x{:02x}", item.code), item.name.clone(), in_words(item), item.from.clone()]
    };
    let mut out: Vec<_> = items.iter().map(row).collect();
    if what == "frame" {
        let words = ["0x40 and above", "extension", "length varint and that many bytes", "both"];
        out.push(words.map(str::to_owned).to_vec());
    }
    rows(&["type", what, "fields", "sent by"], out)
}

fn in_words(item: &Item) -> String {
    if let Some(note) = &item.note {
        return format!("none; {note}");
    }
    let mut words = item.fields.join(", ");
    if let Some(other) = &item.like {
        words = format!("the fields of {other}, then {words}");
    }
    if !item.repeat.is_empty() {
        let repeated: Vec<String> = item
            .repeat
            .iter()
            .map(|words| match coding(words) {
                (name, coding) if coding.starts_with('[') => format!("{name}{coding}"),
                (name, coding) => format!("{name} {coding}"),
            })
            .collect();
        words = format!("{words}, then count times {}", repeated.join(" and "));
    }
    words
}

/// What a sender may choose in clear, or unseen by who has the keys.
fn budget(table: &Table) -> String {
    let row = |field: &Field| {
        let [blind, keyed] = field.bits;
        let name = format!("`{}.{}`", table.prefix, field.name);
        vec![name, field.kind.clone(), blind.to_string(), keyed.to_string(), field.per.clone()]
    };
    let chosen = table.fields().iter().filter(|field| field.bits != [0, 0]);
    rows(&["field", "kind", "bits without keys", "bits with keys", "in each"], chosen.map(row))
}
