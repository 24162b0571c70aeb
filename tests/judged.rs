//! `dissect` on simulated worlds: clients that move, NATs that forget, lost and late datagrams, crashes, keys that
//! change. What the wire shows is nothing but opaque, and with the clients' key logs every tag verifies.
//!
//! ```text
//! WORLDS=1000 cargo test --release -p tests --test judged
//! SEED=123 cargo test -p tests --test judged                   one, with what was found
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use core::net::SocketAddr;
use core::time::Duration;
use dissect::verdict::{Finding, Outcome, Severity};
use dissect::{KeyLog, Options, Report, analyse};
use node_proto::client::ClientEvent;
use sim::swarm::Plan;
use sim::{Act, Link, World};
use spec::time::Instant;

/// Worlds that are judged by one who is not told how many.
const WORLDS: u64 = 15;
/// What leaves a world undecided by right: nobody got in at all; a hub that was started again answered an INIT with
/// other keys, and what it answered first is of no session; or, without keys, ratchets within seconds bring more ids
/// than time explains.
const UNDECIDED: [&str; 5] =
    ["session.none", "canary.none", "sealed.nothing", "sealed.unused", "session.connection-ids"];
/// How exact the times of the capture are.
const TICK: Duration = Duration::from_millis(20);

/// What was tapped of a world between the NATs and the hub.
struct Tapped {
    capture: Vec<u8>,
    key_log: String,
}

impl Tapped {
    /// Runs a world for `time`.
    fn new(mut world: World, time: Duration) -> Self {
        (world.records, world.key_log) = (true, true);
        let mut times = Vec::new();
        while world.now.since(Instant(0)) < time {
            world.run(TICK);
            times.resize(world.wire.len(), world.now.since(Instant(0)));
        }
        Self { capture: pcap(&world, &times), key_log: key_log(&world) }
    }

    fn judge(&self, has_keys: bool) -> Report {
        let key_log = has_keys.then(|| KeyLog::parse(&self.key_log).unwrap());
        let report = analyse(self.capture.as_slice(), &Options { key_log, ..Options::default() }).unwrap();
        assert!(report.ledger.balanced);
        report
    }
}

fn key_log(world: &World) -> String {
    let events = world.nodes.iter().flat_map(|node| &node.events);
    events
        .filter_map(|event| if let ClientEvent::KeyLog(lines) = event { Some(lines.as_str()) } else { None })
        .collect()
}

/// The wire as a classic capture of raw IPv4.
fn pcap(world: &World, times: &[Duration]) -> Vec<u8> {
    let header = [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 101];
    let mut file: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    for ((from, to, datagram), time) in world.wire.iter().zip(times) {
        let udp_len = u16::try_from(datagram.len() + 8).unwrap();
        let ip_len = udp_len + 20;
        let seconds = u32::try_from(time.as_secs()).unwrap();
        for word in [seconds, time.subsec_micros(), u32::from(ip_len), u32::from(ip_len)] {
            file.extend(word.to_be_bytes());
        }
        file.extend([0x45, 0]);
        file.extend(ip_len.to_be_bytes());
        file.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        file.extend([from, to].map(octets).as_flattened());
        for field in [from.port(), to.port(), udp_len, 0] {
            file.extend(field.to_be_bytes());
        }
        file.extend(datagram);
    }
    file
}

fn octets(address: &SocketAddr) -> [u8; 4] {
    match address {
        SocketAddr::V4(address) => address.ip().octets(),
        SocketAddr::V6(_) => panic!("the world is one of IPv4"),
    }
}

/// What keeps a report from being proved.
fn obstacles(report: &Report) -> Vec<&Finding> {
    let is_obstacle =
        |finding: &&Finding| finding.severity != Severity::Note && finding.level <= report.verdict.required;
    report.findings.iter().filter(is_obstacle).collect()
}

#[test]
fn worlds_of_the_swarm_are_proved() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WORLDS").unwrap_or(WORLDS),
    };
    let (mut failures, mut moved, mut opened) = (Vec::new(), 0, 0);
    for (seed, plan) in seeds.flat_map(|seed| [(seed, Plan::of(seed)), (seed, Plan::of_motion(seed))]) {
        let tapped = Tapped::new(plan.world(), plan.time());
        for has_keys in [false, true] {
            let report = tapped.judge(has_keys);
            let obstacles = obstacles(&report);
            if report.verdict.outcome == Outcome::Refuted
                || !obstacles.iter().all(|finding| UNDECIDED.contains(&finding.rule))
            {
                failures.push(format!("SEED={seed} keys {has_keys}: {obstacles:#?}"));
            }
            moved += report.findings.iter().filter(|finding| finding.rule == "session.moved").count();
            opened += report.sealed.map_or(0, |sealed| sealed.opened_short);
        }
    }
    println!("{opened} datagrams opened, {moved} sessions whose clients moved");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(opened > 1_000 && moved > 0);
}

/// Three ratchets, the last of them with ML-KEM at the hour, while one client moves and another's NAT forgets.
#[test]
fn an_hour_of_ratchets_and_moves_is_proved() {
    const MINUTES: u64 = 63;
    let mut world = World::new(1, Link::GOOD);
    let [ann, bob] = ["ann", "bob"].map(|name| world.enrol(name));
    for id in [ann, bob] {
        world.plan(Duration::ZERO, Act::StartClient(id));
    }
    for minute in 1..MINUTES {
        let at = Duration::from_secs(60 * minute);
        world.plan(at, Act::Say { from: ann, to: None, bytes: 50 });
        world.plan(at, Act::Say { from: bob, to: Some(ann), bytes: 1500 });
        if minute % 7 == 0 {
            world.plan(at, Act::Rebind(ann));
            world.plan(at, Act::Remap(bob));
        }
    }
    let tapped = Tapped::new(world, Duration::from_secs(60 * MINUTES));
    for has_keys in [false, true] {
        let report = tapped.judge(has_keys);
        assert_eq!(report.verdict.outcome, Outcome::Proved, "{:#?}", obstacles(&report));
        let Some(sealed) = report.sealed else { continue };
        assert!(sealed.ratchets >= 2 * 3 && sealed.resealed == sealed.opened_short, "{}", sealed.ratchets);
        println!(
            "{} datagrams opened, {} updates, {} ratchets",
            sealed.opened_short, sealed.updates, sealed.ratchets
        );
    }
}
