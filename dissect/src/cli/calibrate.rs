//! `dissect calibrate`: what the error rates of the statistics are, measured here and now.

use std::io::{self, Write};

use clap::Args;

use crate::calibrate::{FalseAlarms, Power};

/// Measure false alarms on random captures, and the leaks that are found.
#[derive(Debug, Args)]
pub(super) struct Calibrate {
    /// How many captures of random payloads to judge.
    #[arg(long, value_name = "COUNT", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    captures: u64,

    /// The seed of all random bytes; the same seed gives the same numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many leaks of each kind to try.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    trials: u64,

    /// Measure the leaks only.
    #[arg(long)]
    power: bool,
}

impl Calibrate {
    /// Measures and prints; the exit code is 1 when a bound is broken.
    pub(super) fn run(&self, out: &mut impl Write) -> io::Result<u8> {
        let mut holds = true;
        if !self.power {
            let measured = FalseAlarms::measure(self.captures, self.seed);
            false_alarms(&measured, self.seed, out)?;
            holds &= measured.hold();
        }
        let measured = Power::measure(self.trials, self.seed);
        power(&measured, self.trials, out)?;
        holds &= measured.suffices();
        writeln!(out, "{}", if holds { "every bound holds" } else { "A BOUND IS BROKEN" })?;
        Ok(u8::from(!holds))
    }
}

fn false_alarms(measured: &FalseAlarms, seed: u64, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "false alarms in {} captures of random payloads ({} packets, {} bytes, seed {seed})",
        measured.captures, measured.packets, measured.bytes
    )?;
    writeln!(out, "  threshold  captures  allowed (99.9 % of a binomial distribution; none at the default)")?;
    for rate in measured.rates() {
        let sign = if rate.alarms <= rate.allowed { "" } else { "  BROKEN" };
        writeln!(out, "  2^-{:<6}  {:>8}  {:>7}{sign}", rate.threshold_bits, rate.alarms, rate.allowed)?;
    }
    writeln!(out, "  reuse      {:>8}  {:>7}", measured.reuse, 0)?;
    writeln!(out)
}

fn power(measured: &Power, trials: u64, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "leaks found at the default 2^-20, in % of {trials} trials")?;
    writeln!(
        out,
        "  16 bytes of lower-case English in one payload of 200 random bytes; whole captures judged"
    )?;
    for (packets, found) in &measured.required {
        writeln!(out, "    among {packets:>5} packets  {:>6.1}  (required 99)", 100.0 * found.share())?;
    }
    for (packets, rows) in &measured.tables {
        writeln!(out, "  other texts in one payload of 200 bytes, against the limit of {packets} packets")?;
        let lengths: String = measured.lengths.iter().map(|len| format!("{len:>7}")).collect();
        writeln!(out, "    {:<22}{lengths}", "bytes")?;
        for row in rows {
            let found: String =
                row.found.iter().map(|found| format!("{:>7.1}", 100.0 * found.share())).collect();
            writeln!(out, "    {:<22}{found}", row.text)?;
        }
    }
    Ok(())
}
