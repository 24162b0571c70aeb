//! Defects that a test puts into the program, to see that a check finds them.

use crate::ClientId;
use core::fmt::Debug;
use node_proto::client::ClientEvent;

/// A wrapper around what endpoints say and show. What it does not touch goes through as it is.
pub trait Plant: Debug + Send {
    /// What `client` shows in place of `event`.
    fn events(&mut self, _client: ClientId, event: ClientEvent) -> Vec<ClientEvent> {
        vec![event]
    }

    /// What leaves an endpoint in place of `datagram`.
    fn datagrams(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        vec![datagram.to_vec()]
    }

    /// What an endpoint claims to hold in place of `gauge`.
    fn gauge(&mut self, gauge: Gauge) -> Gauge {
        gauge
    }
}

/// Something that is bounded, and how much of it there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// What it is.
    pub what: &'static str,
    /// How much there is.
    pub held: usize,
    /// How much there may be.
    pub most: usize,
}
