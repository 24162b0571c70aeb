//! A model checker runs the real structs of acknowledgement, retransmission and reassembly through everything
//! that a network and time may do to a few bytes.
//!
//! A state is two [`End`](end::End)s and the packets on their way between them. Packets arrive in any order; some
//! are lost, some arrive twice. There is no clock: a time-out is an event that may come at any moment, as often as
//! [`Misfortunes`](world::Misfortunes) say while something is still on its way, and always once nothing is.
//!
//! Every packet has a higher number than the one before, so no run comes back to a state it was in: that the
//! checker finishes means that every run ends, and the last property that it ends well.

mod end;
mod world;

extern crate std;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use end::Fault;
use stateright::{Checker, HasDiscoveries, Model};
use std::println;
use world::{Action, Misfortunes, Scenario};

/// Two bytes one way, with every kind of misfortune.
const ONE_WAY: Scenario = Scenario {
    lines: [b"ab", b""],
    rooms_bytes: &[1],
    has_copies: true,
    misfortunes: Misfortunes { losses: 2, duplicates: 1, early_timeouts: 1, left_out: 1 },
    fault: Fault::None,
};
/// Data and acknowledgements in the same packets.
const BOTH_WAYS: Scenario = Scenario {
    lines: [b"ab", b"x"],
    misfortunes: Misfortunes { losses: 1, duplicates: 1, early_timeouts: 1, left_out: 0 },
    ..ONE_WAY
};
/// What is said again is cut otherwise than before.
const CUT_ANEW: Scenario = Scenario {
    lines: [b"abc", b""],
    rooms_bytes: &[1, 2],
    has_copies: false,
    misfortunes: Misfortunes { losses: 1, duplicates: 0, early_timeouts: 1, left_out: 0 },
    ..ONE_WAY
};
/// Time-outs that come no earlier than they should.
const IN_TIME: Scenario = Scenario {
    lines: [b"abc", b""],
    misfortunes: Misfortunes { losses: 2, duplicates: 0, early_timeouts: 0, left_out: 0 },
    ..ONE_WAY
};

/// A line and what repeats it are lost.
const THRICE_LOST: Scenario = Scenario {
    lines: [b"abc", b""],
    misfortunes: Misfortunes { losses: 3, duplicates: 0, early_timeouts: 1, left_out: 0 },
    ..ONE_WAY
};

#[test]
fn a_million_states_without_a_violation() {
    let (mut states, mut seen) = (0, BTreeSet::new());
    for scenario in [ONE_WAY, BOTH_WAYS, CUT_ANEW, IN_TIME] {
        let checker = scenario.checker().threads(2).spawn_dfs().join();
        println!(
            "{} states, at most {} steps: {scenario:?}",
            checker.unique_state_count(),
            checker.max_depth()
        );
        states += checker.unique_state_count();
        let discoveries: BTreeMap<_, _> = checker.discoveries().into_iter().collect();
        for (name, path) in discoveries {
            let is_violation = scenario.property(name).expectation.discovery_is_failure();
            assert!(!is_violation, "{name}: {:?}", path.into_actions());
            seen.insert(name);
        }
    }
    assert!(states >= 1_000_000, "{states}");
    assert_eq!(seen.len(), 3, "what the misfortunes are for does happen: {seen:?}");
}

/// The steps by which `fault` breaks `property`.
fn violation(fault: Fault, property: &'static str) -> Vec<Action> {
    let scenario = Scenario { fault, ..if fault == Fault::TrustsCopies { THRICE_LOST } else { ONE_WAY } };
    let wanted = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = scenario.checker().finish_when(wanted).spawn_bfs().join();
    let path = checker.discoveries().remove(property).expect("a violation");
    // The path may go on behind the state that broke the property.
    let holds = scenario.property(property).condition;
    let steps = path.into_vec().into_iter().take_while(|(world, _)| holds(&scenario, world));
    steps.filter_map(|(_, action)| action).collect()
}

#[test]
fn planted_defects_are_found() {
    for (fault, property) in [
        (Fault::SkipsReplayCheck, "a packet is accepted once"),
        (Fault::DropsLostContents, "no byte is forgotten"),
        (Fault::TrustsCopies, "no byte is forgotten"),
        (Fault::IgnoresOffsets, "bytes arrive once, in order, as they were sent"),
        (Fault::AcknowledgesGaps, "an ACK names what arrived"),
        (Fault::NeverProbes, "a run ends when everything arrived and is settled"),
        (Fault::ReusesNumbers, "a number is used once"),
    ] {
        let steps = violation(fault, property);
        println!("{fault:?}: {property}, after {} steps: {steps:?}", steps.len());
    }
}
