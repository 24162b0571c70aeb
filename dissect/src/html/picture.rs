//! What the plots of the page show: a bounded choice of the Sealgram datagrams, as the judging walk passes them.

use crate::opacity::entropy;
use crate::row::Row;

/// Points that a plot shows at most; of more, every second one is left out, again and again.
const POINTS_MAX: usize = 4_096;

/// One datagram of a session.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    /// Number of its packet.
    pub(super) packet: usize,
    /// Nanoseconds since 1970, where the file says.
    pub(super) time_ns: Option<i128>,
    /// Index of its session.
    pub(super) session: usize,
    /// Who sent it.
    pub(super) from_client: bool,
    /// Whether it belongs to a handshake.
    pub(super) is_handshake: bool,
    /// Its length in bytes.
    pub(super) bytes: usize,
    /// Entropy of its bytes, in bits a byte.
    pub(super) entropy_bits: f64,
}

/// The points of a capture.
#[derive(Clone, Debug)]
pub struct Picture {
    pub(super) points: Vec<Point>,
    /// Every how many datagrams there is a point.
    pub(super) stride: u64,
    /// Datagrams passed so far.
    pub(super) seen: u64,
}

impl Default for Picture {
    fn default() -> Self {
        Self { points: Vec::new(), stride: 1, seen: 0 }
    }
}

impl Picture {
    /// Takes in the next packet.
    pub fn take(&mut self, row: &Row<'_>) {
        let Some(member) = row.member else { return };
        self.seen += 1;
        if !(self.seen - 1).is_multiple_of(self.stride) {
            return;
        }
        let payload = row.packet.datagram(row.data);
        self.points.push(Point {
            packet: row.packet.number,
            time_ns: row.packet.time_ns,
            session: member.session,
            from_client: member.from_client,
            is_handshake: member.kind != crate::session::Kind::Short,
            bytes: payload.len(),
            entropy_bits: entropy::plug_in(payload),
        });
        if self.points.len() >= POINTS_MAX {
            let mut is_kept = false;
            self.points.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
            self.stride *= 2;
        }
    }
}
