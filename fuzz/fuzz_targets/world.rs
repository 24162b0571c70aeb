//! Whatever befalls the datagrams, machines and programs of a small world, no check is violated, and all is well
//! when the faults stop.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &[u8]| {
    if let Err(violation) = sim::swarm::script::run(script) {
        panic!("{violation}");
    }
});
