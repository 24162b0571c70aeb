//! The programs under test. Cargo builds the programs of another package for nobody, so they are built here,
//! once, with the profile and in the target folder of the test that asks.

use std::path::PathBuf;
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
