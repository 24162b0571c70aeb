//! Protocols that anybody can read, the secrets in them, and what sealed protocols still show; E3.
//!
//! Nothing here knows how packets are read. A [`Watch`] follows one flow, fed with [`Piece`]s; [`Watches`]
//! follows all flows of a capture in bounded memory; [`judge()`] turns what they found into findings.
//!
//! | module | does |
//! |---|---|
//! | `watch`, `watches` | follow flows, recognise their protocol by content; ports are a hint at most |
//! | `conversation`, `tokens`, `speaker` | cut streams into the tokens that readers ask for |
//! | `stream`, `datagram` | the protocols |
//! | `hello`, `quic`, `der` | what handshakes show |
//! | `body`, `text`, `sasl` | compressed bodies, forms, encodings, credentials |
//! | `shelf`, `finding`, `protocol` | what was found, redacted unless asked for |
//! | `readability` | is a stream of an unknown protocol text? with a bound on false alarms |
//! | `judge` | the findings |
//!
//! Invariants: no input panics; memory of a flow is bounded; every byte is looked at a bounded number of
//! times; what is found does not depend on how a stream was cut into pieces; and the text of a secret is
//! in no output that was not asked to reveal it.

mod body;
mod conversation;
mod datagram;
mod der;
mod finding;
mod hello;
mod judge;
mod protocol;
mod quic;
mod readability;
mod sasl;
mod shelf;
mod speaker;
mod stream;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod watch;
mod watches;

pub use finding::{Ends, FlowFinding, Secret, Shown};
pub use judge::judge;
pub use protocol::{Nature, Protocol, SecretKind};
pub use watch::{Piece, Watch};
pub use watches::{FLOWS_MAX, Watched, Watches};
