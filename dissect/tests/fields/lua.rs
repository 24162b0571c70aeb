//! The fields of the dissector for Wireshark, and what it decodes by.

use std::fmt::Write as _;

use crate::table::{Bits, Datagram, Field, Item, Len, Part, Table, coding};

/// Everything between the markers.
pub(crate) fn block(table: &Table) -> String {
    let mut out = String::from("local F = {\n");
    for field in table.fields() {
        writeln!(out, "  [\"{}\"] = {},", field.name, proto_field(table, field)).unwrap();
    }
    out.push_str("}\n\n-- The bits of the first byte: field and mask.\n");
    for (name, bits) in [("LONG_BITS", &table.header.long_bits), ("SHORT_BITS", &table.header.short_bits)] {
        writeln!(out, "local {name} = {{ {} }}", bits.iter().map(self::bits).collect::<Vec<_>>().join(", "))
            .unwrap();
    }
    out.push_str("\n-- The datagrams: field and length, \"number\" as the number is, negative: up to so many bytes before the end.\n");
    out.push_str("local LAYOUTS = {\n");
    table.datagram.iter().for_each(|datagram| out.push_str(&layout(table, datagram)));
    out.push_str("}\n\n-- Frames and control messages: group, sender, fields with their codings, and what stands `count` times.\n");
    for (name, items) in [("FRAMES", &table.frame), ("MESSAGES", &table.message)] {
        writeln!(out, "local {name} = {{").unwrap();
        items.iter().for_each(|item| out.push_str(&self::item(item, items)));
        out.push_str("}\n");
    }
    out
}

fn quoted(words: impl IntoIterator<Item = (String, String)>) -> String {
    let pair = |(name, coding): (String, String)| format!("{{ \"{name}\", {coding} }}");
    words.into_iter().map(pair).collect::<Vec<_>>().join(", ")
}

fn proto_field(table: &Table, field: &Field) -> String {
    let (group, last) = field.name.rsplit_once('.').unwrap_or(("", &field.name));
    let words = if last == "type" { format!("{group} type") } else { last.replace('_', " ") };
    let words = words.trim_start();
    let label = format!("{}{}", words[..1].to_uppercase(), &words[1..]);
    let values = table.values(field);
    let names: Vec<String> = values.iter().map(|(code, name)| format!("[{code}] = \"{name}\"")).collect();
    let names = if names.is_empty() { "nil".to_owned() } else { format!("{{ {} }}", names.join(", ")) };
    let (kind, rest) = match field.shown.as_str() {
        "bool" => ("bool", "base.NONE, nil, nil".to_owned()),
        "bytes" => ("bytes", "base.NONE".to_owned()),
        "string" => ("string", "base.UNICODE".to_owned()),
        number => {
            let base = if number.starts_with('x') { "base.HEX" } else { "base.DEC" };
            let mask = mask(table, &field.name);
            (int(&number[1..]), format!("{base}, {names}, {mask}"))
        }
    };
    format!(
        "ProtoField.{kind}(\"{}.{}\", \"{label}\", {rest}, \"{}\")",
        table.prefix, field.name, field.purpose
    )
}

fn int(bits: &str) -> &'static str {
    ["uint8", "uint16", "uint32", "uint64"].into_iter().find(|int| int[4..] == *bits).unwrap()
}

/// The bits of a field of the first byte.
fn mask(table: &Table, name: &str) -> String {
    let mut bits = table.header.long_bits.iter().chain(&table.header.short_bits);
    bits.find(|(own, _)| own == name).map_or("nil".to_owned(), |(_, mask)| format!("0x{mask:02x}"))
}

fn bits((name, mask): &Bits) -> String {
    format!("{{ \"{name}\", 0x{mask:02x} }}")
}

fn layout(table: &Table, datagram: &Datagram) -> String {
    let key = match datagram.code {
        Some(code) => format!("[{}]", u16::from(code) * 2 + u16::from(datagram.fragment)),
        None => "short".to_owned(),
    };
    let [parts, opened] = table.layouts(datagram);
    let part = |(name, len): Part| {
        let len = match (&len, len.rest()) {
            (Len::Bytes(bytes), _) => bytes.to_string(),
            (_, Some(rest)) => format!("-{rest}"),
            _ => "\"number\"".to_owned(),
        };
        (name, len)
    };
    let bytes = datagram.bytes.map_or(String::new(), |bytes| format!(" bytes = {bytes},"));
    let mut out = format!(
        "  {key} = {{ name = \"{}\", from = \"{}\",{bytes} {} }},\n",
        datagram.name,
        datagram.from,
        quoted(parts.into_iter().map(part))
    );
    if !opened.is_empty() {
        writeln!(out, "  opened = {{ {} }},", quoted(opened.into_iter().map(part))).unwrap();
    }
    out
}

fn item(item: &Item, all: &[Item]) -> String {
    let like = all.iter().find(|other| Some(&other.name) == item.like.as_ref());
    let split = |words: &String| {
        let (name, coding) = coding(words);
        let coding = coding.trim_matches(['[', ']']);
        (
            name.to_owned(),
            if coding.parse::<usize>().is_ok() { coding.to_owned() } else { format!("\"{coding}\"") },
        )
    };
    let own = quoted(item.fields.iter().map(split));
    let mut out = format!("  [0x{:02x}] = {{ name = \"{}\"", item.code, item.name);
    // What stands `count` times is behind the fields it is counted in, and before those of the frame like it.
    let shared = like.unwrap_or(item);
    if item.from != "both" {
        write!(out, ", from = \"{}\"", item.from.split(',').next().unwrap()).unwrap();
    }
    if let Some(group) = &item.group {
        write!(out, ", group = \"{group}\"").unwrap();
    }
    let fields = like.map_or(own.clone(), |like| quoted(like.fields.iter().map(split)));
    if !fields.is_empty() {
        write!(out, ", fields = {{ {fields} }}").unwrap();
    }
    if !shared.repeat.is_empty() {
        write!(out, ", repeated = {{ {} }}", quoted(shared.repeat.iter().map(split))).unwrap();
    }
    if like.is_some() {
        write!(out, ", behind = {{ {own} }}").unwrap();
    }
    out.push_str(" },\n");
    out
}
