//! The shape of the house: who may use whom, what may not be named where, and how large a room may be.

#![expect(clippy::unwrap_used, reason = "a tree that cannot be read is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file that holds one idea is shorter; this bound is there to be noticed, not to be filled.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&root().join(folder), &mut found);
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

fn tree(package: &str) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package]);
    let output = cargo.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The protocol and the endpoints do no I/O, read no clock and draw no random number: `no_std` forbids it to
/// them, and this forbids it to what they use.
#[test]
fn the_core_is_pure() {
    for (package, entry) in [("spec", "spec/src/lib.rs"), ("node-proto", "node/proto/src/lib.rs")] {
        let text = std::fs::read_to_string(root().join(entry)).unwrap();
        assert!(text.contains("#![no_std]"), "{package} is no_std");
        let tree = tree(package);
        for impure in ["getrandom", "mio", "socket2", "rusqlite", "tokio", "libc"] {
            let named = tree.lines().any(|line| line.split(' ').next() == Some(impure));
            assert!(!named, "{package} uses {impure}");
        }
    }
}

/// A connection knows no rooms, a room knows no packets, and hub and client do not know each other.
#[test]
fn the_arrows_point_one_way() {
    let forbidden: [(&str, &[&str]); 5] = [
        ("node/proto/src/connection", &["crate::hub", "crate::client", "log::Page", "Cursor"]),
        ("node/proto/src/client", &["crate::hub"]),
        ("node/proto/src/hub", &["crate::client"]),
        ("spec/src", &["node_proto", "std::net", "std::time", "std::fs"]),
        ("dissect/src", &["node_proto", "node::"]),
    ];
    for (folder, names) in forbidden {
        for (path, text) in rust_files(folder) {
            for name in names {
                let used =
                    text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(name));
                assert!(!used, "{} names {name}", path.display());
            }
        }
    }
    let room = std::fs::read_to_string(root().join("node/proto/src/hub/room.rs")).unwrap();
    assert!(!room.contains("Packer") && !room.contains("crate::connection"), "a room knows no packets");
}

#[test]
fn no_file_is_a_god_module() {
    for folder in ["spec", "node", "dissect", "fuzz", "tests"] {
        for (path, text) in rust_files(folder) {
            let lines = text.lines().count();
            assert!(lines <= LINES_MAX, "{} has {lines} lines: split it", path.display());
        }
    }
}

/// Every crate that stands in the lock file twice, and why. A new one wants a reason, a gone one goes from here.
const TWICE: [(&str, &str); 29] = [
    ("aead", ORACLE),
    ("aes", ORACLE),
    ("aes-gcm", ORACLE),
    ("bitflags", "smoltcp, which benchmarks race against, is a generation behind"),
    ("blake2", ORACLE),
    ("block-buffer", OPAQUE),
    ("chacha20", ORACLE),
    ("cipher", ORACLE),
    ("cpufeatures", OPAQUE),
    ("crypto-common", OPAQUE),
    ("ctr", ORACLE),
    ("curve25519-dalek", OPAQUE),
    ("digest", OPAQUE),
    ("fiat-crypto", OPAQUE),
    ("getrandom", ORACLE),
    ("ghash", ORACLE),
    ("hashbrown", MODELS),
    ("hkdf", OPAQUE),
    ("hmac", OPAQUE),
    ("inout", ORACLE),
    ("polyval", ORACLE),
    ("r-efi", ORACLE),
    ("rand", MODELS),
    ("rand_chacha", MODELS),
    ("rand_core", MODELS),
    ("sha2", OPAQUE),
    ("syn", "two generations of procedural macros: thiserror and clap are a step ahead of the rest"),
    ("universal-hash", ORACLE),
    ("windows-sys", "ring, under the QUIC that benchmarks race against, has an old one; on Windows only"),
];

/// Most of them come with the independent implementation of Noise that our own is tested against.
const ORACLE: &str = "snow, a development-only oracle, is a generation behind in its cryptography";
const OPAQUE: &str = "opaque-ke, the one implementation of OPAQUE that is well kept, is a generation behind in its cryptography";
const MODELS: &str = "stateright, which walks through the models of tests, is a generation behind";

#[test]
fn duplicate_versions_have_a_reason() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in lock.lines().filter_map(|line| line.strip_prefix("name = \"")) {
        *counts.entry(name.trim_end_matches('"')).or_default() += 1;
    }
    let twice: Vec<&str> = counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect();
    let excused: Vec<&str> = TWICE.iter().map(|(name, _)| *name).collect();
    assert_eq!(twice, excused);
}

#[test]
fn the_top_level_is_fixed() {
    let expected =
        ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "dissect", "fuzz", "node", "spec", "tests"];
    let entries = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.') && name != "target");
    names.sort();
    assert_eq!(names, expected);
}
