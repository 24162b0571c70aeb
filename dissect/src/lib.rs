//! Judges captures of Sealgram traffic: what every byte is, what is sealed, and how strong the
//! evidence for it is.
//!
//! A capture is never in memory. A [`source`] is walked a few times, packet by packet, and whatever looks at the
//! packets is a fold with bounded state: a first walk finds what there is, the next ones recognise sessions (and,
//! with a key log, derive their keys), and the last one judges and hands out each packet.
//!
//! The way of the data is one-way, and so is the use of the modules:
//!
//! | module | does |
//! |---|---|
//! | [`source`], [`progress`] | where the bytes come from: files, pipes, compressed captures |
//! | [`pcap`] | reads pcap and pcapng, record by record |
//! | [`link`], `network`, `layout` | take packets apart down to what UDP and TCP carry |
//! | [`packet`], [`dissection`], [`tree`], `walk` | a packet, what its headers say, its fields; one after the other |
//! | [`reassembly`] | puts fragments and TCP streams together |
//! | [`flow`] | who talks to whom |
//! | [`fields`] | what the protocol's fields are called, and what each may carry |
//! | [`session`] | recognises datagrams, handshakes and sessions, without keys |
//! | `survey`, `judging`, `content` | the first walks and the last; what packets carry, in order |
//! | [`ledger`], `coverage` | every byte has a class; E0 |
//! | `samples`, [`opacity`], [`reuse`] | do sealed bytes look random; E2 |
//! | [`calibrate`] | how often these are wrong, measured |
//! | [`canary`] | does a secret occur in any form; E3 |
//! | [`scan`] | do texts occur as they are, at the speed of the disk |
//! | [`clear`] | protocols that anybody can read, and what sealed ones show; E3 |
//! | [`metadata`] | who, when and how much: what stays visible |
//! | [`open`] | opens and verifies what a key log allows; E4 |
//! | [`complete`] | compares what was opened with what the clients reported; E5 |
//! | [`compare`] | do two contents look alike; E6 |
//! | `judge`, [`verdict`] | findings, levels and the verdict |
//! | [`row`], [`report`], [`render`] | the result, as text or JSON |
//! | [`html`], [`excerpt`], [`manifest`] | the result as a page, and as something to make again |
//! | `show` | packets as tshark's users read them: filters, fields, statistics, ladders |
//!
//! Invariants: nothing here panics on any input; memory is bounded by constants, whatever the file, and where one
//! of them is reached the verdict says so; and no statement about a capture is made that the capture does not
//! support: what was not understood makes the verdict inconclusive.

mod analyse;
mod bytes;
pub mod calibrate;
pub mod canary;
pub mod clear;
pub mod cli;
pub mod compare;
pub mod complete;
mod content;
mod coverage;
pub mod dissection;
pub mod excerpt;
pub mod fields;
pub mod flow;
pub mod html;
mod judge;
mod judging;
mod layout;
pub mod ledger;
pub mod link;
pub mod manifest;
pub mod metadata;
mod network;
mod noise;
pub mod opacity;
pub mod open;
pub mod packet;
pub mod pcap;
pub mod progress;
pub mod reassembly;
pub mod render;
pub mod report;
pub mod reuse;
pub mod row;
mod samples;
pub mod scan;
pub mod session;
mod show;
pub mod source;
mod survey;
#[cfg(test)]
mod test_random;
pub mod tree;
pub mod verdict;
mod walk;

pub use analyse::{Options, analyse, examine};
pub use bytes::Endian;
pub use open::KeyLog;
pub use report::Report;
pub use source::ReadError;
