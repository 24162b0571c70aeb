//! Behind a failed commit nothing is committed before the hub has heard of it.

use super::{Append, Refused, Reply};

/// What stands between a failed commit and the next one.
///
/// An author whose line was not stored submits it again, and what follows it, in order. What followed it is on its
/// way to the log already when the commit fails, and would be committed first: so all of that is refused as well,
/// until the hub says of every refusal that it has acted on it ([`Effect::Heard`](super::Effect::Heard)).
#[derive(Clone, Debug, Default)]
pub struct Barrier {
    /// Refusals the hub has not acted on.
    unheard: usize,
    /// Why they were refused.
    reason: Option<Refused>,
}

impl Barrier {
    /// Answers `append` in the log's place while it may not be committed.
    pub fn stop(&mut self, append: &Append) -> Option<Reply> {
        let reason = self.reason?;
        self.unheard += 1;
        Some(Reply::Refused { ticket: append.ticket, reason })
    }

    /// The engine has answered.
    pub fn answered(&mut self, replies: &[Reply]) {
        for reply in replies {
            if let Reply::Refused { reason: reason @ (Refused::Full | Refused::Unavailable), .. } = reply {
                self.unheard += 1;
                self.reason = Some(*reason);
            }
        }
    }

    /// The hub has acted on a refusal.
    pub const fn heard(&mut self) {
        self.unheard = self.unheard.saturating_sub(1);
        if self.unheard == 0 {
            self.reason = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{AccountId, LOBBY, Seq, Ticket};
    use alloc::string::String;
    use alloc::vec::Vec;
    use spec::wire::entry::{EntryKind, MessageId};

    fn append(number: u64) -> Append {
        let (ticket, id, name, body) = (Ticket(number), MessageId([0; 16]), String::new(), Vec::new());
        Append {
            ticket,
            room: LOBBY,
            author: AccountId(1),
            id,
            kind: EntryKind::Text,
            name,
            body,
            about: None,
        }
    }

    #[test]
    fn it_opens_when_every_refusal_was_heard_of() {
        let mut barrier = Barrier::default();
        let refused = |number, reason| Reply::Refused { ticket: Ticket(number), reason };
        barrier.answered(&[refused(1, Refused::Duplicate(Seq(1)))]);
        assert_eq!(barrier.stop(&append(2)), None, "a repeat is no failure");
        barrier.answered(&[refused(2, Refused::Full), refused(3, Refused::Full)]);
        assert_eq!(barrier.stop(&append(4)), Some(refused(4, Refused::Full)));
        for _ in 0..2 {
            barrier.heard();
            assert!(barrier.stop(&append(5)).is_some());
        }
        (0..3).for_each(|_| barrier.heard());
        assert_eq!(barrier.stop(&append(6)), None);
    }
}
