//! `dissect verify`: makes a judgement again and compares it with its manifest.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::{Given, progress::Terminal, shown};
use crate::analyse::examine;
use crate::manifest::{Inputs, Manifest};

/// Make a judgement again, from the capture and the files it was made with, and compare it with its manifest,
/// which knows the other options.
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
        let (given, digests) = self.given.read()?;
        let wanted = &manifest.inputs;
        for (what, expected, given) in [
            ("canaries", &wanted.digests.canaries, &digests.canaries),
            ("key logs", &wanted.digests.key_logs, &digests.key_logs),
            ("transcripts", &wanted.digests.transcripts, &digests.transcripts),
        ] {
            anyhow::ensure!(
                expected == given,
                "the manifest was made with {} {what}, in this order: give the same",
                expected.len()
            );
        }
        let terminal = Terminal::new(false);
        let source = super::source(&self.file, wanted.decompressed_max, &terminal)?;
        let report = examine(&source, &wanted.options(given), &terminal, &mut |_| {})?;
        terminal.clear();
        let again = Manifest::of(&report, Inputs { digests, ..wanted.clone() })?;
        let differences = manifest.differences(&again);
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
