//! The tables of fields, one for each part of a packet.

mod frame;
mod frames;
mod link;
mod login;
mod messages;
mod network;
mod requests;
pub(super) mod sealgram;
mod transport;

use super::field::Field;

/// The tables of what is not ours, from the wire upwards.
pub(super) const TABLES: [&[Field]; 4] = [frame::FIELDS, link::FIELDS, network::FIELDS, transport::FIELDS];

#[cfg(test)]
mod tests;
