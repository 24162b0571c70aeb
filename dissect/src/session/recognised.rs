//! What recognition found.

use std::collections::BTreeSet;

use super::Session;
use crate::dissection::Endpoint;
use crate::verdict::Finding;

/// Two addresses, the lower one first.
pub(crate) type Pair = (Endpoint, Endpoint);

/// What recognition found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recognised {
    /// The sessions, in order of their first datagram.
    pub(crate) sessions: Vec<Session>,
    /// What was odd.
    pub(crate) findings: Vec<Finding>,
    /// The address pairs that Sealgram datagrams travelled between.
    pub(crate) pairs: BTreeSet<Pair>,
}
