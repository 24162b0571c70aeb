//! The command line of `dissect`.

mod calibrate;
mod compare;

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};

use crate::analyse::{Options, analyse};
use crate::complete::ClientTranscript;
use crate::open::KeyLog;
use crate::render;
use crate::verdict::Level;
use calibrate::Calibrate;
use compare::Compare;

const EXIT_CODES: &str = "\
Levels of evidence, each including the ones before it:
  E0  coverage      the whole file was read and every byte has a class
  E1  conformance   every datagram of a session is legal, in a legal order
  E2  opacity       sealed bytes show no structure and no reuse
  E3  canary        no secret occurs in any form; the search proves itself in every run
  E4  sealed        every tag verifies under keys derived here from the key log
  E5  complete      what was opened is what the clients reported, word for word
  E6  differential  two captures with other contents cannot be told apart

Exit codes:
  0  PROVED at the required level
  1  REFUTED: a leak or a violation was found
  2  wrong usage, or the file cannot be read
  3  INCONCLUSIVE: empty, truncated, unsupported, unknown bytes, or no session

Examples:
  dissect chat.pcapng
  dissect chat.pcapng --canary 'the very secret text'
  tcpdump -w - udp port 5555 | dissect -
  dissect chat.pcapng --keylog keys.txt -T json
  dissect chat.pcapng --keylog keys.txt --transcript ann.ndjson --transcript bob.ndjson
  dissect calibrate
  dissect compare --a one.pcap two.pcap --b three.pcap four.pcap";

/// Judge a packet capture: is everything that should be sealed, sealed?
#[derive(Debug, Parser)]
#[command(name = "dissect", version, after_long_help = EXIT_CODES, after_help = "See --help for exit codes and examples.")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// The capture, pcap or pcapng; `-` reads standard input.
    #[arg(required = true)]
    file: Option<PathBuf>,

    /// A secret text that may not occur on the wire in any form; can be given more than once.
    #[arg(long = "canary", value_name = "TEXT", value_parser = not_empty)]
    canaries: Vec<String>,

    /// A key log of the programs that were captured, to open and verify everything; can be given more
    /// than once. What was said is then shown.
    #[arg(long = "keylog", value_name = "FILE")]
    key_logs: Vec<PathBuf>,

    /// What a client printed with `node join --json`, to compare with what was opened, word for word; can be
    /// given more than once, and should be given for every client.
    #[arg(long = "transcript", value_name = "FILE", requires = "key_logs")]
    transcripts: Vec<PathBuf>,

    /// The level of evidence to require. Without it: E2, E4 with a key log, or E5 with transcripts.
    #[arg(long, value_name = "LEVEL")]
    require: Option<Level>,

    /// How to print the report.
    #[arg(short = 'T', long = "type", value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Print the verdict and what it rests on, without packets and sessions.
    #[arg(short, long, alias = "no-packets")]
    quiet: bool,
}

/// What else the program does.
#[derive(Debug, Subcommand)]
enum Command {
    Calibrate(Calibrate),
    Compare(Compare),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn not_empty(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("an empty canary is everywhere") } else { Ok(text.to_owned()) }
}

/// Runs the program with the arguments of the process; returns its exit code.
#[must_use]
pub fn run() -> u8 {
    let arguments = Arguments::parse();
    let done = match (&arguments.command, &arguments.file) {
        (Some(Command::Calibrate(calibrate)), _) => {
            calibrate.run(&mut io::stdout().lock()).context("cannot write what was measured")
        }
        (Some(Command::Compare(compare)), _) => compare.run(&mut io::stdout().lock()),
        (None, Some(file)) => judge(&arguments, file),
        (None, None) => Err(anyhow::anyhow!("no capture was given")),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // Nothing can be done about a standard error that is closed.
            writeln!(io::stderr(), "dissect: {error:#}").ok();
            2
        }
    }
}

fn judge(arguments: &Arguments, file: &Path) -> anyhow::Result<u8> {
    let options = Options {
        canaries: arguments.canaries.clone(),
        key_log: key_log(&arguments.key_logs)?,
        transcript: transcript(&arguments.transcripts)?,
        require: arguments.require,
    };
    let name = shown(file);
    let report = if file.as_os_str() == "-" {
        analyse(io::stdin().lock(), &options).context("standard input")?
    } else {
        let file = File::open(file).with_context(|| format!("cannot open {name}"))?;
        analyse(file, &options).with_context(|| name.clone())?
    };
    let code = report.verdict.outcome.exit_code();
    match print(arguments, &report) {
        // Whoever reads the report has had enough of it; the verdict stands.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(code),
        Err(error) => Err(error).context("cannot write the report"),
        Ok(()) => Ok(code),
    }
}

/// All key logs as one; `None` when there is none.
fn key_log(files: &[PathBuf]) -> anyhow::Result<Option<KeyLog>> {
    let mut merged = KeyLog::default();
    for file in files {
        let name = shown(file);
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let log = KeyLog::parse(&text).with_context(|| format!("{name} is no key log"))?;
        // An empty log is more likely the wrong file than one that was never written to.
        anyhow::ensure!(!log.is_empty(), "{name} is no key log: it has no line that begins with SGM1_");
        merged.merge(log);
    }
    Ok((!files.is_empty()).then_some(merged))
}

/// All transcripts as one; `None` when there is none.
fn transcript(files: &[PathBuf]) -> anyhow::Result<Option<ClientTranscript>> {
    let mut merged = ClientTranscript::default();
    for file in files {
        let name = shown(file);
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let transcript =
            ClientTranscript::parse(&text).with_context(|| format!("{name} is no transcript"))?;
        merged.merge(transcript).with_context(|| format!("{name} does not fit the other transcripts"))?;
    }
    Ok((!files.is_empty()).then_some(merged))
}

/// A file name that cannot drive the terminal it is shown on.
fn shown(file: &Path) -> String {
    render::sanitise(&file.display().to_string())
}

fn print(arguments: &Arguments, report: &crate::Report) -> io::Result<()> {
    let stdout = io::stdout();
    let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut out = BufWriter::new(stdout.lock());
    match arguments.format {
        Format::Text => {
            let style = render::Style { colour, packets: !arguments.quiet };
            render::text(report, style, &mut out)?;
        }
        Format::Json => render::json(report, !arguments.quiet, &mut out)?,
    }
    out.flush()
}
