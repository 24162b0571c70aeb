//! Putting together what the network took apart: fragments of IP packets, and segments of TCP streams.
//!
//! Both are folds over the packets of a capture in its order, with bounded memory: [`fragments::Fragments`] gives
//! back whole packets, [`stream::Streams`] the bytes of each direction of each connection, in order. Both tell when
//! bytes that were sent twice differ, for then two observers may have seen two different texts; neither judges.
//!
//! The walk over a capture calls them so:
//!
//! ```text
//! if let Some((key, part)) = fragments::part(&dissection, data, number) {
//!     match fragments.take(key, &part, time_ns) {
//!         Outcome::Whole(whole) => {
//!             dissection.settle_fragment();
//!             analyse(whole.dissect(), &whole.bytes); // as a packet of its own, with this one's number
//!         }
//!         Outcome::Waiting | Outcome::Repeated => dissection.settle_fragment(),
//!         Outcome::Refused(fault) => finding(fault.rule(), fault, number),
//!         Outcome::GivenUp => {}
//!     }
//! }
//! if let (Some(segment), Some(ends), Some(payload)) = (dissection.segment, dissection.ends, &dissection.payload) {
//!     streams.take(ends, segment, &data[payload], number, &mut |ends, event| clear.take(ends, event));
//! }
//! ```
//!
//! and at the end `fragments.finish()` and `streams.finish(..)`, which tell what stayed incomplete: a gap in the
//! evidence, for settled fragments count as read.

pub mod fragments;
mod pieces;
pub mod stream;
