//! The warm path of a hub makes nothing: what is sent, received and acknowledged moves through memory that is there
//! already.

use core::time::Duration;
use node_proto::log::{Batch, LOBBY, Reply, Seq, Ticket};
use node_proto::transmit::Path;
use sim::{Link, World};
use spec::time::Instant;
use spec::wire::entry::{Entry, EntryKind, MessageId};
use std::net::SocketAddr;
use std::sync::Arc;

const MEMBERS: usize = 40;
/// Lines of one commit.
const LINES: u64 = 8;

/// A hub, its members, and what is between them: nothing.
struct Room {
    world: World,
    now: Instant,
    next: Seq,
    datagrams: u64,
}

impl Room {
    fn new() -> Self {
        let mut world = World::new(1, Link::GOOD);
        for member in 0..MEMBERS {
            world.join(&format!("member {member}"));
        }
        assert!(world.run_until(Duration::from_secs(60), World::everyone_is_in));
        world.run(Duration::from_secs(2));
        let resume = world.nodes[0].client.as_ref().and_then(node_proto::Client::resume).expect("a session");
        let (now, next) = (world.now, resume.rooms[&LOBBY].next());
        Self { world, now, next, datagrams: 0 }
    }

    fn committed(&mut self) -> Reply {
        let mut batch = Batch::default();
        for line in 0..LINES {
            let mut entry = Vec::new();
            let (id, body) = (MessageId([7; 16]), [b'x'; 100]);
            let time = spec::time::UnixTime(1);
            Entry { author: 2, id, time, kind: EntryKind::Text, name: "ann", body: &body }.encode(&mut entry);
            batch.push(Ticket(u64::MAX - line), LOBBY, self.next, &entry);
            self.next = self.next.next();
        }
        Reply::Committed(Arc::new(batch))
    }

    /// A commit, everything that follows from it, and every answer. Returns allocations for the commit, and for the
    /// datagrams.
    fn round(&mut self, out: &mut Vec<u8>, sent: &mut Vec<(SocketAddr, Vec<u8>)>) -> [u64; 2] {
        self.now = self.now + Duration::from_millis(50);
        let (now, reply) = (self.now, self.committed());
        let mut hub = self.world.hub.take().expect("the hub runs");
        let mut reply = Some(reply);
        let commit = allocation_counter::measure(|| hub.handle_reply(now, reply.take().expect("given once")));
        let mut allocations = 0;
        let mut count = |work: &mut dyn FnMut()| allocations += allocation_counter::measure(work).count_total;
        count(&mut || hub.handle_timeout(now));
        // The operator's screen makes a copy of every line: it is told once a commit, and not once a member.
        while hub.poll_event().is_some() {}
        loop {
            let mut transmit = None;
            count(&mut || transmit = hub.poll_transmit(now, out));
            let Some(transmit) = transmit else { break };
            let to = transmit.path.remote;
            sent.extend(transmit.datagrams(out).map(|datagram| (to, datagram.to_vec())));
        }
        self.datagrams += sent.len() as u64;
        for (from, mut datagram) in self.answers(sent) {
            self.datagrams += 1;
            count(&mut || hub.handle_datagram(now, Path::new(from, 0), &mut datagram).expect("it opens"));
        }
        count(&mut || while hub.poll_transmit(now, out).is_some() {});
        self.world.hub = Some(hub);
        [commit.count_total, allocations]
    }

    /// Gives the members what was sent to them; what they say to it.
    fn answers(&mut self, sent: &mut Vec<(SocketAddr, Vec<u8>)>) -> Vec<(SocketAddr, Vec<u8>)> {
        let hub = Path::new(sim::world::HUB_ADDRESS.parse().expect("a literal address"), 0);
        let (mut answers, mut out) = (Vec::new(), Vec::new());
        for (to, mut datagram) in sent.drain(..) {
            let node = self.world.nodes.iter_mut().find(|node| node.address == to).expect("a member");
            let client = node.client.as_mut().expect("it runs");
            client.handle_datagram(self.now, hub, &mut datagram).expect("it opens");
            client.handle_timeout(self.now + Duration::from_millis(30));
            while client.poll_event().is_some() {}
            while let Some(transmit) = client.poll_transmit(self.now + Duration::from_millis(30), &mut out) {
                answers.extend(transmit.datagrams(&out).map(|datagram| (to, datagram.to_vec())));
            }
        }
        answers
    }
}

#[test]
fn a_datagram_allocates_nothing() {
    let (mut room, mut out, mut sent) = (Room::new(), Vec::with_capacity(70_000), Vec::new());
    for _ in 0..200 {
        room.round(&mut out, &mut sent);
    }
    room.datagrams = 0;
    let (mut commits, mut datagrams) = (0, 0);
    for _ in 0..40 {
        let [commit, datagram] = room.round(&mut out, &mut sent);
        commits += commit;
        datagrams += datagram;
    }
    println!("{commits} allocations in 40 commits, {datagrams} in {} datagrams", room.datagrams);
    assert!(room.datagrams > 40 * MEMBERS as u64);
    assert!(datagrams * 100 <= room.datagrams, "{datagrams} allocations in {} datagrams", room.datagrams);
    // A commit has a price for each of its lines, whoever reads them: the operator is shown it.
    assert!(commits <= 40 * 4 * LINES, "{commits} allocations in 40 commits");
}
