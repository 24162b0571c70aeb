//! What header fields could carry without anybody noticing: bits that the state of the protocol does not
//! determine. How many each field has is in `spec/fields.toml`.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher as _};

use serde::Serialize;
use spec::wire::short::{ConnectionId, connection_id};

use crate::fields::{self, HEADER_LONG_BITS, HEADER_SHORT_BITS, Len, Per};
use crate::session::Kind;

/// Ids and handshake datagrams remembered, to count each once; further ones count again.
const REMEMBERED: usize = 1 << 16;

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Covert {
    seen: BTreeSet<u64>,
    ids: BTreeSet<ConnectionId>,
    short: u64,
    handshakes: Bits,
    connection_ids: u64,
}

/// Bits that nothing determines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bits {
    /// For who has the capture alone.
    pub blind: f64,
    /// For who has the key log too.
    pub keyed: f64,
}

/// The capacity of headers for something hidden.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CovertReport {
    /// In each SHORT datagram, connection ids shared out among all.
    pub steady_bits_per_packet: Bits,
    /// In all handshakes together: key shares, KEM ciphertexts, MACs, random filling, reserved bits.
    pub handshake_bits: Bits,
    /// Connection ids that were new.
    pub connection_ids: u64,
}

impl Covert {
    pub(super) fn take(&mut self, kind: Kind, payload: &[u8]) {
        if kind == Kind::Short {
            self.short += 1;
            if let Some(id) = connection_id(payload).filter(|id| !self.ids.contains(id)) {
                self.connection_ids += 1;
                if self.ids.len() < REMEMBERED {
                    self.ids.insert(id);
                }
            }
            return;
        }
        // A datagram that is repeated byte for byte says nothing new.
        let mut hasher = DefaultHasher::new();
        hasher.write(payload);
        let digest = hasher.finish();
        if self.seen.contains(&digest) {
            return;
        }
        if self.seen.len() < REMEMBERED {
            self.seen.insert(digest);
        }
        self.handshakes.add(budget(kind, &[Per::Datagram, Per::Session]), 1.0);
    }

    pub(super) fn finish(self) -> CovertReport {
        let float = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let mut steady = Bits::default();
        if self.short > 0 {
            steady.add(budget(Kind::Short, &[Per::Datagram, Per::Session]), 1.0);
            let ids_a_packet = float(self.connection_ids) / float(self.short);
            steady.add(budget(Kind::Short, &[Per::Id]), ids_a_packet);
        }
        CovertReport {
            steady_bits_per_packet: steady,
            handshake_bits: self.handshakes,
            connection_ids: self.connection_ids,
        }
    }
}

impl Bits {
    fn add(&mut self, more: Self, times: f64) {
        self.blind += more.blind * times;
        self.keyed += more.keyed * times;
    }
}

/// What the fields of one datagram may carry, of those whose budget is so often.
fn budget(kind: Kind, often: &[Per]) -> Bits {
    let (fragment, header) = match kind {
        Kind::Init(fragment) => (fragment, HEADER_LONG_BITS),
        Kind::Short => (0, HEADER_SHORT_BITS),
        _ => (0, HEADER_LONG_BITS),
    };
    let Some(layout) = fields::layout(kind.name(), fragment) else { return Bits::default() };
    // What is masked is chosen by the sender, whoever can see it.
    let parts = if layout.opened.is_empty() { layout.parts } else { layout.opened };
    let bits_of = |len| match len {
        Len::Bytes(bytes) => u32::try_from(bytes * 8).unwrap_or(u32::MAX),
        Len::OfNumber | Len::UpTo(_) => u32::MAX,
    };
    let header = header.iter().map(|(name, _)| (*name, u8::BITS));
    let mut sum = Bits::default();
    for (name, bits) in header.chain(parts.iter().map(|part| (part.name, bits_of(part.len)))) {
        let budget =
            fields::find(name).map(|field| field.budget).filter(|budget| often.contains(&budget.per));
        if let Some(budget) = budget {
            let [blind, keyed] = [budget.blind_bits, budget.keyed_bits].map(|most| f64::from(most.min(bits)));
            sum.add(Bits { blind, keyed }, 1.0);
        }
    }
    sum
}

impl CovertReport {
    pub(super) fn sentence(&self) -> String {
        let (steady, handshake) = (self.steady_bits_per_packet, self.handshake_bits);
        format!(
            "headers could hide {:.2} bits a packet from who has the capture alone ({:.2} from who has the key log too), and handshakes {:.0} bits ({:.0}); {} connection ids",
            steady.blind, steady.keyed, handshake.blind, handshake.keyed, self.connection_ids
        )
    }
}
