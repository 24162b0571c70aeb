//! CUBIC (RFC 9438).
//!
//! After congestion the window goes back to where that happened along a cubic curve of time: fast at first, flat
//! around the old peak, then faster and faster. So the growth does not depend on the round trip. Where NewReno
//! would be faster (short round trips, small windows), it is as fast as NewReno.

use super::window::Window;
use super::{Acknowledged, Controller};
use core::time::Duration;
use spec::time::Instant;

/// What congestion leaves of the window (section 4.6).
const BETA: f64 = 0.7;
/// How fast the curve is, in datagrams a second cubed (section 5).
const C: f64 = 0.4;
/// Datagrams a round trip at which a window that falls to [`BETA`] is on average as large as NewReno's (section
/// 4.3).
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);
/// The most the window may aim at, in windows (section 4.2).
const TARGET_MAX: f64 = 1.5;

/// The state beyond the window. Sizes are bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cubic {
    /// The window the curve is flat at: `W_max`; 0 when no congestion is known.
    peak: f64,
    /// The window at the last congestion: `cwnd_prior`.
    prior: f64,
    epoch: Option<Epoch>,
}

/// One stretch of congestion avoidance.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Epoch {
    peak: f64,
    /// Seconds from its beginning to the peak: `K`.
    rise: f64,
    /// How long it has lasted, without the time in which the window was not used to the full.
    elapsed: Duration,
    /// Up to when `elapsed` counts.
    counted: Instant,
    /// What NewReno's window would be: `W_est`.
    estimate: f64,
    /// Growth that is less than a byte as yet.
    fraction: f64,
}

impl Controller for Cubic {
    fn reduce(&mut self, window: &Window) -> u64 {
        let bytes = window.bytes() as f64;
        // Fast convergence (section 4.7): a window that did not reach the old peak makes room for others.
        self.peak = if bytes < self.peak { bytes * (1.0 + BETA) / 2.0 } else { bytes };
        self.prior = bytes;
        self.epoch = None;
        whole(bytes * BETA)
    }

    fn grow(&mut self, window: &Window, acknowledged: &Acknowledged) -> u64 {
        let (peak, prior) = (self.peak, self.prior);
        let epoch = self.epoch.get_or_insert_with(|| Epoch::begin(acknowledged.now, peak, window));
        epoch.grow(window, acknowledged, prior)
    }

    fn forget(&mut self) {
        self.peak = 0.0;
        self.epoch = None;
    }

    fn pause(&mut self, now: Instant) {
        if let Some(epoch) = &mut self.epoch {
            epoch.counted = now;
        }
    }
}

impl Epoch {
    /// Without a peak above the window, the window is the peak (sections 4.8 and 4.10).
    fn begin(now: Instant, peak: f64, window: &Window) -> Self {
        let (bytes, mtu) = (window.bytes() as f64, window.mtu_bytes() as f64);
        let peak = peak.max(bytes);
        let rise = libm::cbrt((peak - bytes) / (C * mtu));
        Self { peak, rise, elapsed: Duration::ZERO, counted: now, estimate: bytes, fraction: 0.0 }
    }

    fn grow(&mut self, window: &Window, acknowledged: &Acknowledged, prior: f64) -> u64 {
        let (bytes, mtu) = (window.bytes() as f64, window.mtu_bytes() as f64);
        let share = acknowledged.bytes as f64 / bytes;
        self.elapsed += acknowledged.now.since(self.counted);
        self.counted = acknowledged.now;
        let alpha = if self.estimate < prior { ALPHA } else { 1.0 };
        self.estimate += alpha * mtu * share;
        if self.curve(self.elapsed, mtu) < self.estimate {
            return window.bytes().max(whole(self.estimate));
        }
        let target = self.curve(self.elapsed + acknowledged.smoothed_rtt, mtu);
        let target = target.clamp(bytes, bytes * TARGET_MAX);
        self.fraction += (target - bytes) * share;
        let grown = whole(self.fraction);
        self.fraction -= grown as f64;
        window.bytes() + grown
    }

    /// `W_cubic` (figure 1), in bytes.
    fn curve(&self, elapsed: Duration, mtu: f64) -> f64 {
        let from_peak = elapsed.as_secs_f64() - self.rise;
        C * mtu * from_peak * from_peak * from_peak + self.peak
    }
}

/// The whole bytes of a size; none of a negative one.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and the window has a bound")]
const fn whole(bytes: f64) -> u64 {
    bytes as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Datagrams of 1000 bytes make the numbers those of the RFC, in thousands.
    const MTU: u64 = 1000;

    fn window(datagrams: u64) -> Window {
        let mut window = Window::new(MTU);
        window.reduce_to(datagrams * MTU);
        window
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_curve_is_that_of_figure_1() {
        // Congestion at 2500 datagrams: 1750 are left, K = cbrt(2500 * 0.3 / 0.4) = cbrt(1875) = 12.331 s.
        let mut cubic = Cubic::default();
        assert_eq!(cubic.reduce(&window(2500)), 1_750_000);
        let epoch = Epoch::begin(Instant(0), cubic.peak, &window(1750));
        assert!((epoch.rise - 12.3311).abs() < 0.0001);
        // W_cubic(t) = 0.4 (t - K)^3 + 2500, by hand.
        for (t, datagrams) in [(0, 1750.0), (5, 2342.4), (12, 2499.985), (20, 2680.4), (30, 4706.4)] {
            let bytes = epoch.curve(seconds(t), MTU as f64);
            assert!((bytes / 1000.0 - datagrams).abs() < 0.1, "{t} s: {bytes}");
        }
    }

    #[test]
    fn a_lower_peak_is_lowered_further() {
        let mut cubic = Cubic::default();
        cubic.reduce(&window(100));
        assert_eq!(cubic.peak, 100_000.0);
        assert_eq!(cubic.reduce(&window(80)), 56_000);
        assert_eq!(cubic.peak, 68_000.0);
        assert_eq!(cubic.prior, 80_000.0);
    }

    #[test]
    fn alpha_is_nine_seventeenths() {
        assert!((ALPHA - 9.0 / 17.0).abs() < 1e-12);
    }

    /// Windows at the end of each round trip, all of them filled.
    fn rounds(cubic: &mut Cubic, window: &mut Window, rtt: Duration, count: u32) -> Vec<u64> {
        let mut now = Instant(0);
        let mut windows = Vec::new();
        for _ in 0..count {
            let packets = window.bytes() / MTU;
            for _ in 0..packets {
                now = now + rtt / u32::try_from(packets).unwrap();
                let acknowledged = Acknowledged { now, bytes: MTU, smoothed_rtt: rtt };
                window.set(cubic.grow(window, &acknowledged));
            }
            windows.push(window.bytes());
        }
        windows
    }

    #[test]
    fn on_a_short_path_it_is_as_fast_as_new_reno() {
        // 10 ms, 70 of 100 datagrams: the curve needs K = 4.2 s for the 30 that are missing, and NewReno's rate of
        // 9/17 datagram a round trip about 0.57 s.
        let mut cubic = Cubic::default();
        let mut window = window(100);
        window.reduce_to(cubic.reduce(&window));
        let windows = rounds(&mut cubic, &mut window, Duration::from_millis(10), 60);
        // The first acknowledgements follow the curve, which begins steeply: 0.4 * 3 K^2 = 21 datagrams a second,
        // less than NewReno's 53.
        assert!((74_800..=75_600).contains(&windows[9]), "{windows:?}");
        assert!((99_500..=102_500).contains(&windows[57]), "{windows:?}");
    }

    #[test]
    fn on_a_long_path_it_is_back_at_the_peak_after_k() {
        let mut cubic = Cubic::default();
        let mut window = window(2500);
        window.reduce_to(cubic.reduce(&window));
        // 62 round trips of 200 ms are 12.4 s.
        let windows = rounds(&mut cubic, &mut window, Duration::from_millis(200), 62);
        assert!((2_495_000..=2_501_000).contains(&windows[61]), "{}", windows[61]);
        assert!(windows.iter().all(|bytes| *bytes >= 1_750_000));
        // Half of the way is made in a fifth of the time, as the cube root of 1/2 says.
        assert!(windows[13] > 2_125_000, "{}", windows[13]);
    }

    #[test]
    fn time_without_use_does_not_count() {
        let mut cubic = Cubic::default();
        let mut window = window(2500);
        window.reduce_to(cubic.reduce(&window));
        let grow = |cubic: &mut Cubic, now| {
            let acknowledged = Acknowledged { now, bytes: MTU, smoothed_rtt: Duration::from_millis(100) };
            cubic.grow(&window, &acknowledged) - window.bytes()
        };
        let first = grow(&mut cubic, Instant(0));
        let mut idle = cubic;
        idle.pause(Instant(3_600_000_000));
        assert_eq!(grow(&mut idle, Instant(3_600_000_000)), first);
        // Without the pause, an hour on the curve would allow half a window more a round trip: 500 bytes for 1000.
        assert_eq!(grow(&mut cubic, Instant(3_600_000_000)), 500);
    }

    #[test]
    fn without_a_peak_the_window_is_the_peak() {
        let mut cubic = Cubic::default();
        cubic.reduce(&window(100));
        cubic.forget();
        let epoch = Epoch::begin(Instant(0), cubic.peak, &window(20));
        assert_eq!((epoch.rise, epoch.peak), (0.0, 20_000.0));
    }
}
