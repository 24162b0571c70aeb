//! The byte ledger: every captured byte has one class, and the sum is the capture.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bytes::count;
use crate::packet::Packet;
use crate::pcap::Capture;
use crate::tree::Class;

/// How many bytes each class has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Captured bytes: the sum of all classes but `file-meta` and `missing`.
    pub captured: u64,
    /// Bytes of the file.
    pub file: u64,
    /// Bytes of each class that occurs.
    pub classes: BTreeMap<Class, u64>,
    /// Bytes of each field that occurs, as `class:field`.
    pub fields: BTreeMap<String, u64>,
    /// Whether the classes add up to what was captured, packet by packet and in all.
    pub balanced: bool,
}

impl Ledger {
    /// Adds up a capture.
    #[must_use]
    pub fn of(capture: &Capture, packets: &[Packet]) -> Self {
        let mut ledger = Self { balanced: true, file: count(capture.bytes.len()), ..Self::default() };
        let mut names: BTreeMap<(Class, &'static str), u64> = BTreeMap::new();
        for packet in packets {
            ledger.captured += count(packet.data.len());
            ledger.balanced &= packet.dissection.tree.len() == packet.data.len();
            for field in packet.dissection.tree.fields() {
                *ledger.classes.entry(field.class).or_default() += count(field.len);
                *names.entry((field.class, field.name)).or_default() += count(field.len);
            }
        }
        ledger.balanced &= ledger.classes.values().sum::<u64>() == ledger.captured;
        ledger.fields = names
            .into_iter()
            .map(|((class, name), bytes)| (format!("{}:{name}", class.name()), bytes))
            .collect();
        let missing: u64 = packets.iter().map(Packet::missing).sum();
        for (class, bytes) in
            [(Class::FileMeta, ledger.file.saturating_sub(ledger.captured)), (Class::Missing, missing)]
        {
            if bytes > 0 {
                ledger.classes.insert(class, bytes);
            }
        }
        ledger
    }

    /// Bytes of one class.
    #[must_use]
    pub fn bytes(&self, class: Class) -> u64 {
        self.classes.get(&class).copied().unwrap_or(0)
    }
}
