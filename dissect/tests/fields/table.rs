//! `spec/fields.toml` as it is read.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) prefix: String,
    pub(crate) header: Header,
    pub(crate) datagram: Vec<Datagram>,
    pub(crate) frame: Vec<Item>,
    pub(crate) message: Vec<Item>,
    values: BTreeMap<String, BTreeMap<String, String>>,
    fields: Fields,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    table: Vec<Field>,
}

/// Name and mask of some bits.
pub(crate) type Bits = (String, u8);
/// Name and length of a field in its place.
pub(crate) type Part = (String, Len);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) long: Vec<Part>,
    pub(crate) long_bits: Vec<Bits>,
    pub(crate) short: Vec<Part>,
    pub(crate) short_bits: Vec<Bits>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Len {
    Bytes(usize),
    /// `rest - n`, or the field that holds the length.
    Words(String),
}

impl Len {
    /// The bytes behind a field that takes the rest.
    pub(crate) fn rest(&self) -> Option<usize> {
        let Self::Words(words) = self else { return None };
        words.strip_prefix("rest - ").map(|bytes| bytes.parse().unwrap())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Datagram {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) code: Option<u8>,
    #[serde(default)]
    pub(crate) fragment: u8,
    pub(crate) from: String,
    pub(crate) bytes: Option<usize>,
    pub(crate) body: Option<String>,
    pub(crate) layout: Vec<Part>,
    #[serde(default)]
    pub(crate) opened: Vec<Part>,
}

/// A frame or a control message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    #[serde(rename = "type")]
    pub(crate) code: u64,
    pub(crate) name: String,
    pub(crate) group: Option<String>,
    pub(crate) like: Option<String>,
    pub(crate) from: String,
    #[serde(default)]
    pub(crate) fields: Vec<String>,
    #[serde(default)]
    pub(crate) repeat: Vec<String>,
    pub(crate) note: Option<String>,
}

/// Name and coding in `largest varint`, `data[8]` or `kem bytes (empty, or ek[1184])`; of `data[8]` the coding is
/// `[8]`.
pub(crate) fn coding(words: &str) -> (&str, &str) {
    let word = words.split(" (").next().unwrap();
    match (word.split_once(' '), word.find('[')) {
        (Some(pair), _) => pair,
        (None, Some(at)) => word.split_at(at),
        (None, None) => panic!("no coding in {words}"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) shown: String,
    pub(crate) class: String,
    pub(crate) kind: String,
    pub(crate) bits: [u32; 2],
    pub(crate) per: String,
    values: Option<String>,
    pub(crate) section: String,
    pub(crate) purpose: String,
    pub(crate) learns: Option<String>,
}

impl Table {
    pub(crate) fn read() -> Self {
        // Not compiled in, so that a change of the table needs no build.
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/fields.toml");
        let table: Self = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        table.check();
        table
    }

    /// Everything that is used is a field, and every field of a sealed item is one of its group.
    fn check(&self) {
        let header = self.header.long.iter().chain(&self.header.short);
        let parts = self.datagram.iter().flat_map(|datagram| datagram.layout.iter().chain(&datagram.opened));
        header.chain(parts).for_each(|(name, _)| assert!(self.find(name).is_some(), "{name} is no field"));
        let bits = self.header.long_bits.iter().chain(&self.header.short_bits);
        bits.for_each(|(name, _)| assert!(self.find(name).is_some(), "{name} is no field"));
        for (group, item) in self.items() {
            for words in item.fields.iter().chain(&item.repeat) {
                let name = format!("{group}.{}", coding(words).0);
                assert!(self.find(&name).is_some(), "{name} of {} is no field", item.name);
            }
        }
    }

    /// Frames and messages, each with its group.
    fn items(&self) -> impl Iterator<Item = (&str, &Item)> {
        let frames = self.frame.iter().map(|item| (item.group.as_deref().unwrap_or(""), item));
        frames.chain(self.message.iter().map(|item| ("control", item)))
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields.table
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Field> {
        self.fields().iter().find(|field| field.name == name)
    }

    /// The whole layouts of a datagram, header included: as it is seen, and as it is opened.
    pub(crate) fn layouts(&self, datagram: &Datagram) -> [Vec<Part>; 2] {
        let header = if datagram.code.is_some() { &self.header.long } else { &self.header.short };
        [&datagram.layout, &datagram.opened].map(|layout| {
            let header = header.iter().filter(|_| !layout.is_empty());
            header.chain(layout).cloned().collect()
        })
    }

    /// The named values of a field, in order.
    pub(crate) fn values(&self, field: &Field) -> Vec<(u64, String)> {
        let codes = |items: &[Item]| items.iter().map(|item| (item.code, item.name.clone())).collect();
        let mut values: Vec<(u64, String)> = match field.values.as_deref() {
            None => Vec::new(),
            Some("frame") => codes(&self.frame),
            Some("message") => codes(&self.message),
            Some(name) => {
                self.values[name].iter().map(|(code, name)| (code.parse().unwrap(), name.clone())).collect()
            }
        };
        values.sort_unstable();
        values
    }
}
