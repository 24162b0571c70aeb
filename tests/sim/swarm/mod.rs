//! A world, its people and its faults, all drawn from one seed.
//!
//! Faults are drawn as a swarm (Groce and others 2012): in each world most kinds are wholly off, so that those that
//! are on meet each other undisturbed, and some worlds have no fault at all.

mod draw;
mod faults;
pub mod script;

use crate::acts::Act;
use crate::checks::Violation;
use crate::network::Link;
use crate::pipe::Counts;
use crate::world::World;
use crate::{ClientId, Pipe};
use core::fmt;
use core::ops::AddAssign;
use core::time::Duration;
use draw::Draw;
use faults::Faults;
use node_proto::connection::{Connection, KeyPolicy};

/// Time from the end of the faults within which everyone has everything.
pub const SETTLES_WITHIN: Duration = Duration::from_secs(20);

/// Time in which a hub makes its lobby.
const STARTS_WITHIN: Duration = Duration::from_millis(10);

/// People there may be.
const NAMES: [&str; 4] = ["ann", "bob", "cy", "dora"];

/// All that a seed decides before the world begins.
#[derive(Debug)]
pub struct Plan {
    seed: u64,
    faults: Faults,
    links: Vec<(Link, Link)>,
    acts: Vec<(Duration, Act)>,
    /// How long faults go on.
    time: Duration,
    /// When keys are changed.
    keys: KeyPolicy,
    /// Whether every datagram is opened and its number compared; it takes half of the time.
    opens: bool,
    /// Whether it is printed what happens.
    tells: bool,
}

/// What a world was like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Worlds.
    pub worlds: u64,
    /// Things that happened.
    pub steps: u64,
    /// Virtual time.
    pub time: Duration,
    /// The longest time from the end of the faults until everyone had everything.
    pub settled: Duration,
    /// Lines whose authors were told that they are stored.
    pub stored: u64,
    /// Datagrams that were opened and whose numbers were compared.
    pub opened: u64,
    /// Generations of keys that clients had reached in the sessions they ended with.
    pub generations: u64,
    /// Epochs that clients had reached in these.
    pub epochs: u64,
    /// Acts: lines, crashes, moves and the like.
    pub acts: u64,
    /// What befell datagrams.
    pub counts: Counts,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, more: Self) {
        self.worlds += more.worlds;
        self.steps += more.steps;
        self.time += more.time;
        self.settled = self.settled.max(more.settled);
        self.stored += more.stored;
        self.opened += more.opened;
        self.generations += more.generations;
        self.epochs += more.epochs;
        self.acts += more.acts;
        self.counts += more.counts;
    }
}

impl Plan {
    /// What `seed` decides.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let faults = Faults::draw(&mut draw);
        let mut plan = Self::with_faults(seed, faults, &mut draw);
        if draw.one_in(2) {
            plan.keys = keys_in_motion(&mut draw);
        }
        plan
    }

    /// What `seed` decides of a world in which all that moves does so at once: keys are updated and ratcheted, NATs
    /// forget, MTUs fall, clocks leap and the hub is restarted.
    #[must_use]
    pub fn of_motion(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let faults = Faults::motion(&mut draw);
        let plan = Self::with_faults(seed, faults, &mut draw);
        Self { keys: keys_in_motion(&mut draw), ..plan }
    }

    fn with_faults(seed: u64, faults: Faults, draw: &mut Draw) -> Self {
        let clients = 2 + draw.index(3);
        let time = draw.time(3000, 10_000);
        let links = (0..clients).map(|_| faults.links(draw)).collect();
        let mut acts = Vec::new();
        for index in 0..clients {
            acts.push((draw.time(0, 500), Act::StartClient(ClientId(index))));
        }
        acts.extend(talk(draw, clients, time));
        acts.extend(faults.acts(draw, clients, time));
        acts.sort_by_key(|(at, _)| *at);
        let opens = draw.one_in(4);
        let keys = KeyPolicy::default();
        Self { seed, faults, links, acts, time, keys, opens, tells: false }
    }

    /// The same, and it is printed what happens.
    #[must_use]
    pub fn told(self) -> Self {
        Self { tells: true, ..self }
    }

    /// The world before anything has happened in it.
    #[must_use]
    pub fn world(&self) -> World {
        let mut world = World::with_keys(self.seed, Link::GOOD, self.keys).watch();
        world.key_log = self.opens;
        world.tells = self.tells;
        for (name, links) in NAMES.iter().zip(&self.links) {
            let id = world.enrol(name);
            world.nodes[id.0].links = Some(*links);
        }
        // The first thing a new log holds is the lobby: a hub that cannot write even that has not started.
        world.run(STARTS_WITHIN);
        for (after, act) in &self.acts {
            world.plan(*after, *act);
        }
        world
    }

    /// How long faults go on.
    #[must_use]
    pub const fn time(&self) -> Duration {
        self.time
    }

    /// Lets it happen.
    ///
    /// # Errors
    /// [`Violation`], when not all is well after the faults have stopped.
    ///
    /// # Panics
    /// When a check fails, with the seed and the time.
    pub fn run(&self) -> Result<Outcome, Violation> {
        let mut world = self.world();
        world.run(self.time);
        world.heal();
        let settled = world.settle(SETTLES_WITHIN)?;
        Ok(self.outcome(&world, settled))
    }

    fn outcome(&self, world: &World, settled: Duration) -> Outcome {
        let mut counts = Counts::default();
        world.pipes().map(Pipe::counts).for_each(|more| counts += *more);
        let checks = world.checks.as_ref();
        let sessions = world.nodes.iter().filter_map(|node| node.client.as_ref()?.connection());
        let (generations, epochs) =
            sessions.map(Connection::status).fold((0, 0), |(generations, epochs), status| {
                (generations + status.generation, epochs + status.epoch)
            });
        Outcome {
            worlds: 1,
            steps: world.steps(),
            time: self.time + settled,
            settled,
            stored: checks.map_or(0, |checks| checks.stored() as u64),
            opened: checks.map_or(0, crate::checks::Checks::opened),
            generations,
            epochs,
            acts: self.acts.len() as u64,
            counts,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {:?}, for {:?}\n{:?}", self.seed, self.faults, self.time, self.keys)?;
        for (index, (up, down)) in self.links.iter().enumerate() {
            writeln!(f, "client {index} up {up:?}\nclient {index} down {down:?}")?;
        }
        Ok(())
    }
}

/// Keys that change every few packets and round trips.
fn keys_in_motion(draw: &mut Draw) -> KeyPolicy {
    KeyPolicy {
        update_packets: 2 + draw.below(40),
        update_after: draw.time(100, 10_000),
        ratchet_every: draw.time(50, 3000),
        kem_every: draw.time(100, 6000),
        ratchet_answer: draw.of(&[Duration::ZERO, Duration::from_millis(300)]),
        failed_ratchet: draw.of(&[4, 64, 1 << 20]),
        ..KeyPolicy::default()
    }
}

/// What people say: mostly short lines, some longer than a datagram, some to one other alone.
fn talk(draw: &mut Draw, clients: usize, time: Duration) -> Vec<(Duration, Act)> {
    let lines = 10 + draw.index(31);
    let line = |draw: &mut Draw| {
        let from = ClientId(draw.index(clients));
        let to = draw.one_in(5).then(|| ClientId(draw.index(clients)));
        let bytes = match draw.index(40) {
            0 => 3000 + draw.index(12_000),
            1..=4 => 1000 + draw.index(2000),
            _ => draw.index(200),
        };
        (draw.within(time), Act::Say { from, to, bytes })
    };
    (0..lines).map(|_| line(draw)).collect()
}
