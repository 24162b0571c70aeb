//! `kill -9` of the hub, at any moment, under load.

use crate::harness::{Place, Process};
use crate::kept::Kept;
use crate::speaker::{Speaker, talk, talk_until_stored};
use node_proto::random::Random;
use std::time::Duration;

/// Kills of a run that is not asked for more.
const KILLS: u32 = 6;
/// A hub is killed so long after it has stored something.
const RUN_TIME_MAX: Duration = Duration::from_millis(150);
/// So many kills hit a hub that stores, and the next one a hub that starts.
const STARTING_AFTER: u32 = 3;
/// It is ready after so long, about.
const START_TIME_MAX: Duration = Duration::from_millis(20);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().expect("it is a number"))
}

fn draw(random: &mut Random, most: Duration) -> Duration {
    Duration::from_micros(random.number() % u64::try_from(most.as_micros()).unwrap())
}

/// Two talk, one line every two milliseconds each, while the hub is killed and started again on the same folder.
/// Every line is stored once and in order, at the place its author was told, and both screens show the log.
#[test]
fn nothing_stored_is_lost_to_kills() {
    let kills = number("KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let seed = number("SEED").unwrap_or_else(|| u64::from_be_bytes(node::entropy::bytes().unwrap()));
    println!("{kills} kills, SEED={seed}");
    let mut random = Random::new(std::array::from_fn(|at| seed.to_be_bytes()[at % 8]));
    let place = Place::new();
    let mut hub = place.hub(&[]);
    let address = hub.address.to_string();
    let mut speakers = [Speaker::join(&place, &hub, "ann"), Speaker::join(&place, &hub, "bob")];
    speakers[0].process.wait_for("bob is announced", |line| line.is_notice("joined", "bob"));
    let (mut killed, mut killed_starting) = (0, 0);
    while killed + killed_starting < kills {
        talk_until_stored(&mut speakers);
        talk(&mut speakers, draw(&mut random, RUN_TIME_MAX));
        hub.process.kill();
        killed += 1;
        if killed.is_multiple_of(STARTING_AFTER) {
            let mut starting = Process::start(place.hub_command(&address, "hub").arg("--json"));
            talk(&mut speakers, draw(&mut random, START_TIME_MAX));
            starting.kill();
            killed_starting += 1;
        }
        hub = place.hub_at(&address, "hub", &[]);
    }
    speakers.iter_mut().for_each(Speaker::wait_until_stored);
    let lines: usize = speakers.iter().map(|speaker| speaker.said).sum();
    for speaker in &mut speakers {
        speaker.process.wait_until("everything is read", |read| {
            read.iter().filter(|line| line.is("message")).count() >= lines
        });
    }
    hub.process.kill();
    let kept = Kept::read(&place.path("hub"));
    for speaker in &mut speakers {
        kept.assert_holds(speaker);
        assert_eq!(speaker.process.conversation(), kept.conversation(), "the log on every screen");
    }
    println!(
        "{killed} hubs killed while they stored, {killed_starting} while they started; {lines} lines, none lost"
    );
}
