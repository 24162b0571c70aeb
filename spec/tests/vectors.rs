//! Every file of `spec/vectors` against this crate, in both directions.
//!
//! The files come from `make.py`, which was written from PROTOCOL.md alone: agreement is evidence. Names come
//! from the directory, never from here; an unknown category, key or `expect` fails, and nothing is written.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read is a failed test")]

#[path = "vectors/case.rs"]
mod case;
#[path = "vectors/codec.rs"]
mod codec;
#[path = "vectors/handshake.rs"]
mod handshake;
#[path = "vectors/ratchet.rs"]
mod ratchet;
#[path = "vectors/sealed.rs"]
mod sealed;
#[path = "vectors/show.rs"]
mod show;

use case::{Case, Verdict};
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;

type Check = fn(&Case) -> Verdict;

/// Category, how many files it has, and what holds the crate against one of them.
const CATEGORIES: [(&str, usize, Check); 15] = [
    ("datagram", 48, sealed::datagram),
    ("frame", 64, codec::frame),
    ("gate", 4, sealed::gate),
    ("handshake", 36, handshake::handshake),
    ("invite", 24, codec::invite),
    ("key-log", 13, codec::key_log),
    ("key-schedule", 2, sealed::key_schedule),
    ("long", 35, sealed::long),
    ("message", 56, codec::message),
    ("name", 22, codec::name),
    ("number", 21, codec::number),
    ("parameters", 17, codec::parameters),
    ("ratchet", 6, ratchet::ratchet),
    ("replay", 10, codec::replay),
    ("varint", 17, codec::varint),
];

/// What stands beside the categories.
const OTHERS: [&str; 3] = ["README.md", "make.py", "python"];

#[test]
fn every_file_agrees() {
    let mut failed = Vec::new();
    for (category, _, check) in CATEGORIES {
        for path in list(&vectors().join(category)) {
            if catch_unwind(|| Case::read(&path).judge(check)).is_err() {
                failed.push(path);
            }
        }
    }
    assert!(failed.is_empty(), "{} files disagree: {failed:#?}", failed.len());
}

#[test]
fn no_file_is_missing_or_unknown() {
    let found: BTreeSet<_> = list(&vectors()).iter().map(|path| name(path)).collect();
    let known = CATEGORIES.iter().map(|(category, ..)| (*category).to_owned());
    assert_eq!(found, known.chain(OTHERS.map(str::to_owned)).collect());
    for (category, count, _) in CATEGORIES {
        assert_eq!(list(&vectors().join(category)).len(), count, "files of {category}");
    }
}

#[test]
fn make_py_reproduces_every_file() {
    let mut make = Command::new("python3");
    match make.arg(vectors().join("make.py")).arg("--check").output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => println!("skipped: python3"),
    }
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
