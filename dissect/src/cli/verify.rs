//! `dissect verify`: makes a judgement again and compares it with its manifest.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::{Given, progress::Terminal, shown};
use crate::analyse::examine;
use crate::manifest::Manifest;

/// Make a judgement again, from the capture and the files it was made with, and compare it with its manifest.
///
/// Exits with 0 when everything is the same, and with 1 when something is not.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// What `dissect --report` wrote.
    manifest: PathBuf,

    /// The capture it is about.
    file: PathBuf,

    #[command(flatten)]
    given: Given,
}

impl Verify {
    pub(super) fn run(&self, out: &mut impl Write) -> anyhow::Result<u8> {
        let name = shown(&self.manifest);
        let text = fs::read_to_string(&self.manifest).with_context(|| format!("cannot read {name}"))?;
        let manifest: Manifest =
            serde_json::from_str(&text).with_context(|| format!("{name} is no manifest"))?;
        let (mut options, mut inputs) = self.given.read()?;
        (options.require, options.scope) = (Some(manifest.inputs.require), manifest.inputs.scope);
        (inputs.require, inputs.scope) = (manifest.inputs.require, manifest.inputs.scope);
        for (what, expected, given) in [
            ("canaries", &manifest.inputs.canaries, &inputs.canaries),
            ("key logs", &manifest.inputs.key_logs, &inputs.key_logs),
            ("transcripts", &manifest.inputs.transcripts, &inputs.transcripts),
        ] {
            anyhow::ensure!(
                expected == given,
                "the manifest was made with {} {what}, in this order: give the same",
                expected.len()
            );
        }
        let terminal = Terminal::new(false);
        let source = super::source(&self.file, self.given.decompressed_max, &terminal)?;
        let report = examine(&source, &options, &terminal, &mut |_| {})?;
        terminal.clear();
        let code = self.given.exit_code(&report);
        let differences = manifest.differences(&Manifest::of(&report, inputs, code)?);
        say(out, &differences).context("cannot write the result")?;
        Ok(u8::from(!differences.is_empty()))
    }
}

fn say(out: &mut impl Write, differences: &[String]) -> io::Result<()> {
    for difference in differences {
        writeln!(out, "{}", crate::render::sanitise(difference))?;
    }
    let verdict = if differences.is_empty() { "SAME: the judgement was made again" } else { "DIFFERENT" };
    writeln!(out, "{verdict}")
}
