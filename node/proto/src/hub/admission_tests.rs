//! One datagram of a stranger at a time.

use super::*;
use crate::connection::KeyPolicy;
use alloc::vec;
use spec::handshake::{Flight, Initiator, InitiatorKeys};
use spec::limits::{LONG_BODY_BYTES, PREFIX_SHARE};
use spec::wire::long::field;

const ADDRESS: &str = "198.51.100.7:4000";

fn path(text: &str) -> Path {
    Path::new(text.parse().unwrap(), 0)
}

const fn at(secs: u64) -> Instant {
    Instant(secs * 1_000_000)
}

/// A hub's admission, and a client that knows its key and its present access secret.
struct Scene {
    admission: Admission,
    random: Random,
    gate: Gate,
    hub_key: [u8; KEY_BYTES],
    now: Instant,
}

impl Scene {
    fn new(is_open: bool) -> Self {
        let identity = KeyPair::new(Secret::new([1; 32]));
        let hub_key = *identity.public();
        let config = HubConfig {
            identity,
            access_secrets: vec![Secret::new([2; 32]), Secret::new([3; 32])],
            is_open,
            grace: Duration::from_secs(60),
            sessions_max: 10,
            blob_bytes_max: 0,
            key_log: false,
            keys: KeyPolicy::default(),
            logins: crate::hub::LoginConfig { secret: Secret::new([5; 32]), attempts: Vec::new() },
        };
        let mut random = Random::new([4; 32]);
        let admission = Admission::new(at(0), &config, random.secret());
        let gate = Gate::new(&hub_key, &Secret::new([2; 32]));
        Self { admission, random, gate, hub_key, now: at(0) }
    }

    fn give(&mut self, from: Path, datagram: &[u8]) -> Result<Outcome, Discard> {
        self.admission.handle(self.now, from, datagram, &mut self.random)
    }

    /// The answer to `datagram`, or nothing when it was kept.
    fn answer(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        match self.give(path(ADDRESS), datagram).unwrap() {
            Outcome::Answer(answer) => Some(answer),
            Outcome::Kept => None,
            Outcome::Finished(_) => panic!("a handshake is done"),
        }
    }

    fn discarded(&mut self, from: Path, datagram: &[u8]) -> Discard {
        self.give(from, datagram).unwrap_err()
    }

    /// Whether a flight gets an answer, whatever it is.
    fn answers(&mut self, flight: &Flight) -> bool {
        let results = flight.datagrams().each_ref().map(|datagram| self.give(path(ADDRESS), datagram));
        results.iter().any(|result| matches!(result, Ok(Outcome::Answer(_))))
    }

    fn begin(&mut self, access_secret: u8) -> (Initiator, Flight) {
        let keys = InitiatorKeys {
            own_static: KeyPair::new(Secret::new([5; 32])),
            ephemeral: self.random.secret(),
            kem_seed: self.random.secret(),
            noise: self.random.number(),
        };
        Initiator::start(keys, self.hub_key, &Secret::new([access_secret; 32])).unwrap()
    }

    /// FIN, after RESP to `flight` was asked for.
    fn fin(&mut self, initiator: &Initiator, flight: &Flight) -> Vec<u8> {
        assert_eq!(self.answer(&flight.datagrams()[0]), None);
        let resp = self.answer(&flight.datagrams()[1]).unwrap();
        let ready = initiator.read_resp(&Long::parse(&resp).unwrap()).unwrap();
        ready.finish(&[], &self.gate, 0).unwrap().0
    }

    /// Right MACs over a random body.
    fn forge(&mut self, kind: LongKind, version: [u8; 4], attempt: AttemptId) -> Vec<u8> {
        let body = self.random.array::<LONG_BODY_BYTES>();
        self.gate.build(kind, 0, 0, version, attempt, &body[..kind.body_bytes()])
    }

    /// As many handshakes as a second may have: from here on the hub is busy for that second.
    fn make_busy(&mut self) {
        (0..HANDSHAKES_PER_SECOND).for_each(|_| self.admission.handshakes.count(self.now));
        assert!(self.admission.is_busy(self.now));
    }
}

/// The fields of an answer.
fn parse(answer: &[u8]) -> Long<'_> {
    Long::parse(answer).unwrap()
}

/// What a hub never takes, or takes only under right MACs, and why it drops it: length before mac1, mac1 before
/// mac2, mac2 before anything is kept.
#[test]
fn what_is_dropped_and_why() {
    let mut scene = Scene::new(false);
    let attempt = AttemptId([8; 8]);
    let mut whole = |kind| scene.forge(kind, VERSION, attempt);
    let spoiled = |mut datagram: Vec<u8>, at: usize| {
        datagram[at] ^= 1;
        datagram
    };
    let cut = |mut datagram: Vec<u8>| {
        datagram.pop();
        datagram
    };
    let both = |datagram| spoiled(spoiled(datagram, field::MAC1.start), field::MAC2.start);
    let cases = [
        ("an empty datagram", Vec::new(), Discard::Length),
        ("type 7", vec![0xff; 1200], Discard::Kind),
        ("a short INIT", cut(whole(LongKind::Init)), Discard::Length),
        ("INIT with a wrong mac1", spoiled(whole(LongKind::Init), field::MAC1.start), Discard::Mac1),
        ("INIT with a wrong mac1 and mac2", both(whole(LongKind::Init)), Discard::Mac1),
        ("INIT with a wrong mac2", spoiled(whole(LongKind::Init), field::MAC2.start), Discard::Mac2),
        ("INIT with another body", spoiled(whole(LongKind::Init), field::BODY.start), Discard::Mac1),
        ("FIN with a wrong mac1", spoiled(whole(LongKind::Fin), field::MAC1.start), Discard::Mac1),
        ("FIN with a wrong mac2", spoiled(whole(LongKind::Fin), field::MAC2.start), Discard::Mac2),
        ("FIN of nobody", whole(LongKind::Fin), Discard::UnknownConnection),
        ("FIN with fragment index 1", spoiled(whole(LongKind::Fin), 0), Discard::Mac1),
        ("RESP", whole(LongKind::Resp), Discard::Kind),
        ("RETRY", whole(LongKind::Retry), Discard::Kind),
        ("KEY", whole(LongKind::Key), Discard::Kind),
        ("VERSION", whole(LongKind::Version), Discard::Kind),
        ("KEYREQ at a hub that is not open", whole(LongKind::KeyReq), Discard::Kind),
    ];
    for (what, datagram, why) in cases {
        //= spec/PROTOCOL.md#long-datagrams
        //= type=test
        //# A receiver MUST check mac1 before it does anything else with a LONG datagram of the right length.
        //= spec/PROTOCOL.md#long-datagrams
        //= type=test
        //# A receiver MUST check mac2 before it keeps anything of an INIT, RESP, FIN or KEYREQ.
        assert_eq!(scene.discarded(path(ADDRESS), &datagram), why, "{what}");
        assert_eq!(scene.admission.half_open_count(), 0, "{what}");
    }
}

/// The present access secret and the one before it both open the gate; a third does not.
#[test]
fn each_accepted_access_secret_has_its_own_gate() {
    let mut scene = Scene::new(false);
    for (secret, is_answered) in [(2, true), (3, true), (4, false)] {
        let (_, flight) = scene.begin(secret);
        let results = flight.datagrams().each_ref().map(|datagram| scene.give(path(ADDRESS), datagram));
        let [first, second] = results;
        if is_answered {
            assert!(matches!((first, second), (Ok(Outcome::Kept), Ok(Outcome::Answer(_)))), "{secret}");
        } else {
            assert_eq!((first.unwrap_err(), second.unwrap_err()), (Discard::Mac1, Discard::Mac1));
        }
    }
}

/// An INIT of a version that is not spoken here is answered with the versions that are, once.
#[test]
fn version_is_answered_once() {
    let mut scene = Scene::new(false);
    let attempt = AttemptId([8; 8]);
    let init = scene.forge(LongKind::Init, *b"SGM9", attempt);
    let answer = scene.answer(&init).unwrap();
    let version = parse(&answer);
    assert_eq!((version.kind, version.version, version.attempt), (LongKind::Version, VERSION, attempt));
    assert_eq!(version.body[..16], [&VERSION[..], &[0; 12]].concat());
    assert_eq!(scene.gate.check_mac1(&version), Ok(()));
    assert_eq!(scene.discarded(path(ADDRESS), &init), Discard::Replayed);
    assert_eq!(scene.discarded(path("203.0.113.1:9"), &init), Discard::Replayed);
    let fin = scene.forge(LongKind::Fin, *b"SGM9", attempt);
    assert_eq!(scene.discarded(path(ADDRESS), &fin), Discard::Version);
    assert_eq!(scene.admission.half_open_count(), 0);
}

/// An open hub gives its key to a stranger, once for each KEYREQ.
#[test]
fn key_is_answered_once() {
    let (mut scene, attempt) = (Scene::new(true), AttemptId([8; 8]));
    let request =
        Gate::for_strangers().build(LongKind::KeyReq, 0, 0, VERSION, attempt, &[7; LONG_BODY_BYTES]);
    let answer = scene.answer(&request).unwrap();
    let key = parse(&answer);
    assert_eq!((key.kind, key.attempt), (LongKind::Key, attempt));
    assert_eq!(key.body[..KEY_BYTES], scene.hub_key);
    //= spec/PROTOCOL.md#open-hubs
    //= type=test
    //# The hub MUST answer the same KEYREQ at most once.
    assert_eq!(scene.discarded(path(ADDRESS), &request), Discard::Replayed);
    let of_member = scene.forge(LongKind::KeyReq, VERSION, attempt);
    assert_eq!(scene.discarded(path(ADDRESS), &of_member), Discard::Mac1);
    let other = Gate::for_strangers().build(LongKind::KeyReq, 0, 0, *b"SGM9", attempt, &[7; LONG_BODY_BYTES]);
    assert_eq!(scene.discarded(path(ADDRESS), &other), Discard::Version);
}

/// The same KEYREQ means nothing to a hub that is not open.
#[test]
fn a_hub_that_is_not_open_keeps_its_key() {
    let mut scene = Scene::new(false);
    let attempt = AttemptId([8; 8]);
    let request =
        Gate::for_strangers().build(LongKind::KeyReq, 0, 0, VERSION, attempt, &[7; LONG_BODY_BYTES]);
    //= spec/PROTOCOL.md#open-hubs
    //= type=test
    //# A hub that is not open MUST NOT answer KEYREQ.
    assert_eq!(scene.discarded(path(ADDRESS), &request), Discard::Kind);
}

/// RESP leaves once both fragments are there, in either order, and again only when both came again.
#[test]
fn resp_is_repeated_after_both_fragments_came_again() {
    for order in [[0, 1], [1, 0]] {
        let mut scene = Scene::new(false);
        let (_, flight) = scene.begin(2);
        let [first, second] = order.map(|index| flight.datagrams()[index].clone());
        assert_eq!(scene.answer(&first), None);
        assert_eq!(scene.answer(&first), None);
        let resp = scene.answer(&second).unwrap();
        for _ in 0..3 {
            //= spec/PROTOCOL.md#handshake-flow
            //= type=test
            //# The hub MUST NOT send RESP again before both fragments have arrived again.
            for _ in 0..5 {
                assert_eq!(scene.answer(&second), None);
            }
            assert_eq!(scene.answer(&first), Some(resp.clone()));
        }
    }
}

/// The same attempt from another port or address is another slot, and a replay: silence.
#[test]
fn fragments_of_two_addresses_do_not_meet() {
    for other in ["198.51.100.7:4001", "198.51.100.8:4000"] {
        let mut scene = Scene::new(false);
        let (_, flight) = scene.begin(2);
        let [first, second] = flight.datagrams();
        //= spec/PROTOCOL.md#handshake-flow
        //= type=test
        //# Fragments MUST be kept apart by source address, source port and attempt id.
        assert_eq!(scene.answer(first), None);
        assert!(matches!(scene.give(path(other), second), Ok(Outcome::Kept)));
        assert!(scene.answer(second).is_some());
        assert_eq!(scene.discarded(path(other), first), Discard::Replayed);
    }
}

/// A forged candidate before, between and after the right fragments: the right pair is found. What is beyond two
/// candidates for an index is not kept.
#[test]
fn the_right_pair_is_found_among_the_candidates() {
    // Each letter is one datagram: the fragments 0 and 1, and forgeries x and y of them.
    for order in ["x0y1", "0xy1", "y10", "1y0", "x01", "0x1y", "xy10", "yx01"] {
        let mut scene = Scene::new(false);
        let (initiator, flight) = scene.begin(2);
        let attempt = initiator.attempt();
        let mut answers = Vec::new();
        for letter in order.bytes() {
            let index = usize::from(letter == b'1' || letter == b'y');
            let body = scene.random.array::<LONG_BODY_BYTES>();
            let datagram = match letter {
                b'0' | b'1' => flight.datagrams()[index].clone(),
                _ => scene.gate.build(LongKind::Init, index, 0, VERSION, attempt, &body),
            };
            if let Ok(Outcome::Answer(answer)) = scene.give(path(ADDRESS), &datagram) {
                answers.push(answer);
            }
        }
        //= spec/PROTOCOL.md#handshake-flow
        //= type=test
        //# The hub MUST keep at most two different candidates for a fragment index, and try every combination
        //# before it gives up on any.
        let [resp] = &answers[..] else { panic!("{order}: {} answers", answers.len()) };
        assert!(initiator.read_resp(&parse(resp)).is_ok(), "{order}");
    }
    let mut scene = Scene::new(false);
    for _ in 0..100 {
        let forged = scene.forge(LongKind::Init, VERSION, AttemptId([8; 8]));
        assert_eq!(scene.answer(&forged), None);
    }
    let slot = scene.admission.slots.get_mut(&(path(ADDRESS), AttemptId([8; 8]))).unwrap();
    assert_eq!(slot.candidates.each_ref().map(Vec::len), [FRAGMENT_CANDIDATES, 0]);
}

/// A busy hub keeps nothing without a cookie; it answers fragment 0 with RETRY and fragment 1 with silence.
#[test]
fn retry_answers_fragment_zero_only() {
    let mut scene = Scene::new(false);
    scene.make_busy();
    let (initiator, mut flight) = scene.begin(2);
    assert_eq!(scene.discarded(path(ADDRESS), &flight.datagrams()[1]), Discard::Mac2);
    let answer = scene.answer(&flight.datagrams()[0]).unwrap();
    assert_eq!(parse(&answer).kind, LongKind::Retry);
    assert_eq!(parse(&answer).attempt, initiator.attempt());
    assert_eq!(scene.admission.half_open_count(), 0);

    let cookie = scene.gate.open_retry(&parse(&answer), &flight.mac1s()[0]).unwrap();
    flight.adopt(&cookie);
    // The cookie is for one address and port.
    for other in ["198.51.100.7:4001", "198.51.100.8:4000"] {
        assert_eq!(scene.discarded(path(other), &flight.datagrams()[0]), Discard::Mac2);
    }
    assert_eq!(scene.answer(&flight.datagrams()[0]), None);
    let resp = scene.answer(&flight.datagrams()[1]).unwrap();
    assert!(initiator.read_resp(&parse(&resp)).is_ok());
}

/// A cookie made before the secret was replaced still counts; one made before it was replaced twice does not.
#[test]
fn cookie_secrets_rotate() {
    for (asked, shown, is_right) in
        [(0, 0, true), (119, 121, true), (1, 239, true), (119, 240, false), (1, 360, false)]
    {
        let mut scene = Scene::new(false);
        scene.now = at(asked);
        scene.make_busy();
        let (_, mut flight) = scene.begin(2);
        let retry = scene.answer(&flight.datagrams()[0]).unwrap();
        let cookie = scene.gate.open_retry(&parse(&retry), &flight.mac1s()[0]).unwrap();
        flight.adopt(&cookie);
        scene.now = at(shown);
        let result = scene.give(path(ADDRESS), &flight.datagrams()[0]);
        assert_eq!(result.is_ok(), is_right, "asked at {asked} s, shown at {shown} s: {result:?}");
    }
}

/// FIN ends the handshake once, and only from where INIT came.
#[test]
fn fin_counts_once_and_from_the_address_of_its_init() {
    let mut scene = Scene::new(false);
    let (initiator, flight) = scene.begin(2);
    let fin = scene.fin(&initiator, &flight);
    for other in ["198.51.100.7:4001", "198.51.100.8:4000"] {
        //= spec/PROTOCOL.md#handshake-flow
        //= type=test
        //# The hub MUST drop a FIN that comes from another address than its INIT.
        assert_eq!(scene.discarded(path(other), &fin), Discard::UnknownConnection);
    }
    let forged = scene.forge(LongKind::Fin, VERSION, initiator.attempt());
    assert_eq!(scene.discarded(path(ADDRESS), &forged), Discard::Unauthentic);
    assert!(matches!(scene.give(path(ADDRESS), &fin), Ok(Outcome::Finished(_))));
    assert_eq!(scene.discarded(path(ADDRESS), &fin), Discard::UnknownConnection);
    assert!(!scene.answers(&flight));
}

/// What is half open is forgotten after five seconds: a late FIN, or the other fragment, finds nothing.
#[test]
fn half_open_handshakes_expire() {
    let mut scene = Scene::new(false);
    let (initiator, flight) = scene.begin(2);
    let fin = scene.fin(&initiator, &flight);
    let (_, lonely) = scene.begin(2);
    assert_eq!(scene.answer(&lonely.datagrams()[0]), None);
    assert_eq!(scene.admission.half_open_count(), 2);
    assert_eq!(scene.admission.deadline(), Some(at(0) + HALF_OPEN_TIME));
    scene.now = at(0) + HALF_OPEN_TIME;
    scene.admission.handle_timeout(scene.now, &mut scene.random);
    assert_eq!((scene.admission.half_open_count(), scene.admission.deadline()), (0, None));
    assert_eq!(scene.discarded(path(ADDRESS), &fin), Discard::UnknownConnection);
    assert_eq!(scene.answer(&lonely.datagrams()[1]), None);
    // What was answered is remembered for longer.
    assert!(!scene.answers(&flight));
}

/// Answers to strangers are so many a second, and no more.
#[test]
fn answers_have_a_budget() {
    let mut scene = Scene::new(true);
    let ask = |scene: &mut Scene, n: u32| {
        let body = scene.random.array::<LONG_BODY_BYTES>();
        let attempt = AttemptId(u64::from(n).to_be_bytes());
        let request = Gate::for_strangers().build(LongKind::KeyReq, 0, 0, VERSION, attempt, &body);
        scene.give(path(ADDRESS), &request).map(|_| ())
    };
    for n in 0..ANSWERS_PER_SECOND {
        assert_eq!(ask(&mut scene, n), Ok(()));
    }
    assert_eq!(ask(&mut scene, ANSWERS_PER_SECOND), Err(Discard::RateLimited));
    scene.now = at(1);
    assert_eq!(ask(&mut scene, ANSWERS_PER_SECOND), Ok(()));
}

/// What strangers ask of an open hub does not make it forget the messages 1 it answered.
#[test]
fn key_requests_push_no_message_one_out_of_memory() {
    let mut scene = Scene::new(true);
    let (_, flight) = scene.begin(2);
    assert_eq!(scene.answer(&flight.datagrams()[0]), None);
    assert!(scene.answer(&flight.datagrams()[1]).is_some());
    for n in 0..u32::try_from(spec::limits::ANSWERED_MAX).unwrap() {
        scene.now = at(10 + u64::from(n / ANSWERS_PER_SECOND));
        let attempt = AttemptId(u64::from(n).to_be_bytes());
        let request =
            Gate::for_strangers().build(LongKind::KeyReq, 0, 0, VERSION, attempt, &[7; LONG_BODY_BYTES]);
        assert!(scene.answer(&request).is_some());
    }
    scene.admission.handle_timeout(scene.now, &mut scene.random);
    //= spec/PROTOCOL.md#handshake-flow
    //= type=test
    //# The hub MUST remember at least the last 65,536 messages 1 it answered, and answer a repetition only from
    //# the same address while its half-open handshake lives.
    let answers = flight
        .datagrams()
        .iter()
        .filter(|datagram| matches!(scene.give(path(ADDRESS), datagram), Ok(Outcome::Answer(_))));
    assert_eq!(answers.count(), 0);
}

/// An insider repeats a client's fragments with other reserved bits: the client's own repetition is answered still.
#[test]
fn other_reserved_bits_do_not_cost_the_repetition_of_resp() {
    let mut scene = Scene::new(false);
    let (initiator, flight) = scene.begin(2);
    for datagram in flight.datagrams() {
        let long = parse(datagram);
        let reserved = (datagram[0] & 0b11) ^ 1;
        let copy =
            scene.gate.build(LongKind::Init, long.fragment, reserved, VERSION, long.attempt, long.body);
        let _unused = scene.give(path(ADDRESS), &copy);
    }
    let answers: Vec<_> = flight
        .datagrams()
        .iter()
        .filter_map(|datagram| scene.give(path(ADDRESS), datagram).ok())
        .filter_map(|outcome| if let Outcome::Answer(answer) = outcome { Some(answer) } else { None })
        .collect();
    assert_eq!(answers.len(), 1);
    assert!(initiator.read_resp(&parse(&answers[0])).is_ok());
}

/// Fragments and half-open handshakes fill their tables and no more; one network fills an eighth.
#[test]
fn tables_of_strangers_are_bounded() {
    let mut scene = Scene::new(false);
    let give = |scene: &mut Scene, host: u32, network: bool| {
        let [_, a, b, c] = host.to_be_bytes();
        let address = if network { [192, 0, 2, c] } else { [10, a, b, c] };
        let attempt = AttemptId(scene.random.array());
        let fragment = scene.forge(LongKind::Init, VERSION, attempt);
        let port = u16::try_from(host % 60_000).unwrap();
        // A busy hub asks for a cookie, which a stranger of so many addresses has not.
        drop(scene.give(Path::new((address, port).into(), 0), &fragment));
    };
    let most = u32::try_from(HALF_OPEN_MAX).unwrap();
    for host in 0..most {
        give(&mut scene, host, true);
    }
    assert_eq!(scene.admission.slots.len(), HALF_OPEN_MAX / PREFIX_SHARE);
    for host in 0..2 * most {
        give(&mut scene, host << 8, false);
    }
    assert_eq!(scene.admission.slots.len(), HALF_OPEN_MAX / 4 + 1, "busy: the rest is for who has a cookie");
}
