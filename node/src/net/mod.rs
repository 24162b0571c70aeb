//! Sockets, and the loop that waits for them, for other threads and for deadlines.

mod inbox;
mod open;
mod socket;
#[cfg(test)]
mod tests;
mod wires;

pub use open::{bind, connect};
pub use wires::{Mailbox, Wires};

/// Datagrams taken in one turn before anything else gets its turn.
pub const DATAGRAMS_PER_TURN: usize = 256;
