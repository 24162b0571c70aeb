//! The program as its user meets it first. That this package has such a test makes cargo build the program, which
//! the system tests of the package `tests` run too.

use std::process::Command;

#[test]
fn the_program_names_itself_and_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_node")).arg("--version").output().unwrap();
    assert!(output.status.success());
    let expected = concat!("node ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
