//! `-T fields`: one line for each packet, as tshark prints it.

use std::io::{self, Write};

use super::Listing;
use crate::show::field::Field;
use crate::show::seen::Seen;

/// tshark's `-E`: what stands between fields and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    header: bool,
    separator: char,
    aggregator: char,
    occurrence: Occurrences,
    quote: Option<char>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occurrences {
    First,
    Last,
    All,
}

impl Default for Layout {
    fn default() -> Self {
        Self { header: false, separator: '\t', aggregator: ',', occurrence: Occurrences::All, quote: None }
    }
}

impl Layout {
    /// Reads the arguments of all `-E`.
    ///
    /// # Errors
    /// A sentence about the first that is not understood.
    pub(crate) fn parse<'a>(arguments: impl IntoIterator<Item = &'a String>) -> Result<Self, String> {
        let mut layout = Self::default();
        for argument in arguments {
            let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
            match (name, value) {
                ("header", "y" | "n") => layout.header = value == "y",
                ("separator", value) => layout.separator = character(value).ok_or_else(|| wrong(argument))?,
                ("aggregator", value) => {
                    layout.aggregator = character(value).ok_or_else(|| wrong(argument))?
                }
                ("occurrence", "f") => layout.occurrence = Occurrences::First,
                ("occurrence", "l") => layout.occurrence = Occurrences::Last,
                ("occurrence", "a") => layout.occurrence = Occurrences::All,
                ("quote", "d") => layout.quote = Some('"'),
                ("quote", "s") => layout.quote = Some('\''),
                ("quote", "n") => layout.quote = None,
                _ => return Err(wrong(argument)),
            }
        }
        Ok(layout)
    }

    /// The values of a field in one cell.
    pub(crate) fn cell(&self, field: &Field, seen: &Seen<'_>) -> String {
        let values: Vec<String> =
            field.read(seen).iter().map(|occurrence| occurrence.value.to_string()).collect();
        match self.occurrence {
            Occurrences::First => values.first().cloned().unwrap_or_default(),
            Occurrences::Last => values.last().cloned().unwrap_or_default(),
            Occurrences::All => values.join(&self.aggregator.to_string()),
        }
    }

    fn quoted(&self, cell: String) -> String {
        match self.quote {
            Some(quote) if !cell.is_empty() => {
                let doubled = format!("{quote}{quote}");
                format!("{quote}{}{quote}", cell.replace(quote, &doubled))
            }
            _ => cell,
        }
    }
}

/// A character, or tshark's names for those that are hard to type: `/t` and `/s`.
fn character(value: &str) -> Option<char> {
    match value {
        "/t" => Some('\t'),
        "/s" => Some(' '),
        value => value.chars().next().filter(|_| value.chars().count() == 1),
    }
}

fn wrong(argument: &str) -> String {
    format!(
        "-E {} is not understood: there are header=y|n, separator=/t|/s|C, aggregator=/s|C, occurrence=f|l|a and quote=d|s|n",
        crate::render::sanitise(argument)
    )
}

/// The chosen fields of each packet in one line.
#[derive(Debug)]
pub(crate) struct Fields {
    /// The fields, in the order of the columns.
    pub(crate) fields: Vec<&'static Field>,
    /// What stands between them.
    pub(crate) layout: Layout,
}

impl Listing for Fields {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.layout.header {
            return Ok(());
        }
        let names: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
        writeln!(out, "{}", names.join(&self.layout.separator.to_string()))
    }

    fn packet(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        let cell = |field: &&Field| self.layout.quoted(self.layout.cell(field, seen));
        let cells: Vec<String> = self.fields.iter().map(cell).collect();
        writeln!(out, "{}", cells.join(&self.layout.separator.to_string()))
    }
}
