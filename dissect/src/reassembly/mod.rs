//! Putting together what the network took apart: fragments of IP packets, and segments of TCP streams.
//!
//! Both are folds over the packets of a capture in its order, with bounded memory. [`fragments::Fragments`] gives
//! back whole packets: `walk` hands them out as packets of their own. [`stream::Streams`] gives the bytes of each
//! direction of each connection, in order: `content` searches and watches them. Both tell when bytes that were sent
//! twice differ, for then two observers may have seen two different texts; neither judges. What is never put together
//! is in the tally that `finish` returns.
//!
//! A fragment counts as not understood. `walk` hands out its packet once that is whole, says at the end how many
//! stayed incomplete, and so may settle it: [`crate::dissection::Dissection::settle_fragment`].

pub mod fragments;
mod pieces;
pub mod stream;
