//! Devices and passwords over the simulated network: what binds them to the session they are shown in.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set is a failed test")]

use core::time::Duration;
use node_proto::client::ClientEvent;
use node_proto::client::account::{AccountEvent, Ask};
use sim::{ClientId, Link, World};
use spec::binding::DeviceCode;
use spec::close::CloseReason;
use spec::wire::message::Refusal;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Someone begins to join as one more device of `name`.
fn enrol(world: &mut World, name: &str) -> ClientId {
    let id = world.join(name);
    world.client(id).enrol("laptop");
    world.run(secs(2));
    id
}

fn is_in(world: &World, id: ClientId) -> bool {
    world.nodes[id.0].client.as_ref().is_some_and(|client| client.is_connected())
}

/// The code that it shows.
fn code(world: &World, id: ClientId) -> DeviceCode {
    let code = |event: &ClientEvent| match event {
        ClientEvent::Account(AccountEvent::Code(code)) => Some(*code),
        _ => None,
    };
    world.nodes[id.0].events.iter().rev().find_map(code).unwrap()
}

fn ask(world: &mut World, id: ClientId, ask: Ask) -> AccountEvent {
    world.client(id).ask(ask).unwrap();
    world.run(secs(2));
    let answer = |event: &ClientEvent| match event {
        ClientEvent::Account(event) => Some(event.clone()),
        _ => None,
    };
    world.nodes[id.0].events.iter().rev().find_map(answer).unwrap()
}

/// A hub that passes on what a person's new device says has a session of its own with the real hub, whose code is
/// another: the code that the person reads and types approves nothing.
#[test]
fn a_code_that_was_shown_to_another_hub_approves_nothing() {
    let (mut real, mut false_one) = (World::new(1, Link::GOOD), World::new(2, Link::GOOD));
    let ann = real.join("ann");
    real.run(secs(2));
    let relayed = enrol(&mut real, "ann");
    let laptop = enrol(&mut false_one, "ann");
    let (seen, relayed_code) = (code(&false_one, laptop), code(&real, relayed));
    assert_ne!(seen, relayed_code);
    let approve = Ask::Approve(seen);
    let refused = AccountEvent::Refused { ask: approve.clone(), reason: Refusal::NoSuchCode };
    assert_eq!(ask(&mut real, ann, approve), refused);
    assert!(!is_in(&real, relayed));
    let approve = Ask::Approve(relayed_code);
    assert_eq!(ask(&mut real, ann, approve.clone()), AccountEvent::Done(approve));
    assert!(is_in(&real, relayed));
}

/// A client that is approved by nobody is sent away after ten minutes, told the same whether the name has an account.
#[test]
fn who_is_not_approved_is_sent_away_alike() {
    //= spec/PROTOCOL.md#accounts
    //= type=test
    //# The hub MUST answer such a client in the same way whether the name has an account or not, until it has
    //# proved who it is.
    let closed = |name: &str| {
        let mut world = World::new(3, Link::GOOD);
        world.join("ann");
        world.run(secs(2));
        let laptop = enrol(&mut world, name);
        world.run(secs(596));
        assert!(!is_in(&world, laptop));
        let closes = |event: &ClientEvent| matches!(event, ClientEvent::Closed { .. });
        assert!(!world.nodes[laptop.0].events.iter().any(closes));
        world.run(secs(4));
        world.nodes[laptop.0].events.iter().find(|event| closes(event)).cloned().unwrap()
    };
    let (known, unknown) = (closed("ann"), closed("bob"));
    assert_eq!(known, unknown);
    assert!(matches!(known, ClientEvent::Closed { reason: CloseReason::NotEnrolled, retrying: false, .. }));
}

/// What devices there are, and which of them are revoked, is in the log: a hub that is killed knows it.
#[test]
fn devices_survive_the_hub() {
    let mut world = World::new(4, Link::BAD);
    let ann = world.join("ann");
    world.run(secs(5));
    let [laptop, phone] = [enrol(&mut world, "ann"), enrol(&mut world, "ann")];
    for id in [laptop, phone] {
        let approve = Ask::Approve(code(&world, id));
        ask(&mut world, ann, approve);
        assert!(world.run_until(secs(10), |world| is_in(world, id)));
    }
    ask(&mut world, ann, Ask::Revoke(3));
    world.kill_hub();
    world.start_hub();
    assert!(world.run_until(secs(60), |world| is_in(world, ann) && is_in(world, laptop)));
    world.start_client(phone);
    world.run(secs(10));
    //= spec/PROTOCOL.md#accounts
    //= type=test
    //# The hub MUST close a session of a revoked device with REVOKED, and greet it no more.
    let revoked = |event: &ClientEvent| {
        matches!(event, ClientEvent::Closed { reason: CloseReason::Revoked, retrying: false, .. })
    };
    assert!(world.nodes[phone.0].events.iter().filter(|event| revoked(event)).count() >= 1);
    let AccountEvent::Devices { devices, is_asked: true } = ask(&mut world, ann, Ask::Devices) else {
        panic!("a list of devices")
    };
    let states: Vec<_> = devices.iter().map(|device| (device.number, device.is_revoked)).collect();
    assert_eq!(states, [(1, false), (2, false), (3, true)]);
}
