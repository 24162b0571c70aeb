//! A network in a test: one seed decides everything.
//!
//! The hub, the clients and their cryptography are the shipped ones; what is replaced is what `node` adds to
//! them: the clock (virtual), sockets ([`network`]), the storage engine (in memory, with delays, and with crashes
//! that keep exactly what was committed) and the person ([`world::World::say`]).

pub mod insider;
pub mod network;
pub mod transcript;
pub mod world;

pub use network::Link;
pub use world::{ClientId, World, quick_keys};
