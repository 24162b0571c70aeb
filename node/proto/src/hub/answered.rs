//! What was answered before: so that nobody gets a second answer out of a hub by repeating what they saw.

use alloc::collections::{BTreeSet, VecDeque};
use spec::crypto::sha256;
use spec::limits::ANSWERED_MAX;

/// Names something that was answered: the first 16 bytes of its SHA-256.
pub(super) type Mark = [u8; 16];

/// The mark of `bytes`.
pub(super) fn mark(bytes: &[u8]) -> Mark {
    let [mark @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = sha256(&[bytes]);
    mark
}

/// The last 65,536 marks.
#[derive(Debug, Default)]
pub(super) struct Answered {
    order: VecDeque<Mark>,
    known: BTreeSet<Mark>,
}

impl Answered {
    pub(super) fn contains(&self, mark: &Mark) -> bool {
        self.known.contains(mark)
    }

    /// Remembers `mark`; `false` when it was known.
    pub(super) fn insert(&mut self, mark: Mark) -> bool {
        if !self.known.insert(mark) {
            return false;
        }
        self.order.push_back(mark);
        //= spec/PROTOCOL.md#handshake-flow
        //# The hub MUST remember at least the last 65,536 messages 1 it answered, and answer a repetition only
        //# from the same address while its half-open handshake lives.
        if self.order.len() > ANSWERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_it_is_full() {
        let mut answered = Answered::default();
        let numbered = |n: usize| mark(&n.to_be_bytes());
        assert!(answered.insert(numbered(0)));
        assert!(!answered.insert(numbered(0)));
        for n in 1..ANSWERED_MAX {
            answered.insert(numbered(n));
        }
        assert!(answered.contains(&numbered(0)));
        answered.insert(numbered(ANSWERED_MAX));
        assert!(!answered.contains(&numbered(0)) && answered.contains(&numbered(1)));
    }
}
