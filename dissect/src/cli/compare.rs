//! `dissect compare A B`: does what an observer sees depend on what was said?

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::shown;
use crate::compare::{ALPHA, Answer, Compared, Comparison, Observed, compare};
use crate::render::sanitise;
use crate::source::{DECOMPRESSED_BYTES_MAX, Source};

/// Observables that are listed.
const LISTED: usize = 20;

/// Compare captures of the same script with different contents: level E6.
///
/// Exit codes: 0 content-independent at this sample size, 1 something differs, 2 wrong usage or an unreadable
/// file, 3 not enough to compare.
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// A capture with one content and a capture with the other.
    #[arg(num_args = 2, value_names = ["A", "B"], required_unless_present = "a", conflicts_with_all = ["a", "b"])]
    files: Vec<PathBuf>,

    /// Captures with one content, in place of the two files.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "b")]
    a: Vec<PathBuf>,

    /// Captures with the other content, as many as with the first.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "a")]
    b: Vec<PathBuf>,

    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

impl Compare {
    /// Compares and prints; the exit code says what was found.
    pub(super) fn run(&self, out: &mut impl Write) -> anyhow::Result<u8> {
        let (a, b) = match self.files.as_slice() {
            [a, b] => (std::slice::from_ref(a), std::slice::from_ref(b)),
            _ => (self.a.as_slice(), self.b.as_slice()),
        };
        anyhow::ensure!(
            a.len() == b.len(),
            "{} captures of A and {} of B: give as many of each",
            a.len(),
            b.len()
        );
        let comparison = compare(&read(a)?, &read(b)?);
        let printed = if self.json { json(&comparison, out) } else { text(&comparison, out) };
        match printed {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("cannot write the comparison")
            }
            _ => Ok(exit_code(comparison.answer())),
        }
    }
}

fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Observed>> {
    let read = |path: &PathBuf| {
        let name = shown(path);
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let source = Source::of_file(file, DECOMPRESSED_BYTES_MAX, &()).with_context(|| name.clone())?;
        Observed::read(&source).with_context(|| name)
    };
    files.iter().map(read).collect()
}

const fn exit_code(answer: Answer) -> u8 {
    match answer {
        Answer::ContentIndependent => 0,
        Answer::Differs => 1,
        Answer::Inconclusive => 3,
    }
}

fn json(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    let answer = comparison.answer();
    let document = serde_json::json!({
        "schema": 1,
        "exit_code": exit_code(answer),
        "answer": answer,
        "comparison": comparison,
    });
    writeln!(out, "{document:#}")
}

fn text(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    let answer = match comparison.answer() {
        Answer::ContentIndependent => "content-independent at this sample size",
        Answer::Differs => "DIFFERS: what an observer sees depends on the content",
        Answer::Inconclusive => "INCONCLUSIVE: there is not enough to compare",
    };
    writeln!(out, "COMPARE {answer}")?;
    let ([a, b], [sessions_a, sessions_b]) = (comparison.captures, comparison.sessions);
    writeln!(out, "  captures   {a} and {b}, with {sessions_a} and {sessions_b} established sessions")?;
    writeln!(
        out,
        "  compared   {} observables; family-wise false-alarm rate {} %",
        comparison.compared.len(),
        100.0 * ALPHA
    )?;
    let differing: Vec<&Compared> = comparison.compared.iter().filter(|compared| compared.differs).collect();
    for compared in differing.iter().take(LISTED) {
        line("DIFFERS", compared, out)?;
    }
    if differing.len() > LISTED {
        writeln!(out, "  DIFFERS    and {} more", differing.len() - LISTED)?;
    }
    if let Some(strongest) = comparison.compared.first().filter(|_| differing.is_empty()) {
        line("strongest", strongest, out)?;
    }
    for (label, sentences) in [("detectable", &comparison.detectable), ("undecided", &comparison.undecided)] {
        for sentence in sentences {
            writeln!(out, "  {label:<10} {}", sanitise(sentence))?;
        }
    }
    Ok(())
}

fn line(label: &str, compared: &Compared, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "  {label:<10} {}: p = {:.2e}, {:.2e} for all together ({} samples)",
        compared.observable, compared.p_value, compared.adjusted_p_value, compared.samples
    )
}
