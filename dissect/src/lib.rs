//! Judges captures of Sealgram traffic: what every byte is, what is sealed, and how strong the
//! evidence for it is.
//!
//! The way of the data is one-way, and so is the use of the modules:
//!
//! | module | does |
//! |---|---|
//! | [`pcap`] | reads pcap and pcapng into records |
//! | [`link`], `network`, `layout` | take packets apart down to what UDP and TCP carry |
//! | [`packet`], [`dissection`], [`tree`] | a packet, what its headers say, its fields |
//! | [`reassembly`] | puts fragments and TCP streams together |
//! | [`flow`] | who talks to whom |
//! | [`fields`] | what the protocol's fields are called, and what each may carry |
//! | [`session`] | recognises datagrams, handshakes and sessions, without keys |
//! | [`ledger`], `coverage` | every byte has a class; E0 |
//! | [`opacity`], [`reuse`] | do sealed bytes look random; E2 |
//! | [`calibrate`] | how often these are wrong, measured |
//! | [`canary`] | does a secret occur in any form; E3 |
//! | [`metadata`] | who, when and how much: what stays visible |
//! | [`open`] | opens and verifies what a key log allows; E4 |
//! | [`complete`] | compares what was opened with what the clients reported; E5 |
//! | [`compare`] | do two contents look alike; E6 |
//! | `judge`, [`verdict`] | findings, levels and the verdict |
//! | [`report`], [`render`] | the result, as text or JSON |
//!
//! Invariants: nothing here panics on any input, memory is bounded by the size of the file, and no
//! statement about a capture is made that the capture does not support: what was not understood makes
//! the verdict inconclusive.

mod analyse;
mod bytes;
pub mod calibrate;
pub mod canary;
pub mod cli;
pub mod compare;
pub mod complete;
mod coverage;
pub mod dissection;
pub mod fields;
pub mod flow;
mod judge;
mod layout;
pub mod ledger;
pub mod link;
pub mod metadata;
mod network;
mod noise;
pub mod opacity;
pub mod open;
pub mod packet;
pub mod pcap;
pub mod reassembly;
pub mod render;
pub mod report;
pub mod reuse;
pub mod session;
#[cfg(test)]
mod test_random;
pub mod tree;
pub mod verdict;

pub use analyse::{Options, analyse};
pub use bytes::Endian;
pub use open::KeyLog;
pub use pcap::ReadError;
pub use report::Report;
