//! Any file is read to an end, record behind record, and every packet of it ends up in fields without gap or overlap.

#![no_main]

use dissect::packet::Packet;
use dissect::pcap::Reader;
use dissect::source::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let source = Source::memory(file.to_vec());
    let Ok(mut reader) = Reader::new(&source) else { return };
    let mut behind = 0;
    while let Ok(Some(record)) = reader.next_record() {
        let packet = Packet::of(&record);
        assert!(packet.data.start >= behind, "a record begins inside the one before");
        behind = packet.data.end;
        assert!(behind <= file.len(), "a record ends behind the file");
        assert_eq!(packet.dissection.tree.len(), record.data.len());
    }
});
