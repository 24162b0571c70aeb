//! Bytes to values and back. Nothing here indexes or subtracts unchecked: a stranger chose the bytes.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod ack;
pub mod entry;
pub mod ephemeral;
pub mod frame;
pub mod login;
pub mod long;
pub mod message;
pub mod reader;
pub mod refusal;
pub mod request;
pub mod short;
pub mod varint;

pub use reader::{DecodeError, DecodeErrorKind, Reader};
