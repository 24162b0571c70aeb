//! The programs under test. `cargo test --workspace` builds them for the tests of their own packages. Where that
//! was not so, or is not so any more, they are built here, once, with the profile and in the target folder of the
//! test that asks; other features are chosen then, which builds half of everything again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of the program `name`: `node` or `dissect`.
pub(crate) fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = FOLDER.get_or_init(build).as_ref().expect("the programs build");
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Builds them; the folder they are in, or nothing when they do not build.
fn build() -> Option<PathBuf> {
    let test = std::env::current_exe().expect("a test has a path");
    // TARGET/PROFILE/deps/NAME-HASH
    let folder = test.ancestors().nth(2).expect("a test lies in the target folder");
    if ["node", "dissect"].into_iter().all(|name| is_fresh(folder, name)) {
        return Some(folder.to_owned());
    }
    let target = folder.parent().expect("a profile lies in the target folder");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(profile) => profile,
        None => panic!("{} has no profile", folder.display()),
    };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "-p", "node", "-p", "dissect", "--bins", "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo starts");
    status.success().then(|| folder.to_owned())
}

/// Whether a program is there and no source is newer: cargo lists them beside it, as makefiles do.
fn is_fresh(folder: &Path, name: &str) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    let program = modified(&folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
    let sources = fs::read_to_string(folder.join(format!("{name}.d")));
    let (Ok(program), Ok(sources)) = (program, sources) else { return false };
    // A space in a path is behind a backslash; such a path is not found, and nothing counts as fresh.
    let mut paths = sources.split_whitespace().skip(1).map(Path::new);
    paths.all(|path| modified(path).is_ok_and(|source| source <= program))
}
