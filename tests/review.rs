//! The findings of the cryptographic review before anything was built (F1 to F21), each as a test of what is
//! there now. A test is named after its finding; [`requirements`] holds what remains of the document's MUSTs.
//!
//! Findings with nothing here, and why:
//!
//! - F2 (login bound to the channel): there is no login; `Root::exporter` is the room it leaves.
//! - F3 (prologue): in `spec/src/handshake`, with `snow` as an oracle, and in the vectors.
//! - F12, F13 (epochs, AEAD limits): in `spec/src/seal_tests.rs` and `node/proto/tests/keys.rs`, where a limit is a
//!   parameter; there is also every loss and disorder of a ratchet (F1), of which `ratchet` has the rest.
//! - Of F6 a table of ids forced to collide, and of F9 tokens that are revoked: the first is a test of the table in
//!   `node/proto/src/hub/cid_table.rs`, the second needs tokens that a hub looks at.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set is a failed test")]

#[path = "review/bounds.rs"]
mod bounds;
#[path = "review/handshake.rs"]
mod handshake;
#[path = "review/hub_by_hand.rs"]
mod hub_by_hand;
#[path = "review/keys.rs"]
mod keys;
#[path = "review/paths.rs"]
mod paths;
#[path = "review/ratchet.rs"]
mod ratchet;
#[path = "review/requirements.rs"]
mod requirements;
#[path = "review/silence.rs"]
mod silence;

use core::net::SocketAddr;
use core::time::Duration;
use node_proto::connection::KeyPolicy;
use node_proto::hub::{Hub, HubConfig};
use node_proto::log::{Engine, MemoryLog};
use node_proto::transmit::Path;
use sim::insider::Insider;
use sim::world::HUB_ADDRESS;
use sim::{Link, World};
use spec::handshake::KeyPair;
use spec::secret::Secret;
use spec::time::Instant;
use spec::wire::long::{Long, LongKind};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn hub_address() -> SocketAddr {
    HUB_ADDRESS.parse().expect("a literal address")
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, last], 7000))
}

/// The way from a client to the hub.
fn to_hub() -> Path {
    Path::new(hub_address(), 0)
}

fn everyone_is_in(world: &World) -> bool {
    world.nodes.iter().all(|node| node.client.as_ref().is_some_and(|client| client.is_connected()))
}

/// The type of a LONG datagram.
fn kind(datagram: &[u8]) -> Option<LongKind> {
    Long::parse(datagram).ok().map(|long| long.kind)
}

/// A hub alone: one datagram in, whatever it says out.
struct Lone {
    hub: Hub,
    now: Instant,
}

impl Lone {
    const KEY: [u8; 32] = [1; 32];

    fn new(access_secrets: &[[u8; 32]], is_open: bool) -> Self {
        let config = HubConfig {
            identity: KeyPair::new(Secret::new(Self::KEY)),
            access_secrets: access_secrets.iter().copied().map(Secret::new).collect(),
            is_open,
            grace: secs(60),
            sessions_max: 100,
            blob_bytes_max: 0,
            key_log: false,
            keys: KeyPolicy::default(),
            logins: node_proto::hub::LoginConfig { secret: Secret::new([5; 32]), attempts: Vec::new() },
        };
        let now = Instant(0);
        let recovered = MemoryLog::new([0; 8]).recover().unwrap();
        Self { hub: Hub::new(now, config, &recovered, [9; 32]), now }
    }

    fn hub_key() -> [u8; 32] {
        *KeyPair::new(Secret::new(Self::KEY)).public()
    }

    /// Someone at `address` with `access_secret`.
    fn insider(access_secret: [u8; 32], address: SocketAddr, seed: u8) -> Insider {
        Insider::of(Self::hub_key(), &Secret::new(access_secret), address, seed)
    }

    fn give(&mut self, from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let path = Path::new(from, 0);
        let _: Result<(), _> = self.hub.handle_datagram(self.now, path, &mut datagram.to_vec());
        let (mut answers, mut out) = (Vec::new(), Vec::new());
        while let Some(transmit) = self.hub.poll_transmit(self.now, &mut out) {
            answers.extend(transmit.datagrams(&out).map(<[u8]>::to_vec));
        }
        answers
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        self.hub.handle_timeout(self.now);
    }

    /// Fills more than a quarter of the fragment slots, from many prefixes.
    fn make_busy(&mut self, insider: &mut Insider) {
        for index in 0..1100u16 {
            let [high, low] = index.to_be_bytes();
            let fragment = insider.fragment(1);
            assert!(self.give(SocketAddr::from(([10, high, low, 1], 1)), &fragment).is_empty());
        }
    }
}
