//! Devices and passwords over the simulated network: what binds them to the session they are shown in.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set is a failed test")]

#[cfg(target_os = "linux")]
#[path = "login/enumeration.rs"]
mod enumeration;
#[path = "login/prober.rs"]
mod prober;
#[path = "login/relay.rs"]
mod relay;

use core::time::Duration;
use node_proto::client::ClientEvent;
use node_proto::client::account::{AccountEvent, Ask};
use node_proto::opaque::Password;
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
    world.client(id).ask_account(ask).unwrap();
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

/// Somebody who joins as one more device of `name` by a password.
fn log_in(world: &mut World, name: &str, password: &str) -> ClientId {
    let id = world.join(name);
    world.client(id).enrol_by_password("laptop");
    world.client(id).prove(Password::new(password));
    id
}

/// The refusals it was told of, in seconds to wait.
fn refusals(world: &World, id: ClientId) -> Vec<u64> {
    let wait = |event: &ClientEvent| match event {
        ClientEvent::Account(AccountEvent::LoginRefused { wait_secs }) => Some(*wait_secs),
        _ => None,
    };
    world.nodes[id.0].events.iter().filter_map(wait).collect()
}

/// Row 003-12: five failures are answered later and later, then the name is locked, for whoever tries it and from
/// wherever; a name that nobody has is locked alike; a restart of the hub forgets nothing; a device is not concerned.
#[test]
fn row_003_12_five_failures_wait_then_lock_and_survive_a_restart() {
    let mut world = World::new(5, Link::GOOD);
    let ann = world.join("ann");
    world.run(secs(2));
    let set = Ask::Password(Password::new("correct horse"));
    assert_eq!(ask(&mut world, ann, set.clone()), AccountEvent::Done(set));
    let mut waits = Vec::new();
    for name in ["ann", "nobody"] {
        let id = log_in(&mut world, name, "wrong");
        let mut waited = Vec::new();
        for tries in 1..=5 {
            let before = world.now;
            assert!(world.run_until(secs(30), |world| refusals(world, id).len() == tries));
            waited.push(world.now.since(before).as_secs());
            world.client(id).prove(Password::new("wrong"));
        }
        assert!(world.run_until(secs(5), |world| refusals(world, id).len() == 6));
        waits.push((waited, refusals(&world, id)));
        world.kill_client(id);
    }
    //= spec/PROTOCOL.md#passwords
    //= type=test
    //# The hub MUST count a LOGIN as a failure of its name and of its address prefix until a PROOF has shown
    //# that it is none.
    assert_eq!(waits[0], waits[1]);
    assert_eq!(waits[0].0, [0, 1, 2, 4, 8]);
    assert_eq!(waits[0].1[..5], [0; 5]);
    assert!((880..=900).contains(&waits[0].1[5]), "{waits:?}");
    world.kill_hub();
    world.run(secs(60));
    world.start_hub();
    let late = log_in(&mut world, "ann", "correct horse");
    assert!(world.run_until(secs(30), |world| refusals(world, late).len() == 1));
    assert!(refusals(&world, late)[0] > 800, "what was left to wait is still to be waited");
    assert!(world.run_until(secs(60), |world| is_in(world, ann)), "a device needs no password");
    world.run(secs(900));
    let in_time = log_in(&mut world, "ann", "correct horse");
    assert!(world.run_until(secs(30), |world| is_in(world, in_time)));
}

/// A password goes with the name it was set under, and with the hub's secret; the last one counts.
#[test]
fn the_last_password_counts() {
    let mut world = World::new(6, Link::GOOD);
    let ann = world.join("ann");
    world.run(secs(2));
    for password in ["first password", "second password"] {
        ask(&mut world, ann, Ask::Password(Password::new(password)));
    }
    let id = log_in(&mut world, "ann", "first password");
    assert!(world.run_until(secs(10), |world| refusals(world, id) == [0]));
    world.client(id).prove(Password::new("second password"));
    assert!(world.run_until(secs(10), |world| is_in(world, id)));
    let AccountEvent::Devices { devices, .. } = ask(&mut world, ann, Ask::Devices) else { panic!("a list") };
    assert_eq!(devices.len(), 2);
}

/// Row 004-08: whoever asks for names that others have is held up, and hears no more of which are taken.
#[test]
fn row_004_08_names_are_asked_for_only_so_often() {
    let mut world = World::new(7, Link::GOOD);
    world.join("ann");
    world.run(secs(2));
    let reason = |world: &World, id: ClientId| {
        world.nodes[id.0].events.iter().find_map(|event| match event {
            ClientEvent::Closed { reason, .. } => Some(*reason),
            _ => None,
        })
    };
    let mut reasons = Vec::new();
    for number in 0..20 {
        let id = world.join(if number < 18 { "ann" } else { "nobody" });
        world.run(Duration::from_millis(200));
        reasons.push(reason(&world, id).unwrap());
    }
    let taken = reasons.iter().take_while(|reason| **reason == CloseReason::NameTaken).count();
    assert_eq!(taken, 11);
    assert_eq!(reasons[18..], [CloseReason::TooOften; 2], "nor does it hear which are free");
}
