//! First use, pins, and keys that change.

use crate::harness::{Ended, Hub, Place};

/// An open hub at `address` with its data in the folder `data`.
fn open_hub(place: &Place, address: &str, data: &str) -> Hub {
    place.hub_at(address, data, &["--open"])
}

fn join(place: &Place, hub: &str, name: &str, arguments: &[&str]) -> Ended {
    let mut client = place.join(hub, name, arguments);
    client.end_input();
    client.ended()
}

/// Without a terminal nobody can compare a fingerprint: an open hub is joined with `--accept-new` alone, and pinned.
/// Another key at its address then stops with both fingerprints and exit code 4, until it is forgotten.
#[test]
fn an_open_hub_is_pinned_on_first_use() {
    let place = Place::new();
    let mut first = open_hub(&place, "127.0.0.1:0", "first");
    let address = first.address.to_string();
    let refused = join(&place, &address, "ann", &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("--accept-new") && refused.stderr.contains("not known"),
        "{}",
        refused.stderr
    );
    assert!(list(&place).contains("no hub is pinned"));

    let mut ann = place.join(&address, "ann", &["--accept-new"]);
    ann.wait_for("the fingerprint is shown", |line| line.is("answer") && line.holds(&first.fingerprint));
    let mut ann = ann.connected();
    ann.end_input();
    assert_eq!(ann.ended().code, Some(0));
    assert!(list(&place).contains(&format!("{address}  {}", first.fingerprint)));
    assert_eq!(join(&place, &address, "ann", &[]).code, Some(0), "it is known now");

    first.process.kill();
    let second = open_hub(&place, &address, "second");
    for hub in [address.clone(), second.invite()] {
        let stopped = join(&place, &hub, "ann", &["--accept-new"]);
        assert_eq!(stopped.code, Some(4), "{hub}: {}", stopped.stderr);
        for part in [&first.fingerprint, &second.fingerprint, &format!("node trust forget {address}")] {
            assert!(stopped.stderr.contains(part), "{part}: {}", stopped.stderr);
        }
    }
    let mut forget =
        Place::node(&["trust", "forget", &address, "--name", "ann", "--data", &place.text("ann")]);
    assert_eq!(crate::harness::run(&mut forget).0, Some(0));
    assert_eq!(join(&place, &address, "ann", &["--accept-new"]).code, Some(0));
    assert!(list(&place).contains(&second.fingerprint));
    assert_eq!(crate::harness::run(&mut forget).0, Some(0));
    let (code, _, stderr) = crate::harness::run(&mut forget);
    assert!(code == Some(1) && stderr.contains("is not pinned"), "{stderr}");
}

/// What `node trust list` shows ann.
fn list(place: &Place) -> String {
    let mut command = Place::node(&["trust", "list", "--name", "ann", "--data", &place.text("ann")]);
    let (code, out, err) = crate::harness::run(&mut command);
    assert_eq!(code, Some(0), "{err}");
    out
}

/// An invite pins too: another invite for the same address, with another key, stops with exit code 4.
#[test]
fn an_invite_with_another_key_stops() {
    let place = Place::new();
    let mut first = place.hub(&[]);
    let address = first.address.to_string();
    assert_eq!(join(&place, &first.invite(), "ann", &[]).code, Some(0));
    // Once joined by an invite, its address is enough.
    assert_eq!(join(&place, &address, "ann", &[]).code, Some(0));
    first.process.kill();
    let second = place.hub_at(&address, "second", &[]);
    let stopped = join(&place, &second.invite(), "ann", &[]);
    assert_eq!(stopped.code, Some(4), "{}", stopped.stderr);
    assert!(stopped.stderr.contains(&first.fingerprint) && stopped.stderr.contains(&second.fingerprint));
}

/// A hub that is not open is silent to strangers: joining by its address fails with a sentence that asks for the
/// invite.
#[test]
fn a_hub_that_is_not_open_needs_its_invite() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let stopped = join(&place, &hub.address.to_string(), "ann", &["--accept-new", "--timeout", "1"]);
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    assert!(
        stopped.stderr.contains("not an open hub") && stopped.stderr.contains("invite"),
        "{}",
        stopped.stderr
    );
}

/// An invite whose secret is wrong meets silence: the client says so and gives up.
#[test]
fn a_wrong_secret_meets_silence() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut invite = hub.invite.clone();
    invite.access_secret = spec::secret::Secret::new([9; 32]);
    let mut ann = place.join(&invite.to_string(), "ann", &["--timeout", "3"]);
    ann.say("hello?");
    ann.end_input();
    let ended = ann.ended();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("did not answer") && ended.stderr.contains("invite"), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 line was not delivered"), "{}", ended.stderr);
}
