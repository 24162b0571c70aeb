//! Why bytes from the network are dropped: counted, never answered, never an event.

use crate::wire::DecodeError;

/// The reason a datagram changed nothing but a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Discard {
    /// The bytes do not decode.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// The datagram has a length its form or type does not have.
    #[error("length")]
    Length,
    /// The fragment index is not one its type has.
    #[error("fragment index")]
    FragmentIndex,
    /// The version is not spoken here.
    #[error("version")]
    Version,
    /// The type is not one this endpoint takes.
    #[error("type")]
    Kind,
    /// mac1 is wrong: the sender does not hold the gate.
    #[error("mac1")]
    Mac1,
    /// mac2 is wrong, or a cookie is needed and not there.
    #[error("mac2")]
    Mac2,
    /// The fragments do not hash to their attempt id.
    #[error("attempt id")]
    AttemptId,
    /// No handshake or session is known by this id at this address.
    #[error("unknown connection")]
    UnknownConnection,
    /// A tag did not verify.
    #[error("bad tag")]
    Unauthentic,
    /// An X25519 result is all zero.
    #[error("low-order point")]
    LowOrder,
    /// The encapsulation key is not valid (FIPS 203 section 7.2).
    #[error("encapsulation key")]
    EncapsulationKey,
    /// What was offered or chosen does not fit.
    #[error("negotiation")]
    Negotiation,
    /// The packet or message was accepted before.
    #[error("replayed")]
    Replayed,
    /// The packet number is below the replay window.
    #[error("too old")]
    TooOld,
    /// The datagram does not belong to the present state.
    #[error("wrong state")]
    WrongState,
    /// There is no room for the content; it comes again.
    #[error("no room")]
    NoRoom,
    /// A budget for strangers is spent.
    #[error("rate limited")]
    RateLimited,
    /// The packet opened, but its epoch and its number contradict those of others.
    #[error("epoch and number")]
    EpochOrder,
    /// The keys have failed to open too many packets.
    #[error("key limit")]
    KeyLimit,
}
