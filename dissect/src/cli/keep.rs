//! Files that a judgement leaves behind: the page and the manifest.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::{progress::Terminal, shown};
use crate::excerpt;
use crate::html::{self, Picture};
use crate::manifest::{Inputs, Manifest};
use crate::report::Report;
use crate::source::Source;

/// What to keep of a judgement.
#[derive(Debug, Default, Args)]
pub(super) struct Keep {
    /// Write the report as one page, with plots, that needs no network and runs no script.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write a manifest: the digests of everything that went in, and the report. `dissect verify` makes it again.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Keep {
    /// Writes what was asked for.
    pub(super) fn write(
        &self,
        source: &Source,
        report: &Report,
        picture: &Picture,
        (inputs, exit_code): (Inputs, u8),
        terminal: &Terminal,
    ) -> anyhow::Result<()> {
        if let Some(path) = &self.html {
            let excerpts = excerpt::of(source, &report.findings, terminal)?;
            terminal.clear();
            write(path, |out| html::write(report, picture, &excerpts, out))?;
        }
        if let Some(path) = &self.report {
            let manifest = Manifest::of(report, inputs, exit_code)?;
            let text = serde_json::to_string_pretty(&manifest)?;
            write(path, |out| writeln!(out, "{text}"))?;
        }
        Ok(())
    }
}

fn write(
    path: &PathBuf,
    content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", shown(path));
    let mut out = BufWriter::new(File::create(path).with_context(cannot)?);
    content(&mut out).and_then(|()| out.flush()).with_context(cannot)
}
