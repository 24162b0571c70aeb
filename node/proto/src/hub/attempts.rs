//! How often somebody tried what may not be tried often: passwords of a name, passwords from a part of the network,
//! names that others have. Who has an account and who has none is counted alike.
//!
//! Counters are found by a keyed hash of 16 bits, so that a table is bounded whatever is tried, and nothing that is
//! tried drives out what was counted. Two names in 65,536 may share one: then one waits for the other's failures.

use super::prefix::Prefix;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;
use spec::crypto::hmac;
use spec::secret::Secret;
use spec::time::Instant;
use spec::wire::{Reader, varint};

/// Failures that count before a lock: the first four double the time before the next answer.
const DELAYED: u32 = 4;
/// Time before the second attempt is answered.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// Time of the first lock; doubled each time.
const FIRST_LOCK: Duration = Duration::from_secs(15 * 60);
/// Longest lock, and the time after which a failure is forgotten.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Attempts of one prefix that cost nothing: many people may sit behind one address.
const PREFIX_FREE: u32 = 20;
/// Names of others that one prefix may ask for at no cost.
const NAMES_FREE: u32 = 10;
/// Time between two savings.
const SAVE_EVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counter {
    failures: u32,
    /// When the next attempt may be answered.
    until: Instant,
}

/// Counters of one kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    free: u32,
    counters: BTreeMap<u16, Counter>,
}

impl Table {
    const fn new(free: u32) -> Self {
        Self { free, counters: BTreeMap::new() }
    }

    fn get(&self, now: Instant, bucket: u16) -> Counter {
        let known = self.counters.get(&bucket).filter(|counter| now < counter.until + LONGEST);
        known.copied().unwrap_or(Counter { failures: 0, until: now })
    }

    /// When an attempt may be answered, or, while it is locked, when it is no more.
    fn turn(&self, now: Instant, bucket: u16) -> Result<Instant, Instant> {
        let counter = self.get(now, bucket);
        let is_locked = counter.failures > self.free + DELAYED && now < counter.until;
        if is_locked { Err(counter.until) } else { Ok(counter.until.max(now)) }
    }

    /// Counts an attempt that is answered at `at`.
    fn count(&mut self, now: Instant, bucket: u16, at: Instant) {
        let failures = self.get(now, bucket).failures.saturating_add(1);
        let until = at + wait_after(failures.saturating_sub(self.free));
        self.counters.insert(bucket, Counter { failures, until });
    }
}

/// The time before another attempt is answered after so many that failed.
fn wait_after(failures: u32) -> Duration {
    match failures {
        0 => Duration::ZERO,
        1..=DELAYED => FIRST_DELAY * (1 << (failures - 1)),
        more => (FIRST_LOCK * (1 << (more - DELAYED - 1).min(16))).min(LONGEST),
    }
}

/// All counters of a hub.
#[derive(Debug)]
pub(super) struct Attempts {
    key: Secret<32>,
    names: Table,
    prefixes: Table,
    registrations: Table,
    /// When they were saved, and when they are to be.
    saved_at: Option<Instant>,
    save_at: Option<Instant>,
}

impl Attempts {
    /// The counters that were saved, or none when that does not decode. A time that was to wait counts from now on:
    /// a restart makes nobody wait less.
    pub(super) fn new(now: Instant, key: Secret<32>, saved: &[u8]) -> Self {
        let mut attempts = Self {
            key,
            names: Table::new(0),
            prefixes: Table::new(PREFIX_FREE),
            registrations: Table::new(NAMES_FREE),
            saved_at: None,
            save_at: None,
        };
        let mut reader = Reader::new(saved);
        for table in [&mut attempts.names, &mut attempts.prefixes, &mut attempts.registrations] {
            table.counters = read(now, &mut reader).unwrap_or_default();
        }
        attempts
    }

    fn bucket(&self, kind: &str, what: &[u8]) -> u16 {
        let [high, low, ..] = *hmac(self.key.expose(), &[kind.as_bytes(), what]).expose();
        u16::from_be_bytes([high, low])
    }

    fn places(&self, name: &str, prefix: Prefix) -> [u16; 2] {
        [self.bucket("name", name.as_bytes()), self.bucket("prefix", &prefix.bytes())]
    }

    /// Counts an attempt to prove a password, as a failure until it is shown to be none: the first answer is enough
    /// to try a password. Gives the time of the answer.
    ///
    /// # Errors
    /// The time that another attempt has to wait, while it is locked; nothing is counted then.
    pub(super) fn begin(&mut self, now: Instant, name: &str, prefix: Prefix) -> Result<Instant, Duration> {
        let [by_name, by_prefix] = self.places(name, prefix);
        let wait = self.wait(now, name, prefix);
        if !wait.is_zero() {
            return Err(wait);
        }
        let turns = [self.names.turn(now, by_name), self.prefixes.turn(now, by_prefix)];
        let at = turns.into_iter().filter_map(Result::ok).fold(now, Instant::max);
        self.names.count(now, by_name, at);
        self.prefixes.count(now, by_prefix, at);
        self.changed(now);
        Ok(at)
    }

    /// How long a name, or a prefix, is locked.
    pub(super) fn wait(&self, now: Instant, name: &str, prefix: Prefix) -> Duration {
        let [by_name, by_prefix] = self.places(name, prefix);
        let turns = [self.names.turn(now, by_name), self.prefixes.turn(now, by_prefix)];
        turns.into_iter().filter_map(Result::err).map(|until| until.since(now)).max().unwrap_or_default()
    }

    /// The password was proved: nothing is held against the name, and this attempt not against the prefix.
    pub(super) fn succeeded(&mut self, now: Instant, name: &str, prefix: Prefix) {
        let [by_name, by_prefix] = self.places(name, prefix);
        self.names.counters.remove(&by_name);
        if let Some(counter) = self.prefixes.counters.get_mut(&by_prefix) {
            counter.failures = counter.failures.saturating_sub(1);
        }
        self.changed(now);
    }

    /// How long a prefix has to wait before it may ask for a name.
    pub(super) fn name_wait(&self, now: Instant, prefix: Prefix) -> Duration {
        let bucket = self.bucket("registration", &prefix.bytes());
        let (Ok(until) | Err(until)) = self.registrations.turn(now, bucket);
        until.since(now)
    }

    /// A prefix asked for a name that another has.
    pub(super) fn name_was_taken(&mut self, now: Instant, prefix: Prefix) {
        let bucket = self.bucket("registration", &prefix.bytes());
        self.registrations.count(now, bucket, now);
        self.changed(now);
    }

    // what is kept

    fn changed(&mut self, now: Instant) {
        let earliest = self.saved_at.map_or(now, |at| (at + SAVE_EVERY).max(now));
        self.save_at.get_or_insert(earliest);
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.save_at
    }

    /// What is to be kept by `until`, if anything is.
    pub(super) fn save(&mut self, now: Instant, until: Instant) -> Option<Vec<u8>> {
        self.save_at.take_if(|at| *at <= until)?;
        self.saved_at = Some(now);
        let mut out = Vec::new();
        for table in [&mut self.names, &mut self.prefixes, &mut self.registrations] {
            table.counters.retain(|_, counter| now < counter.until + LONGEST);
            varint::encode(table.counters.len() as u64, &mut out);
            for (bucket, Counter { failures, until }) in &table.counters {
                let wait_ms = u64::try_from(until.since(now).as_millis()).unwrap_or(0);
                [u64::from(*bucket), u64::from(*failures), wait_ms]
                    .iter()
                    .for_each(|value| varint::encode(*value, &mut out));
            }
        }
        Some(out)
    }
}

fn read(now: Instant, reader: &mut Reader<'_>) -> Option<BTreeMap<u16, Counter>> {
    let count = reader.varint("count").ok()?.min(u64::from(u16::MAX) + 1);
    let mut counter = || {
        let bucket = u16::try_from(reader.varint("bucket").ok()?).ok()?;
        let failures = u32::try_from(reader.varint("failures").ok()?).ok()?;
        let until = now + Duration::from_millis(reader.varint("wait").ok()?).min(LONGEST);
        Some((bucket, Counter { failures, until }))
    };
    (0..count).map(|_| counter()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant(0);

    fn attempts(saved: &[u8]) -> Attempts {
        Attempts::new(START, Secret::new([1; 32]), saved)
    }

    fn prefix(last: u8) -> Prefix {
        Prefix::of([192, 0, last, 1].into())
    }

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn five_failures_wait_longer_and_longer_and_then_lock() {
        let mut attempts = attempts(&[]);
        let mut now = START;
        for (number, expected) in [0, 1, 2, 4, 8].into_iter().enumerate() {
            // From other prefixes each time: it is the name that counts.
            let at = attempts.begin(now, "ann", prefix(u8::try_from(number).unwrap())).unwrap();
            assert_eq!(at.since(now), secs(expected), "attempt {number}");
            now = at;
        }
        assert_eq!(attempts.begin(now, "ann", prefix(9)), Err(secs(900)));
        assert_eq!(attempts.begin(now, "bob", prefix(9)), Ok(now));
        now = now + secs(900);
        assert_eq!(attempts.begin(now, "ann", prefix(9)), Ok(now));
        assert_eq!(attempts.begin(now, "ann", prefix(9)), Err(secs(1800)), "twice as long");
        now = now + LONGEST + LONGEST;
        assert_eq!(attempts.begin(now, "ann", prefix(9)), Ok(now), "all is forgotten");
        assert_eq!(attempts.wait(now, "ann", prefix(9)), Duration::ZERO);
    }

    #[test]
    fn many_at_once_are_answered_one_after_the_other() {
        let mut attempts = attempts(&[]);
        let answers: Vec<_> = (0..7).map(|_| attempts.begin(START, "ann", prefix(1)).ok()).collect();
        let at = |secs: u64| Some(Instant(secs * 1_000_000));
        assert_eq!(answers, [at(0), at(1), at(3), at(7), at(15), None, None]);
    }

    #[test]
    fn a_prefix_that_tries_many_names_is_locked_and_no_other_is() {
        let mut attempts = attempts(&[]);
        let names = |number| alloc::format!("name {number}");
        let tried =
            (0..100).filter(|number| attempts.begin(START, &names(*number), prefix(1)).is_ok()).count();
        assert_eq!(tried, usize::try_from(PREFIX_FREE + DELAYED + 1).unwrap());
        assert!(attempts.begin(START, "zoë", prefix(2)).is_ok());
    }

    #[test]
    fn who_knows_the_password_is_not_held_up() {
        let mut attempts = attempts(&[]);
        for _ in 0..100 {
            assert_eq!(attempts.begin(START, "ann", prefix(1)), Ok(START));
            attempts.succeeded(START, "ann", prefix(1));
        }
    }

    #[test]
    fn names_of_others_may_be_asked_for_so_often() {
        let mut attempts = attempts(&[]);
        for _ in 0..NAMES_FREE {
            assert_eq!(attempts.name_wait(START, prefix(1)), Duration::ZERO);
            attempts.name_was_taken(START, prefix(1));
        }
        attempts.name_was_taken(START, prefix(1));
        assert_eq!(attempts.name_wait(START, prefix(1)), secs(1));
        assert_eq!(attempts.name_wait(START, prefix(2)), Duration::ZERO);
    }

    #[test]
    fn what_is_saved_counts_on() {
        let mut before = attempts(&[]);
        assert!((0..5).all(|_| before.begin(START, "ann", prefix(1)).is_ok()));
        let saved = before.save(START, START).unwrap();
        assert_eq!(before.save(START, START), None, "once");
        let mut after = attempts(&saved);
        assert_eq!(after.begin(START, "ann", prefix(2)), Err(secs(915)));
        assert_eq!((&after.names, &after.prefixes), (&before.names, &before.prefixes));
        for len in 0..saved.len() {
            drop(attempts(&saved[..len]));
        }
        assert_eq!(attempts(&[0xff; 100]).names.counters.len(), 0);
    }
}
