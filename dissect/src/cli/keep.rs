//! Files that a judgement leaves behind: the page and the manifest.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use tempfile::NamedTempFile;

use super::{progress::Terminal, shown};
use crate::excerpt;
use crate::html::{self, Picture};
use crate::manifest::{Inputs, Manifest};
use crate::report::Report;
use crate::source::Source;

/// What to keep of a judgement.
#[derive(Debug, Default, Args)]
pub(super) struct Keep {
    /// Write the report as one page, with plots, that needs no network and runs no script. Of the packets that
    /// findings name it shows the headers, and with --show-secrets all bytes.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write a manifest: the digests of everything that went in and of what was said, and the report. `dissect
    /// verify` makes it again.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Keep {
    /// Makes room for what was asked for, so that a place where nothing can be written is found out before a long
    /// file is read. Nothing that is read may be written over.
    pub(super) fn open<'a>(&self, read: impl Iterator<Item = &'a Path>) -> anyhow::Result<Kept> {
        let mut taken: Vec<PathBuf> = read.filter_map(|path| path.canonicalize().ok()).collect();
        let mut place = |path: &Option<PathBuf>| {
            let Some(path) = path else { return Ok(None) };
            let place = Place::at(path)?;
            anyhow::ensure!(
                !taken.contains(&place.path),
                "{} is read or written already: give another file to write to",
                shown(path)
            );
            taken.push(place.path.clone());
            anyhow::Ok(Some(place))
        };
        Ok(Kept { html: place(&self.html)?, report: place(&self.report)? })
    }
}

/// Where to keep it.
pub(super) struct Kept {
    html: Option<Place>,
    report: Option<Place>,
}

impl Kept {
    /// Writes what was asked for.
    pub(super) fn write(
        self,
        source: &Source,
        report: &Report,
        picture: &Picture,
        inputs: Inputs,
        terminal: &Terminal,
    ) -> anyhow::Result<()> {
        if let Some(place) = self.html {
            let excerpts = excerpt::of(source, &report.findings, inputs.show_secrets, terminal)?;
            terminal.clear();
            place.write(|out| html::write(report, picture, &excerpts, out))?;
        }
        if let Some(place) = self.report {
            let text = serde_json::to_string_pretty(&Manifest::of(report, inputs)?)?;
            place.write(|out| writeln!(out, "{text}"))?;
        }
        Ok(())
    }
}

/// A file to be written.
struct Place {
    /// Its name, without links and detours.
    path: PathBuf,
    target: Target,
}

enum Target {
    /// A file that takes its place when it is whole: whoever is there before stays there until then.
    Beside(NamedTempFile),
    /// A pipe or a device, which cannot be replaced.
    There(File),
}

impl Place {
    fn at(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot write {}", shown(path));
        let name = path.file_name().with_context(|| format!("{}: it is no file", cannot()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let whole = path
            .canonicalize()
            .or_else(|_| folder.canonicalize().map(|folder| folder.join(name)))
            .with_context(cannot)?;
        let is_special = whole.metadata().is_ok_and(|metadata| !metadata.is_file());
        let target = if is_special {
            Target::There(File::options().write(true).open(&whole).with_context(cannot)?)
        } else {
            Target::Beside(beside(whole.parent().unwrap_or(folder)).with_context(cannot)?)
        };
        Ok(Self { path: whole, target })
    }

    fn write(self, content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> anyhow::Result<()> {
        let put = |file: &File| {
            let mut out = BufWriter::new(file);
            content(&mut out).and_then(|()| out.flush())
        };
        let done = match self.target {
            Target::There(file) => put(&file),
            Target::Beside(file) => put(file.as_file())
                .and_then(|()| file.persist(&self.path).map(drop).map_err(|error| error.error)),
        };
        done.with_context(|| format!("cannot write {}", shown(&self.path)))
    }
}

/// A file in `folder` with the rights that any new file has.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(".dissect-").tempfile_in(folder)
}
