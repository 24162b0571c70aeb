//! The endpoints of Sealgram without I/O: [`connection`], [`hub`], [`client`].
//!
//! An endpoint is driven by four kinds of calls and does nothing by itself:
//!
//! - `handle_*`: something happened (a datagram came, a deadline passed, the log answered);
//! - commands such as `say` or `kick`: a person wants something;
//! - `poll_transmit`, `poll_effect`, `poll_event`: what is to be done about it, until `None`;
//! - `poll_timeout`: when to call `handle_timeout`, and why.
//!
//! After each `handle_*` or command, drain the polls. Time is an argument and never goes back; randomness is one
//! seed at construction. So a seed replays a whole network.
//!
//! **Invariants.** This crate reads no clock, draws no random number of its own, does no I/O and does not
//! block. `connection` knows no rooms; rooms know no packets; only `hub::flush` knows both. `hub` and `client`
//! do not know each other.

#![no_std]
extern crate alloc;

pub mod bulk;
pub mod client;
pub mod connection;
pub mod content;
pub mod hub;
pub mod log;
pub mod opaque;
pub mod random;
pub mod timer;
pub mod transmit;
mod watch;

pub use client::Client;
pub use hub::Hub;
