//! `dissect`, run on a file.

use super::build::program;
use super::process::run;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Runs `dissect` on a capture: its exit code and its report.
pub(crate) fn dissect(capture: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(program("dissect"));
    let (code, out, err) = run(command.arg(capture).args(["-T", "json"]).args(arguments));
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

/// The same without packets; panics with the findings when the exit code is another.
pub(crate) fn judge(capture: &Path, arguments: &[&str], expected: i32) -> Value {
    let (code, report) = dissect(capture, &[&["-q"], arguments].concat());
    let findings = serde_json::to_string_pretty(&report["findings"]).unwrap_or_default();
    assert_eq!(code, Some(expected), "{arguments:?}: {} {findings}", report["verdict"]["outcome"]);
    report
}
