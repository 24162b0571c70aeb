//! Whole captures from end to end: a real handshake and real datagrams, written as pcap and judged; and
//! the same with a leak put in, which must be refuted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "these tests use a part of it")]
mod run;

use dissect::verdict::{Level, Outcome};
use dissect::{KeyLog, Options, analyse};
use run::{Leak, Run, judge, rules};

const SECRET: &str = "meet me behind the old mill";

#[test]
fn a_sound_run_is_opaque_without_keys() {
    let run = Run::new(1, 40, Leak::None);
    let (report, packets) = run::rows(&run.pcap(), &Options::default());
    assert_eq!(rules(&report), [""; 0]);
    assert_eq!((report.verdict.outcome, report.verdict.reached), (Outcome::Proved, Some(Level::E2)));
    assert_eq!(report.sessions.len(), 1);
    assert_eq!(report.ledger.bytes(dissect::tree::Class::Unparsed), 0);
    let types: Vec<_> = packets.iter().take(5).map(|judged| judged.packet.message.unwrap_or("-")).collect();
    assert_eq!(types, ["INIT", "INIT", "RESP", "FIN", "SHORT"]);
}

#[test]
fn a_canary_that_is_sealed_is_not_found_and_the_control_is_complete() {
    let run = Run::new(2, 40, Leak::None);
    let options = Options { canaries: vec![SECRET.into()], require: Some(Level::E3), ..Options::default() };
    let report = run.judge(&options);
    assert_eq!(rules(&report), [""; 0]);
    assert_eq!(report.verdict.outcome, Outcome::Proved);
    assert!(report.canary.control_planted > 1_000);
    assert_eq!(report.canary.control_found, report.canary.control_planted);
}

#[test]
fn with_the_key_log_every_tag_verifies_and_the_texts_are_there() {
    let run = Run::new(3, 40, Leak::None);
    let report = run.judge(&run.keys());
    assert_eq!(rules(&report), [""; 0]);
    assert_eq!((report.verdict.outcome, report.verdict.reached), (Outcome::Proved, Some(Level::E4)));
    let sealed = report.sealed.unwrap();
    assert_eq!((sealed.verified, sealed.abandoned), (sealed.sealed, 0));
    assert_eq!(sealed.resealed, sealed.opened_short);
    assert_eq!(sealed.controls_rejected, sealed.controls);
    assert_eq!(sealed.derived, 1);
    let transcript = sealed.transcripts.values().next().unwrap();
    let texts: Vec<&str> = transcript.submitted.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, run.texts);
}

#[test]
fn every_leak_is_refuted_without_and_with_keys() {
    for leak in [Leak::Unsealed, Leak::FixedNonce, Leak::NameInHeader] {
        let run = Run::new(4, 60, leak);
        let options = Options { canaries: vec![run::NAME.into(), SECRET.into()], ..Options::default() };
        let report = run.judge(&options);
        assert_eq!(report.verdict.outcome, Outcome::Refuted, "{leak:?}: {:?}", rules(&report));
        let report = run.judge(&run.keys());
        assert_eq!(report.verdict.outcome, Outcome::Refuted, "{leak:?} with keys: {:?}", rules(&report));
    }
    // What is readable or reused shows by itself, without anybody knowing what to look for.
    for leak in [Leak::Unsealed, Leak::FixedNonce, Leak::NameInHeader] {
        let report = judge(&Run::new(5, 60, leak).pcap(), &Options::default());
        assert_eq!(report.verdict.outcome, Outcome::Refuted, "{leak:?}: {:?}", rules(&report));
    }
}

#[test]
fn a_secret_beside_the_session_is_found() {
    let mut run = Run::new(6, 20, Leak::None);
    run.send(run::NEIGHBOUR, run::RESOLVER, format!("looking for {}", SECRET.to_uppercase()).into_bytes());
    let options = Options { canaries: vec![SECRET.into()], ..Options::default() };
    let report = run.judge(&options);
    assert_eq!(report.verdict.outcome, Outcome::Refuted);
    assert_eq!(rules(&report), [""; 0], "the finding is of level E3, above the required one");
    assert_eq!(report.flows.iter().filter(|flow| !flow.sealgram).count(), 1);
}

#[test]
fn a_secret_in_the_file_only_is_no_leak_of_the_wire() {
    let run = Run::new(7, 20, Leak::None);
    let mut capture = run.pcap();
    capture.extend_from_slice(SECRET.as_bytes());
    let options = Options { canaries: vec![SECRET.into()], ..Options::default() };
    let report = judge(&capture, &options);
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive);
    assert!(rules(&report).contains(&"canary.in-file"));
}

#[test]
fn a_weak_canary_decides_nothing() {
    let mut run = Run::new(8, 20, Leak::None);
    run.send(run::NEIGHBOUR, run::RESOLVER, b"ann".to_vec());
    let report = run.judge(&Options { canaries: vec!["ann".into()], ..Options::default() });
    assert_eq!(report.verdict.outcome, Outcome::Proved);
    let result = &report.canary.canaries[0];
    let strength = &result.strength;
    assert!(!strength.strong && strength.expected_chance_hits > 1.0);
    assert!(result.on_wire >= 1 || strength.left_out_forms.contains(&"utf-8"), "searched, or said not to be");
}

#[test]
fn what_is_missing_makes_it_inconclusive() {
    let whole = Run::new(9, 20, Leak::None);
    for (what, omit, rule) in [
        ("the handshake", 0..4, "session.none"),
        ("half of INIT", 1..2, "session.order"),
        ("RESP", 2..3, "session.order"),
        ("FIN", 3..4, "session.order"),
    ] {
        let mut run = whole.clone();
        run.datagrams.drain(omit);
        let report = run.judge(&Options::default());
        assert_eq!(report.verdict.outcome, Outcome::Inconclusive, "{what}");
        assert!(rules(&report).contains(&rule), "{what}: {:?}", rules(&report));
    }
    let capture = whole.pcap();
    let cut = judge(&capture[..capture.len() - 7], &Options::default());
    assert_eq!(cut.verdict.outcome, Outcome::Inconclusive);
    assert!(rules(&cut).contains(&"capture.damaged"));
    let empty = judge(&capture[..24], &Options::default());
    assert_eq!((empty.verdict.outcome, empty.verdict.reached), (Outcome::Inconclusive, None));
}

#[test]
fn an_unknown_datagram_on_the_session_is_unparsed() {
    let mut run = Run::new(10, 20, Leak::None);
    run.send(run::CLIENT, run::HUB, b"\x00what is this".to_vec());
    let report = run.judge(&Options::default());
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive);
    assert!(rules(&report).contains(&"packet.unparsed"));
}

#[test]
fn datagrams_beside_the_session_are_not_passed_over() {
    let whole = Run::new(28, 20, Leak::None);
    for (from, to) in [(run::NEIGHBOUR, run::HUB), (run::CLIENT, run::RESOLVER), (run::HUB, run::NEIGHBOUR)] {
        let mut run = whole.clone();
        run.send(from, to, b"this is what ann wrote".to_vec());
        let report = run.judge(&Options::default());
        assert_eq!(report.verdict.outcome, Outcome::Inconclusive);
        assert_eq!(rules(&report), ["session.beside"]);
    }
}

#[test]
fn another_answer_to_an_attempt_is_inconclusive_with_keys() {
    let mut run = Run::new(29, 20, Leak::None);
    let mut resp = run.datagrams[2].clone();
    run.datagrams.insert(3, resp.clone());
    assert_eq!(run.judge(&run.keys()).verdict.outcome, Outcome::Proved, "the same again");
    let other = Run::new(34, 0, Leak::None);
    resp.payload[13..].copy_from_slice(&other.datagrams[2].payload[13..]);
    run.datagrams.insert(4, resp);
    let report = run.judge(&run.keys());
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive);
    assert_eq!(rules(&report), ["sealed.unused"]);
}

#[test]
fn retransmissions_and_duplicates_are_no_violation() {
    let mut run = Run::new(11, 30, Leak::None);
    let again: Vec<_> = run.datagrams.iter().take(12).cloned().collect();
    run.datagrams.extend(again);
    let report = run.judge(&run.keys());
    assert_eq!(report.verdict.outcome, Outcome::Proved, "{:?}", rules(&report));
    assert_eq!(report.reuse.identical_datagrams, 12);
    assert_eq!(report.sealed.unwrap().repeated, 8);
}

#[test]
fn a_flipped_bit_anywhere_in_a_datagram_is_noticed_with_keys() {
    let whole = Run::new(12, 2, Leak::None);
    for (datagram, bytes) in whole.datagrams.iter().map(|datagram| &datagram.payload).enumerate() {
        for at in [0, 9, 40, bytes.len() - 1] {
            let mut run = whole.clone();
            run.datagrams[datagram].payload[at] ^= 0x04;
            let report = run.judge(&whole.keys());
            let is_mac = datagram < 4 && (at == 0 || at >= 1168);
            if !is_mac {
                assert_ne!(report.verdict.outcome, Outcome::Proved, "datagram {datagram} byte {at}");
            }
        }
    }
}

#[test]
fn the_wrong_key_log_opens_nothing() {
    let run = Run::new(13, 10, Leak::None);
    let other = Run::new(14, 10, Leak::None);
    let report = run.judge(&other.keys());
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive);
    assert!(rules(&report).contains(&"sealed.no-secrets"));
}

#[test]
fn damaged_captures_never_panic() {
    let capture = Run::new(15, 2, Leak::None).pcap();
    let options = Options::default();
    for at in (0..capture.len()).step_by(61) {
        let mut damaged = capture.clone();
        damaged[at] ^= 0xff;
        if let Ok(report) = analyse(damaged.as_slice(), &options) {
            assert!(report.ledger.balanced);
        }
        if let Ok(report) = analyse(&capture[..at], &options) {
            assert!(report.ledger.balanced);
        }
    }
}

#[test]
fn sessions_that_run_at_once_between_two_addresses_are_told_apart() {
    let (first, second) = (Run::new(16, 20, Leak::None), Run::new(17, 20, Leak::None));
    let mut both = Run { datagrams: Vec::new(), ..first.clone() };
    for (a, b) in first.datagrams.iter().zip(&second.datagrams) {
        both.datagrams.extend([a.clone(), b.clone()]);
    }
    both.key_log.push_str(&second.key_log);
    for options in [Options::default(), both.keys()] {
        let report = both.judge(&options);
        assert_eq!(report.verdict.outcome, Outcome::Proved, "{:?}", rules(&report));
        assert_eq!(report.sessions.len(), 2);
    }
}

#[test]
fn a_relay_in_the_middle_shows_every_datagram_twice() {
    let run = Run::new(18, 20, Leak::None);
    let mut relayed = Run { datagrams: Vec::new(), ..run.clone() };
    let moved = |end| if end == run::CLIENT { run::RELAY } else { end };
    for (number, datagram) in run.datagrams.iter().enumerate() {
        relayed.datagrams.push(datagram.clone());
        // Behind the relay every seventh datagram after the handshake is lost.
        if number < 5 || number % 7 != 0 {
            let payload = datagram.payload.clone();
            relayed.send(moved(datagram.from), moved(datagram.to), payload);
        }
    }
    let report = relayed.judge(&run.keys());
    assert_eq!(report.verdict.outcome, Outcome::Proved, "{:?}", rules(&report));
    assert_eq!(report.sessions.len(), 2);
    assert_eq!(report.sealed.unwrap().transcripts.len(), 1);
}

#[test]
fn an_attempt_that_nobody_answered_is_no_fault() {
    let run = Run::new(19, 20, Leak::None);
    let unanswered = Run::new(20, 0, Leak::None).datagrams.into_iter().take(2);
    let mut both = run.clone();
    both.datagrams = unanswered.chain(run.datagrams.iter().cloned()).collect();
    let report = both.judge(&run.keys());
    assert_eq!(report.verdict.outcome, Outcome::Proved, "{:?}", rules(&report));
    assert_eq!(report.sealed.unwrap().abandoned, 2);
}

#[test]
fn two_finishes_of_one_attempt_and_a_shared_ephemeral_key_are_refuted() {
    let run = Run::new(21, 4, Leak::None);
    let mut rebuilt = run.clone();
    let mut fin = run.datagrams[3].clone();
    fin.payload[600] ^= 1;
    rebuilt.datagrams.push(fin);
    assert!(rules(&rebuilt.judge(&Options::default())).contains(&"handshake.rebuilt"));

    let mut forged = run.clone();
    forged.datagrams[0].payload[100] ^= 1;
    assert!(rules(&forged.judge(&Options::default())).contains(&"handshake.attempt-id"));

    let mut other = Run::new(22, 4, Leak::None);
    other.datagrams[0].payload[13..45].copy_from_slice(&run.datagrams[0].payload[13..45]);
    let mut both = run.clone();
    both.datagrams.extend(other.datagrams);
    assert!(rules(&both.judge(&Options::default())).contains(&"handshake.ephemeral-reused"));
}

/// Two clients with addresses of their own before a relay, and one address of the relay behind it.
#[test]
fn a_relay_that_mixes_clients_confuses_nobody() {
    let runs = [Run::new(23, 10, Leak::None), Run::new(24, 10, Leak::None)];
    let mut mixed = Run { datagrams: Vec::new(), ..runs[0].clone() };
    mixed.key_log.push_str(&runs[1].key_log);
    for number in 0..runs[0].datagrams.len() {
        for (run, port) in runs.iter().zip(50_001..) {
            let datagram = run.datagrams[number].clone();
            let moved = |end, to| if end == run::CLIENT { to } else { end };
            for to in [([10, 0, 0, 7], port), run::RELAY] {
                mixed.send(moved(datagram.from, to), moved(datagram.to, to), datagram.payload.clone());
            }
        }
    }
    for options in [Options::default(), mixed.keys()] {
        let report = mixed.judge(&options);
        assert_eq!(report.verdict.outcome, Outcome::Proved, "{:?}", rules(&report));
        assert_eq!(report.sessions.len(), 4);
    }
}

/// A client whose address changes in the middle goes on under the same connection id.
#[test]
fn a_client_that_moves_to_another_address_is_no_violation() {
    let mut run = Run::new(25, 20, Leak::None);
    let from = run.datagrams.len() - 9;
    for datagram in &mut run.datagrams[from..] {
        let moved = |end| if end == run::CLIENT { run::RELAY } else { end };
        (datagram.from, datagram.to) = (moved(datagram.from), moved(datagram.to));
    }
    for options in [Options::default(), run.keys()] {
        let report = run.judge(&options);
        assert_eq!(report.verdict.outcome, Outcome::Proved, "{:?}", rules(&report));
        assert_eq!(report.sessions.len(), 1);
        assert!(report.findings.iter().any(|finding| finding.rule == "session.moved"));
    }
}

/// The capture began in the middle of a session, and its client then began another one.
#[test]
fn a_session_from_before_the_capture_is_inconclusive_with_keys() {
    let (earlier, run) = (Run::new(26, 20, Leak::None), Run::new(27, 20, Leak::None));
    let mut cut = run.clone();
    let straggler = earlier.datagrams[20].clone();
    cut.datagrams.splice(2..2, earlier.datagrams[10..20].iter().cloned());
    cut.datagrams.push(straggler);
    let report = cut.judge(&run.keys());
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive, "{:?}", rules(&report));
    assert!(rules(&report).contains(&"sealed.earlier-session"));
}

/// Datagrams outside a handshake are judged like all others: nobody who writes there is trusted.
#[test]
fn what_is_written_into_questions_and_answers_is_noticed() {
    let text = b"this is what ann wrote in clear: meet me behind the old mill at nine. ".repeat(20);
    let whole = Run::new(30, 20, Leak::None);
    let other = Run::new(33, 0, Leak::None);
    let noise = |len: usize| other.datagrams[0].payload[60..60 + len].to_vec();
    let long = |kind: u8, body: &[u8]| [&[0xc0 | kind << 3][..], b"SGM1", &noise(8), body].concat();
    for (message, outcome) in [
        (long(4, &[&text[..1155], &noise(32)].concat()), Outcome::Refuted),
        (long(5, &[&text[..99], &noise(16)].concat()), Outcome::Refuted),
        (long(6, &[&text[..16], &noise(99)].concat()), Outcome::Inconclusive),
    ] {
        let mut run = whole.clone();
        run.send(run::HUB, run::CLIENT, message);
        assert_eq!(run.judge(&Options::default()).verdict.outcome, outcome);
    }
    let mut run = whole;
    run.datagrams[2].payload[13..1_133].copy_from_slice(&text[..1_120]);
    assert_eq!(run.judge(&Options::default()).verdict.outcome, Outcome::Refuted, "in key shares");
}

#[test]
fn key_logs_add_up_line_by_line() {
    let run = Run::new(31, 20, Leak::None);
    let (even, odd): (Vec<_>, Vec<_>) = (0..).zip(run.key_log.lines()).partition(|(line, _)| line % 2 == 0);
    let log = |lines: Vec<(i32, &str)>| {
        let lines: Vec<&str> = lines.into_iter().map(|(_, line)| line).collect();
        KeyLog::parse(&lines.join("\n")).unwrap()
    };
    let mut merged = log(even);
    merged.merge(log(odd));
    let options = Options { key_log: Some(merged), ..Options::default() };
    assert_eq!(run.judge(&options).verdict.outcome, Outcome::Proved);
}

#[test]
fn more_connection_ids_than_time_allows_are_inconclusive() {
    let mut run = Run::new(32, 20, Leak::None);
    for (number, byte) in [(8, 0x11), (10, 0x33), (12, 0x55)] {
        run.datagrams[number].payload[1..9].fill(byte);
    }
    assert!(rules(&run.judge(&Options::default())).contains(&"session.connection-ids"));
}

/// A UDP datagram of somebody else in two fragments, as records of a capture.
fn fragments() -> [Vec<u8>; 2] {
    let datagram = [&[0, 53, 0, 53, 0, 48, 0, 0][..], &[7; 40]].concat();
    let record = |flags_and_offset: u16, piece: &[u8]| {
        let len = u16::try_from(20 + piece.len()).unwrap();
        let mut record: Vec<u8> = [1_790_000_000, 0, u32::from(len), u32::from(len)]
            .iter()
            .flat_map(|word: &u32| word.to_be_bytes())
            .collect();
        record.extend([0x45, 0]);
        record.extend(len.to_be_bytes());
        record.extend([0, 7]);
        record.extend(flags_and_offset.to_be_bytes());
        record.extend([64, 17, 0, 0, 10, 0, 0, 53, 10, 0, 0, 54]);
        record.extend(piece);
        record
    };
    [record(0x2000, &datagram[..24]), record(3, &datagram[24..])]
}

#[test]
fn fragments_of_others_are_in_the_way_only_when_one_is_missing() {
    let [first, second] = fragments();
    let run = Run::new(31, 20, Leak::None).pcap();
    let both = judge(&[&run[..], &second, &first].concat(), &Options::default());
    assert_eq!((both.verdict.outcome, rules(&both)), (Outcome::Proved, vec![]));
    assert!(both.ledger.fields.contains_key("l4:udp.srcport"), "{:?}", both.ledger.fields);
    assert!(!both.ledger.fields.contains_key("foreign:fragment"));
    let one = judge(&[&run[..], &first].concat(), &Options::default());
    assert_eq!((one.verdict.outcome, rules(&one)), (Outcome::Inconclusive, vec!["ip.fragment-missing"]));
}
