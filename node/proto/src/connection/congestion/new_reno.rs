//! NewReno (RFC 9002 section 7.3 and appendix B).

use super::window::Window;
use super::{Acknowledged, Controller};
use spec::time::Instant;

/// The state beyond the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NewReno {
    /// Bytes acknowledged since the window last grew. The formula of appendix B.5 rounds the growth of each
    /// packet to nothing once the window exceeds the square of a datagram.
    acknowledged_bytes: u64,
}

impl Controller for NewReno {
    fn reduce(&mut self, window: &Window) -> u64 {
        self.acknowledged_bytes = 0;
        window.bytes() / 2
    }

    fn grow(&mut self, window: &Window, acknowledged: &Acknowledged) -> u64 {
        self.acknowledged_bytes += acknowledged.bytes;
        if self.acknowledged_bytes < window.bytes() {
            return window.bytes();
        }
        self.acknowledged_bytes -= window.bytes();
        window.bytes() + window.mtu_bytes()
    }

    fn forget(&mut self) {
        *self = Self::default();
    }

    /// Growth counts bytes here, not time.
    fn pause(&mut self, _now: Instant) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn one_datagram_a_window() {
        let (mut reno, mut window) = (NewReno::default(), Window::new(1200));
        let acknowledged = Acknowledged { now: Instant(0), bytes: 1200, smoothed_rtt: Duration::ZERO };
        // 12000 bytes are 10 datagrams, 13200 are 11.
        for (datagrams, bytes) in [(9, 12_000), (1, 13_200), (10, 13_200), (1, 14_400)] {
            for _ in 0..datagrams {
                window.set(reno.grow(&window, &acknowledged));
            }
            assert_eq!(window.bytes(), bytes);
        }
        assert_eq!(reno.reduce(&window), 7200);
    }

    #[test]
    fn a_window_beyond_the_square_of_a_datagram_still_grows() {
        let (mut reno, mut window) = (NewReno::default(), Window::new(1200));
        window.set(2_400_000);
        let acknowledged = Acknowledged { now: Instant(0), bytes: 1200, smoothed_rtt: Duration::ZERO };
        for _ in 0..2000 {
            window.set(reno.grow(&window, &acknowledged));
        }
        assert_eq!(window.bytes(), 2_401_200);
    }
}
