//! Captures with something in them to speak of.

use dissect::{KeyLog, Options};
use spec::wire::ack::{Ack, EcnCounts};
use spec::wire::entry::{Entry, EntryKind, MessageId};
use spec::wire::ephemeral::Ephemeral;
use spec::wire::frame::{Entries, Frame};
use spec::wire::message::Message;
use spec::wire::varint;

use crate::run::{CLIENT, Leak, RELAY, Run, Talk};

/// The rules that both know.
pub(crate) const RULES: [&str; 15] = [
    "session.moved",
    "session.format",
    "session.order",
    "handshake.attempt-id",
    "handshake.rebuilt",
    "handshake.ephemeral-reused",
    "sealed.tag",
    "sealed.frames",
    "sealed.nonce-reuse",
    "sealed.key-order",
    "sealed.connection-id",
    "sealed.no-generation",
    "sealed.root",
    "sealed.not-derived",
    "sealed.no-secrets",
];

/// Every frame and every control message, from whoever may send them.
pub(crate) fn everything() -> Run {
    let mut talk = Talk::new(4, Leak::None);
    let ack = Ack::new(7, 1024, [(90, 95), (70, 80), (0, 1)].into_iter()).unwrap();
    let marked = ack.clone().with_ecn(Some(EcnCounts { ect0: 1, ect1: 0, ce: 1 << 40 }));
    let mut typing = Vec::new();
    Ephemeral::Typing { name: "Zoë" }.encode(&mut typing);
    let both = [
        Frame::Ack(ack),
        Frame::Ack(marked),
        Frame::Stream { stream: 7, offset: (1 << 62) - 5, data: b"abc" },
        Frame::MaxStream { stream: 1, limit: (1 << 53) + 1 },
        Frame::Ephemeral { room: 1, message: &typing },
        Frame::Ephemeral { room: 1, message: &[9] },
        Frame::Bulk { transfer: 2, offset: 70_000, data: b"" },
        Frame::MaxBulk { transfer: 2, limit: 1 << 30 },
        Frame::Extension { kind: 0x1234, data: b"?" },
        Frame::Close { reason: spec::close::CloseReason::Other(99), text: "enough\tof \"this\"" },
    ];
    talk.up(&both);
    talk.down(&both);
    let mut entry = Vec::new();
    let (id, time) = (MessageId([3; 16]), spec::time::UnixTime(1_790_000_000_000));
    Entry { author: 1, id, time, kind: EntryKind::Action, name: "Zoë", body: "waves — twice".as_bytes() }
        .encode(&mut entry);
    let total = entry.len() as u64;
    for (offset, data) in [(10, &entry[10..]), (0, &entry[..10])] {
        talk.down(&[Frame::Fragment { room: 1, sequence: 4, total, offset, data }]);
    }
    let mut entries = Vec::new();
    varint::encode_bytes(&entry, &mut entries);
    varint::encode_bytes(b"no entry", &mut entries);
    talk.down(&[Frame::Entries(Entries { room: 1, first: 5, count: 2, bytes: &entries })]);
    talk.down(&[Frame::PathChallenge { data: [5; 8] }, Frame::Done]);
    talk.up(&[Frame::PathResponse { data: [5; 8] }, Frame::Ping]);
    let messages = [
        Message::Members { room: 1, names: vec!["ann", "Zoë"] },
        Message::Unknown { kind: 0x77 },
        Message::Refused {
            request: 4,
            reason: spec::wire::message::Refusal::NoSuchName,
            id: MessageId([9; 16]),
            name: "",
        },
    ];
    let mut stream = Vec::new();
    messages.iter().for_each(|message| message.encode(&mut stream));
    let (first, rest) = stream.split_at(9);
    talk.down(&[Frame::Stream { stream: 0, offset: 9, data: rest }]);
    talk.down(&[Frame::Stream { stream: 0, offset: 0, data: first }]);
    talk.run
}

/// Sealed by the hub, and refused by PROTOCOL.md or just so allowed.
pub(crate) fn nonsense() -> Run {
    let mut talk = Talk::new(5, Leak::None);
    let raw = [
        &b"\x0f"[..],
        b"\x3f",
        b"\x01\x04",
        b"\x04\x01\x00\x05ab",
        b"\x04\x01\x00\x02ab",
        b"\x07\x00\x01\xff",
        b"\x07\x00\x03\xed\xa0\x80",
        b"\x07\x00\x02\xc3\xa9",
        b"\x06\x01\x01\x02\x01\x02ab",
        b"\x06\x01\x01\x03\x01\x02ab",
        b"\x05\x01\x01\x02\x01a",
        b"\x04\xc0\x00\x00\x01\x00\x00\x00\x01\x00\x00",
        b"\x04\xc0\x00\x00\x01\x00\x00\x00\x00\x00\x00",
        b"\x40\x01",
        b"\x02\x03\x00\x00\x00\x04",
        b"\x02\x03\x00\x00\x01\x01\x01\x00",
        b"\x02\x3f\x00\x00\x21\x00",
        b"\x02\x05\x00\x00\x01\x00\x00\x03",
        b"\x0b12345678",
        b"\x0a12345678",
        b"\x7f\xff\x3f",
        b"\xff",
    ];
    for bytes in raw {
        talk.down(&[Frame::Entries(Entries { room: 1, first: 1, count: 0, bytes })]);
    }
    talk.run
}

/// What is done to a sound capture.
type Change<'a> = &'a dyn Fn(&mut Run);

/// Captures in which something is wrong, by the rule that says so, and whether it takes the keys to see it.
pub(crate) fn faults() -> Vec<(&'static str, Run, bool)> {
    let talk = |seed| {
        let mut talk = Talk::new(seed, Leak::None);
        talk.say(2);
        talk
    };
    let mut faults = Vec::new();
    let mut back = talk(30);
    let first = back.root.clone();
    back.client.update();
    back.say(2);
    back.client = back.client.under(&first);
    back.say(2);
    faults.push(("sealed.key-order", back.run, true));

    let mut claimed = talk(31);
    claimed.client.claimed_epoch = Some(1);
    claimed.say(2);
    faults.push(("sealed.tag", claimed.run, true));

    let mut recounted = talk(32);
    recounted.client.go_back(2);
    recounted.say(2);
    faults.push(("sealed.nonce-reuse", recounted.run, true));

    let mut ratcheted = talk(33);
    ratcheted.ratchet();
    ratcheted.say(2);
    let run = ratcheted.run;
    let line = run.key_log.lines().find(|line| line.starts_with("SGM1_RATCHET")).unwrap().to_owned();
    let root = line.split(' ').next_back().unwrap();
    let lie = line.replace(root, &"5a".repeat(32));
    for (rule, replacement) in [("sealed.connection-id", lie.as_str()), ("sealed.no-generation", "")] {
        faults.push((rule, Run { key_log: run.key_log.replace(&line, replacement), ..run.clone() }, true));
    }

    faults.push(("sealed.frames", nonsense(), true));

    let mut moved = talk(37);
    for end in [RELAY, CLIENT, RELAY] {
        moved.move_to(end);
    }
    faults.push(("session.moved", moved.run, false));

    let whole = talk(34).run;
    let log = |from: &str, to: &str| Run { key_log: whole.key_log.replace(from, to), ..whole.clone() };
    let root = whole.key_log.lines().find(|line| line.starts_with("SGM1_ROOT")).unwrap();
    let (label, _) = root.rsplit_once(' ').unwrap();
    faults.push(("sealed.root", log(root, &format!("{label} {}", "5a".repeat(32))), true));
    faults.push(("sealed.not-derived", log("SGM1_CHAIN", "# SGM1_CHAIN"), true));
    faults.push(("sealed.no-secrets", Run { key_log: talk(35).run.key_log, ..whole.clone() }, true));

    let changed = |change: Change<'_>| {
        let mut run = whole.clone();
        change(&mut run);
        run
    };
    let blind: [(_, Change<'_>); 5] = [
        ("session.format", &|run| {
            run.datagrams.last_mut().unwrap().payload.pop();
        }),
        ("session.order", &|run| {
            run.datagrams.remove(2);
        }),
        ("handshake.rebuilt", &|run| {
            let mut fin = run.datagrams[3].clone();
            fin.payload[600] ^= 1;
            run.datagrams.push(fin);
        }),
        ("handshake.attempt-id", &|run| run.datagrams[0].payload[100] ^= 1),
        ("handshake.ephemeral-reused", &|run| {
            let mut other = talk(36).run;
            other.datagrams[0].payload[13..45].copy_from_slice(&run.datagrams[0].payload[13..45]);
            run.datagrams.extend(other.datagrams);
        }),
    ];
    faults.extend(blind.map(|(rule, change)| (rule, changed(change), false)));
    faults
}

#[test]
fn every_fault_is_one_with_its_rule() {
    for (rule, run, with_keys) in faults() {
        let key_log = with_keys.then(|| KeyLog::parse(&run.key_log).unwrap());
        let report = run.judge(&Options { key_log, ..Options::default() });
        assert!(report.findings.iter().any(|finding| finding.rule == rule), "{rule}");
    }
}
