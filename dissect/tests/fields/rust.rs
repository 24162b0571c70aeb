//! The table of `dissect`.

use std::fmt::Write as _;

use crate::UPDATE;
use crate::table::{Bits, Field, Len, Part, Table};

/// The whole file.
pub(crate) fn table(table: &Table) -> String {
    let mut out = format!("//! Made from `spec/fields.toml` by `{UPDATE}`.\n\n");
    out.push_str(
        "use super::{Budget, FieldSpec, Layout, Len, Part, Per, Shown};\nuse crate::tree::Class;\n\n",
    );
    for (name, text, bits) in [
        ("HEADER_LONG_BITS", "LONG", &table.header.long_bits),
        ("HEADER_SHORT_BITS", "SHORT", &table.header.short_bits),
    ] {
        writeln!(out, "/// The bits of the first byte of {text} datagrams.").unwrap();
        writeln!(out, "#[rustfmt::skip]\npub const {name}: [(&str, u8); {}] = [", bits.len()).unwrap();
        bits.iter().for_each(|bits| out.push_str(&self::bits(table, bits)));
        out.push_str("];\n\n");
    }
    out.push_str("/// The datagrams.\n#[rustfmt::skip]\n");
    writeln!(out, "pub const LAYOUTS: [Layout; {}] = [", table.datagram.len()).unwrap();
    for datagram in &table.datagram {
        let [parts, opened] = table.layouts(datagram);
        writeln!(
            out,
            "    Layout {{\n        message: \"{}\",\n        fragment: {},\n        bytes: {:?},\n        parts: &[\n{}        ],\n        opened: &[{}],\n    }},",
            datagram.name,
            datagram.fragment,
            datagram.bytes,
            self::parts(table, &parts),
            if opened.is_empty() { String::new() } else { format!("\n{}        ", self::parts(table, &opened)) },
        )
        .unwrap();
    }
    out.push_str("];\n\n/// Every field.\n#[rustfmt::skip]\n");
    writeln!(out, "pub const FIELDS: [FieldSpec; {}] = [", table.fields().len()).unwrap();
    table.fields().iter().for_each(|field| out.push_str(&self::field(table, field)));
    out.push_str("];\n");
    out
}

fn bits(table: &Table, (name, mask): &Bits) -> String {
    format!("    (\"{}.{name}\", 0x{mask:02x}),\n", table.prefix)
}

fn parts(table: &Table, parts: &[Part]) -> String {
    let part = |(name, len): &Part| {
        let class = class(&table.find(name).unwrap().class).unwrap();
        let len = match (len, len.rest()) {
            (Len::Bytes(bytes), _) => format!("Len::Bytes({bytes})"),
            (_, Some(rest)) => format!("Len::UpTo({rest})"),
            _ => "Len::OfNumber".to_owned(),
        };
        format!("            Part {{ name: \"{}.{name}\", class: {class}, len: {len} }},\n", table.prefix)
    };
    parts.iter().map(part).collect()
}

/// `None` for what is no byte of the wire.
fn class(name: &str) -> Option<String> {
    (name != "derived").then(|| format!("Class::{}", camel(name)))
}

fn camel(name: &str) -> String {
    let word = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
    name.split('-').map(word).collect()
}

fn shown(field: &Field) -> String {
    match (field.shown.as_str(), field.shown.split_at(1)) {
        ("bool", _) => "Shown::Bool".to_owned(),
        ("bytes", _) => "Shown::Bytes".to_owned(),
        ("string", _) => "Shown::Text".to_owned(),
        (_, ("u", _)) => "Shown::Decimal".to_owned(),
        (_, ("x", bits)) => format!("Shown::Hexadecimal({})", bits.parse::<usize>().unwrap() / 4),
        _ => panic!("{} has no type", field.name),
    }
}

fn field(table: &Table, field: &Field) -> String {
    let class = class(&field.class).map_or("None".to_owned(), |class| format!("Some({class})"));
    let [blind, keyed] = field.bits;
    format!(
        "    FieldSpec {{ name: \"{}.{}\", shown: {}, class: {class}, kind: \"{}\", budget: Budget {{ blind_bits: {blind}, keyed_bits: {keyed}, per: Per::{} }}, values: &{:?}, section: \"{}\", purpose: \"{}\" }},\n",
        table.prefix,
        field.name,
        shown(field),
        field.kind,
        camel(&field.per),
        table.values(field),
        field.section,
        field.purpose,
    )
}
