//! The Sealgram protocol: exactly what two implementations must agree on.
//!
//! `spec/PROTOCOL.md` is the law; this crate is that document as code, and nothing else: bytes, keys,
//! transcript and limits. A change here is a change of the protocol.
//!
//! **Invariant: this crate reads no clock, draws no random number and does no I/O.** Whatever is random (an
//! ephemeral key, a salt) is an argument, so that every handshake is a function and every vector reproduces.
//!
//! | module | section of PROTOCOL.md |
//! |---|---|
//! | [`wire`] | Notation, Long datagrams, Short datagrams, Frames, Application messages |
//! | [`number`] | Short datagrams: cutting and completing packet numbers |
//! | [`replay`] | Short datagrams: what was accepted before |
//! | [`gate`] | Long datagrams: mac1 and mac2; Cookie |
//! | [`handshake`] | Handshake |
//! | [`key_schedule`] | Key schedule |
//! | [`seal`] | Short datagrams, Key updates: sealing and opening |
//! | [`ratchet`] | Ratchet: the root of the next generation |
//! | [`invite`], [`fingerprint`], [`name`] | Invites, Application messages |
//! | [`binding`] | Accounts: what binds devices and passwords to a session |
//! | [`key_log`] | Key log |
//! | [`limits`], [`time`] | Limits of a hub; the units of time |
//! | [`discard`], [`close`] | why bytes are dropped, why a session ends |

#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod binding;
pub mod close;
pub mod crypto;
pub mod discard;
pub mod fingerprint;
pub mod gate;
pub mod handshake;
pub mod invite;
pub mod key_log;
pub mod key_schedule;
pub mod limits;
pub mod name;
pub mod number;
pub mod ratchet;
pub mod replay;
pub mod room_name;
pub mod seal;
pub mod secret;
pub mod time;
pub mod wire;

/// The version this crate implements, as it stands in every LONG datagram.
pub const VERSION: [u8; 4] = *b"SGM1";
