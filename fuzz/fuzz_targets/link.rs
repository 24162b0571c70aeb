//! Any bytes under any link type end up in fields without gap or overlap. The first two bytes of the input are the
//! link type, the third the length of the frame check sequence, the others the packet.

#![no_main]

use dissect::dissection::DEPTH_MAX;
use dissect::link;
use dissect::reassembly::fragments::{Fragments, Outcome, part};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [high, low, fcs_len, data @ ..] = input else { return };
    let packet = link::dissect(u16::from_be_bytes([*high, *low]), usize::from(fcs_len & 7), data);
    let mut end = 0;
    for field in packet.tree.fields() {
        assert_eq!(field.start, end, "{field:?}");
        end += field.len;
    }
    assert_eq!(end, data.len());
    assert!(packet.payload.is_none() || packet.cut_payload.is_none());
    for range in packet.payload.iter().chain(&packet.cut_payload) {
        assert!(range.start <= range.end && range.end <= data.len());
    }
    assert!(packet.depth <= DEPTH_MAX);
    let Some((key, fragment)) = part(&packet, data, 1) else { return };
    if let Outcome::Whole(whole) = Fragments::default().take(key, &fragment, None) {
        assert_eq!(whole.dissect().tree.len(), whole.bytes.len());
    }
});
