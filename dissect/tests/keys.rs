//! Keys that change in the middle of a session: updates of either side and ratchets of both, opened and sealed
//! again with the key log; and programs that go back to keys they had given up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "these tests use a part of it")]
mod run;

use dissect::verdict::{Level, Outcome};
use dissect::{Options, Report};
use run::{Leak, RELAY, Run, Talk, rules};

/// A talk in which the client updates its key five times and the hub once, in each of three generations, and the
/// client moves in the second. More than a quarter of an hour goes by.
fn talk(seed: u8) -> Talk {
    let mut talk = Talk::new(seed, Leak::None);
    talk.run.pace_seconds = 10;
    for generation in 0..3 {
        talk.say(2);
        for _ in 0..5 {
            talk.client.update();
            talk.say(2);
        }
        talk.hub.update();
        talk.say(2);
        match generation {
            0 => talk.ratchet(),
            1 => {
                talk.move_to(RELAY);
                talk.ratchet();
            }
            _ => {}
        }
    }
    talk
}

fn opened(run: &Run) -> Report {
    run.judge(&run.keys())
}

#[test]
fn every_tag_verifies_across_updates_ratchets_and_a_move() {
    let run = talk(1).run;
    let blind = run.judge(&Options::default());
    assert_eq!((rules(&blind), blind.verdict.reached), (vec![], Some(Level::E2)));
    let (report, rows) = run::rows(&run.pcap(), &run.keys());
    assert_eq!((rules(&report), report.verdict.reached), (vec![], Some(Level::E4)));
    let sealed = report.sealed.unwrap();
    assert_eq!((sealed.verified, sealed.resealed), (sealed.sealed, sealed.opened_short));
    assert_eq!((sealed.derived, sealed.updates, sealed.ratchets), (1, 18, 2));
    assert_eq!(sealed.controls_rejected, sealed.controls);
    let transcript = sealed.transcripts.values().next().unwrap();
    assert_eq!(transcript.submitted.len(), run.texts.len());
    assert!(transcript.control.contains(&"Hub: RatchetRsp { kem: true }".to_owned()));
    let last = rows.last().and_then(|judged| judged.opened.as_ref()?.place).unwrap();
    assert_eq!((last.generation, last.epoch), (2, 1));
}

/// A datagram captured twice, the second time after its key was given up, is what it was.
#[test]
fn datagrams_of_old_keys_that_come_late_open() {
    let mut run = talk(2).run;
    let again: Vec<_> = run.datagrams.iter().skip(4).take(30).cloned().collect();
    run.datagrams.extend(again);
    let report = opened(&run);
    assert_eq!((rules(&report), report.verdict.outcome), (vec![], Outcome::Proved));
    assert_eq!(report.sealed.unwrap().repeated, 30);
}

/// Each is refuted by this rule: the client seals under its first key again after an update, with the epoch it
/// belongs to; the same and says it is the next epoch; the hub goes back to the generation before; the client seals
/// under the keys of the one before and says it is the next.
#[test]
fn keys_that_come_back_are_refuted() {
    let root = |talk: &Talk| talk.root.clone();
    let mut cases = Vec::new();

    let mut back = Talk::new(3, Leak::None);
    let first = root(&back);
    back.client.update();
    back.say(2);
    back.client = back.client.under(&first);
    cases.push(("sealed.key-order", back));

    let mut claimed = Talk::new(4, Leak::None);
    claimed.say(2);
    claimed.client.claimed_epoch = Some(1);
    cases.push(("sealed.tag", claimed));

    let mut older = Talk::new(5, Leak::None);
    let first = root(&older);
    older.ratchet();
    older.hub = older.hub.under(&first);
    cases.push(("sealed.key-order", older));

    let mut mixed = Talk::new(6, Leak::None);
    let first = root(&mixed);
    mixed.ratchet();
    let old = mixed.client.under(&first);
    mixed.client.seal_as(&old);
    cases.push(("sealed.tag", mixed));

    let mut recounted = Talk::new(7, Leak::None);
    recounted.say(3);
    recounted.client.go_back(2);
    recounted.client.update();
    cases.push(("sealed.nonce-reuse", recounted));

    for (rule, mut talk) in cases {
        talk.say(2);
        let report = opened(&talk.run);
        assert_eq!(report.verdict.outcome, Outcome::Refuted, "{rule}");
        assert!(rules(&report).contains(&rule), "{rule}: {:?}", rules(&report));
        assert_eq!(
            talk.run.judge(&Options::default()).verdict.outcome,
            Outcome::Proved,
            "{rule} without keys"
        );
    }
}

/// A log that lies about a generation is refuted; one that breaks off before it decides nothing.
#[test]
fn the_log_has_to_tell_the_root_of_every_generation() {
    let run = talk(8).run;
    let is_ratchet = |line: &&str| line.starts_with("SGM1_RATCHET");
    let second = run.key_log.lines().filter(is_ratchet).nth(1).unwrap();
    let with = |line: &str| Run { key_log: run.key_log.replace(second, line), ..run.clone() };
    let root = second.split(' ').next_back().unwrap();
    let lie = opened(&with(&second.replace(root, &"5a".repeat(32))));
    assert_eq!(lie.verdict.outcome, Outcome::Refuted);
    assert!(rules(&lie).contains(&"sealed.connection-id"), "{:?}", rules(&lie));
    let gap = opened(&with(""));
    assert_eq!(gap.verdict.outcome, Outcome::Inconclusive);
    assert!(rules(&gap).contains(&"sealed.no-generation"), "{:?}", rules(&gap));
}
