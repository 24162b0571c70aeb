//! `dissect scan`: the cheap path, for files that are too long for the whole analysis.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::canary::CanaryArguments;
use super::shown;
use crate::canary::Canary;
use crate::scan::{self, Scanned, Sightings};
use crate::source::{DECOMPRESSED_BYTES_MAX, Source};

/// Places that are printed for each canary.
const PLACES_SHOWN: usize = 5;
const EXIT_FOUND: u8 = 1;
const EXIT_NOT_FOUND: u8 = 3;

const EXIT_CODES: &str = "\
Exit codes:
  1  found: a canary stands in the file
  2  wrong usage, or the file cannot be read
  3  not found, which proves nothing: other forms of the canaries were not looked for";

/// Search the raw bytes of a capture for texts as they are, at the speed of the disk.
///
/// Letters of either case are the same. A text that is found is a leak; that none is found is no verdict.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ScanArguments {
    /// The capture; `-` reads standard input.
    file: PathBuf,

    #[command(flatten)]
    canary: CanaryArguments,
}

impl ScanArguments {
    /// Scans, prints what was found, and returns the exit code.
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        let canaries = self.canary.read()?;
        let name = shown(&self.file);
        let scanned = if self.file.as_os_str() == "-" {
            scan::scan(io::stdin(), &canaries).context("standard input")?
        } else {
            scan::scan(open(&self.file)?, &canaries).with_context(|| name.clone())?
        };
        match self.print(&name, &canaries, &scanned) {
            // Whoever reads it has had enough; what was found stands.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(error).context("cannot write the result");
            }
            _ => {}
        }
        Ok(if scanned.found() { EXIT_FOUND } else { EXIT_NOT_FOUND })
    }

    fn print(&self, name: &str, canaries: &[Canary], scanned: &Scanned) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let (bytes, texts) = (scanned.bytes, canaries.len());
        writeln!(out, "SCAN {name}: {bytes} bytes searched for {texts} texts, either case")?;
        let places = self.places(scanned);
        for (canary, seen) in canaries.iter().zip(&scanned.sightings).filter(|(_, seen)| seen.count > 0) {
            let shown = first(seen).iter().filter_map(|offset| places.get(offset).map(String::as_str));
            let shown = shown.collect::<Vec<_>>().join(", ");
            writeln!(out, "  FOUND      {}: {} times, at {shown}", canary.label, seen.count)?;
        }
        if !scanned.found() {
            writeln!(out, "  NOT FOUND  as they are, in no packet and nowhere else in the file. This is no")?;
            writeln!(out, "             verdict: `dissect {name} --canary TEXT` looks for every other form")?;
        }
        out.flush()
    }

    /// The places that are shown, with the packets they are in where the source can be read again as a capture.
    fn places(&self, scanned: &Scanned) -> BTreeMap<u64, String> {
        let offsets: BTreeSet<u64> = scanned.sightings.iter().flat_map(first).copied().collect();
        let packets = self.packets(&offsets).unwrap_or_default();
        let place = |offset: u64| match packets.get(&offset).copied().flatten() {
            Some(number) => (offset, format!("byte {offset} (packet {number})")),
            None => (offset, format!("byte {offset}")),
        };
        offsets.into_iter().map(place).collect()
    }

    fn packets(&self, offsets: &BTreeSet<u64>) -> Option<BTreeMap<u64, Option<usize>>> {
        if offsets.is_empty() || !self.file.is_file() {
            return None;
        }
        let source = Source::of_file(File::open(&self.file).ok()?, DECOMPRESSED_BYTES_MAX, &()).ok()?;
        scan::packets_of(&source, offsets).ok()
    }
}

fn first(seen: &Sightings) -> &[u64] {
    seen.offsets.get(..PLACES_SHOWN).unwrap_or(&seen.offsets)
}

fn open(file: &Path) -> anyhow::Result<File> {
    File::open(file).with_context(|| format!("cannot open {}", shown(file)))
}
