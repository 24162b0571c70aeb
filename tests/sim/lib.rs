//! A network in a test: one seed decides everything.
//!
//! The hub, the clients and their cryptography are the shipped ones; what is replaced is what `node` adds to
//! them: the clock (virtual), sockets ([`network`], [`pipe`]), the storage engine ([`store`]: in memory, with delays,
//! refusals, and crashes that keep exactly what was committed) and the person ([`world::World::say`]).
//!
//! | module | what it knows |
//! |---|---|
//! | [`world`] | hub, clients, machines, links, and the order in which things happen |
//! | [`acts`] | what people and fate do to it |
//! | [`swarm`] | a world, its faults and its people, drawn from one seed |
//! | [`checks`] | what must hold after every event |
//! | [`plant`] | defects put in on purpose, to see that the checks find them |
//! | [`insider`] | a holder of an invite that is no shipped client |

pub mod acts;
pub mod blobs;
pub mod checks;
pub mod insider;
pub mod network;
pub mod pipe;
pub mod plant;
pub mod store;
pub mod swarm;
pub mod transcript;
pub mod world;

pub use acts::Act;
pub use network::Link;
pub use pipe::Pipe;
pub use world::{ClientId, World, quick_keys};
