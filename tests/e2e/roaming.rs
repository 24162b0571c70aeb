//! Machines that move, a NAT that forgets and a hub that is killed, over a bad link: nobody's words are lost or
//! doubled, and nobody seems to have left.
//!
//! `ROAMING=full cargo test --release -p tests --test e2e roaming` takes a minute: 20 moves and 20 kills.

use crate::harness::{Hub, Line, Net, Place, Process};
use node::clock::Clock;
use node::demo::relay::{Badness, Relay};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const LINK: Badness =
    Badness { loss_per_mille: 100, duplicate_per_mille: 20, reorder_per_mille: 100, damage_per_mille: 30 };
/// How often each says a line.
const BEAT: Duration = Duration::from_millis(100);
/// Beats between two moves, and between two kills: 20 of each in a minute.
const BEATS_BETWEEN: u32 = 30;

const HUB: u8 = 0;
const ANN: u8 = 1;
const BOB: u8 = 2;
const PORT: u16 = 5555;

/// The hub, its clients and the link between them, each a machine of its own.
struct Stage {
    place: Place,
    net: Net,
    relay: Relay,
    hub: Hub,
}

impl Stage {
    fn set() -> Option<Self> {
        let (place, net) = (Place::new(), Net::new(3)?);
        let hub = start_hub(&place, &net);
        let front = SocketAddr::from(([0; 4], PORT));
        let address = hub.address;
        let relay = net.in_the_middle(move || Relay::start_at(front, address, LINK, 1).unwrap());
        Some(Self { place, net, relay, hub })
    }

    fn join(&self, machine: u8, name: &str) -> Process {
        let gateway = SocketAddr::from((Net::gateway(machine), PORT));
        let invite = self.hub.invite_by(gateway);
        let mut command = self.place.join_command(&invite, name);
        Process::start(&mut self.net.on(machine, command.args(["--json", "--follow", "--timeout", "120"])))
    }

    /// Ann is elsewhere: by an address of her own, or because the NAT before her forgot her. Then the hub sees
    /// another port, or another address.
    fn move_ann(&self, number: u8) {
        match number % 3 {
            0 => self.net.move_to(ANN, 10 + number),
            1 => self.relay.rebind(IpAddr::from(Net::gateway(HUB))),
            _ => self.relay.rebind(IpAddr::from(self.net.add_gateway(HUB, 10 + number))),
        }
    }

    fn kill_hub(&mut self) {
        self.hub.process.kill();
        self.hub = start_hub(&self.place, &self.net);
    }
}

fn start_hub(place: &Place, net: &Net) -> Hub {
    let address = SocketAddr::from((Net::address(HUB, 2), PORT)).to_string();
    let mut command = place.hub_command(&address, "hub");
    Hub::start(&mut net.on(HUB, command.arg("--json")))
}

fn count(lines: &[Line], kind: &str) -> usize {
    lines.iter().filter(|line| line.is(kind)).count()
}

/// Ann moves every three seconds, and so does a hub die.
#[test]
fn nothing_is_lost_on_the_move() {
    let times: u32 = if std::env::var("ROAMING").is_ok_and(|form| form == "full") { 20 } else { 4 };
    let Some(mut stage) = Stage::set() else { return };
    let mut ann = stage.join(ANN, "ann").connected();
    let mut bob = stage.join(BOB, "bob").connected();
    ann.wait_for("bob is announced", |line| line.is_notice("joined", "bob"));
    let clock = Clock::start();
    let beats = times * BEATS_BETWEEN;
    let mut at = clock.now();
    for beat in 0..beats {
        at = at + BEAT;
        ann.listen_until(&clock, at);
        ann.say(&format!("ann {beat}"));
        bob.say(&format!("bob {beat}"));
        let number = u8::try_from(beat / BEATS_BETWEEN).unwrap();
        match beat % BEATS_BETWEEN {
            5 => stage.move_ann(number),
            20 => stage.kill_hub(),
            _ => {}
        }
    }
    let expected = 2 * usize::try_from(beats).unwrap();
    for client in [&mut ann, &mut bob] {
        let what = "everything is stored and read";
        client.wait_until(what, |lines| {
            count(lines, "message") >= expected && count(lines, "stored") >= expected / 2
        });
    }
    let (carried, lost) = stage.relay.counts();
    assert!(lost * 20 > carried, "the link was bad: {lost} lost, {carried} carried");
    let heard = ann.conversation();
    assert_eq!(heard, bob.conversation(), "one order on every screen");
    for name in ["ann", "bob"] {
        let said = heard.iter().filter(|(from, _)| from == name).map(|(_, text)| text.clone());
        let expected = (0..beats).map(|beat| format!("{name} {beat}"));
        assert!(said.eq(expected), "{name} is heard once, in order");
    }
    for client in [&mut ann, &mut bob] {
        let announced = |line: &Line| line.is_notice_of("joined") || line.is_notice_of("left");
        let names = client.lines().iter().filter(|line| announced(line));
        let again =
            names.filter(|line| !(line.is_notice("joined", "ann") || line.is_notice("joined", "bob")));
        assert_eq!(again.count(), 0, "nobody left");
        for name in ["ann", "bob"] {
            assert!(client.count(|line| line.is_notice("joined", name)) <= 1, "{name} came once");
        }
    }
    println!("{times} moves, {times} kills, {expected} lines; the link lost {lost} of {}", lost + carried);
}
