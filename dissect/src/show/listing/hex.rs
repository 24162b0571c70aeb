//! The bytes of a packet, coloured by what they count as.

use std::io::{self, Write};

use crate::show::seen::Seen;
use crate::tree::Class;

const BYTES_A_LINE: usize = 16;

/// A text in the colour of a class, as SGR parameters of ECMA-48.
fn paint(text: &str, class: Class, colour: bool) -> String {
    if colour { format!("\x1b[{}m{text}\x1b[0m", parameters(class)) } else { text.to_owned() }
}

/// Grey for what carries us, blue and cyan for public fields, green for what is sealed, red for what nobody
/// understands.
const fn parameters(class: Class) -> &'static str {
    match class {
        Class::L2 | Class::L2Trailer | Class::L3 | Class::L3Ext | Class::L4 => "90",
        Class::Header => "34",
        Class::Masked => "36",
        Class::KeyShare => "35",
        Class::Ciphertext => "32",
        Class::Tag | Class::Mac => "92",
        Class::Pad => "2;32",
        Class::Foreign | Class::FileMeta => "33",
        _ => "31",
    }
}

/// What the colours mean.
pub(super) fn legend(out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = Class::ALL
        .iter()
        .filter(|class| !matches!(class, Class::FileMeta | Class::Missing))
        .map(|class| paint(class.name(), *class, true))
        .collect();
    writeln!(out, "colours: {}", names.join(" "))
}

/// The bytes in hexadecimal and, where they are printable, as text. Below stands which bytes count as what, so
/// that no colour is needed to read it.
pub(super) fn dump(seen: &Seen<'_>, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let classes = classes(seen);
    for (line, bytes) in (0..).zip(seen.data.chunks(BYTES_A_LINE)) {
        let start = line * BYTES_A_LINE;
        write!(out, "{start:04x} ")?;
        let class = |at: usize| classes.get(start + at).copied().unwrap_or(Class::Unparsed);
        for at in 0..BYTES_A_LINE {
            let gap = if at == BYTES_A_LINE / 2 { "  " } else { " " };
            match bytes.get(at) {
                Some(byte) => write!(out, "{gap}{}", paint(&format!("{byte:02x}"), class(at), colour))?,
                None => write!(out, "{gap}  ")?,
            }
        }
        write!(out, "   ")?;
        for (at, byte) in bytes.iter().enumerate() {
            let shown = if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
            write!(out, "{}", paint(&shown.to_string(), class(at), colour))?;
        }
        writeln!(out)?;
    }
    let mut runs: Vec<String> = Vec::new();
    for run in seen.packet.dissection.tree.fields().chunk_by(|a, b| a.class == b.class) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let text = format!("{} {:#06x}..{:#06x}", first.class.name(), first.start, last.range().end);
        runs.push(paint(&text, first.class, colour));
    }
    writeln!(out, "classes: {}", runs.join(", "))
}

/// The class of each byte.
fn classes(seen: &Seen<'_>) -> Vec<Class> {
    let fields = seen.packet.dissection.tree.fields().iter();
    fields.flat_map(|field| std::iter::repeat_n(field.class, field.len)).collect()
}
