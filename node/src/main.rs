//! `node`: the hub and the client of Sealgram.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = node::cli::Cli::parse();
    match node::run(cli) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
