//! Rows 004-05 and 004-08: logins tell nobody which names have accounts, by no byte, no length and no time.

use crate::prober::{Prey, Prober, Said, in_words};
use core::time::Duration;
use node_proto::opaque::{Login, Password};
use node_proto::random::Random;
use rustix::time::{ClockId, clock_gettime};
use spec::wire::login::{LoginMessage, Stretch};

/// Probes by default; `LOGIN=full` makes all [`PROBES_FULL`].
const PROBES: usize = 900;
const PROBES_FULL: usize = 10_000;
/// How far the chance that one kind of name takes longer than another may be from a half. One scalar multiplication
/// more or less, or a record that is looked up and parsed, moves it to 1.
const TOLERANCE: f64 = 0.06;
/// Standard deviations of what chance alone does to that: one in three million.
const DEVIATIONS: f64 = 5.0;

/// What this thread has worked so far: a machine that is busy with something else does not count.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// How likely a value of `one` is above one of `other`: the statistic of Mann and Whitney, as a share.
fn above(one: &[Duration], other: &[Duration]) -> f64 {
    let wins = |value: &Duration| {
        other.iter().map(|their| if value > their { 2u64 } else { u64::from(value == their) }).sum::<u64>()
    };
    let doubled: u64 = one.iter().map(wins).sum();
    doubled as f64 / (2.0 * one.len() as f64 * other.len() as f64)
}

/// What [`above`] may be when both are of one kind.
fn bound(one: usize, other: usize) -> f64 {
    let (one, other) = (one as f64, other as f64);
    TOLERANCE + DEVIATIONS * ((one + other + 1.0) / (12.0 * one * other)).sqrt()
}

/// One kind of names: what was said to them, and how long the hub worked on each message.
#[derive(Default)]
struct Kind {
    said: Vec<Said>,
    login: Vec<Duration>,
    proof: Vec<Duration>,
}

fn probe(prey: &mut Prey, network: u16, name: &str, ke1: &[u8; 96], kind: &mut Kind) {
    let seed = u8::try_from(network % 251).unwrap();
    let mut prober = Prober::new(prey, network, seed, name);
    let (answer, mut lengths, login) = prober.say(prey, LoginMessage::Login { device: "", ke1 }, worked);
    let (refusal, last, proof) = prober.say(prey, LoginMessage::Proof { ke3: &[7; 64] }, worked);
    lengths.extend(last);
    let messages = [in_words(&answer), in_words(&refusal)].concat();
    kind.said.push(Said { lengths, messages });
    kind.login.push(login);
    kind.proof.push(proof);
}

/// Names with a password, names without, and names that nobody has, in turn and each turn in another order.
#[test]
fn row_004_08_login_probes_cannot_tell_accounts_apart() {
    let probes =
        if std::env::var_os("LOGIN").is_some_and(|value| value == "full") { PROBES_FULL } else { PROBES };
    let names = |kind: &str| (0..40).map(|number| format!("{kind} number {number}")).collect::<Vec<_>>();
    let kinds = ["with", "sans", "none"].map(names);
    let mut prey = Prey::new(&kinds[0], &kinds[1], Stretch::NEW);
    let mut random = Random::new([8; 32]);
    let (_, ke1) = Login::start(&mut random, &Password::new("a guess")).unwrap();
    let mut probed: [Kind; 3] = Default::default();
    for round in 0..probes / 3 {
        let turn = usize::try_from(random.number() % 3).unwrap();
        for step in 0..3 {
            let at = (turn + step) % 3;
            let network = u16::try_from((round * 3 + step) % 60_000).unwrap();
            probe(&mut prey, network, &kinds[at][round % 40], &ke1, &mut probed[at]);
        }
        // Sessions end, and failures are forgotten: else all would be refused alike from the fifth round on.
        if round % 40 == 39 {
            prey.wait(Duration::from_secs(60 * 60 * 50));
        }
    }
    let first = &probed[0].said[0];
    assert_eq!(first.messages.len(), 2);
    assert!(
        first.messages[0].contains("320 bytes") && first.messages[1].contains("LoginRefused"),
        "{first:?}"
    );
    for kind in &probed {
        let other: Vec<_> = kind.said.iter().enumerate().filter(|(_, said)| *said != first).collect();
        assert!(other.is_empty(), "{first:?} is not all that is said: {other:?}");
    }
    for (what, times) in [
        ("LOGIN", probed.each_ref().map(|kind| &kind.login)),
        ("PROOF", probed.each_ref().map(|kind| &kind.proof)),
    ] {
        for (one, other) in [(0, 2), (1, 2), (0, 1)] {
            let (share, bound) =
                (above(times[one], times[other]), bound(times[one].len(), times[other].len()));
            println!(
                "{what}: kind {one} above kind {other} in {share:.3} of pairs, 0.5 ± {bound:.3} is allowed"
            );
            assert!(
                (share - 0.5).abs() <= bound,
                "{what}: kind {one} above kind {other}: {share:.3} ± {bound:.3}"
            );
        }
    }
}

/// The test above sees a difference of a twentieth where times scatter by as much, and sees none where there is none.
#[test]
fn a_difference_in_time_would_be_seen() {
    let mut random = Random::new([9; 32]);
    let mut times = |longer: u64| {
        let time = |_| Duration::from_nanos(300_000 + longer + random.number() % 15_000);
        (0..500).map(time).collect::<Vec<_>>()
    };
    let (one, same, longer) = (times(0), times(0), times(15_000));
    assert!((above(&one, &same) - 0.5).abs() <= bound(500, 500));
    assert!((above(&longer, &one) - 0.5).abs() > bound(500, 500));
}
