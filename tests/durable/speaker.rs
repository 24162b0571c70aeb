//! Someone who says numbered lines and remembers what the hub told about them.

use crate::harness::{Hub, Place, Process};
use node::clock::Clock;
use std::time::Duration;

/// Time from one line to the next.
const EVERY: Duration = Duration::from_millis(2);
/// Lines that may wait for the hub; the program takes more.
const UNSTORED_MAX: usize = 300;

/// A line that the hub said is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Its id in hex.
    pub(crate) id: String,
    /// Its number in the lobby.
    pub(crate) sequence: u64,
}

/// A client that talks.
#[derive(Debug)]
pub(crate) struct Speaker {
    pub(crate) process: Process,
    pub(crate) name: String,
    /// How many lines it said: `NAME 0`, `NAME 1` and so on.
    pub(crate) said: usize,
    /// What it was told, in that order.
    pub(crate) told: Vec<Told>,
    /// Events that were looked at.
    seen: usize,
}

impl Speaker {
    /// Joins, and stays however long the hub is away.
    pub(crate) fn join(place: &Place, hub: &Hub, name: &str) -> Self {
        let process = place.join(&hub.invite(), name, &["--follow", "--timeout", "3600"]).connected();
        Self { process, name: name.into(), said: 0, told: Vec::new(), seen: 0 }
    }

    /// The text of a line.
    pub(crate) fn text(&self, number: usize) -> String {
        format!("{} {number}", self.name)
    }

    /// Says the next line.
    pub(crate) fn say(&mut self) {
        let text = self.text(self.said);
        self.process.say(&text);
        self.said += 1;
    }

    /// Lines nobody told it about.
    pub(crate) fn unstored(&mut self) -> usize {
        self.listen();
        self.said - self.told.len()
    }

    fn listen(&mut self) {
        let lines = self.process.lines();
        for line in lines[self.seen..].iter().filter(|line| line.is("stored")) {
            let id = line["id"].as_str().unwrap().to_owned();
            self.told.push(Told { id, sequence: line["seq"].as_u64().unwrap() });
        }
        self.seen = lines.len();
    }

    /// Waits until the hub told it about every line.
    pub(crate) fn wait_until_stored(&mut self) {
        let said = self.said;
        let stored = self.process.wait_until("every line is stored", |lines| {
            lines.iter().filter(|line| line.is("stored")).count() >= said
        });
        assert_eq!(stored.iter().filter(|line| line.is("refused")).count(), 0, "nothing was refused");
        assert_eq!(self.unstored(), 0, "a line is stored once");
    }
}

/// All of them talk at once, for a while.
pub(crate) fn talk(speakers: &mut [Speaker], time: Duration) {
    let clock = Clock::start();
    let (mut at, end) = (clock.now(), clock.now() + time);
    while at < end {
        for speaker in &mut *speakers {
            if speaker.unstored() < UNSTORED_MAX {
                speaker.say();
            }
        }
        at = (at + EVERY).max(clock.now());
        speakers[0].process.listen_until(&clock, at.min(end));
    }
}

/// All of them talk until the hub has told one of them that a line is stored that it was not told about before.
pub(crate) fn talk_until_stored(speakers: &mut [Speaker]) {
    let told = |speakers: &mut [Speaker]| {
        speakers.iter_mut().map(|speaker| speaker.said - speaker.unstored()).sum::<usize>()
    };
    let clock = Clock::start();
    let (before, deadline) = (told(speakers), clock.now() + Duration::from_secs(60));
    while told(speakers) == before {
        assert!(clock.now() < deadline, "nothing is stored: {:?}", speakers[0].process.lines().last());
        talk(speakers, EVERY);
    }
}
