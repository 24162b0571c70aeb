//! The secrets to look for, as options.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::shown;
use crate::canary::{self, CANARIES_MAX, Canary, InputError};

/// Secrets that may not be found.
#[derive(Debug, Args)]
pub(super) struct CanaryArguments {
    /// A secret text that may not occur on the wire in any form; can be given more than once.
    #[arg(long = "canary", value_name = "TEXT", value_parser = Canary::from_text)]
    texts: Vec<Canary>,

    /// A file with one such secret a line; `hex:` and `b64:` stand before bytes, `text:` before a text that
    /// begins like one of these. Can be given more than once.
    #[arg(long = "canaries", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl CanaryArguments {
    /// The files they are read from.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// All of them, numbered: those on the command line first.
    pub(super) fn read(&self) -> anyhow::Result<Vec<Canary>> {
        let mut canaries = self.texts.clone();
        for file in &self.files {
            let name = shown(file);
            let bytes = fs::read(file).with_context(|| format!("cannot read {name}"))?;
            let read = canary::from_file(&bytes).with_context(|| name.clone())?;
            // An empty file is more likely the wrong one than a wish to search for nothing.
            anyhow::ensure!(!read.is_empty(), "{name} has no canary: write one a line");
            canaries.extend(read);
        }
        anyhow::ensure!(canaries.len() <= CANARIES_MAX, InputError::TooMany);
        Ok((1..).zip(canaries).map(|(number, canary)| canary.numbered(number)).collect())
    }
}
