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

use alloc::vec::Vec;
use end::Fault;
use stateright::{Checker, HasDiscoveries, Model};
use std::println;
use world::{Misfortunes, Scenario};

const PLAIN: Scenario = Scenario {
    lines: [b"abc", b""],
    rooms_bytes: &[1],
    has_copies: false,
    misfortunes: Misfortunes { losses: 1, duplicates: 1, early_timeouts: 1, left_out: 0 },
    fault: Fault::None,
};

/// Explores all of `scenario`; how many states it has.
fn explore(name: &str, scenario: Scenario) -> usize {
    let checker = scenario.checker().threads(2).spawn_dfs().join();
    let states = checker.unique_state_count();
    println!("{name}: {states} states, at most {} steps", checker.max_depth());
    checker.assert_properties();
    states
}

#[test]
fn measure() {
    explore("plain", PLAIN);
    explore("copies", Scenario { has_copies: true, ..PLAIN });
    explore("rooms", Scenario { rooms_bytes: &[1, 2], ..PLAIN });
    explore("both", Scenario { lines: [b"ab", b"x"], ..PLAIN });
}

/// The steps that show `fault`, few as they can be, and the property that it breaks.
fn trace(fault: Fault) -> (&'static str, usize) {
    let misfortunes = Misfortunes { losses: 2, duplicates: 1, early_timeouts: 1, left_out: 0 };
    let scenario = Scenario { has_copies: true, misfortunes, fault, ..PLAIN };
    let checker = scenario.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries().into_iter().find(|(name, _)| {
        checker.model().property(name).expectation.discovery_is_failure()
    });
    let (name, path) = found.expect("the defect is found");
    let steps: Vec<_> = path.into_actions();
    println!("{fault:?}: {name}: {steps:?} ({} states)", checker.unique_state_count());
    (name, steps.len())
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
        assert_eq!(trace(fault).0, property, "{fault:?}");
    }
}
