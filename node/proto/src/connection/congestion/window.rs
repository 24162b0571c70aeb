//! The window itself: a number of bytes within bounds, and the threshold of slow start.

/// Datagrams of the first window (RFC 9002 section 7.2).
const INITIAL_DATAGRAMS: u64 = 10;
/// Bytes of the first window, unless two datagrams are longer (RFC 9002 section 7.2).
const INITIAL_BYTES: u64 = 14_720;
/// Datagrams that the first window holds whatever their length (RFC 9002 section 7.2).
const INITIAL_DATAGRAMS_LEAST: u64 = 2;
/// Datagrams of the smallest window. RFC 9002 section 7.2 recommends two; with those, on a link that loses a third,
/// lines wait for a probe time-out behind packets that are lost and not yet known to be. Four is what BBR keeps for
/// the same reason (draft-ietf-ccwg-bbr section 2.7, `BBR.MinPipeCwnd`).
const LEAST_DATAGRAMS: u64 = 4;
/// The largest window: 10 Gbit/s for 200 ms. It only keeps what is computed from a window within its type.
pub(super) const WINDOW_BYTES_MAX: u64 = 1 << 28;

/// A congestion window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    bytes: u64,
    threshold_bytes: Option<u64>,
    mtu_bytes: u64,
}

impl Window {
    /// The initial window (RFC 9002 section 7.2).
    pub(super) fn new(mtu_bytes: u64) -> Self {
        let bytes =
            (INITIAL_DATAGRAMS * mtu_bytes).min(INITIAL_BYTES.max(INITIAL_DATAGRAMS_LEAST * mtu_bytes));
        Self { bytes, threshold_bytes: None, mtu_bytes }
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) const fn threshold_bytes(&self) -> Option<u64> {
        self.threshold_bytes
    }

    pub(super) const fn mtu_bytes(&self) -> u64 {
        self.mtu_bytes
    }

    pub(super) fn is_slow_start(&self) -> bool {
        self.threshold_bytes.is_none_or(|threshold| self.bytes < threshold)
    }

    /// Makes it `bytes`, or the bound that is nearest.
    pub(super) fn set(&mut self, bytes: u64) {
        self.bytes = bytes.clamp(self.least_bytes(), WINDOW_BYTES_MAX);
    }

    /// Makes window and threshold `bytes`: slow start is over.
    pub(super) fn reduce_to(&mut self, bytes: u64) {
        self.set(bytes);
        self.threshold_bytes = Some(self.bytes);
    }

    /// Makes it as small as it gets; the threshold stays where the last reaction put it.
    pub(super) fn collapse(&mut self) {
        self.set(0);
    }

    /// Makes window and threshold what they were.
    pub(super) fn restore(&mut self, before: &Self) {
        self.set(before.bytes);
        self.threshold_bytes = before.threshold_bytes;
    }

    pub(super) fn set_mtu(&mut self, bytes: u64) {
        self.mtu_bytes = bytes;
        self.set(self.bytes);
    }

    const fn least_bytes(&self) -> u64 {
        LEAST_DATAGRAMS * self.mtu_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_window_is_ten_datagrams_within_bounds() {
        for (mtu, window) in [(1200, 12_000), (1452, 14_520), (1472, 14_720), (1500, 14_720), (9000, 18_000)]
        {
            assert_eq!(Window::new(mtu).bytes(), window, "{mtu}");
        }
    }

    #[test]
    fn four_datagrams_always_fit() {
        let mut window = Window::new(1200);
        window.collapse();
        assert_eq!(window.bytes(), 4800);
        window.set_mtu(1452);
        assert_eq!(window.bytes(), 5808);
        window.set(u64::MAX);
        assert_eq!(window.bytes(), WINDOW_BYTES_MAX);
    }
}
