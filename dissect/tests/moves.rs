//! Clients that change their address in the middle of a session: what an observer may take for a move, with keys
//! and without, and what nobody can hide behind one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "these tests use a part of it")]
mod run;

use dissect::verdict::{Level, Outcome};
use dissect::{Options, Report};
use run::{CLIENT, End, HUB, Leak, NEIGHBOUR, RELAY, RESOLVER, Run, Talk, rules};
use spec::wire::frame::Frame;

/// Where a client goes.
const ELSEWHERE: [End; 3] = [([10, 0, 7, 1], 50_001), ([10, 0, 7, 2], 50_002), ([10, 0, 7, 3], 50_003)];

/// A talk whose client moves to each address and says some lines there.
fn journey(seed: u8, ends: &[End]) -> Talk {
    let mut talk = Talk::new(seed, Leak::None);
    talk.say(8);
    for end in ends {
        talk.move_to(*end);
        talk.say(8);
    }
    talk
}

fn note<'a>(report: &'a Report, rule: &str) -> Option<&'a str> {
    report.findings.iter().find(|finding| finding.rule == rule).map(|finding| finding.text.as_str())
}

fn blind(run: &Run) -> Report {
    run.judge(&Options::default())
}

/// Proved with keys and without, as so many sessions, and with all texts opened.
fn assert_proved(run: &Run, sessions: usize) {
    for options in [Options::default(), run.keys()] {
        let report = run.judge(&options);
        assert_eq!((rules(&report), report.verdict.outcome), (vec![], Outcome::Proved));
        assert_eq!(report.sessions.len(), sessions);
        assert!(report.flows.iter().all(|flow| flow.sealgram));
    }
    let sealed = run.judge(&run.keys()).sealed.unwrap();
    let submitted = sealed.transcripts.values().flat_map(|transcript| &transcript.submitted);
    let mut texts: Vec<String> = submitted.map(|message| message.text.clone()).collect();
    let mut said = run.texts.clone();
    texts.sort_unstable();
    said.sort_unstable();
    assert_eq!(texts, said);
}

#[test]
fn a_client_that_moves_under_new_ids_is_followed_and_cannot_be_linked() {
    let run = journey(1, &ELSEWHERE).run;
    assert_proved(&run, 1);
    let moved = note(&blind(&run), "session.moved").unwrap().to_owned();
    assert!(moved.contains("at 3 more addresses") && moved.contains("and 0 of its"), "{moved}");
}

#[test]
fn a_client_that_comes_and_goes_between_two_addresses_is_followed() {
    assert_proved(&journey(2, &[ELSEWHERE[0], CLIENT, ELSEWHERE[0], CLIENT]).run, 1);
}

/// Its id stays, since it does not know.
#[test]
fn a_client_behind_a_nat_that_gives_it_another_address_is_linked() {
    let mut talk = journey(3, &[]);
    for end in ELSEWHERE {
        talk.rebind(end);
        talk.say(8);
    }
    assert_proved(&talk.run, 1);
    let moved = note(&blind(&talk.run), "session.moved").unwrap().to_owned();
    assert!(moved.contains("and 1 of its"), "{moved}");
}

/// The hub drops a FIN from another address than its INIT, and the client repeats it.
#[test]
fn a_client_whose_address_changes_in_the_handshake_is_no_violation() {
    let mut run = journey(17, &[]).run;
    let fin = run::Datagram { from: ELSEWHERE[0], ..run.datagrams[3].clone() };
    run.datagrams.insert(3, fin);
    assert_proved(&run, 2);
    let report = blind(&run);
    assert!(report.sessions[1].client_connection_ids.is_empty(), "nothing follows from it");
}

/// Two clients of one hub, who move at the same time: without keys nobody can tell who went where, and nothing has
/// to; with keys every text is its author's.
#[test]
fn clients_that_move_at_once_are_told_apart_by_keys() {
    let talks = [journey(4, &ELSEWHERE[..1]), journey(5, &ELSEWHERE[1..2])];
    let mut both = Run { pace_seconds: 1, ..Run::default() };
    for pair in talks[0].run.datagrams.iter().zip(&talks[1].run.datagrams) {
        for (datagram, end) in [(pair.0, CLIENT), (pair.1, NEIGHBOUR)] {
            let at = |other| if other == CLIENT { end } else { other };
            both.send(at(datagram.from), at(datagram.to), datagram.payload.clone());
        }
    }
    for talk in &talks {
        both.key_log.push_str(&talk.run.key_log);
        both.texts.extend(talk.run.texts.clone());
    }
    assert_proved(&both, 2);
    let texts = |options: &Options| both.judge(options).sealed.unwrap().transcripts;
    assert!(texts(&both.keys()).values().all(|transcript| transcript.submitted.len() == 16));
}

/// PROTOCOL.md, Path MTU and Acknowledgements: probes have four more lengths, and numbers have gaps.
#[test]
fn probes_for_the_mtu_and_numbers_left_out_are_legal_and_other_lengths_are_not() {
    let mut talk = journey(6, &[]);
    for bytes in [1232, 1372, 1432, 1452] {
        talk.client.bytes_min = bytes;
        talk.client.number += 7;
        talk.up(&[Frame::Ping]);
        assert_eq!(talk.run.datagrams.last().unwrap().payload.len(), bytes);
    }
    assert_proved(&talk.run, 1);
    let mut longer = talk.run.clone();
    longer.datagrams.last_mut().unwrap().payload.pop();
    assert!(rules(&blind(&longer)).contains(&"session.format"));
}

/// Datagrams of another hub's session, which look as random as ours.
fn noise(seed: u8) -> Vec<Vec<u8>> {
    Run::new(seed, 12, Leak::None).datagrams.into_iter().skip(4).map(|datagram| datagram.payload).collect()
}

/// A client is in one place at a time, a hub answers nobody else, and who is no hub has no sessions.
#[test]
fn what_no_session_can_have_sent_is_not_passed_over() {
    let whole = journey(7, &[]).run;
    for (from, to) in [(NEIGHBOUR, HUB), (HUB, NEIGHBOUR), (RELAY, RESOLVER)] {
        let mut run = whole.clone();
        run.datagrams.clear();
        let (handshake, rest) = whole.datagrams.split_at(7);
        run.datagrams.extend_from_slice(handshake);
        // The session goes on where it was.
        for (datagram, noise) in rest.iter().zip(noise(8)) {
            run.datagrams.push(datagram.clone());
            run.send(from, to, noise);
        }
        for options in [Options::default(), run.keys()] {
            let options = Options { require: Some(Level::E2), ..options };
            let report = run.judge(&options);
            assert_eq!(report.verdict.outcome, Outcome::Inconclusive, "{from:?} {to:?}");
            assert!(rules(&report).contains(&"session.headless"), "{:?}", rules(&report));
        }
    }
    // Before there was a session, nobody can have moved.
    let mut early = whole.clone();
    for (at, noise) in noise(9).into_iter().enumerate() {
        early.datagrams.insert(at.min(3), run::Datagram { from: NEIGHBOUR, to: HUB, payload: noise });
    }
    assert!(rules(&blind(&early)).contains(&"session.headless"));
}

/// With keys it is known that a path is not of the session, whatever its client does.
#[test]
fn with_keys_only_what_the_keys_give_is_a_move() {
    let mut run = journey(10, &[]).run;
    for noise in noise(11) {
        run.send(NEIGHBOUR, HUB, noise);
    }
    assert_eq!(blind(&run).verdict.outcome, Outcome::Proved, "it may have moved");
    let report = run.judge(&run.keys());
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive);
    assert_eq!(rules(&report), ["session.beside", "session.headless"]);
    // A session of which nothing is heard for half a minute is over.
    run.pace_seconds = 31;
    assert!(rules(&blind(&run)).contains(&"session.headless"));
}

#[test]
fn a_client_in_two_places_is_not_one_client() {
    let mut run = journey(12, &[]).run;
    let here = run.datagrams.split_off(12);
    for noise in noise(13).into_iter().take(11) {
        run.send(NEIGHBOUR, HUB, noise);
    }
    // The session is heard again from its first address, and so is the other place after that.
    run.datagrams.extend(here);
    for noise in noise(13).into_iter().skip(11) {
        run.send(NEIGHBOUR, HUB, noise);
    }
    let report = blind(&run);
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive, "{:?}", rules(&report));
}

#[test]
fn what_is_written_where_a_client_goes_is_noticed() {
    let text = b"this is what ann wrote in clear: meet me behind the old mill at nine. ".repeat(20);
    // In the form of a SHORT datagram, with an id that looks like any other.
    let mut readable = journey(14, &ELSEWHERE[..1]).run;
    let payload = readable.datagrams.last_mut().unwrap();
    let len = payload.payload.len();
    payload.payload[9..].copy_from_slice(&text[..len - 9]);
    assert_eq!(blind(&readable).verdict.outcome, Outcome::Refuted);
    // In no form, before and after the client went there.
    let moved = journey(15, &ELSEWHERE[..1]).run;
    for at in [3, 10, moved.datagrams.len()] {
        let mut run = moved.clone();
        let (from, to) = (ELSEWHERE[0], HUB);
        run.datagrams.insert(at, run::Datagram { from, to, payload: text[..100].to_vec() });
        let report = blind(&run);
        assert_eq!(report.verdict.outcome, Outcome::Inconclusive);
        assert_eq!(rules(&report), ["packet.unparsed"]);
    }
    // Beside the place it went to.
    let mut beside = moved.clone();
    beside.send(ELSEWHERE[0], RESOLVER, text[..100].to_vec());
    assert_eq!(rules(&blind(&beside)), ["session.beside"]);
}

/// A sender that lost count when it moved.
#[test]
fn a_packet_number_that_comes_again_after_a_move_is_refuted_with_keys() {
    let mut talk = journey(16, &[]);
    talk.client.go_back(3);
    talk.move_to(ELSEWHERE[0]);
    talk.say(3);
    let report = talk.run.judge(&talk.run.keys());
    assert_eq!(report.verdict.outcome, Outcome::Refuted);
    assert!(rules(&report).contains(&"sealed.nonce-reuse"), "{:?}", rules(&report));
}
