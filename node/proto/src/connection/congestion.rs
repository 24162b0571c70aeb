//! How much may be on its way at once.

use spec::limits::DATAGRAM_BYTES;

/// A window that does not move: small enough to be harmless on any link, large enough for lines of chat.
///
/// It stands where a controller that follows the link belongs; everything that one needs (what was sent,
/// acknowledged and lost, and when) passes by here already.
#[derive(Clone, Copy, Debug)]
pub(super) struct FixedWindow;

impl FixedWindow {
    /// Bytes that may be in flight: 32 full datagrams.
    const BYTES: usize = 32 * DATAGRAM_BYTES;

    /// Whether another full datagram fits beside `in_flight` bytes.
    pub(super) const fn allows(self, in_flight: usize) -> bool {
        in_flight + DATAGRAM_BYTES <= Self::BYTES
    }
}
