//! `-z sealgram,rtt`: round trips as they show at the place of capture.
//!
//! From a handshake: INIT to RESP, and FIN to the hub's first datagram. With a key log also from a packet to the
//! acknowledgement of it as the largest, less the delay that the acknowledgement names.

use std::collections::BTreeMap;
use std::io::{self, Write};

use spec::wire::frame::{Frame, Frames, Side};

use super::rule;
use super::track::{self, BySession, Spread};
use crate::session::Kind;
use crate::show::fold::Fold;
use crate::show::seen::Seen;
use crate::verdict::Finding;

/// Packets of one side that wait for their acknowledgement.
const WAITING_MAX: usize = 4_096;

/// Round trips of each session.
#[derive(Debug, Default)]
pub(super) struct RoundTrips(BySession<Session>);

#[derive(Debug, Default)]
struct Session {
    title: String,
    init_ns: Option<i128>,
    fin_ns: Option<i128>,
    handshake: Spread,
    /// When each packet of the client was seen, and the same of the hub.
    sent: [BTreeMap<u64, i128>; 2],
    /// From the place of capture to the hub and back, and to the client and back.
    acknowledged: [Spread; 2],
}

impl Session {
    fn handshake(&mut self, kind: Kind, from_client: bool, now: i128) {
        match kind {
            // A repeat makes it unknown which one was answered: the last is the least that can be said.
            Kind::Init(_) => self.init_ns = Some(now),
            Kind::Fin => self.fin_ns = Some(now),
            Kind::Resp => {
                if let Some(sent) = self.init_ns.take() {
                    self.handshake.add(now.saturating_sub(sent));
                }
            }
            Kind::Short if !from_client => {
                if let Some(sent) = self.fin_ns.take() {
                    self.handshake.add(now.saturating_sub(sent));
                }
            }
            _ => {}
        }
    }

    /// An acknowledgement of the other side's packets.
    fn acknowledge(&mut self, sender: usize, largest: u64, delay_us: u64, now: i128) {
        let (Some(sent), Some(spread)) =
            (self.sent.get_mut(1 - sender), self.acknowledged.get_mut(1 - sender))
        else {
            return;
        };
        if let Some(time) = sent.remove(&largest) {
            spread.add(now.saturating_sub(time).saturating_sub(i128::from(delay_us) * 1_000));
        }
        // What is older is acknowledged with it, or lost.
        *sent = sent.split_off(&largest);
    }
}

impl Fold for RoundTrips {
    fn take(&mut self, seen: &Seen<'_>) {
        let Some(now) = seen.clock.now_ns else { return };
        let Some((kept, membership)) = track::of(&mut self.0, seen) else { return };
        kept.title = track::title(&membership);
        kept.handshake(membership.member.kind, membership.member.from_client, now);
        let Some(opened) = seen.context.opened else { return };
        let Some(place) = opened.place else { return };
        let sender = usize::from(!opened.from_client);
        let side = if opened.from_client { Side::Client } else { Side::Hub };
        let mut elicits = false;
        for frame in Frames::parse(&opened.plaintext, side).iter().flat_map(Frames::iter) {
            elicits |= frame.is_ack_eliciting();
            if let Frame::Ack(ack) = &frame {
                kept.acknowledge(sender, ack.largest(), ack.delay_us, now);
            }
        }
        if let Some(sent) = kept.sent.get_mut(sender).filter(|_| elicits) {
            sent.insert(place.number, now);
            if sent.len() > WAITING_MAX {
                sent.pop_first();
            }
        }
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        let line = rule(79);
        writeln!(out, "{line}\nSealgram round trips, at the place of capture")?;
        for (number, kept) in self.0.iter() {
            let [to_hub, to_client] = &kept.acknowledged;
            writeln!(out, "session {number}: {}", kept.title)?;
            writeln!(out, "  handshake          {}", kept.handshake.shown())?;
            writeln!(out, "  to hub and back    {}", to_hub.shown())?;
            writeln!(out, "  to client and back {}", to_client.shown())?;
        }
        self.0.write_left_out(out)?;
        writeln!(out, "{line}")
    }
}
