//! What tests of whole programs share: the programs themselves, running processes, a place for their files.

mod analyser;
mod build;
#[cfg(target_os = "linux")]
mod net;
mod place;
mod process;

pub(crate) use analyser::{dissect, judge};
pub(crate) use build::program;
#[cfg(target_os = "linux")]
pub(crate) use net::Net;
pub(crate) use place::{Hub, Place};
pub(crate) use process::{Ended, Line, Process, run};
