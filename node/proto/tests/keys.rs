//! Keys in motion between two connections: updates and ratchets under every loss and disorder.

#![expect(clippy::unwrap_used, reason = "a test that is wrong may panic")]

#[path = "keys/pair.rs"]
mod pair;

use core::time::Duration;
use node_proto::connection::KeyPolicy;
use pair::{Fate, Pair};
use spec::wire::frame::Side;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Every way to choose at most `most` of the first `among` datagrams, each with one of the `fates`.
fn choices(among: usize, most: usize, fates: &[Fate]) -> Vec<Vec<(usize, Fate)>> {
    let mut all = vec![Vec::new()];
    let mut last: Vec<Vec<(usize, Fate)>> = all.clone();
    for _ in 0..most {
        let more = |chosen: &Vec<(usize, Fate)>| {
            let first = chosen.last().map_or(0, |(index, _)| index + 1);
            let added = (first..among).flat_map(|index| fates.iter().map(move |fate| (index, *fate)));
            added.map(|fate| [chosen.as_slice(), &[fate]].concat()).collect::<Vec<_>>()
        };
        last = last.iter().flat_map(more).collect();
        all.extend(last.clone());
    }
    all
}

/// F1: whatever is lost or late of the request, the answer and the first packets, both ends come to the next
/// generation, nothing that was said is lost, and nothing but PING is said under it too early.
#[test]
fn every_loss_and_disorder_of_a_ratchet_ends_in_the_next_generation() {
    let mut runs = choices(16, 2, &[Fate::Lost, Fate::Late]);
    runs.extend(choices(12, 3, &[Fate::Lost]));
    for fates in runs {
        let mut pair = Pair::new(KeyPolicy::default(), &fates);
        pair.talk_every(Duration::from_millis(15), 12);
        pair.ratchet_at(Duration::from_millis(60), false);
        //= spec/PROTOCOL.md#ratchet
        //= type=test
        //# An endpoint MUST send every packet under the next generation once it has opened one under it; with
        //# that its ratchet has ended.
        assert!(pair.run_until(secs(20), |pair| pair.generations() == [1, 1]), "deadlock with {fates:?}");
        pair.run(secs(3));
        pair.assert_all_heard();
        //= spec/PROTOCOL.md#ratchet
        //= type=test
        //# The client MUST NOT send anything but PING under the next generation before it has opened a packet of
        //# the hub under it.
        assert!(pair.early_pings() > 0, "the client confirms first");
        //= spec/PROTOCOL.md#ratchet
        //= type=test
        //# An endpoint MUST erase root and sending keys of a generation when it sends under the next.
        //= spec/PROTOCOL.md#ratchet
        //= type=test
        //# An endpoint MUST erase the receiving keys of a generation three probe time-outs after it sends under the
        //# next, and at the latest 60 seconds after it made the next root.
        pair.assert_only_generation(1);
    }
}

/// The same for key updates: both directions update as soon as they may, after four packets.
#[test]
fn every_loss_and_disorder_of_updates_is_survived() {
    let policy = KeyPolicy { update_packets: 4, ..KeyPolicy::default() };
    let mut runs = choices(30, 1, &[Fate::Lost, Fate::Late]);
    runs.extend(choices(18, 2, &[Fate::Lost, Fate::Late]));
    for fates in runs {
        let mut pair = Pair::new(policy, &fates);
        pair.talk_every(Duration::from_millis(15), 40);
        pair.run(secs(8));
        pair.assert_all_heard();
        for side in [Side::Client, Side::Hub] {
            let (own, peers) = pair.connection(side).epochs();
            assert!(own >= 4 && peers >= 4, "{side:?} {own} {peers} with {fates:?}");
        }
    }
}

/// Updates every four packets, a ratchet every second, a third of all datagrams lost or late, for minutes.
#[test]
fn updates_and_ratchets_together_on_a_bad_link() {
    let policy = KeyPolicy { update_packets: 4, ..KeyPolicy::default() };
    for seed in 0..12 {
        let mut pair = Pair::new(policy, &[]);
        pair.bad_link(seed);
        pair.talk_every(Duration::from_millis(40), 400);
        for round in 1..=12 {
            pair.ratchet_at(secs(1) * round, round % 4 == 0);
            assert!(
                pair.run_until(secs(60), |pair| pair.generations() == [u64::from(round); 2]),
                "{seed} {round}"
            );
        }
        pair.run(secs(60));
        pair.assert_all_heard();
    }
}

/// A sender waits for an acknowledgement of the present epoch, however worn its key is.
#[test]
fn no_update_before_the_epoch_is_acknowledged() {
    let policy = KeyPolicy { update_packets: 4, ..KeyPolicy::default() };
    let mut pair = Pair::new(policy, &[]);
    pair.cut(Side::Hub);
    pair.talk_every(Duration::from_millis(15), 30);
    pair.run(secs(2));
    //= spec/PROTOCOL.md#key-updates
    //= type=test
    //# A sender MUST NOT move to the next epoch before a packet of the present one was acknowledged.
    assert_eq!(pair.connection(Side::Client).epochs().0, 0, "nothing of the hub arrives");
    assert!(pair.connection(Side::Client).stats().sent > 8);
}

/// Time and bytes wear a key as packets do.
#[test]
fn time_and_bytes_wear_a_key() {
    for policy in [
        KeyPolicy { update_after: secs(1), ..KeyPolicy::default() },
        KeyPolicy { update_bytes: 1000, ..KeyPolicy::default() },
    ] {
        let mut pair = Pair::new(policy, &[]);
        pair.talk_every(Duration::from_millis(100), 60);
        pair.run(secs(7));
        let (own, peers) = pair.connection(Side::Client).epochs();
        assert!((4..=20).contains(&own) && (4..=20).contains(&peers), "{own} {peers}");
    }
}

/// F1: a thief who knows the root and stood in the middle of the ratchet has left the two with different roots:
/// neither is ever used for more than a PING that nobody can open.
#[test]
fn roots_that_differ_are_never_used() {
    let mut pair = Pair::new(KeyPolicy::default(), &[]);
    pair.talk_every(Duration::from_millis(50), 40);
    pair.offer_different_roots();
    pair.run(secs(10));
    assert_eq!(pair.generations(), [0, 0]);
    pair.assert_all_heard();
    assert!(pair.early_pings() > 0);
}

/// F13: what does not open is counted for the generation; so many call for a ratchet, more end its keys.
#[test]
fn failed_opens_call_for_a_ratchet_and_then_end_the_keys() {
    let policy = KeyPolicy { failed_ratchet: 8, failed_max: 16, ..KeyPolicy::default() };
    let mut pair = Pair::new(policy, &[]);
    pair.run(secs(1));
    pair.forge(7);
    assert!(!pair.connection(Side::Client).is_under_attack());
    pair.forge(1);
    assert!(pair.connection(Side::Client).is_under_attack());
    pair.ratchet_at(Duration::ZERO, false);
    assert!(pair.run_until(secs(5), |pair| pair.generations() == [1, 1]));
    assert!(!pair.connection(Side::Client).is_under_attack(), "the next generation has a count of its own");
    pair.run(secs(2));
    pair.forge(16);
    assert_eq!(pair.connection(Side::Client).accepted_ids().count(), 0, "the keys are gone");
}
