//! The first walks through a capture: what is in it, and which of it is Sealgram's.

use std::collections::BTreeSet;

use spec::wire::long::AttemptId;

use crate::canary::Sealed;
use crate::dissection::Endpoint;
use crate::flow::{FLOWS_MAX, Flow, Flows};
use crate::open::{self, KeyLog, Opening};
use crate::pcap::Summary;
use crate::progress::Progress;
use crate::session::{self, Directory, LastHeard, Pair, Recognised, Tracker};
use crate::source::{ReadError, Source};
use crate::walk::walk;

/// What a capture holds.
pub(crate) struct Survey {
    pub(crate) file: Summary,
    pub(crate) flows: Vec<Flow>,
    /// Packets of flows for which there was no room.
    pub(crate) packets_of_other_flows: u64,
    /// The pairs that LONG datagrams travel between, and who is asked there.
    pairs: BTreeSet<Pair>,
    hubs: BTreeSet<Endpoint>,
}

impl Survey {
    pub(crate) fn take(source: &Source, progress: &dyn Progress) -> Result<Self, ReadError> {
        let (mut flows, mut pairs, mut hubs) = (Flows::default(), BTreeSet::new(), BTreeSet::new());
        let file = walk(source, "looking", progress, |packet, data| {
            flows.take(packet, session::looks_short(packet.datagram(data)));
            if let Some((pair, hub)) = session::long_between(packet, data)
                && pairs.len() < FLOWS_MAX
            {
                pairs.insert(pair);
                hubs.insert(hub);
            }
        })?;
        let packets_of_other_flows = flows.passed_over;
        Ok(Self { file, flows: flows.finish(), packets_of_other_flows, pairs, hubs })
    }
}

/// What has to be known of the sessions before they can be judged, packet by packet.
#[derive(Default)]
pub(crate) struct Outlook {
    pairs: BTreeSet<Pair>,
    /// The pairs that sessions were seen between at the end of the capture.
    pub(crate) pairs_at_end: BTreeSet<Pair>,
    last_heard: LastHeard,
    wanted: BTreeSet<AttemptId>,
}

impl Outlook {
    /// Recognises the sessions of a capture beforehand, and with a key log derives their keys.
    pub(crate) fn of(
        source: &Source,
        survey: &Survey,
        key_log: Option<&KeyLog>,
        search: Sealed,
        progress: &dyn Progress,
    ) -> Result<(Self, Option<Opening>), ReadError> {
        let mut outlook = Self { pairs: survey.pairs.clone(), ..Self::default() };
        if outlook.pairs.is_empty() {
            return Ok((outlook, key_log.map(|log| open::follow(log, &[], search))));
        }
        outlook.wanted = key_log.map(KeyLog::attempts).unwrap_or_default();
        outlook.last_heard = LastHeard::of_hubs(survey.hubs.clone());
        walk(source, "listening", progress, |packet, data| outlook.last_heard.take(packet, data))?;
        let Recognised { sessions, pairs, .. } =
            outlook.recognise(source, &mut Directory::default(), "recognising", progress)?;
        let Some(log) = key_log else {
            outlook.pairs_at_end = pairs;
            return Ok((outlook, None));
        };
        let mut opening = open::follow(log, &sessions, search);
        // With keys it is known where the sessions went.
        let known = outlook.recognise(source, opening.directory(), "following", progress)?;
        outlook.pairs_at_end = known.pairs;
        Ok((outlook, Some(opening)))
    }

    /// Begins to recognise.
    pub(crate) fn tracker(&self) -> Tracker<'_> {
        Tracker::new(self.pairs.clone(), &self.pairs_at_end, &self.last_heard, &self.wanted)
    }

    fn recognise(
        &self,
        source: &Source,
        directory: &mut Directory,
        step: &'static str,
        progress: &dyn Progress,
    ) -> Result<Recognised, ReadError> {
        let mut tracker = self.tracker();
        walk(source, step, progress, |packet, data| {
            tracker.take(packet, data, directory);
        })?;
        Ok(tracker.finish(directory))
    }
}
