//! What is gathered over all packets and printed at the end.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::filter::Filter;
use super::seen::Seen;
use crate::verdict::Finding;

/// Different things that one statistic tells apart; more are counted together.
pub(crate) const KEYS_MAX: usize = 100_000;

/// Takes in packets one by one, in bounded memory, and prints what they came to.
pub(crate) trait Fold {
    /// One packet.
    fn take(&mut self, seen: &Seen<'_>);

    /// Prints the result. `findings` are those of the whole analysis.
    fn finish(&mut self, findings: &[Finding], out: &mut dyn Write) -> io::Result<()>;
}

/// A fold that sees only what passes its filter.
pub(crate) struct Filtered {
    /// The filter.
    pub(crate) filter: Filter,
    /// The fold.
    pub(crate) inner: Box<dyn Fold>,
}

impl Fold for Filtered {
    fn take(&mut self, seen: &Seen<'_>) {
        if self.filter.holds(seen) {
            self.inner.take(seen);
        }
    }

    fn finish(&mut self, findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        self.inner.finish(findings, out)
    }
}

/// Values by key, of so many keys at most.
#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    map: BTreeMap<K, V>,
    /// Packets that were left out because there were too many keys.
    left_out: u64,
}

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self { map: BTreeMap::new(), left_out: 0 }
    }
}

impl<K: Ord, V: Default> Bounded<K, V> {
    /// The value of a key, begun if there is room.
    pub(crate) fn entry(&mut self, key: K) -> Option<&mut V> {
        if self.map.len() >= KEYS_MAX && !self.map.contains_key(&key) {
            self.left_out += 1;
            return None;
        }
        Some(self.map.entry(key).or_default())
    }

    /// All keys and values, in order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.map.iter()
    }

    /// Says what was left out, if something was.
    pub(crate) fn write_left_out(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.left_out > 0 {
            writeln!(out, "not counted: {} packets of more than {KEYS_MAX} different rows", self.left_out)?;
        }
        Ok(())
    }
}
