//! `dissect FILE|-`: judges a packet capture. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(dissect::cli::run())
}
