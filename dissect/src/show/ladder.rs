//! `--ladder`: each session as two columns, client and hub, and an arrow for each datagram.

use std::io::{self, Write};

use super::fold::{Bounded, Fold};
use super::operation::{Operations, Topic};
use super::seen::Seen;
use super::time::TimeFormat;
use crate::render::sanitise;
use crate::session::Kind;
use crate::verdict::Finding;

/// Characters between the two columns.
const WIDTH: usize = 40;
/// Arrows of all sessions that are kept; more are counted.
const ARROWS_MAX: usize = 100_000;

/// The ladders, session by session.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    sessions: Bounded<usize, Session>,
    operations: Operations,
    time: TimeFormat,
    arrows: usize,
    left_out: u64,
}

#[derive(Debug, Default)]
struct Session {
    client: String,
    hub: String,
    attempt: String,
    arrows: Vec<Arrow>,
}

/// A datagram, or several in a row that are alike.
#[derive(Debug)]
struct Arrow {
    time: String,
    packet: usize,
    name: String,
    from_client: bool,
    datagrams: u64,
    bytes: u64,
    /// What is worth saying of it.
    notes: Vec<String>,
}

impl Arrow {
    /// Whether another is the same but for its length and may be counted with it.
    fn joins(&self, next: &Self) -> bool {
        self.notes.is_empty()
            && next.notes.is_empty()
            && self.from_client == next.from_client
            && self.name == next.name
            && self.name == Kind::Short.name()
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let label = match self.datagrams {
            1 => format!(" {}, {} bytes ", self.name, self.bytes),
            count => format!(" {count} {}, {} bytes ", self.name, self.bytes),
        };
        let arrow = if self.from_client {
            format!("|──{label:─<width$}▶|", width = WIDTH - 3)
        } else {
            format!("|◀─{label:─<width$}─|", width = WIDTH - 3)
        };
        let notes = self.notes.join("; ");
        let line = format!("{:>14}  {arrow}  packet {}  {}", self.time, self.packet, sanitise(&notes));
        writeln!(out, "{}", line.trim_end())
    }
}

impl Ladder {
    /// With times in this format.
    pub(crate) fn new(time: TimeFormat) -> Self {
        Self { time, ..Self::default() }
    }
}

impl Fold for Ladder {
    fn take(&mut self, seen: &Seen<'_>) {
        let operations = self.operations.take(seen);
        let Some(membership) = seen.context.membership else { return };
        let Some(session) = self.sessions.entry(membership.member.session) else { return };
        session.client = membership.session.client.to_string();
        session.hub = membership.session.hub.to_string();
        session.attempt = membership.session.attempt();
        let is_worth_saying = |topic| !matches!(topic, Topic::Ack | Topic::Line | Topic::Other);
        let name = match membership.member.kind {
            Kind::Init(fragment) => format!("INIT {}/2", fragment + 1),
            other => other.name().to_owned(),
        };
        let notes = operations.into_iter().filter(|operation| is_worth_saying(operation.topic));
        let arrow = Arrow {
            time: seen.clock.shown(self.time),
            packet: seen.packet.number,
            name,
            from_client: membership.member.from_client,
            datagrams: 1,
            bytes: crate::bytes::count(seen.payload().len()),
            notes: notes.map(|operation| operation.text).collect(),
        };
        match session.arrows.last_mut().filter(|last| last.joins(&arrow)) {
            Some(last) => {
                last.datagrams += 1;
                last.bytes = last.bytes.saturating_add(arrow.bytes);
            }
            None if self.arrows < ARROWS_MAX => {
                self.arrows += 1;
                session.arrows.push(arrow);
            }
            None => self.left_out += 1,
        }
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        if self.sessions.iter().next().is_none() {
            return writeln!(out, "there is no session of Sealgram: no ladder to show");
        }
        for (number, session) in self.sessions.iter() {
            writeln!(out, "session {number}, attempt {}", session.attempt)?;
            let gap = WIDTH.saturating_sub(session.client.len() + 8);
            writeln!(out, "{:>14}  client {}{:gap$} hub {}", "time", session.client, "", session.hub)?;
            for arrow in &session.arrows {
                arrow.write(out)?;
            }
            writeln!(out)?;
        }
        if self.left_out > 0 {
            writeln!(out, "not shown: {} datagrams behind the first {ARROWS_MAX} arrows", self.left_out)?;
        }
        self.sessions.write_left_out(out)
    }
}
