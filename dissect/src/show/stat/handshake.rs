//! `-z sealgram,handshake`: the steps of each handshake and how long they took.

use std::io::{self, Write};

use super::rule;
use super::track::{self, BySession, milliseconds};
use crate::session::Kind;
use crate::show::fold::Fold;
use crate::show::seen::Seen;
use crate::show::time::seconds;
use crate::verdict::Finding;

/// The handshakes.
#[derive(Debug, Default)]
pub(super) struct Handshakes(BySession<Handshake>);

/// Steps in their order.
const STEPS: [&str; 7] = ["INIT 1/2", "INIT 2/2", "RETRY", "VERSION", "RESP", "FIN", "first of the hub"];
const INIT: usize = 1;
const RESP: usize = 4;
const FIN: usize = 5;
const ANSWER: usize = 6;

#[derive(Debug, Default)]
struct Handshake {
    title: String,
    steps: [Step; STEPS.len()],
}

#[derive(Clone, Copy, Debug, Default)]
struct Step {
    /// Number and time of the first packet.
    first: Option<(usize, Option<i128>)>,
    repeats: u64,
}

impl Handshake {
    fn step(&self, index: usize) -> Option<i128> {
        self.steps.get(index)?.first?.1
    }

    fn between(&self, from: usize, to: usize) -> Option<i128> {
        Some(self.step(to)?.saturating_sub(self.step(from)?))
    }
}

impl Fold for Handshakes {
    fn take(&mut self, seen: &Seen<'_>) {
        let Some((kept, membership)) = track::of(&mut self.0, seen) else { return };
        kept.title = track::title(&membership);
        let is_answer = !membership.member.from_client;
        let step = match membership.member.kind {
            Kind::Init(0) => 0,
            Kind::Init(_) => INIT,
            Kind::Retry => 2,
            Kind::Version => 3,
            Kind::Resp => RESP,
            Kind::Fin => FIN,
            Kind::Short if is_answer && kept.steps.get(ANSWER).is_some_and(|step| step.first.is_none()) => {
                ANSWER
            }
            _ => return,
        };
        let Some(step) = kept.steps.get_mut(step) else { return };
        match step.first {
            Some(_) => step.repeats += 1,
            None => step.first = Some((seen.packet.number, seen.clock.relative_ns())),
        }
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        let line = rule(79);
        writeln!(out, "{line}\nSealgram handshakes")?;
        for (number, kept) in self.0.iter() {
            writeln!(out, "session {number}: {}", kept.title)?;
            for (name, step) in STEPS.iter().zip(&kept.steps) {
                let Some((packet, time)) = step.first else { continue };
                let time = time.map_or_else(|| "-".to_owned(), seconds);
                let repeats = match step.repeats {
                    0 => String::new(),
                    times => format!(", {times} repeats"),
                };
                writeln!(out, "  {time:>14}  {name} (packet {packet}{repeats})")?;
            }
            for (name, from, to) in
                [("INIT to RESP", INIT, RESP), ("FIN to the hub's first", FIN, ANSWER), ("in all", 0, ANSWER)]
            {
                if let Some(time) = kept.between(from, to) {
                    writeln!(out, "  {:>14}  {name}", milliseconds(time))?;
                }
            }
        }
        self.0.write_left_out(out)?;
        writeln!(out, "{line}")
    }
}
