//! Explicit congestion notification: is it carried, and what does it say (RFC 9000 section 13.4)?

use crate::transmit::Ecn;
use spec::wire::ack::EcnCounts;

/// Packets marked before the first acknowledgement says anything about marks (RFC 9000 appendix A.4).
const TESTING_PACKETS: u64 = 10;

/// What is known of a path (RFC 9000 appendix A.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first packets are marked.
    Testing,
    /// They were, and nothing is known of them yet.
    Unknown,
    /// Marks arrive as they were sent.
    Capable,
    /// They do not, or a number the peer reports is impossible: no more marks on this path.
    Failed,
}

/// The sending side: which packets to mark, and whether to believe what is said of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct EcnPath {
    state: State,
    /// Packets marked on this path, and how many of them count as lost.
    marked: u64,
    lost: u64,
    /// Packets marked in the whole connection: more cannot be reported.
    marked_ever: u64,
    /// The peer's last report.
    reported: EcnCounts,
}

impl EcnPath {
    /// A path nothing is known of.
    pub(super) fn new() -> Self {
        Self { state: State::Testing, marked: 0, lost: 0, marked_ever: 0, reported: EcnCounts::default() }
    }

    /// The path is another one: it is tested anew. The peer goes on counting.
    pub(super) const fn reset(&mut self) {
        self.state = State::Testing;
        self.marked = 0;
        self.lost = 0;
    }

    /// The mark of the next packet.
    pub(super) const fn mark(&self) -> Ecn {
        match self.state {
            State::Testing | State::Capable => Ecn::Ect0,
            State::Unknown | State::Failed => Ecn::NotEct,
        }
    }

    /// Whether marks are known to arrive.
    #[cfg(test)]
    pub(super) fn is_capable(&self) -> bool {
        self.state == State::Capable
    }

    /// A packet left with `mark`.
    pub(super) fn on_sent(&mut self, mark: Ecn) {
        if mark == Ecn::NotEct {
            return;
        }
        self.marked += 1;
        self.marked_ever += 1;
        if self.state == State::Testing && self.marked >= TESTING_PACKETS {
            self.state = State::Unknown;
        }
    }

    /// A marked packet of this path counts as lost. When all of the first ones do, marks are likely the reason.
    pub(super) fn on_lost(&mut self) {
        self.lost += 1;
        if self.state == State::Unknown && self.lost >= self.marked {
            self.state = State::Failed;
        }
    }

    /// An ACK that raised the largest number acknowledged, with `counts` if it has them, acknowledged `marked`
    /// marked packets for the first time. Returns whether it tells of new congestion.
    ///
    /// An ACK that does not raise the largest may be older than the last: its counts mean nothing, and it is not
    /// to be given here (RFC 9000 section 13.4.2.1).
    pub(super) fn on_acknowledged(&mut self, marked: u64, counts: Option<EcnCounts>) -> bool {
        if self.state == State::Failed {
            return false;
        }
        let Some(counts) = counts else {
            if marked > 0 {
                self.state = State::Failed;
            }
            return false;
        };
        if !self.is_possible(marked, &counts) {
            self.state = State::Failed;
            return false;
        }
        let is_congested = counts.ce > self.reported.ce;
        self.reported = counts;
        if marked > 0 {
            self.state = State::Capable;
        }
        is_congested
    }

    /// Marks cannot vanish, turn into ECT(1), or be more than were sent (RFC 9000 section 13.4.2.1).
    const fn is_possible(&self, marked: u64, counts: &EcnCounts) -> bool {
        let (Some(ect0), Some(ce)) =
            (counts.ect0.checked_sub(self.reported.ect0), counts.ce.checked_sub(self.reported.ce))
        else {
            return false;
        };
        ect0.saturating_add(ce) >= marked
            && counts.ect1 == 0
            && counts.ect0.saturating_add(counts.ce) <= self.marked_ever
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path on which `packets` have left, marked as it asks for; how many were.
    fn path(packets: u64) -> (EcnPath, u64) {
        let mut path = EcnPath::new();
        let mut marked = 0;
        for _ in 0..packets {
            marked += u64::from(path.mark() == Ecn::Ect0);
            path.on_sent(path.mark());
        }
        (path, marked)
    }

    const fn counts(ect0: u64, ect1: u64, ce: u64) -> Option<EcnCounts> {
        Some(EcnCounts { ect0, ect1, ce })
    }

    #[test]
    fn ten_are_marked_until_the_path_is_known() {
        let (mut path, marked) = path(100);
        assert_eq!(marked, 10);
        assert!(!path.on_acknowledged(10, counts(10, 0, 0)));
        assert!(path.is_capable());
        assert_eq!(path.mark(), Ecn::Ect0);
    }

    #[test]
    fn what_is_possible_and_what_is_not() {
        // Newly acknowledged of the ten that were marked, the counts; is the path capable, is it congested?
        let table = [
            ("all arrived", 10, counts(10, 0, 0), true, false),
            ("counted before acknowledged: ACKs were lost", 5, counts(8, 0, 0), true, false),
            ("two met congestion", 10, counts(8, 0, 2), true, true),
            ("no counts", 10, None, false, false),
            ("a mark was wiped off", 10, counts(9, 0, 0), false, false),
            ("ECT(1) was never sent", 10, counts(10, 0, 0).map(|c| EcnCounts { ect1: 1, ..c }), false, false),
            ("more than were marked", 10, counts(11, 0, 0), false, false),
            ("more with CE than were marked", 10, counts(10, 0, 1), false, false),
            ("impossibly many", 10, counts(u64::MAX, 0, u64::MAX), false, false),
        ];
        for (what, marked, counts, is_capable, is_congested) in table {
            let (mut path, _) = path(20);
            assert_eq!(path.on_acknowledged(marked, counts), is_congested, "{what}");
            assert_eq!(path.is_capable(), is_capable, "{what}");
            assert_eq!(path.mark() == Ecn::Ect0, is_capable, "{what}");
        }
    }

    #[test]
    fn congestion_is_told_once() {
        let (mut path, _) = path(10);
        assert!(path.on_acknowledged(2, counts(1, 0, 1)));
        assert!(!path.on_acknowledged(2, counts(3, 0, 1)));
        assert!(path.on_acknowledged(2, counts(3, 0, 3)));
        assert!(!path.on_acknowledged(1, counts(2, 0, 5)), "a count that falls is impossible");
        assert_eq!(path.mark(), Ecn::NotEct);
    }

    #[test]
    fn when_all_marked_packets_are_lost_marks_end() {
        let (mut path, _) = path(12);
        for lost in 1..=10 {
            path.on_lost();
            assert_eq!(path.state == State::Failed, lost == 10);
        }
        assert!(!path.on_acknowledged(0, None));
        path.reset();
        assert_eq!(path.mark(), Ecn::Ect0);
    }

    #[test]
    fn a_new_path_is_tested_while_the_peer_goes_on_counting() {
        let (mut path, _) = path(10);
        path.on_acknowledged(10, counts(4, 0, 6));
        path.reset();
        for _ in 0..10 {
            path.on_sent(path.mark());
        }
        assert_eq!(path.mark(), Ecn::NotEct);
        assert!(!path.on_acknowledged(10, counts(14, 0, 6)));
        assert!(path.is_capable());
    }
}
