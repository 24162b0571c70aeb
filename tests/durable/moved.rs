//! A hub's folder that is copied to another machine: here, to another place and another address.

use crate::harness::{Ended, Hub, Place};
use std::fs;
use std::path::Path;

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Identity, invites, accounts and history go with the folder, whether the hub was stopped or killed.
#[test]
fn a_copied_folder_is_the_hub() {
    moves(|hub| {
        hub.process.signal("TERM");
        let Ended { code, stderr } = hub.process.ended();
        assert_eq!(code, Some(0), "{stderr}");
    });
    moves(|hub| hub.process.kill());
}

fn moves(stop: impl Fn(&mut Hub)) {
    let place = Place::new();
    let mut old = place.hub(&[]);
    let mut ann = place.stay(&old, "ann").connected();
    let mut bob = place.stay(&old, "bob").connected();
    ann.say_and_store("everyone reads this");
    bob.wait_for("bob reads", |line| line.says("everyone reads this"));
    // Once it is noted as read, the next line is a proof of it.
    bob.say_and_store("seen");
    bob.kill();
    ann.say_and_store("bob is not there");
    ann.say_and_store("/msg bob for you alone");
    stop(&mut old);
    ann.kill();
    copy(&place.path("hub"), &place.path("elsewhere"));
    fs::remove_dir_all(place.path("hub")).unwrap();

    let new = place.hub_at("127.0.0.2:0", "elsewhere", &[]);
    assert_eq!((&new.fingerprint, new.invite.hub_key), (&old.fingerprint, old.invite.hub_key));
    assert_ne!(new.address.ip(), old.address.ip());
    // All that changes in an invite is where to find the hub.
    assert_eq!(new.invite(), old.invite_by(new.address));

    let mut bob = place.join(&old.invite_by(new.address), "bob", &["--follow"]).connected();
    bob.wait_for("bob reads what he missed", |line| line.says("bob is not there"));
    let own = bob.wait_for("and what is for him", |line| line.says("for you alone"));
    assert_eq!(own["private"], true);
    assert_eq!(bob.count(|line| line.says("everyone reads this")), 0, "what was read is not shown again");

    fs::rename(place.path("ann"), place.path("the real ann")).unwrap();
    let ended = place.join(&new.invite(), "ann", &[]).ended();
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    fs::remove_dir_all(place.path("ann")).unwrap();
    fs::rename(place.path("the real ann"), place.path("ann")).unwrap();
    let mut ann = place.stay(&new, "ann").connected();
    ann.say_and_store("at home");
    bob.wait_for("bob reads", |line| line.says("at home"));
    let mut cy = place.stay(&new, "cy").connected();
    cy.say_and_store("a newcomer is welcome");
}
