//! Whatever decodes as the frames of a packet encodes back to the same bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spec::wire::frame::{Frames, Side};

fuzz_target!(|payload: &[u8]| {
    for side in [Side::Client, Side::Hub] {
        if let Ok(frames) = Frames::parse(payload, side) {
            let mut encoded = Vec::new();
            frames.iter().for_each(|frame| frame.encode(&mut encoded));
            assert_eq!(encoded, payload);
        }
    }
});
