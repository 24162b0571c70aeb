//! The byte ledger: every captured byte has one class, and the sum is the capture.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bytes::count;
use crate::packet::Packet;
use crate::tree::{Class, Tree};

/// What the bytes of a fragment are called until its packet is whole.
const FRAGMENT_FIELD: &str = "fragment";

/// How many bytes each class has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Captured bytes: the sum of all classes but `file-meta` and `missing`.
    pub captured: u64,
    /// Bytes of the file, decompressed.
    pub file: u64,
    /// Bytes of each class that occurs.
    pub classes: BTreeMap<Class, u64>,
    /// Bytes of each field that occurs, as `class:field`.
    pub fields: BTreeMap<String, u64>,
    /// Whether the classes add up to what was captured, packet by packet and in all.
    pub balanced: bool,
    #[serde(skip)]
    names: BTreeMap<(Class, &'static str), u64>,
}

impl Ledger {
    /// A ledger without an entry.
    #[must_use]
    pub fn new() -> Self {
        Self { balanced: true, ..Self::default() }
    }

    /// Enters a packet.
    pub fn take(&mut self, packet: &Packet) {
        let tree = &packet.dissection.tree;
        self.captured += count(packet.data.len());
        self.balanced &= tree.len() == packet.data.len();
        for field in tree.fields() {
            *self.classes.entry(field.class).or_default() += count(field.len);
            *self.names.entry((field.class, field.name)).or_default() += count(field.len);
        }
        if packet.missing() > 0 {
            *self.classes.entry(Class::Missing).or_default() += packet.missing();
        }
    }

    /// Enters what fragments were put together to, once all of them are entered: it is known now what their bytes are.
    pub fn take_whole(&mut self, tree: &Tree) {
        let len = count(tree.len());
        let pieces = self.names.entry((Class::Foreign, FRAGMENT_FIELD)).or_default();
        let Some(rest) = pieces.checked_sub(len) else { return };
        *pieces = rest;
        *self.classes.entry(Class::Foreign).or_default() -= len;
        for field in tree.fields() {
            *self.classes.entry(field.class).or_default() += count(field.len);
            *self.names.entry((field.class, field.name)).or_default() += count(field.len);
        }
    }

    /// Adds up, for a file of so many bytes.
    #[must_use]
    pub fn finish(mut self, file: u64) -> Self {
        let captured: u64 = self.classes.values().sum::<u64>() - self.bytes(Class::Missing);
        self.balanced &= captured == self.captured;
        let name = |((class, name), bytes)| (format!("{}:{name}", Class::name(class)), bytes);
        self.fields = std::mem::take(&mut self.names).into_iter().map(name).collect();
        self.file = file;
        self.classes.retain(|_, bytes| *bytes > 0);
        self.fields.retain(|_, bytes| *bytes > 0);
        let meta = file.saturating_sub(self.captured);
        if meta > 0 {
            self.classes.insert(Class::FileMeta, meta);
        }
        self
    }

    /// Bytes of one class.
    #[must_use]
    pub fn bytes(&self, class: Class) -> u64 {
        self.classes.get(&class).copied().unwrap_or(0)
    }
}
