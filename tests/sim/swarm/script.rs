//! Any bytes as a world: what a fuzzer drives. The people and the keys are always the same.

use super::{NAMES, SETTLES_WITHIN};
use crate::ClientId;
use crate::acts::{Act, Direction, Whose};
use crate::checks::Violation;
use crate::network::Link;
use crate::world::World;
use core::time::Duration;

/// Bytes that are read; the rest changes nothing.
const BYTES_MAX: usize = 400;
/// People in the world.
const CLIENTS: usize = 2;
/// Time that faults go on after the last act.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// Lets happen what `bytes` say: some name the fate of the next datagram that has none yet, others something that
/// happens a while after the last.
///
/// # Errors
/// [`Violation`], when not all is well after the faults have stopped.
///
/// # Panics
/// When a check fails.
pub fn run(bytes: &[u8]) -> Result<(), Violation> {
    let mut world = World::watched(0, Link::GOOD);
    world.key_log = true;
    for name in &NAMES[..CLIENTS] {
        world.join(name);
    }
    let mut script = Script { world: &mut world, datagram: 0, at: Duration::ZERO };
    let mut rest = &bytes[..bytes.len().min(BYTES_MAX)];
    while let [first, second, third, behind @ ..] = rest {
        rest = behind;
        script.read([*first, *second, *third]);
    }
    let time = script.at + AFTERWARDS;
    world.run(time);
    world.heal();
    world.settle(SETTLES_WITHIN).map(|_| ())
}

/// How far the bytes were read.
struct Script<'a> {
    world: &'a mut World,
    /// The next datagram that may be given a fate.
    datagram: usize,
    /// When the last act happens.
    at: Duration,
}

impl Script<'_> {
    fn read(&mut self, [what, which, how]: [u8; 3]) {
        let number = u64::from(how);
        match what % 8 {
            0..=3 => self.befall(what, usize::from(which), number),
            _ => {
                self.at += Duration::from_millis(u64::from(what >> 3) * 16);
                let act = act(which, ClientId(usize::from(which >> 4) % CLIENTS), number);
                self.world.plan(self.at, act);
            }
        }
    }

    /// Gives a fate to a datagram not far behind the last that has one.
    fn befall(&mut self, what: u8, skip: usize, number: u64) {
        self.datagram += skip % 16;
        let (place, later) = (self.datagram, Duration::from_millis(number * 4));
        self.datagram += 1;
        match what % 8 {
            0 => drop(self.world.fates.insert(place, None)),
            1 => drop(self.world.fates.insert(place, Some(later))),
            2 => drop(self.world.repeats.insert(place, later)),
            _ => drop(self.world.flips.insert(place, usize::from(what >> 3) * 256 + skip)),
        }
    }
}

fn act(which: u8, id: ClientId, number: u64) -> Act {
    let time = Duration::from_millis(number * 16);
    let other = ClientId((id.0 + 1) % CLIENTS);
    match which % 16 {
        0 | 1 => Act::Say { from: id, to: None, bytes: usize::try_from(number).unwrap_or(0) },
        2 => Act::Say { from: id, to: Some(other), bytes: usize::try_from(number * 16).unwrap_or(0) },
        3 => Act::KillHub,
        4 => Act::StartHub,
        5 => Act::KillClient(id),
        6 => Act::StartClient(id),
        7 => Act::Rebind(id),
        8 => Act::Sleep(Whose::Hub, time),
        9 => Act::Sleep(Whose::Client(id), time),
        10 => Act::Leap(Whose::Hub, time),
        11 => Act::Leap(Whose::Client(id), time),
        12 => Act::Cut(id, if number.is_multiple_of(2) { Direction::Up } else { Direction::Down }, time),
        13 => Act::Refuse(time),
        14 => Act::Slow(time / 4),
        _ => Act::Remap(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_proto::random::Random;

    /// Any bytes make a world in which all is well in the end.
    #[test]
    fn random_bytes_are_a_world() {
        let mut random = Random::new([9; 32]);
        for _ in 0..100 {
            let bytes: [u8; 256] = random.array();
            run(&bytes).unwrap();
        }
    }
}
