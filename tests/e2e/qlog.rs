//! What the transport did, written down: every record is qlog, and agrees with what a person is told.

use crate::harness::{Place, Process};
use qlog::QlogSeq;
use qlog::events::{Event, EventData};
use std::path::{Path, PathBuf};

/// The files of a folder, oldest first.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.collect();
    files.sort();
    files
}

/// Every record of a file: a header, then events; panics when one is anything else.
fn records(file: &Path) -> (QlogSeq, Vec<Event>) {
    let text = std::fs::read_to_string(file).unwrap();
    let text = text.strip_suffix('\n').expect("the last record is whole");
    let mut records = text.strip_prefix('\x1e').expect("it is a JSON sequence").split("\n\x1e");
    let header = serde_json::from_str(records.next().unwrap()).unwrap();
    let event = |record| serde_json::from_str(record).unwrap_or_else(|error| panic!("{error}: {record}"));
    (header, records.map(event).collect())
}

/// How often a kind of event stands in a file.
fn count(events: &[Event], is_kind: impl Fn(&EventData) -> bool) -> usize {
    events.iter().filter(|event| is_kind(&event.data)).count()
}

fn join(place: &Place, hub: &str, name: &str) -> Process {
    place.join(hub, name, &["--follow", "--qlog", &place.text(&format!("{name}.qlog"))]).connected()
}

/// Both ends, one file a session; times that never go back; nothing of what was said.
#[test]
fn every_record_parses_and_none_holds_a_word() {
    let place = Place::new();
    let hub = place.hub(&["--qlog", &place.text("hub.qlog")]);
    let mut ann = join(&place, &hub.invite(), "ann");
    let mut bob = join(&place, &hub.invite(), "bob");
    for number in 0..20 {
        ann.say_and_store(&format!("correct horse {number}"));
    }
    bob.wait_for("bob reads", |line| line.says("correct horse 19"));
    // Killed between two records, or the test fails.
    bob.kill();
    ann.say("/quit");
    assert_eq!(ann.ended().code, Some(0));
    assert_eq!(files(&place.path("hub.qlog")).len(), 2);
    for (folder, sessions) in [("hub.qlog", 2), ("ann.qlog", 1), ("bob.qlog", 1)] {
        let files = files(&place.path(folder));
        assert_eq!(files.len(), sessions, "{folder}");
        for file in files {
            let (header, events) = records(&file);
            assert_eq!(header.serialization_format, "JSON-SEQ");
            assert_eq!(count(&events, |data| matches!(data, EventData::QuicConnectionStarted(_))), 1);
            assert!(count(&events, |data| matches!(data, EventData::QuicPacketReceived(_))) > 5);
            assert!(events.windows(2).all(|pair| pair[0].time <= pair[1].time), "time goes on");
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains("horse") && !text.contains("ann") && !text.contains("bob"), "{text}");
        }
    }
}
