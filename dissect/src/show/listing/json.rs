//! `-T ndjson` and, for packets alone, `-T json`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::Listing;
use crate::render::ascii_json;
use crate::show::column;
use crate::show::field::{self, Field};
use crate::show::seen::Seen;
use crate::show::time::seconds;

/// Raised by one whenever a key changes its meaning or goes away.
pub(crate) const SCHEMA: u32 = 1;

/// One object for each packet: a line each, or the elements of `packets` of one document.
#[derive(Debug, Default)]
pub(crate) struct Json {
    /// The fields to print; none means all that occur, and the columns.
    pub(crate) fields: Vec<&'static Field>,
    /// Whether each packet is a line of its own.
    pub(crate) lines: bool,
    begun: bool,
}

impl Json {
    /// Prints these fields, each packet as a line of its own or not.
    pub(crate) const fn new(fields: Vec<&'static Field>, lines: bool) -> Self {
        Self { fields, lines, begun: false }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<u32>,
    number: usize,
    #[serde(flatten)]
    columns: Option<Columns<'a>>,
    fields: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Serialize)]
struct Columns<'a> {
    time: Option<String>,
    source: Option<String>,
    destination: Option<String>,
    protocol: String,
    length: u64,
    captured: usize,
    #[serde(rename = "type")]
    message: Option<&'static str>,
    info: &'a str,
}

impl Listing for Json {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.lines { Ok(()) } else { write!(out, "{{\"schema\":{SCHEMA},\"packets\":[") }
    }

    fn packet(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        let info = column::info(seen);
        let ends = seen.packet.dissection.ends;
        let columns = self.fields.is_empty().then(|| Columns {
            time: seen.clock.now_ns.map(seconds),
            source: ends.map(|ends| ends.0.to_string()),
            destination: ends.map(|ends| ends.1.to_string()),
            protocol: seen.protocol(),
            length: seen.packet.original_len,
            captured: seen.data.len(),
            message: seen.packet.message,
            info: &info,
        });
        let chosen: Vec<&Field> = if self.fields.is_empty() {
            // A protocol as a whole repeats what its fields say.
            field::all().filter(|field| field.name.contains('.')).collect()
        } else {
            self.fields.clone()
        };
        let values = |field: &&Field| {
            let values: Vec<String> =
                field.read(seen).iter().map(|occurrence| occurrence.value.to_string()).collect();
            (!values.is_empty()).then_some((field.name, values))
        };
        let fields = chosen.iter().filter_map(values).collect();
        let schema = self.lines.then_some(SCHEMA);
        let row = Row { schema, number: seen.packet.number, columns, fields };
        let text = serde_json::to_string(&row)?;
        if !self.lines {
            write!(out, "{}", if self.begun { ",\n" } else { "\n" })?;
        }
        self.begun = true;
        ascii_json(&text, out)?;
        if self.lines { writeln!(out) } else { Ok(()) }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.lines { Ok(()) } else { writeln!(out, "\n]}}") }
    }
}
