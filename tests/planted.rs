//! Every check finds the defect it is there for: each is put into the program by a wrapper, and the world fails.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set is a failed test")]

use core::time::Duration;
use node_proto::client::{ClientEvent, Target};
use node_proto::log::{
    AccountId, Append, Engine, LOBBY, Lookup, MemoryLog, Page, Recovered, Reply, RoomId, Seq,
};
use sim::plant::{Gauge, Plant};
use sim::{ClientId, Link, World};
use spec::key_log;
use spec::seal::{Opener, Sealer};
use spec::time::UnixTime;
use spec::wire::entry::EntryKind;
use spec::wire::frame::Side;
use spec::wire::long::{Long, LongKind};
use spec::wire::message::RoomKind;
use spec::wire::short;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Three people talk under a planted defect, in the lobby and two of them alone; then everyone has everything.
fn talk(plant: Option<Box<dyn Plant>>, engine: Option<Box<dyn Engine>>) {
    let mut world = World::watched(1, Link::GOOD);
    world.key_log = true;
    world.plant = plant;
    if let Some(engine) = engine {
        world.kill_hub();
        world.keep_log_in(engine);
        world.start_hub();
    }
    let ids = ["cy", "ann", "bob"].map(|name| world.join(name));
    world.run(secs(2));
    for round in 0..5 {
        for id in ids {
            world.say(id, &format!("{round}: one"));
            world.say(id, &format!("{round}: two"));
        }
        world.say_to(ids[1], Target::Direct("bob".into()), &format!("{round}: for you alone"));
        world.run(Duration::from_millis(200));
    }
    world.say(ids[0], "the last word");
    if let Err(violation) = world.settle(secs(10)) {
        panic!("{violation}");
    }
}

#[test]
fn nothing_planted_nothing_found() {
    talk(None, None);
}

/// What is done to the tenth line that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trick {
    Twice,
    Never,
    BehindTheNext,
    Altered,
    ElsewhereStored,
    ToAThird,
}

#[derive(Debug)]
struct Conjurer {
    trick: Trick,
    shown: usize,
    held: Option<ClientEvent>,
    direct: Option<RoomId>,
}

impl Conjurer {
    fn plant(trick: Trick) -> Option<Box<dyn Plant>> {
        Some(Box::new(Self { trick, shown: 0, held: None, direct: None }))
    }

    fn shows(&mut self, client: ClientId, mut event: ClientEvent) -> Vec<ClientEvent> {
        let ClientEvent::Entry { room, entry, .. } = &mut event else { return vec![event] };
        self.shown += 1;
        if let (ClientId(0), Some(direct), Trick::ToAThird) = (client, self.direct, self.trick) {
            *room = direct;
            return vec![event];
        }
        if self.shown != 10 {
            return core::iter::once(event).chain(self.held.take()).collect();
        }
        match self.trick {
            Trick::Twice => vec![event.clone(), event],
            Trick::Never => Vec::new(),
            Trick::BehindTheNext => {
                self.held = Some(event);
                Vec::new()
            }
            Trick::Altered => {
                entry.push(b'!');
                vec![event]
            }
            _ => vec![event],
        }
    }
}

impl Plant for Conjurer {
    fn events(&mut self, client: ClientId, event: ClientEvent) -> Vec<ClientEvent> {
        match event {
            ClientEvent::Room { room, kind: RoomKind::Direct, .. } => self.direct = Some(room),
            ClientEvent::Stored { id, room, sequence } if self.trick == Trick::ElsewhereStored => {
                return vec![ClientEvent::Stored { id, room, sequence: sequence.next() }];
            }
            _ => {}
        }
        self.shows(client, event)
    }
}

#[test]
#[should_panic(expected = "comes next")]
fn an_entry_shown_twice() {
    talk(Conjurer::plant(Trick::Twice), None);
}

#[test]
#[should_panic(expected = "comes next")]
fn an_entry_never_shown() {
    talk(Conjurer::plant(Trick::Never), None);
}

#[test]
#[should_panic(expected = "comes next")]
fn an_entry_shown_behind_the_next() {
    talk(Conjurer::plant(Trick::BehindTheNext), None);
}

#[test]
#[should_panic(expected = "what the log does not hold there")]
fn an_entry_altered() {
    talk(Conjurer::plant(Trick::Altered), None);
}

#[test]
#[should_panic(expected = "was told that its line is entry")]
fn a_line_reported_stored_where_it_is_not() {
    talk(Conjurer::plant(Trick::ElsewhereStored), None);
}

#[test]
#[should_panic(expected = "which is for others")]
fn a_private_line_shown_to_a_third() {
    talk(Conjurer::plant(Trick::ToAThird), None);
}

/// The last entry is nobody's predecessor: that it is missing shows at the end.
#[test]
#[should_panic(expected = "does not show the end of room 1")]
fn the_last_entry_never_shown() {
    #[derive(Debug)]
    struct Last;
    impl Plant for Last {
        fn events(&mut self, _: ClientId, event: ClientEvent) -> Vec<ClientEvent> {
            let is_last =
                matches!(&event, ClientEvent::Entry { entry, .. } if entry.ends_with(b"the last word"));
            let is_shown = !is_last;
            is_shown.then_some(event).into_iter().collect()
        }
    }
    talk(Some(Box::new(Last)), None);
}

#[test]
#[should_panic(expected = "is not connected")]
fn a_client_that_never_gets_in() {
    #[derive(Debug)]
    struct Mute;
    impl Plant for Mute {
        fn datagrams(&mut self, _: &[u8]) -> Vec<Vec<u8>> {
            Vec::new()
        }
    }
    talk(Some(Box::new(Mute)), None);
}

/// Seals one more packet under the number of the tenth of a client, with other frames in it.
#[derive(Debug, Default)]
struct Resealer {
    keys: Option<(Opener, Sealer)>,
    ids: Vec<short::ConnectionId>,
    sent: usize,
}

impl Plant for Resealer {
    fn events(&mut self, _: ClientId, event: ClientEvent) -> Vec<ClientEvent> {
        if let (ClientEvent::KeyLog(lines), None) = (&event, &self.keys) {
            let sessions = key_log::parse(lines).unwrap();
            let keys = sessions.values().next().unwrap().root().unwrap().direction(Side::Client);
            self.keys = Some((Opener::new(&keys), Sealer::new(&keys)));
            self.ids = (0..5).map(|index| keys.ids.id(index)).collect();
        }
        vec![event]
    }

    fn datagrams(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let is_ours = short::connection_id(datagram).is_some_and(|id| self.ids.contains(&id));
        let Some((opener, sealer)) = self.keys.as_mut().filter(|_| is_ours) else {
            return vec![datagram.to_vec()];
        };
        self.sent += 1;
        let opened = opener.open(&mut datagram.to_vec(), None).unwrap();
        let mut again = Vec::new();
        if self.sent == 10 {
            opened.header.encode(&mut again);
            again.extend_from_slice(&[0x01; 4]);
            sealer.seal(&opened.header, &mut again, 0).unwrap();
        }
        let again = Some(again).filter(|again| !again.is_empty());
        core::iter::once(datagram.to_vec()).chain(again).collect()
    }
}

#[test]
#[should_panic(expected = "packet number 9 was sealed under after 9 had been")]
fn a_number_used_twice() {
    talk(Some(Box::new(Resealer::default())), None);
}

#[test]
#[should_panic(expected = "no logged key opens")]
fn a_datagram_under_another_nonce_than_its_number() {
    #[derive(Debug)]
    struct Renumberer;
    impl Plant for Renumberer {
        fn datagrams(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
            let mut datagram = datagram.to_vec();
            if short::is_short(&datagram) {
                datagram[short::NUMBER_START] ^= 1;
            }
            vec![datagram]
        }
    }
    talk(Some(Box::new(Renumberer)), None);
}

#[test]
#[should_panic(expected = "message 3 of a handshake was sealed twice")]
fn a_fin_built_anew() {
    #[derive(Debug)]
    struct Rebuilder;
    impl Plant for Rebuilder {
        fn datagrams(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
            let is_fin = Long::parse(datagram).is_ok_and(|long| long.kind == LongKind::Fin);
            let mut other = datagram.to_vec();
            other[100] ^= 1;
            core::iter::once(datagram.to_vec()).chain(is_fin.then_some(other)).collect()
        }
    }
    talk(Some(Box::new(Rebuilder)), None);
}

/// Claims that something holds more than it may.
#[derive(Debug)]
struct Hoarder(&'static str);

impl Plant for Hoarder {
    fn gauge(&mut self, gauge: Gauge) -> Gauge {
        if gauge.what == self.0 { Gauge { held: gauge.most + 1, ..gauge } } else { gauge }
    }
}

#[test]
#[should_panic(expected = "bytes are in flight where")]
fn more_in_flight_than_the_window() {
    talk(Some(Box::new(Hoarder("bytes in flight"))), None);
}

#[test]
#[should_panic(expected = "gaps in streams: 65 held, 64 allowed")]
fn a_queue_longer_than_it_may_be() {
    talk(Some(Box::new(Hoarder("gaps in streams"))), None);
}

/// A log with a defect around one without.
struct Faulty<F> {
    log: MemoryLog,
    commit: F,
    forgets: bool,
}

impl<F: Fn(&mut MemoryLog, Vec<Append>, UnixTime) -> Vec<Reply> + Send> Engine for Faulty<F> {
    fn recover(&mut self) -> Result<Recovered, String> {
        self.log.recover()
    }

    fn commit(&mut self, appends: &[Append], time: UnixTime) -> Vec<Reply> {
        (self.commit)(&mut self.log, appends.to_vec(), time)
    }

    fn read(&mut self, room: RoomId, from: Seq) -> Reply {
        match self.log.read(room, from) {
            Reply::Page { room: LOBBY, .. } if self.forgets => Reply::Page { room, page: Page::new(from) },
            reply => reply,
        }
    }

    fn find(&mut self, lookup: &Lookup) -> Reply {
        self.log.find(lookup)
    }
}

fn faulty(
    commit: impl Fn(&mut MemoryLog, Vec<Append>, UnixTime) -> Vec<Reply> + Send + 'static,
) -> Option<Box<dyn Engine>> {
    Some(Box::new(Faulty { log: MemoryLog::new([7; 8]), commit, forgets: false }))
}

#[test]
#[should_panic(expected = "is in the log twice")]
fn a_line_committed_twice() {
    let commit = |log: &mut MemoryLog, appends: Vec<Append>, time: UnixTime| {
        // The same line once more, and for the log it is another's.
        let again: Vec<Append> =
            appends.iter().cloned().map(|append| Append { author: AccountId(99), ..append }).collect();
        log.commit(&[appends, again].concat(), time)
    };
    talk(None, faulty(commit));
}

#[test]
#[should_panic(expected = "is a text nobody said")]
fn a_line_altered_on_its_way_to_the_log() {
    let commit = |log: &mut MemoryLog, mut appends: Vec<Append>, time: UnixTime| {
        appends
            .iter_mut()
            .filter(|append| append.kind == EntryKind::Text)
            .for_each(|append| append.body.push(b'!'));
        log.commit(&appends, time)
    };
    talk(None, faulty(commit));
}

#[test]
#[should_panic(expected = "before the entry in front of it")]
fn lines_committed_in_another_order() {
    let commit = |log: &mut MemoryLog, mut appends: Vec<Append>, time: UnixTime| {
        appends.reverse();
        log.commit(&appends, time)
    };
    talk(None, faulty(commit));
}

#[test]
#[should_panic(expected = "was committed, and the log has lost it")]
fn a_log_that_forgets() {
    let commit = |log: &mut MemoryLog, appends: Vec<Append>, time: UnixTime| log.commit(&appends, time);
    talk(None, Some(Box::new(Faulty { log: MemoryLog::new([7; 8]), commit, forgets: true })));
}
