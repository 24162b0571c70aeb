//! What tests of whole programs share: the programs themselves, running processes, a place for their files.

mod analyser;
mod build;
mod place;
mod process;

pub(crate) use analyser::{dissect, judge};
pub(crate) use build::program;
pub(crate) use place::{Hub, Place};
pub(crate) use process::{Ended, Process, run};
