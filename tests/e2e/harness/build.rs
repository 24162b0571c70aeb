//! The programs under test. `cargo test --workspace` builds them for the tests of their own packages. Where that
//! was not so, or is not so any more, they are built here, once, with the profile and in the target folder of the
//! test that asks; other features are chosen then, which builds half of everything again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

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

/// Whether a program is there and no source is newer.
fn is_fresh(folder: &Path, name: &str) -> bool {
    let program = modified(&folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources = ["Cargo.lock", "spec", "node", "dissect"].map(|source| newest(&root.join(source)));
    program.is_some_and(|program| sources.into_iter().flatten().all(|source| source <= program))
}

/// When the newest file of a folder was written, or the one file. Tests leave hidden files behind, which are no
/// source.
fn newest(path: &Path) -> Option<SystemTime> {
    let Ok(entries) = fs::read_dir(path) else { return modified(path) };
    let shown = entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    shown.filter_map(|entry| newest(&entry.path())).max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}
