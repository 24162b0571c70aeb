//! The steps of many connections in one queue, each with the number of its session.

use crate::connection::{Connection, Step};
use alloc::collections::VecDeque;
use spec::time::Instant;

/// What connections did, when anybody wants to know.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    is_on: bool,
    steps: VecDeque<(u64, Instant, Step)>,
}

impl Watch {
    pub(crate) fn enable(&mut self) {
        self.is_on = true;
    }

    /// The connection of `session` begins.
    pub(crate) fn begin(&mut self, now: Instant, session: u64, connection: &mut Connection) {
        if self.is_on {
            connection.watch();
            self.steps.push_back((session, now, Step::Started { path: connection.path() }));
        }
    }

    /// Takes over what the connection of `session` did.
    pub(crate) fn collect(&mut self, session: u64, connection: &mut Connection) {
        self.steps
            .extend(core::iter::from_fn(|| connection.poll_step()).map(|(at, step)| (session, at, step)));
    }

    /// The connection of `session` is dropped: the last of its steps.
    pub(crate) fn end(&mut self, now: Instant, session: u64, connection: &mut Connection) {
        if self.is_on {
            self.collect(session, connection);
            self.steps.push_back((session, now, Step::Ended));
        }
    }

    pub(crate) fn poll(&mut self) -> Option<(u64, Instant, Step)> {
        self.steps.pop_front()
    }

    /// Whether there may be steps that were not collected.
    pub(crate) fn is_drained(&self) -> bool {
        self.is_on && self.steps.is_empty()
    }
}
