//! `spec/fields.toml` is the one table of fields: what is made from it is compared with what is in the project.
//!
//! After a change of the table, `UPDATE=1 cargo test -p dissect --test fields` writes everything anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod lua;
mod markdown;
mod rust;
mod table;

use std::fs;
use std::path::Path;

use table::Table;

const UPDATE: &str = "UPDATE=1 cargo test -p dissect --test fields";

/// Compares a file of the project with what it should be, or makes it so.
fn compare(path: &str, expected: impl FnOnce(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let present = fs::read_to_string(&path).unwrap_or_default();
    let expected = expected(&present);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, expected).unwrap();
    } else {
        assert!(present == expected, "{} is not what spec/fields.toml says: run `{UPDATE}`", path.display());
    }
}

/// `text` with `content` between the lines `begin` and `end`.
fn between(text: &str, begin: &str, end: &str, content: &str) -> String {
    let (before, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no line {begin}"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("no line {end} behind {begin}"));
    format!("{before}{begin}\n{content}{end}{after}")
}

#[test]
fn the_table_of_dissect() {
    compare("dissect/src/fields/table.rs", |_| rust::table(&Table::read()));
}

#[test]
fn the_fields_of_the_wireshark_dissector() {
    compare("spec/wireshark/sealgram.lua", |text| {
        between(
            text,
            "-- made from fields.toml: begin",
            "-- made from fields.toml: end",
            &lua::block(&Table::read()),
        )
    });
}

#[test]
fn the_tables_of_the_protocol() {
    compare("spec/PROTOCOL.md", |text| {
        let table = Table::read();
        markdown::sections(&table).into_iter().fold(text.to_owned(), |text, (name, content)| {
            between(&text, &format!("<!-- fields: {name} -->"), "<!-- end of fields -->", &content)
        })
    });
}

#[test]
fn text_is_put_between_its_markers() {
    assert_eq!(between("a\n<\nold\n>\nb", "<", ">", "new\n"), "a\n<\nnew\n>\nb");
}
