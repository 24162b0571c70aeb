//! The command line of `dissect`.

mod calibrate;
mod canary;
mod clear;
mod compare;
mod keep;
mod progress;
mod read;
mod scan;
mod verify;

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::analyse::{Options, examine};
use crate::complete::ClientTranscript;
use crate::html::Picture;
use crate::manifest::{self, Digests, Inputs};
use crate::open::KeyLog;
use crate::render;
use crate::report::Report;
use crate::row::Row;
use crate::show::printer::Printer;
use crate::source::{DECOMPRESSED_BYTES_MAX, Source};
use crate::verdict::{Level, Outcome, Scope};
use calibrate::Calibrate;
use compare::Compare;
use keep::Keep;
use read::Reading;
use verify::Verify;

const EXIT_CODES: &str = "\
Levels of evidence, each including the ones before it:
  E0  coverage      the whole file was read and every byte has a class
  E1  conformance   every datagram of a session is legal, in a legal order
  E2  opacity       sealed bytes show no structure and no reuse
  E3  canary        no secret occurs in any form; the search proves itself in every run
  E4  sealed        every tag verifies under keys derived here from the key log
  E5  complete      every message opened is what the clients reported, word for word
  E6  differential  two captures with other contents cannot be told apart

A violation at any level refutes. A gap keeps its level, and those above it, from being reached.

Exit codes:
  0  PROVED at the required level
  1  REFUTED: a leak or a violation was found
  2  wrong usage, or the file cannot be read
  3  INCONCLUSIVE: the capture does not decide

  situation                                               exit   with --expect refuted
  sessions, all of them sound, up to the required level     0      1
  a secret found on the wire, in any flow                   1      0
  sealed bytes with structure, or that come again           1      0
  a datagram that breaks the protocol, a tag that fails     1      0
  no session, and a flow that anybody can read              1      0
  a foreign flow that anybody can read, with --scope all    1      0
  no session, and only flows of other sealed protocols      3      3
  an empty capture, or one without a whole session          3      3
  damaged, truncated or dropped packets                     3      3
  bytes, a link type or a block that is not understood      3      3
  more flows or sessions than are told apart                3      3
  a compressed file that breaks off, or is too long         3      3
  keys missing that the required level needs                3      3
  the search or the verification fails its own control      3      3
  no capture, a file compressed twice, a wrong option       2      2

Examples:
  dissect chat.pcapng
  dissect chat.pcapng.zst --canary 'the very secret text'
  tcpdump -w - udp port 5555 | dissect -
  dissect chat.pcapng --keylog keys.txt -T json
  dissect scan huge.pcap --canaries words.txt
  dissect chat.pcapng --keylog keys.txt --transcript ann.ndjson --transcript bob.ndjson
  dissect leaky.pcap --expect refuted
  dissect chat.pcapng --html report.html --report report.json
  dissect verify report.json chat.pcapng
  dissect compare --a one.pcap two.pcap --b three.pcap four.pcap
  dissect calibrate

Reading packets, as with tshark; the verdict stands in one line on standard error:
  dissect chat.pcapng -Y 'sealgram.type == INIT && frame.len > 1000' -V
  dissect chat.pcapng -T fields -e frame.number -e ip.src -e sealgram.message -E header=y
  dissect chat.pcapng --keylog keys.txt -T ndjson -Y 'sealgram.submission.text contains \"mill\"'
  dissect chat.pcapng -z io,phs -z conv,udp -z sealgram,handshake
  dissect chat.pcapng --keylog keys.txt --timeline
  dissect chat.pcapng --ladder
  dissect chat.pcapng --find text:'the very secret text'
  dissect -G fields";

/// Judge a packet capture: is everything that should be sealed, sealed?
#[derive(Debug, Parser)]
#[command(name = "dissect", version, after_long_help = EXIT_CODES, after_help = "See --help for exit codes and examples.")]
// tshark's -V is another thing than the version.
#[command(disable_version_flag = true)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// The capture, pcap or pcapng, compressed or not; `-` reads standard input.
    #[arg(required_unless_present_any = ["glossary", "statistics"])]
    file: Option<PathBuf>,

    #[command(flatten)]
    given: Given,

    #[command(flatten)]
    wanted: Wanted,

    #[command(flatten)]
    keep: Keep,

    /// How to print the report.
    #[arg(short = 'T', long = "type", value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Print the verdict and what it rests on, without packets, sessions and progress.
    #[arg(short, long, alias = "no-packets")]
    quiet: bool,

    /// Whether to use colours; without it, on a terminal and unless NO_COLOR is set.
    #[arg(long, alias = "colour", value_enum, default_value_t, value_name = "WHEN")]
    color: Color,

    /// Print the version.
    #[arg(long, action = ArgAction::Version)]
    version: Option<bool>,

    #[command(flatten)]
    reading: Reading,
}

/// What goes into a judgement beside the capture.
#[derive(Debug, Args)]
struct Given {
    #[command(flatten)]
    canary: canary::CanaryArguments,

    /// A key log of the programs that were captured, to open and verify everything; can be given more
    /// than once. What was said is then shown.
    #[arg(long = "keylog", value_name = "FILE")]
    key_logs: Vec<PathBuf>,

    /// What a client printed with `node join --json`, to compare with what was opened, word for word; can be
    /// given more than once, and should be given for every client.
    #[arg(long = "transcript", value_name = "FILE", requires = "key_logs")]
    transcripts: Vec<PathBuf>,
}

/// How to judge.
#[derive(Debug, Args)]
struct Wanted {
    #[command(flatten)]
    clear: clear::ClearArguments,

    /// The level of evidence to require. Without it: E2, E4 with a key log, or E5 with transcripts.
    #[arg(long, value_name = "LEVEL")]
    require: Option<Level>,

    /// Which flows are judged: those of Sealgram sessions (all flows where there are none), or all.
    #[arg(long, value_enum, default_value_t)]
    scope: Scope,

    /// The outcome for which to exit with 0. With `refuted`, for tests of leaking samples, 0 and 1 are exchanged.
    #[arg(long, value_enum, default_value_t)]
    expect: Expectation,

    /// The most that is decompressed of a gzip, zstd or lz4 file; the rest makes the verdict inconclusive.
    #[arg(long, value_name = "MIB", default_value_t = DECOMPRESSED_BYTES_MAX >> 20)]
    decompressed_max: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Expectation {
    #[default]
    Proved,
    Refuted,
}

/// What else the program does.
#[derive(Debug, Subcommand)]
enum Command {
    Calibrate(Calibrate),
    Scan(scan::ScanArguments),
    Verify(Verify),
    Compare(Compare),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The report for people; with options that read packets, the packet table.
    Text,
    /// The report as one document; with options that read packets, the packets as one.
    Json,
    /// Each packet as a JSON object in a line.
    Ndjson,
    /// Each packet as a row that spreadsheets read.
    Csv,
    /// The fields named by -e, as tshark prints them.
    Fields,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Color {
    Always,
    #[default]
    Auto,
    Never,
}

impl Color {
    fn is_on(self) -> bool {
        let has_no_color = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => io::stdout().is_terminal() && !has_no_color(),
        }
    }
}

/// Runs the program with the arguments of the process; returns its exit code.
#[must_use]
pub fn run() -> u8 {
    let arguments = Arguments::parse();
    let done = match (&arguments.command, &arguments.file) {
        (Some(Command::Calibrate(calibrate)), _) => {
            calibrate.run(&mut io::stdout().lock()).context("cannot write what was measured")
        }
        (Some(Command::Scan(scan)), _) => scan.run(),
        (Some(Command::Verify(verify)), _) => verify.run(&mut io::stdout().lock()),
        (Some(Command::Compare(compare)), _) => compare.run(&mut io::stdout().lock()),
        (None, file) => match (arguments.reading.lookup(), file) {
            (Some(text), _) => written(io::stdout().write_all(text.as_bytes())).map(|()| 0),
            (None, Some(file)) => judge(&arguments, file),
            (None, None) => Err(anyhow::anyhow!("no capture was given")),
        },
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
    // What is wrong with the options is said before a long file is read.
    arguments.request()?;
    let kept = arguments.keep.open(arguments.given.files().chain([file]))?;
    let (given, digests) = arguments.given.read()?;
    let options = arguments.wanted.options(given);
    let terminal = progress::Terminal::new(arguments.quiet);
    let source = source(file, arguments.wanted.decompressed_max, &terminal)?;
    let mut picture = Picture::default();
    let (report, printed) =
        print(arguments, &source, &options, &terminal, &mut picture).with_context(|| shown(file))?;
    let inputs = Inputs::of(&options, arguments.wanted.decompressed_max, digests);
    kept.write(&source, &report, &picture, inputs, &terminal)?;
    written(printed)?;
    Ok(arguments.wanted.exit_code(&report))
}

/// Whoever reads what is printed may have had enough of it; the verdict stands.
fn written(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write the report"),
    }
}

impl Given {
    /// Every file that is read.
    fn files(&self) -> impl Iterator<Item = &Path> {
        self.canary.files().iter().chain(&self.key_logs).chain(&self.transcripts).map(PathBuf::as_path)
    }

    /// Reads the files; what they hold, and what a manifest says of them.
    fn read(&self) -> anyhow::Result<(Options, Digests)> {
        let [key_logs, transcripts] = [texts(&self.key_logs)?, texts(&self.transcripts)?];
        let options = Options {
            canaries: self.canary.read()?,
            key_log: key_log(&key_logs)?,
            transcript: transcript(&transcripts)?,
            ..Options::default()
        };
        let digests = |texts: &[(String, String)]| {
            texts.iter().map(|(_, text)| manifest::digest(text.as_bytes())).collect()
        };
        let digests = Digests {
            canaries: options.canaries.iter().map(|canary| manifest::digest(&canary.secret)).collect(),
            key_logs: digests(&key_logs),
            transcripts: digests(&transcripts),
        };
        Ok((options, digests))
    }
}

/// The names of files, fit to be shown, and what they hold.
fn texts(files: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let read = |file: &PathBuf| {
        let name = shown(file);
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        Ok((name, text))
    };
    files.iter().map(read).collect()
}

/// All key logs as one; `None` when there is none.
fn key_log(files: &[(String, String)]) -> anyhow::Result<Option<KeyLog>> {
    let mut merged = KeyLog::default();
    for (name, text) in files {
        let log = KeyLog::parse(text).with_context(|| format!("{name} is no key log"))?;
        // An empty log is more likely the wrong file than one that was never written to.
        anyhow::ensure!(!log.is_empty(), "{name} is no key log: it has no line that begins with SGM1_");
        merged.merge(log);
    }
    Ok((!files.is_empty()).then_some(merged))
}

/// All transcripts as one; `None` when there is none.
fn transcript(files: &[(String, String)]) -> anyhow::Result<Option<ClientTranscript>> {
    let mut merged = ClientTranscript::default();
    for (name, text) in files {
        let transcript = ClientTranscript::parse(text).with_context(|| format!("{name} is no transcript"))?;
        merged.merge(transcript).with_context(|| format!("{name} does not fit the other transcripts"))?;
    }
    Ok((!files.is_empty()).then_some(merged))
}

/// A file name that cannot drive the terminal it is shown on.
fn shown(file: &Path) -> String {
    render::sanitise(&file.display().to_string())
}

/// The capture that is named.
fn source(file: &Path, decompressed_max: u64, terminal: &progress::Terminal) -> anyhow::Result<Source> {
    let max = decompressed_max.saturating_mul(1 << 20);
    if file.as_os_str() == "-" {
        return Source::spool(io::stdin().lock(), max, terminal).context("standard input");
    }
    let name = shown(file);
    let file = File::open(file).with_context(|| format!("cannot open {name}"))?;
    Source::of_file(file, max, terminal).context(name)
}

/// Judges the capture and prints the report while it is made; the report, and how the printing went.
fn print(
    arguments: &Arguments,
    source: &Source,
    options: &Options,
    terminal: &progress::Terminal,
    picture: &mut Picture,
) -> anyhow::Result<(Report, io::Result<()>)> {
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.reading.is_asked(arguments.format) {
        let mut printer = Printer::new(arguments.request()?, &mut out);
        let mut row = |row: &Row<'_>| {
            picture.take(row);
            printer.take(row);
        };
        let report = examine(source, options, terminal, &mut row)?;
        terminal.clear();
        let printed = printer.finish(&report.findings).and_then(|limits| {
            out.flush()?;
            let mut complaints = io::stderr();
            limits.iter().try_for_each(|limit| writeln!(complaints, "dissect: {limit}"))?;
            writeln!(complaints, "{}", render::headline(&report))
        });
        return Ok((report, printed));
    }
    match arguments.format {
        Format::Text | Format::Ndjson | Format::Csv | Format::Fields => {
            let style = render::Style { colour: arguments.color.is_on(), packets: !arguments.quiet };
            let mut text = render::Text::new(style, out);
            let mut row = |row: &Row<'_>| {
                picture.take(row);
                text.row(row);
            };
            let report = examine(source, options, terminal, &mut row)?;
            terminal.clear();
            let printed = text.finish(&report);
            Ok((report, printed))
        }
        Format::Json => {
            let mut json = render::Json::new(out);
            let mut row = |row: &Row<'_>| {
                picture.take(row);
                if !arguments.quiet {
                    json.row(row);
                }
            };
            let report = examine(source, options, terminal, &mut row)?;
            terminal.clear();
            let printed = json.finish(&report, arguments.wanted.exit_code(&report));
            Ok((report, printed))
        }
    }
}

impl Arguments {
    /// What is to be listed, with the options understood.
    fn request(&self) -> anyhow::Result<crate::show::printer::Request> {
        self.reading.request(self.format, self.quiet, self.color.is_on())
    }
}

impl Wanted {
    /// The options of the analysis, with what was given.
    fn options(&self, given: Options) -> Options {
        let (require, scope, show_secrets) = (self.require, self.scope, self.clear.show_secrets);
        Options { require, scope, show_secrets, ..given }
    }

    /// What the program ends with: see [`EXIT_CODES`].
    fn exit_code(&self, report: &Report) -> u8 {
        match (self.expect, report.verdict.outcome) {
            (Expectation::Refuted, Outcome::Refuted) => 0,
            (Expectation::Refuted, Outcome::Proved) => 1,
            (_, outcome) => outcome.exit_code(),
        }
    }
}
