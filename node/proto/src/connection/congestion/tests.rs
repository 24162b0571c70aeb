//! What holds for every algorithm.

use super::window::WINDOW_BYTES_MAX;
use super::*;
use proptest::prelude::*;

const MTU: usize = 1200;

const fn at(ms: u64) -> Instant {
    Instant(ms * 1000)
}

fn both() -> [Congestion; 2] {
    [Algorithm::NewReno, Algorithm::Cubic].map(|algorithm| Congestion::new(algorithm, MTU))
}

#[test]
fn slow_start_doubles_and_a_loss_ends_it() {
    for (mut congestion, left) in both().into_iter().zip([12_000, 16_800]) {
        for _ in 0..10 {
            congestion.on_acknowledged(at(80), at(0), MTU, &Rtt::default(), false);
        }
        assert_eq!((congestion.window_bytes(), congestion.threshold_bytes()), (24_000, None));
        congestion.on_lost(at(100), at(90));
        assert_eq!((congestion.window_bytes(), congestion.threshold_bytes()), (left, Some(left)));
    }
}

#[test]
fn one_reaction_a_recovery_period() {
    for (mut congestion, [first, second]) in both().into_iter().zip([[6000, 4800], [8400, 5880]]) {
        congestion.on_lost(at(100), at(10));
        congestion.on_lost(at(100), at(20));
        congestion.on_marked(at(120), at(100));
        assert_eq!(congestion.window_bytes(), first);
        // What left before the reaction does not raise the window either.
        congestion.on_acknowledged(at(130), at(100), MTU, &Rtt::default(), false);
        assert_eq!(congestion.window_bytes(), first);
        congestion.on_marked(at(200), at(101));
        assert_eq!(congestion.window_bytes(), second);
    }
}

#[test]
fn a_window_that_is_not_filled_does_not_grow() {
    for mut congestion in both() {
        for reaction in [false, true] {
            if reaction {
                congestion.on_lost(at(100), at(10));
            }
            let before = congestion.window_bytes();
            for ms in 200..400 {
                congestion.on_acknowledged(at(ms), at(150), MTU, &Rtt::default(), true);
            }
            assert_eq!(congestion.window_bytes(), before);
        }
    }
}

#[test]
fn persistent_congestion_leaves_four_datagrams_and_slow_start() {
    for (mut congestion, threshold) in both().into_iter().zip([6000, 8400]) {
        congestion.on_lost(at(1000), at(10));
        congestion.on_persistent_congestion();
        assert_eq!((congestion.window_bytes(), congestion.threshold_bytes()), (4800, Some(threshold)));
        congestion.on_acknowledged(at(1100), at(1050), MTU, &Rtt::default(), false);
        assert_eq!(congestion.window_bytes(), 6000);
        assert!(!congestion.on_spurious(at(10)), "a late packet does not undo it");
    }
}

#[test]
fn undone_only_when_all_of_it_was_wrong() {
    for mut congestion in both() {
        congestion.on_lost(at(100), at(10));
        congestion.on_lost(at(100), at(20));
        congestion.on_lost(at(105), at(30));
        let reduced = congestion.window_bytes();
        assert!(!congestion.on_spurious(at(10)));
        assert!(!congestion.on_spurious(at(20)));
        assert_eq!(congestion.window_bytes(), reduced);
        assert!(congestion.on_spurious(at(30)));
        assert_eq!((congestion.window_bytes(), congestion.threshold_bytes()), (12_000, None));
        assert!(!congestion.on_spurious(at(30)));
    }
}

#[test]
fn a_late_packet_of_an_earlier_reaction_does_not_undo_a_later_one() {
    for mut congestion in both() {
        congestion.on_lost(at(100), at(10));
        congestion.on_lost(at(200), at(150));
        let reduced = congestion.window_bytes();
        assert!(!congestion.on_spurious(at(10)));
        assert_eq!(congestion.window_bytes(), reduced);
        assert!(congestion.on_spurious(at(150)));
        assert!(congestion.window_bytes() > reduced);
    }
}

#[test]
fn a_mark_is_never_undone() {
    for mut congestion in both() {
        congestion.on_lost(at(100), at(10));
        congestion.on_marked(at(110), at(50));
        let reduced = congestion.window_bytes();
        assert!(!congestion.on_spurious(at(10)));
        assert_eq!(congestion.window_bytes(), reduced);
    }
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Sent { in_flight: usize },
    Acknowledged { age_ms: u64, packets: u16, is_app_limited: bool },
    Lost { age_ms: u64 },
    Marked { age_ms: u64 },
    Persistent,
    Spurious { age_ms: u64 },
    Mtu { bytes: usize },
}

fn happening() -> impl Strategy<Value = Happening> {
    let age = 0u64..500;
    prop_oneof![
        2 => (0usize..100_000).prop_map(|in_flight| Happening::Sent { in_flight }),
        8 => (0u64..500, 1u16..2000, any::<bool>()).prop_map(|(age_ms, packets, is_app_limited)| {
            Happening::Acknowledged { age_ms, packets, is_app_limited }
        }),
        4 => age.clone().prop_map(|age_ms| Happening::Lost { age_ms }),
        1 => age.clone().prop_map(|age_ms| Happening::Marked { age_ms }),
        1 => Just(Happening::Persistent),
        3 => age.prop_map(|age_ms| Happening::Spurious { age_ms }),
        1 => (1200usize..=1452).prop_map(|bytes| Happening::Mtu { bytes }),
    ]
}

fn apply(congestion: &mut Congestion, now: Instant, rtt: &Rtt, happening: Happening) {
    let ago = |age_ms| now - Duration::from_millis(age_ms);
    match happening {
        Happening::Sent { in_flight } => congestion.on_sent(now, in_flight),
        Happening::Acknowledged { age_ms, packets, is_app_limited } => {
            for _ in 0..packets {
                congestion.on_acknowledged(now, ago(age_ms), MTU, rtt, is_app_limited);
            }
        }
        Happening::Lost { age_ms } => congestion.on_lost(now, ago(age_ms)),
        Happening::Marked { age_ms } => congestion.on_marked(now, ago(age_ms)),
        Happening::Persistent => congestion.on_persistent_congestion(),
        Happening::Spurious { age_ms } => {
            congestion.on_spurious(ago(age_ms));
        }
        Happening::Mtu { bytes } => congestion.on_mtu(bytes),
    }
}

proptest! {
    #[test]
    fn the_window_stays_within_its_bounds(
        history in proptest::collection::vec((0u64..2000, happening()), 1..200),
    ) {
        for mut congestion in both() {
            let mut rtt = Rtt::default();
            let mut now = at(1000);
            for (ms, happening) in &history {
                now = now + Duration::from_millis(*ms);
                rtt.sample(Duration::from_millis(*ms), Duration::ZERO);
                apply(&mut congestion, now, &rtt, *happening);
                let least = 2 * congestion.window.mtu_bytes();
                prop_assert!((least..=WINDOW_BYTES_MAX).contains(&congestion.window_bytes()));
                prop_assert!(congestion.threshold_bytes().is_none_or(|threshold| threshold >= 2400));
            }
        }
    }

    #[test]
    fn undoing_gives_back_all_of_it(
        history in proptest::collection::vec((0u64..2000, happening()), 0..50),
        ages_ms in proptest::collection::vec(0u64..100, 1..20),
    ) {
        for mut congestion in both() {
            let (rtt, mut now) = (Rtt::default(), at(1000));
            for (ms, happening) in &history {
                now = now + Duration::from_millis(*ms);
                apply(&mut congestion, now, &rtt, *happening);
            }
            let before = congestion;
            let sent = now + Duration::from_millis(1);
            let now = now + Duration::from_millis(200);
            let sent = |age_ms: &u64| sent + Duration::from_millis(*age_ms);
            ages_ms.iter().for_each(|age| congestion.on_lost(now, sent(age)));
            // At the smallest window there is nothing to give back.
            let was_reduced = congestion.window_bytes() < before.window_bytes();
            let mut undone = 0;
            for age in &ages_ms {
                undone += usize::from(congestion.on_spurious(sent(age)));
            }
            prop_assert_eq!(undone, usize::from(was_reduced));
            if was_reduced {
                prop_assert_eq!(congestion.window, before.window);
                prop_assert_eq!(congestion.growth, before.growth);
                prop_assert_eq!(congestion.recovery_since, before.recovery_since);
            }
        }
    }
}
