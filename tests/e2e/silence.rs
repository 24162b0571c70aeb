//! A hub that is not there, or not any more: said within 3 s, and nothing is lost.

use crate::harness::Place;
use node::clock::Clock;
use std::net::UdpSocket;
use std::time::Duration;

/// What a person is promised.
const SOON: Duration = Duration::from_secs(3);

/// A hub's invite whose hub is gone; what is at its address instead.
fn invite_to_nobody(place: &Place, address: std::net::SocketAddr) -> String {
    let mut hub = place.hub(&[]);
    hub.process.kill();
    hub.invite_by(address)
}

/// A hub that cannot be reached is said so within 3 s, whether its port is closed or silent; after `--timeout` the
/// client ends with 1 and says how many lines were not delivered.
#[test]
fn a_hub_that_cannot_be_reached() {
    for is_closed in [true, false] {
        let place = Place::new();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let invite = invite_to_nobody(&place, socket.local_addr().unwrap());
        let _held = (!is_closed).then_some(socket);
        let clock = Clock::start();
        let start = clock.now();
        let mut ann = place.join(&invite, "ann", &["--timeout", "4"]);
        ann.say("one");
        ann.say("two");
        ann.end_input();
        ann.wait_for("it says so", |line| line.is_notice_of("silent"));
        let said = clock.now().since(start);
        assert!(said <= SOON, "closed {is_closed}: said after {said:?}");
        let ended = ann.ended();
        let gave_up = clock.now().since(start);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("2 lines were not delivered"), "{}", ended.stderr);
        assert!(gave_up >= Duration::from_secs(4) && gave_up < Duration::from_secs(8), "{gave_up:?}");
    }
}

/// A hub that is killed while nobody speaks is missed within 3 s. What is said meanwhile is delivered once when it is
/// back.
#[test]
fn a_hub_that_is_killed_is_missed_and_found_again() {
    let place = Place::new();
    let mut hub = place.hub(&[]);
    let mut ann = place.stay(&hub, "ann").connected();
    let mut bob = place.stay(&hub, "bob").connected();
    ann.say_and_store("before");
    hub.process.kill();
    let clock = Clock::start();
    let start = clock.now();
    ann.wait_for("it says so", |line| line.is_notice_of("silent"));
    let said = clock.now().since(start);
    assert!(said <= SOON, "said after {said:?}");
    ann.say("meanwhile");
    let _hub = place.hub_at(&hub.address.to_string(), "hub", &[]);
    for client in [&mut ann, &mut bob] {
        client.wait_for("it is back", |line| line.is("connected") && line["again"] == true);
        client.wait_for("the line", |line| line.says("meanwhile"));
    }
    ann.say_and_store("after");
    bob.wait_for("the line after", |line| line.says("after"));
    let heard: Vec<String> = bob.conversation().into_iter().map(|(_, text)| text).collect();
    assert_eq!(heard, ["before", "meanwhile", "after"]);
}

/// The same when its machine is gone, so that nothing tells of a closed port.
#[test]
fn a_hub_that_falls_silent_is_missed() {
    let place = Place::new();
    let mut hub = place.hub(&[]);
    let mut ann = place.stay(&hub, "ann").connected();
    ann.say_and_store("before");
    // A stopped process keeps its port and answers nothing.
    hub.process.signal("STOP");
    let clock = Clock::start();
    let start = clock.now();
    ann.say("into the void");
    ann.wait_for("it says so", |line| line.is_notice_of("silent"));
    let said = clock.now().since(start);
    assert!(said <= SOON, "said after {said:?}");
    hub.process.signal("CONT");
    ann.wait_for("the line", |line| line.says("into the void"));
    ann.say_and_store("after");
    assert_eq!(ann.count(|line| line.says("into the void")), 1);
    hub.process.kill();
}

/// The same for somebody who says nothing at all.
#[test]
fn a_hub_that_falls_silent_is_missed_by_those_who_only_listen() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut ann = place.stay(&hub, "ann").connected();
    ann.say_and_store("before");
    hub.process.signal("STOP");
    let clock = Clock::start();
    let start = clock.now();
    ann.wait_for("it says so", |line| line.is_notice_of("silent"));
    let said = clock.now().since(start);
    assert!(said <= SOON, "said after {said:?}");
}
