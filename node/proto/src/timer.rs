//! Why an endpoint wants to be woken.

use spec::time::Instant;

/// The reason of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// An acknowledgement is due.
    Acknowledge,
    /// A packet counts as lost when nothing is heard of it by then.
    Loss,
    /// Nothing was acknowledged for a probe time-out.
    Probe,
    /// The pacer lets more go.
    Pace,
    /// An address is to be asked whether the client is there.
    Challenge,
    /// Longer datagrams are to be tried.
    Mtu,
    /// A session of a hub is to be looked at.
    Session,
    /// Nothing was sent for a while.
    KeepAlive,
    /// The peer has been silent too long.
    Idle,
    /// Keys or connection ids go, or are to be shown again.
    Keys,
    /// The client begins a ratchet.
    Ratchet,
    /// CLOSE was repeated long enough.
    Close,
    /// A handshake datagram is to be repeated, or an attempt given up.
    Handshake,
    /// A person is to be told that the hub is silent.
    Silence,
    /// A fragment, half-open handshake or cookie secret is too old.
    Admission,
    /// A member who went has not come back.
    Presence,
    /// A client that is to become a device is answered, or sent away.
    Enrolment,
}

/// A deadline and its reason.
pub type Deadline = (Instant, Timer);

/// The earliest of `deadlines`.
#[must_use]
pub fn earliest(deadlines: impl IntoIterator<Item = Option<Deadline>>) -> Option<Deadline> {
    deadlines.into_iter().flatten().min()
}
