//! What the transport did, written down: every record is qlog, and agrees with what a person is told.

use crate::harness::{Line, Place, Process};
use node::clock::Clock;
use qlog::QlogSeq;
use qlog::events::{Event, EventData};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    // On a busy machine a client may shake hands twice, and then the hub has a file of a session that was given up at its
    // first packet; every other session is one that a client tells of.
    let [of_ann, of_bob] = [&mut ann, &mut bob].map(|client| client.count(|line| line.is("connected")));
    for (folder, sessions) in [("hub.qlog", of_ann + of_bob), ("ann.qlog", of_ann), ("bob.qlog", of_bob)] {
        let mut received = Vec::new();
        for file in files(&place.path(folder)) {
            let (header, events) = records(&file);
            assert_eq!(header.serialization_format, "JSON-SEQ");
            assert_eq!(count(&events, |data| matches!(data, EventData::QuicConnectionStarted(_))), 1);
            received.push(count(&events, |data| matches!(data, EventData::QuicPacketReceived(_))));
            assert!(events.windows(2).all(|pair| pair[0].time <= pair[1].time), "time goes on");
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains("horse") && !text.contains("ann") && !text.contains("bob"), "{text}");
        }
        let lived = received.iter().filter(|packets| **packets > 5).count();
        let given_up = received.iter().filter(|packets| **packets <= 1).count();
        assert_eq!((lived, lived + given_up), (sessions, received.len()), "{folder}: {received:?}");
    }
}

/// What `/status` says is what the last record of it says: the same numbers, from the same moment.
#[test]
fn status_agrees_with_the_qlog() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut ann = join(&place, &hub.invite(), "ann");
    for number in 0..50 {
        ann.say_and_store(&format!("line {number}"));
    }
    // What is sent changes what is in flight, and the next record is of its acknowledgement; a look into the file
    // may come after it. So a quiet moment is waited for.
    let clock = Clock::start();
    let agrees = |attempt: usize| {
        let soon = clock.now() + Duration::from_millis(100);
        ann.listen_until(&clock, soon);
        ann.say("/status");
        let is_status = |line: &&Line| line.is("status");
        let lines = ann.wait_until("the status", |lines| lines.iter().filter(is_status).count() > attempt);
        let status = lines.iter().rfind(is_status).unwrap().clone();
        let latest =
            files(&place.path("ann.qlog")).into_iter().max_by_key(|file| file.metadata().unwrap().len());
        let (_, events) = records(&latest.unwrap());
        let pairs = logged(&events).map(|(name, logged)| (name, status[name].as_f64(), logged));
        println!("{pairs:?}");
        pairs.iter().all(|(_, told, logged)| told == logged)
    };
    assert!((0..20).any(agrees), "they never agree");
}

/// What the file says, under the names that `/status` has for it.
fn logged(events: &[Event]) -> [(&'static str, Option<f64>); 10] {
    let metrics = events.iter().rev().find_map(|event| match &event.data {
        EventData::QuicMetricsUpdated(metrics) => Some(metrics),
        _ => None,
    });
    let mtu_bytes = events.iter().rev().find_map(|event| match &event.data {
        EventData::QuicMtuUpdated(mtu) => Some(f64::from(mtu.new)),
        _ => None,
    });
    // Told to the microsecond, logged in single precision.
    let millis = |time: Option<f32>| time.map(|time| (f64::from(time) * 1000.0).round() / 1000.0);
    let metrics = metrics.expect("there are metrics");
    let sent = count(events, |data| matches!(data, EventData::QuicPacketSent(_)));
    let lost = count(events, |data| matches!(data, EventData::QuicPacketLost(_)));
    [
        ("rtt_ms", millis(metrics.smoothed_rtt)),
        ("rtt_latest_ms", millis(metrics.latest_rtt)),
        ("rtt_least_ms", millis(metrics.min_rtt)),
        ("rtt_variation_ms", millis(metrics.rtt_variance)),
        ("window_bytes", metrics.congestion_window.map(|bytes| bytes as f64)),
        ("in_flight_bytes", metrics.bytes_in_flight.map(|bytes| bytes as f64)),
        ("probes", metrics.pto_count.map(f64::from)),
        ("mtu_bytes", mtu_bytes),
        ("sent", Some(sent as f64)),
        ("lost", Some(lost as f64)),
    ]
}
