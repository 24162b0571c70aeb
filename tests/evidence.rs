//! `dissect` on what a broken build would have sent: a run of real processes, opened with its key log and sealed
//! again the right way and in three wrong ways. The product has no switch that weakens it; the leaks are made here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "e2e/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "these tests use a part of it")]
mod harness;

use ::dissect::packet::Packet;
use ::dissect::row::Row;
use ::dissect::session::{Kind, Member, Session};
use ::dissect::source::Source;
use ::dissect::{Options, examine};
use harness::{Place, dissect, judge};
use serde_json::Value;
use spec::crypto::{self, aes_block};
use spec::handshake::audit::Audit;
use spec::key_log::{self, LoggedSession};
use spec::key_schedule::{DirectionKeys, Root};
use spec::limits::TAG_BYTES;
use spec::seal::Opener;
use spec::wire::frame::Side;
use spec::wire::long::Long;
use spec::wire::short::{CONNECTION_ID, FIRST_MASK, NUMBER_START, SAMPLE, ShortHeader};
use std::path::{Path, PathBuf};

/// The nickname that leaks: as long as a connection id.
const NICKNAME: &str = "Annabell";

/// What the broken build does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leak {
    /// Nothing: the control.
    None,
    /// The frames travel as they are, with something that looks like a tag behind them.
    Unsealed,
    /// Every packet of a key is sealed with the nonce of its packet 0.
    FixedNonce,
    /// The nickname stands where the connection id belongs.
    NicknameInHeader,
    /// The same in what one client sends, and nowhere else.
    NicknameOfOne,
}

/// A real run: its files, and what was said.
struct Run {
    place: Place,
    capture: PathBuf,
    keys: String,
    texts: Vec<String>,
}

impl Run {
    /// Three processes on loopback: a hub that captures and logs its keys, and two clients that talk.
    fn new() -> Self {
        let place = Place::new();
        let (capture, keys) = (place.text("hub.pcapng"), place.text("hub.keys"));
        let mut hub = place.hub(&["--capture", &capture, "--keylog", &keys]);
        let mut clients = [NICKNAME, "Bartholomew"].map(|name| place.stay(&hub, name).connected());
        let mut texts = Vec::new();
        for number in 0..40 {
            let text = format!("{number}: meet me behind the old mill at nine, and bring the letters");
            clients[number % 2].say_and_store(&text);
            texts.push(text);
        }
        for client in &mut clients {
            client.wait_for("the last line", |line| line.says(&texts[39]));
            client.say("/quit");
            assert_eq!(client.ended().code, Some(0));
        }
        hub.process.say("/quit");
        assert_eq!(hub.process.ended().code, Some(0));
        let capture = place.path("hub.pcapng");
        Self { place, capture, keys, texts }
    }

    /// The capture with every SHORT datagram opened and sealed again, as `leak` does it.
    fn resealed(&self, leak: Leak) -> PathBuf {
        let mut file = std::fs::read(&self.capture).unwrap();
        let mut packets = Vec::new();
        let mut take = |row: &Row<'_>| packets.extend(row.member.map(|member| (member, row.packet.clone())));
        let report = examine(&Source::memory(file.clone()), &Options::default(), &(), &mut take).unwrap();
        let sessions = key_log::parse(&std::fs::read_to_string(&self.keys).unwrap()).unwrap();
        let mut short = 0;
        for (number, session) in report.sessions.iter().enumerate() {
            let own: Members =
                packets.iter().filter(|(member, _)| member.session == number).cloned().collect();
            let root = root_of(&file, &own, session, &sessions[&session.attempt_id]);
            for from_client in [true, false] {
                let is_one = from_client && session.attempt_id == report.sessions[0].attempt_id;
                let leak = if leak == Leak::NicknameOfOne && !is_one { Leak::None } else { leak };
                short += reseal(&mut file, &own, from_client, &root, leak);
            }
        }
        assert!(short > 100, "it is a run: {short} SHORT datagrams");
        let path = self.place.path(&format!("{leak:?}.pcapng"));
        std::fs::write(&path, file).unwrap();
        path
    }
}

/// The packets of a session.
type Members = Vec<(Member, Packet)>;

/// Follows the handshake as an auditor does: the root of the session's keys, derived and not read from the key log.
fn root_of(file: &[u8], own: &Members, session: &Session, logged: &LoggedSession) -> Root {
    let body = |kind| {
        let first = session.first(kind).unwrap();
        let (_, packet) = own.iter().find(|(_, packet)| packet.number == first).unwrap();
        Long::parse(&file[packet.payload_in_file().unwrap()]).unwrap().body
    };
    let message_one = [body(Kind::Init(0)), body(Kind::Init(1))].concat();
    let mut audit = Audit::new(logged.handshake().unwrap());
    audit.message_one(&message_one).unwrap();
    audit.message_two(body(Kind::Resp)).unwrap();
    let (_, _, root) = audit.message_three(body(Kind::Fin)).unwrap();
    assert_eq!(root.secret(), logged.root().unwrap().secret(), "the key log tells the truth");
    root
}

/// Opens every SHORT datagram that one side of a session sent, and writes it back; how many there were.
fn reseal(
    file: &mut [u8],
    own: &Members,
    from_client: bool,
    root: &Root,
    leak: Leak,
) -> usize {
    let keys = root.direction(if from_client { Side::Client } else { Side::Hub });
    let mut opener = Opener::new(&keys);
    let (mut largest, mut count) = (None, 0);
    let is_ours = |member: &Member| (member.kind, member.from_client) == (Kind::Short, from_client);
    for (_, packet) in own.iter().filter(|(member, _)| is_ours(member)) {
        let range = packet.payload_in_file().unwrap();
        let mut datagram = file[range.clone()].to_vec();
        let header = opener.open(&mut datagram, largest).unwrap().header;
        largest = largest.max(Some(header.number));
        count += 1;
        seal(&mut datagram, &header, &keys, leak);
        if leak == Leak::None {
            assert_eq!(datagram, file[range.clone()], "sealing again gives the same bytes");
        }
        // The checksum of UDP: zero is none.
        file[range.start - 2..range.start].fill(0);
        file[range].copy_from_slice(&datagram);
    }
    count
}

/// Seals an opened datagram again.
fn seal(datagram: &mut [u8], header: &ShortHeader, keys: &DirectionKeys, leak: Leak) {
    if matches!(leak, Leak::NicknameInHeader | Leak::NicknameOfOne) {
        datagram[CONNECTION_ID].copy_from_slice(NICKNAME.as_bytes());
    }
    let (aad, sealed) = datagram.split_at_mut(header.len());
    let (frames, tag) = sealed.split_last_chunk_mut::<TAG_BYTES>().unwrap();
    let key = keys.traffic.packet_key();
    let number = if leak == Leak::FixedNonce { 0 } else { header.number };
    let nonce = key.nonce(number);
    *tag = if leak == Leak::Unsealed {
        // It need not be the tag of anything: nobody without the key can tell.
        crypto::seal(&key.key, &nonce, aad, &mut frames.to_vec())
    } else {
        crypto::seal(&key.key, &nonce, aad, frames)
    };
    let mut sample = [0; 16];
    sample.copy_from_slice(&datagram[SAMPLE]);
    let mask = aes_block(&keys.header, sample);
    datagram[0] ^= mask[0] & FIRST_MASK;
    for (byte, mask) in datagram[NUMBER_START..NUMBER_START + header.number_len].iter_mut().zip(&mask[1..]) {
        *byte ^= mask;
    }
}

/// The rules of the findings that refute.
fn violations(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|f| f["severity"] == "violation").filter_map(|f| f["rule"].as_str()).collect()
}

/// The control: sealed again the right way, byte for byte what it was, it is proved without keys and with them, and
/// with them every text is there. So what refutes the leaks is the leak.
/// Each leak is refuted without keys, by what shows by itself; and with the key log too.
#[test]
fn a_run_that_is_sealed_again_is_proved_and_every_leak_is_refuted() {
    let run = Run::new();
    let control = run.resealed(Leak::None);
    prove(&control, &run);
    for (leak, without_keys, with_keys) in [
        (Leak::Unsealed, "opacity.structure", "sealed.tag"),
        (Leak::FixedNonce, "reuse.keystream", "sealed.tag"),
        (Leak::NicknameInHeader, "session.connection-id-shared", "sealed.connection-id"),
    ] {
        assert_refuted(&run.resealed(leak), &[], without_keys);
        assert_refuted(&run.resealed(leak), &["--keylog", &run.keys], with_keys);
    }
    // One client's name in its own ids looks like any constant id: this one takes the key log. Eight letters are
    // too few to be searched for with certainty, but they are seen, and that is said.
    let one = run.resealed(Leak::NicknameOfOne);
    assert_refuted(&one, &["--keylog", &run.keys], "sealed.connection-id");
    let (_, report) = dissect(&one, &["-q", "--canary", NICKNAME]);
    let canary = &report["canary"]["canaries"][0];
    assert!(canary["strong"] == false && canary["on_wire"].as_u64() > Some(10), "{canary}");
}

/// The capture is refuted, by this rule among others.
fn assert_refuted(capture: &Path, arguments: &[&str], rule: &str) {
    let report = judge(capture, arguments, 1);
    let (name, violations) = (capture.display(), violations(&report));
    assert!(violations.contains(&rule), "{name} {arguments:?}: {violations:?}");
}

fn prove(control: &Path, run: &Run) {
    let blind = judge(control, &["--canary", "behind the old mill at nine"], 0);
    assert_eq!(violations(&blind), [""; 0]);
    let opened = judge(control, &["--keylog", &run.keys], 0);
    let transcripts = opened["sealed"]["transcripts"].as_object().unwrap();
    let submitted = transcripts.values().flat_map(|transcript| transcript["submitted"].as_array().unwrap());
    let mut texts: Vec<&str> = submitted.filter_map(|message| message["text"].as_str()).collect();
    let mut expected: Vec<&str> = run.texts.iter().map(String::as_str).collect();
    texts.sort_unstable();
    expected.sort_unstable();
    assert_eq!(texts, expected);
}
