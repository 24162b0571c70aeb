//! How often the tests of opacity and reuse are wrong, measured: false alarms on random captures, and leaks
//! of a known size that are found.
//!
//! The bounds are theorems; this shows that the program keeps them. Captures are random payloads that a seed
//! determines, judged by the same code as any other.

mod power;
mod texts;

use std::num::NonZero;
use std::thread;

pub use power::{Found, Power, Row};

use crate::noise::Noise;
use crate::opacity::{ALPHA_BITS, Judge, Sample};
use crate::reuse::Detector;

/// Thresholds besides the default, as negative powers of two.
const THRESHOLDS_BITS: [i32; 3] = [4, 7, 10];
/// Most packets of a capture.
const PACKETS_MAX: f64 = 200.0;
/// How many captures repeat a packet, as retransmission does: one of so many packets.
const REPEATED_ONE_IN: u32 = 50;
/// What SHORT datagrams seal: number, frames and tag (PROTOCOL.md, Short datagrams).
const SEALED_BYTES: [usize; 6] = [84, 148, 276, 532, 1044, 1191];

/// False alarms among captures of random bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FalseAlarms {
    /// Captures judged.
    pub captures: u64,
    /// Their packets.
    pub packets: u64,
    /// The bytes of these.
    pub bytes: u64,
    /// Captures whose significance reached 2^-4, 2^-7 and 2^-10.
    pub reached: [u64; THRESHOLDS_BITS.len()],
    /// Captures with an alarm at the default.
    pub alarms: u64,
    /// Captures in which reuse was found.
    pub reuse: u64,
}

/// The false alarms at one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The threshold is 2 to minus this power.
    pub threshold_bits: i32,
    /// Captures that reached it.
    pub alarms: u64,
    /// As many as chance allows with 99.9 % when each capture reaches it with the probability of the threshold.
    pub allowed: u64,
}

impl FalseAlarms {
    /// Judges `captures` captures on all cores.
    #[must_use]
    pub fn measure(captures: u64, seed: u64) -> Self {
        let counts = on_all_cores(captures, Self::default, |counts, number| counts.judge_one(seed, number));
        counts.into_iter().fold(Self::default(), Self::plus)
    }

    /// The rates at the thresholds, the default last: it allows none.
    pub fn rates(&self) -> impl Iterator<Item = Rate> + '_ {
        let rate = |(threshold_bits, alarms): (i32, u64)| {
            let allowed = binomial_quantile(self.captures, (-f64::from(threshold_bits)).exp2());
            Rate { threshold_bits, alarms, allowed }
        };
        let default = Rate { threshold_bits: 20, alarms: self.alarms, allowed: 0 };
        THRESHOLDS_BITS.into_iter().zip(self.reached).map(rate).chain([default])
    }

    /// Whether every bound holds.
    #[must_use]
    pub fn hold(&self) -> bool {
        self.reuse == 0 && self.rates().all(|rate| rate.alarms <= rate.allowed)
    }

    fn judge_one(&mut self, seed: u64, number: u64) {
        let mut noise = Noise::new(seed, number);
        let (mut judge, mut detector) = (Judge::new(), Detector::new());
        for sample in &capture(&mut noise) {
            self.packets += 1;
            self.bytes += crate::bytes::count(sample.1.len());
            let sample = Sample { packet: sample.0, kind: sample.2, bytes: &sample.1 };
            if judge.take(&sample) && sample.kind == "SHORT" {
                judge.take_first_byte(noise.below(256).to_le_bytes()[0]);
            }
            detector.take(&sample);
        }
        let (opacity, reuse) = (judge.finish(), detector.finish());
        self.captures += 1;
        for (count, bits) in self.reached.iter_mut().zip(THRESHOLDS_BITS) {
            *count += u64::from(opacity.significance_bits >= f64::from(bits));
        }
        self.alarms += u64::from(opacity.significance_bits >= ALPHA_BITS);
        self.reuse += u64::from(!reuse.repeated_windows.is_empty() || !reuse.shared_keystream.is_empty());
    }

    fn plus(self, other: Self) -> Self {
        let mut reached = self.reached;
        for (sum, more) in reached.iter_mut().zip(other.reached) {
            *sum += more;
        }
        Self {
            captures: self.captures + other.captures,
            packets: self.packets + other.packets,
            bytes: self.bytes + other.bytes,
            reached,
            alarms: self.alarms + other.alarms,
            reuse: self.reuse + other.reuse,
        }
    }
}

/// The samples of a capture: 1 to 200 packets, small captures as often as large ones, of Sealgram's lengths or
/// of any, and now and then one that comes again.
fn capture(noise: &mut Noise) -> Vec<(usize, Vec<u8>, &'static str)> {
    let count = whole(PACKETS_MAX.powf(noise.unit()));
    let of_sealgram = noise.below(2) == 0;
    let mut samples: Vec<(usize, Vec<u8>, &str)> = Vec::new();
    for packet in 1..=count {
        if noise.below(REPEATED_ONE_IN) == 0
            && let Some((_, bytes, kind)) = samples.last().cloned()
        {
            samples.push((packet, bytes, kind));
            continue;
        }
        let (kind, len) = match (of_sealgram, noise.below(12)) {
            (true, 0) => ("id", 8),
            (true, 1) => ("mac", 16),
            (true, choice) => ("SHORT", SEALED_BYTES[choice as usize % SEALED_BYTES.len()]),
            (false, 0) => ("datagram", noise.below(1472) as usize + 1),
            (false, _) => ("datagram", noise.below(300) as usize + 1),
        };
        samples.push((packet, noise.bytes(len), kind));
    }
    samples
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 up to 200")]
const fn whole(count: f64) -> usize {
    count as usize
}

/// Calls `step` for the numbers below `count`, each of which is done by one thread with a state of its own.
fn on_all_cores<S: Send>(count: u64, new: fn() -> S, step: impl Fn(&mut S, u64) + Sync) -> Vec<S> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let step = &step;
    thread::scope(|scope| {
        let share = |first: usize| {
            scope.spawn(move || {
                let mut state = new();
                for number in (crate::bytes::count(first)..count).step_by(threads) {
                    step(&mut state, number);
                }
                state
            })
        };
        let workers: Vec<_> = (0..threads).map(share).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    })
}

/// The smallest count that a binomial variable exceeds with a probability of at most 0.1 %.
fn binomial_quantile(trials: u64, probability: f64) -> u64 {
    let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let ln_odds = (probability / (1.0 - probability)).ln();
    let mut ln_mass = number(trials) * (-probability).ln_1p();
    let mut below = ln_mass.exp();
    for count in 0..trials {
        if below >= 0.999 {
            return count;
        }
        ln_mass += (number(trials - count) / number(count + 1)).ln() + ln_odds;
        below += ln_mass.exp();
    }
    trials
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against sums of exact binomial coefficients.
    #[test]
    fn quantiles() {
        for (trials, probability, quantile) in [(10, 0.5, 9), (100, 0.01, 5), (1_000, 1.0 / 16.0, 87)] {
            assert_eq!(binomial_quantile(trials, probability), quantile, "{trials}, {probability}");
        }
    }

    /// The command runs a hundred thousand; the bound is checked on every change with these.
    #[test]
    fn random_captures_keep_the_bounds() {
        let measured = FalseAlarms::measure(2_000, 7);
        assert_eq!(measured.captures, 2_000);
        assert!(measured.hold(), "{measured:?}");
    }

    /// A test that cannot fail shows nothing: captures that are not random break the bounds.
    #[test]
    fn captures_that_leak_break_them() {
        let mut measured = FalseAlarms { captures: 1_000, reached: [300, 2, 0], ..FalseAlarms::default() };
        assert!(!measured.hold());
        measured.reached = [60, 2, 0];
        assert!(measured.hold());
        measured.alarms = 1;
        assert!(!measured.hold());
    }
}
