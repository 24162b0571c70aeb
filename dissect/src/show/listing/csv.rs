//! `-T csv`: RFC 4180, and harmless in a spreadsheet.

use std::io::{self, Write};

use super::{Layout, Listing};
use crate::show::column;
use crate::show::field::Field;
use crate::show::seen::Seen;
use crate::show::time::TimeFormat;

/// A header, then the chosen fields of each packet; without a choice the columns of the packet table.
#[derive(Debug)]
pub(crate) struct Csv {
    /// The fields, in the order of the columns.
    pub(crate) fields: Vec<&'static Field>,
    /// What stands between the values of a field.
    pub(crate) layout: Layout,
    /// How times are shown.
    pub(crate) time: TimeFormat,
}

impl Listing for Csv {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.fields.is_empty() {
            return line(column::NAMES, out);
        }
        line(self.fields.iter().map(|field| field.name), out)
    }

    fn packet(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        if self.fields.is_empty() {
            return line(column::row(seen, self.time), out);
        }
        line(self.fields.iter().map(|field| self.layout.cell(field, seen)), out)
    }
}

fn line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>, out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(text.as_ref())).collect();
    write!(out, "{}\r\n", cells.join(","))
}

/// Quotes what needs it. What a spreadsheet would take for a formula gets an apostrophe in front: the capture
/// chooses its texts (OWASP, "CSV Injection").
fn cell(text: &str) -> String {
    let is_number = text.parse::<f64>().is_ok();
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number && text != "-";
    let safe = if is_formula { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\n', '\r']) || is_formula {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        for (text, shown) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-1+1", "\"'-1+1\""),
            ("-0.5", "-0.5"),
            ("-", "-"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
