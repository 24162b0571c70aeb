//! The shell around `node-proto`: what blocks, and what touches the machine.
//!
//! | module | what it is |
//! |---|---|
//! | [`cli`] | what was typed |
//! | [`hub`] | `node hub`: the hub's loop and the admin console |
//! | [`join`] | `node join`: the client's loop, line mode, trust |
//! | [`demo`] | `node demo`: a whole conversation over a bad link, and its verdict |
//! | [`net`] | sockets and the loop around them |
//! | [`log`] | the SQLite log and the thread it lives on |
//! | [`data`] | folders, identities and pins on disk |
//! | [`capture`], [`key_log`], [`qlog`] | evidence, when somebody asks for it |
//! | [`terminal`] | a person at a terminal, or lines in a pipe |
//! | [`clock`], [`entropy`] | the only clock and the only randomness |
//! | [`failure`], [`exit`] | what a person is told, and exit codes |

pub mod capture;
pub mod cli;
pub mod clock;
pub mod data;
pub mod demo;
pub mod entropy;
pub mod exit;
pub mod failure;
pub mod hub;
pub mod join;
pub mod key_log;
pub mod log;
pub mod net;
pub mod output;
pub mod qlog;
pub mod terminal;

use cli::{Cli, Command, TrustCommand};
use failure::Failure;
use std::process::ExitCode;

/// Does what was typed.
///
/// # Errors
/// [`Failure`]: what went wrong and what to do about it.
pub fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Hub(options) => hub::run(options),
        Command::Join(options) => join::run(options),
        Command::Demo(options) => demo::run(&options),
        Command::Trust(options) => match options.command {
            TrustCommand::List(place) => join::trust::list(&place),
            TrustCommand::Forget { hub, place } => join::trust::forget(&hub, &place),
        },
    }
}
