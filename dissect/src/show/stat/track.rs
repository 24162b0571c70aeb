//! The sessions of a capture, as statistics meet them packet by packet.

use crate::show::fold::Bounded;
use crate::show::seen::{Membership, Seen};

/// What a statistic keeps of each session, by the number of the session.
pub(super) type BySession<T> = Bounded<usize, T>;

/// The session of a packet and what is kept of it.
pub(super) fn of<'s, 'a, T: Default>(
    known: &'s mut BySession<T>,
    seen: &Seen<'a>,
) -> Option<(&'s mut T, Membership<'a>)> {
    let membership = seen.context.membership?;
    known.entry(membership.member.session).map(|kept| (kept, membership))
}

/// The attempt id and ends of a session in one line.
pub(super) fn title(membership: &Membership<'_>) -> String {
    let session = membership.session;
    format!("attempt {}, client {}, hub {}", session.attempt(), session.client, session.hub)
}

/// Milliseconds with three decimals.
pub(super) fn milliseconds(nanoseconds: i128) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let microseconds = nanoseconds.unsigned_abs() / 1_000;
    format!("{sign}{}.{:03} ms", microseconds / 1_000, microseconds % 1_000)
}

/// Smallest, mean and largest of a number of times.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread {
    pub(super) count: u32,
    sum_ns: i128,
    least_ns: i128,
    most_ns: i128,
}

impl Spread {
    pub(super) fn add(&mut self, time_ns: i128) {
        self.least_ns = if self.count == 0 { time_ns } else { self.least_ns.min(time_ns) };
        self.most_ns = if self.count == 0 { time_ns } else { self.most_ns.max(time_ns) };
        self.count = self.count.saturating_add(1);
        self.sum_ns = self.sum_ns.saturating_add(time_ns);
    }

    pub(super) fn shown(&self) -> String {
        if self.count == 0 {
            return "none".to_owned();
        }
        let mean = self.sum_ns / i128::from(self.count);
        let [least, mean, most] = [self.least_ns, mean, self.most_ns].map(milliseconds);
        format!("{} samples, least {least}, mean {mean}, most {most}", self.count)
    }
}
