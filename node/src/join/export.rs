//! Everything that was said in a room, in a file.

use super::moment;
use crate::failure::{Context, Failure};
use node_proto::log::Seq;
use serde_json::json;
use spec::wire::entry::{Entry, EntryKind, split_target};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// RFC 4180, for spreadsheets: what would be a formula there has an apostrophe in front.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// For people.
    Markdown,
}

impl Format {
    /// The format of a name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::Jsonl),
            "md" => Some(Self::Markdown),
            _ => None,
        }
    }
}

/// The columns, and the keys of the objects.
const COLUMNS: [&str; 7] = ["number", "time", "from", "kind", "about", "text", "id"];

/// What a kind is called; nothing for what is no person's.
pub(super) const fn kind_name(kind: EntryKind) -> Option<&'static str> {
    Some(match kind {
        EntryKind::Text => "text",
        EntryKind::Action => "action",
        EntryKind::Alert => "alert",
        EntryKind::Joined => "joined",
        EntryKind::Left => "left",
        EntryKind::Reply => "reply",
        EntryKind::Edit => "edit",
        EntryKind::Delete => "delete",
        EntryKind::React => "react",
        EntryKind::Deleted => "deleted",
        _ => return None,
    })
}

/// The number of the entry it is about, if it is, and its text.
pub(super) fn parts(entry: &Entry<'_>) -> (Option<u64>, String) {
    let (about, text) = match split_target(entry.body) {
        Ok((about, text)) if entry.kind.is_about_another() => (Some(about), text),
        _ => (None, entry.body),
    };
    (about, String::from_utf8_lossy(text).into_owned())
}

/// A file that is being written. It takes its place when it is whole, and is gone when it does not come to that.
#[derive(Debug)]
pub(super) struct Export {
    format: Format,
    path: PathBuf,
    file: BufWriter<tempfile::NamedTempFile>,
    entries: u64,
}

impl Export {
    /// Begins a file; one that is there stays as it is.
    pub(super) fn begin(format: Format, path: &Path, room: &str) -> Result<Self, Failure> {
        let shown = crate::output::visible(&path.display().to_string());
        if path.symlink_metadata().is_ok() {
            return Err(Failure::new(format!("{shown} exists")).advise("another file name"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(".export-").tempfile_in(folder);
        let file = file.context(format!("cannot write {shown}"))?;
        let mut export = Self { format, path: path.to_owned(), file: BufWriter::new(file), entries: 0 };
        export.head(room).context(format!("cannot write {shown}"))?;
        Ok(export)
    }

    fn head(&mut self, room: &str) -> std::io::Result<()> {
        match self.format {
            Format::Csv => write!(self.file, "{}\r\n", COLUMNS.join(",")),
            Format::Jsonl => Ok(()),
            Format::Markdown => writeln!(self.file, "# {}\n", escaped(room)),
        }
    }

    /// Writes entries.
    pub(super) fn write(&mut self, entries: &[(Seq, Vec<u8>)]) -> Result<(), Failure> {
        for (sequence, bytes) in entries {
            if let Ok(entry) = Entry::decode(bytes)
                && let Some(kind) = kind_name(entry.kind)
            {
                self.entry(*sequence, kind, &entry).context("cannot write what was said")?;
                self.entries += 1;
            }
        }
        Ok(())
    }

    fn entry(&mut self, sequence: Seq, kind: &str, entry: &Entry<'_>) -> std::io::Result<()> {
        let (about, text) = parts(entry);
        let (time, id) = (moment::rfc3339(entry.time), super::report::hex(&entry.id));
        match self.format {
            Format::Csv => {
                let about = about.map(|about| about.to_string()).unwrap_or_default();
                let number = sequence.0.to_string();
                let cells = [&number, &time, entry.name, kind, &about, &text, &id].map(cell);
                write!(self.file, "{}\r\n", cells.join(","))
            }
            Format::Jsonl => {
                let object = json!({"number": sequence.0, "time": time, "from": entry.name, "kind": kind,
                    "about": about, "text": text, "id": id});
                writeln!(self.file, "{object}")
            }
            Format::Markdown => {
                let about = about.map(|about| format!(", about #{about}")).unwrap_or_default();
                let name = escaped(entry.name);
                let text: Vec<String> = text.lines().map(escaped).collect();
                let text = text.join("<br>");
                writeln!(self.file, "- #{} {time} **{name}** ({kind}{about}): {text}", sequence.0)
            }
        }
    }

    /// Puts the file in its place; how many entries it has.
    pub(super) fn finish(self) -> Result<(u64, PathBuf), Failure> {
        let shown = crate::output::visible(&self.path.display().to_string());
        let cannot = || format!("cannot write {shown}");
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error).context(cannot())?;
        file.as_file().sync_all().context(cannot())?;
        file.persist_noclobber(&self.path).map_err(|error| error.error).context(cannot())?;
        Ok((self.entries, self.path))
    }
}

/// A cell of RFC 4180. A spreadsheet takes what begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a
/// formula: an apostrophe in front keeps it a text, and stands in front of such an apostrophe too, so that taking one
/// away gives back what was said.
fn cell(text: &str) -> String {
    let core = text.trim_start_matches('\'');
    let guard = if core.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains(['"', ',', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// A text that Markdown shows as it is, in one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in crate::output::visible(text).chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::time::UnixTime;
    use spec::wire::entry::{MessageId, about};

    fn entries() -> Vec<(Seq, Vec<u8>)> {
        let reply = about(1, "so, \"it\" is");
        let said: [(EntryKind, &str, &[u8]); 4] = [
            (EntryKind::Text, "ann", b"=1+2"),
            (EntryKind::Reply, "bob", &reply),
            (EntryKind::Text, "ann", b"two\nlines *here*"),
            (EntryKind::Account, "", b"never shown"),
        ];
        let encode = |(number, (kind, name, body)): (u64, (EntryKind, &str, &[u8]))| {
            let (id, time) = (MessageId([7; 16]), UnixTime(1_790_000_000_123));
            let mut bytes = Vec::new();
            Entry { author: 2, id, time, kind, name, body }.encode(&mut bytes);
            (Seq(number), bytes)
        };
        (1..).zip(said).map(encode).collect()
    }

    #[test]
    fn what_each_format_looks_like() {
        let folder = tempfile::tempdir().unwrap();
        for (name, format) in [("csv", Format::Csv), ("jsonl", Format::Jsonl), ("md", Format::Markdown)] {
            let path = folder.path().join(name);
            let mut export = Export::begin(format, &path, "dev").unwrap();
            export.write(&entries()).unwrap();
            assert_eq!(export.finish().unwrap(), (3, path.clone()));
            insta::assert_snapshot!(format!("export_{name}"), std::fs::read_to_string(&path).unwrap());
            let again = Export::begin(format, &path, "dev").unwrap_err().to_string();
            assert!(again.contains("exists"), "{again}");
        }
        // One that is not finished leaves nothing.
        drop(Export::begin(Format::Csv, &folder.path().join("x"), "dev").unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn cells_are_texts_and_can_be_undone() {
        for text in ["", "plain", "=1", "'=1", "''@x", "-", "a,b", "a\"b", "\tx", "it's", "'tis"] {
            let cell = cell(text);
            let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
            let shown = inner.map_or(cell.clone(), |inner| inner.replace("\"\"", "\""));
            assert!(!shown.starts_with(['=', '+', '-', '@', '\t', '\r']), "{text}");
            let is_guarded = shown.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r']);
            let undone = if is_guarded { &shown[1..] } else { &shown };
            assert_eq!(undone, text);
        }
    }
}
