//! Reads packets one by one as `-Y`, `-T`, `-z` and their kin ask for.

use std::io::{self, Write};

use super::filter::Filter;
use super::fold::Fold;
use super::listing::Listing;
use super::seen::{Context, Membership};
use super::walk::Walk;
use crate::row::Row;
use crate::verdict::Finding;

/// What is asked for.
#[derive(Default)]
pub(crate) struct Request {
    /// Which packets are listed.
    pub(crate) filter: Option<Filter>,
    /// How many packets are read at most.
    pub(crate) packets_max: Option<u64>,
    /// How packets are listed, if they are.
    pub(crate) listing: Option<Box<dyn Listing>>,
    /// What is printed behind the list.
    pub(crate) folds: Vec<Box<dyn Fold>>,
}

/// Prints packets as they come.
pub(crate) struct Printer<'a> {
    request: Request,
    walk: Walk,
    taken: u64,
    out: &'a mut dyn Write,
    /// What went wrong with a packet.
    outcome: io::Result<()>,
}

impl<'a> Printer<'a> {
    /// A printer that writes to `out`.
    pub(crate) fn new(request: Request, out: &'a mut dyn Write) -> Self {
        Self { request, walk: Walk::default(), taken: 0, out, outcome: Ok(()) }
    }

    /// The next packet. Behind an error, which [`Printer::finish`] returns, nothing more is written.
    pub(crate) fn take(&mut self, row: &Row<'_>) {
        let has_enough = self.request.packets_max.is_some_and(|max| self.taken >= max);
        if self.outcome.is_ok() && !has_enough {
            self.outcome = self.print(row);
        }
    }

    fn print(&mut self, row: &Row<'_>) -> io::Result<()> {
        if self.taken == 0 {
            self.begin()?;
        }
        self.taken += 1;
        let membership = row.member.zip(row.session);
        let membership = membership.map(|(member, session)| Membership { session, member });
        let context = Context { membership, opened: row.opened };
        let seen = self.walk.see(row.packet, row.data, context);
        for fold in &mut self.request.folds {
            fold.take(&seen);
        }
        if let Some(listing) = &mut self.request.listing
            && self.request.filter.as_ref().is_none_or(|filter| filter.holds(&seen))
        {
            listing.packet(&seen, self.out)?;
            self.walk.shown(&seen);
        }
        Ok(())
    }

    /// Ends the list and prints what was gathered; what was left out because it was too much.
    ///
    /// # Errors
    /// Whatever writing yielded.
    pub(crate) fn finish(mut self, findings: &[Finding]) -> io::Result<Vec<String>> {
        std::mem::replace(&mut self.outcome, Ok(()))?;
        if self.taken == 0 {
            self.begin()?;
        }
        if let Some(listing) = &mut self.request.listing {
            listing.end(self.out)?;
        }
        for fold in &mut self.request.folds {
            fold.finish(findings, self.out)?;
        }
        Ok(self.walk.limits())
    }

    fn begin(&mut self) -> io::Result<()> {
        match &mut self.request.listing {
            Some(listing) => listing.begin(self.out),
            None => Ok(()),
        }
    }
}
