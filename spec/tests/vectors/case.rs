//! One file: its keys, each of which has to be used, and the layer it has to fail at, if any.

use data_encoding::HEXLOWER as HEX;
use spec::discard::Discard;
use spec::invite::InviteError;
use spec::key_log::KeyLogError;
use spec::name::NameError;
use spec::secret::Secret;
use spec::wire::frame::Side;
use spec::wire::{DecodeError, DecodeErrorKind};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

/// Every value of `expect` (spec/vectors/README.md, Layers).
const EXPECTATIONS: [&str; 39] = [
    "success",
    "ack range",
    "attempt id",
    "bounds",
    "choice",
    "connection id",
    "direction",
    "downgrade",
    "empty",
    "encapsulation key",
    "epoch",
    "fin frame",
    "form",
    "fragment",
    "host",
    "kem",
    "key",
    "key exchange",
    "length",
    "mac1",
    "mac2",
    "malformed",
    "name",
    "not shortest",
    "parameters",
    "port",
    "scheme",
    "secret",
    "stream",
    "tag",
    "token",
    "too large",
    "too many ranges",
    "truncated",
    "type",
    "unknown frame",
    "utf-8",
    "version",
    "versions",
];

/// The layers that an error of this crate may stand for.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) &'static [&'static str]);

/// What this crate says to a case.
pub(crate) type Verdict = Result<(), Refusal>;

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self(match (error.kind, error.field) {
            (DecodeErrorKind::Truncated, "features") => &["truncated", "parameters"],
            (DecodeErrorKind::Trailing, "versions" | "features") => &["parameters"],
            (DecodeErrorKind::Truncated, _) => &["truncated"],
            (DecodeErrorKind::NotShortest, _) => &["not shortest"],
            (DecodeErrorKind::Empty, _) => &["empty"],
            (DecodeErrorKind::UnknownFrame, _) => &["unknown frame"],
            (DecodeErrorKind::Direction, _) => &["direction"],
            (DecodeErrorKind::NotUtf8, _) => &["utf-8"],
            (DecodeErrorKind::OutOfRange, "ack range") => &["ack range"],
            (DecodeErrorKind::OutOfRange, "ack range count") => &["too many ranges"],
            (DecodeErrorKind::OutOfRange, "stream") => &["stream"],
            (DecodeErrorKind::OutOfRange, "stream offset" | "entries count" | "fragment total") => {
                &["bounds"]
            }
            (DecodeErrorKind::OutOfRange, "message" | "submission") => &["too large"],
            (DecodeErrorKind::OutOfRange, "kem") => &["kem"],
            (DecodeErrorKind::OutOfRange | DecodeErrorKind::Trailing, _) => &[],
        })
    }
}

impl From<Discard> for Refusal {
    fn from(discard: Discard) -> Self {
        match discard {
            Discard::Decode(error) => error.into(),
            Discard::Length => Self(&["length"]),
            Discard::Kind => Self(&["type"]),
            Discard::FragmentIndex => Self(&["fragment"]),
            Discard::Mac1 => Self(&["mac1"]),
            Discard::Mac2 => Self(&["mac2"]),
            Discard::AttemptId => Self(&["attempt id"]),
            Discard::Unauthentic => Self(&["tag", "epoch"]),
            Discard::LowOrder => Self(&["key exchange"]),
            Discard::EncapsulationKey => Self(&["encapsulation key"]),
            Discard::Negotiation => Self(&["versions", "downgrade", "choice"]),
            Discard::WrongState => Self(&["fin frame"]),
            _ => Self(&[]),
        }
    }
}

impl From<InviteError> for Refusal {
    fn from(error: InviteError) -> Self {
        Self(match error {
            InviteError::Scheme => &["scheme"],
            InviteError::Host => &["host"],
            InviteError::Port => &["port"],
            InviteError::KeyMissing => &["key"],
            InviteError::Value => &["key", "secret", "token"],
        })
    }
}

impl From<NameError> for Refusal {
    fn from(_: NameError) -> Self {
        Self(&["name"])
    }
}

impl From<KeyLogError> for Refusal {
    fn from(_: KeyLogError) -> Self {
        Self(&["malformed"])
    }
}

/// A file, read. A key may stand in several lines.
pub(crate) struct Case {
    name: String,
    expect: String,
    values: BTreeMap<String, Vec<String>>,
    used: RefCell<BTreeSet<String>>,
}

impl Case {
    pub(crate) fn read(path: &Path) -> Self {
        let name = path.display().to_string();
        assert_eq!(path.extension().and_then(|extension| extension.to_str()), Some("txt"), "{name}");
        let text = std::fs::read_to_string(path).unwrap();
        let (head, outputs) = text.split_once("\n\n").unwrap_or_else(|| panic!("{name}: no empty line"));
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in head.lines().chain(outputs.lines()) {
            let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("{name}: {line:?} has no key"));
            let value = value.strip_prefix(' ').unwrap_or(value);
            values.entry(key.to_owned()).or_default().push(value.to_owned());
        }
        let case = Self { name, expect: String::new(), values, used: RefCell::default() };
        let (_, expect) = (case.text("comment"), case.text("expect"));
        assert!(EXPECTATIONS.contains(&expect), "{}: unknown expect {expect:?}", case.name);
        assert!(case.text("source") == "make.py" || case.text("source").starts_with("RFC "), "{}", case.name);
        assert!(expect == "success" || outputs.is_empty(), "{}: outputs of a refused case", case.name);
        Self { expect: expect.to_owned(), ..case }
    }

    /// Lets `check` look at the case: it has to come to the expected verdict and to use every key.
    pub(crate) fn judge(&self, check: fn(&Self) -> Verdict) {
        let name = &self.name;
        match check(self) {
            Ok(()) => assert_eq!(self.expect, "success", "{name}: taken"),
            Err(Refusal(layers)) => {
                assert!(
                    layers.contains(&&self.expect[..]),
                    "{name}: {} expected, got {layers:?}",
                    self.expect
                );
            }
        }
        let unused: Vec<_> = self.values.keys().filter(|key| !self.used.borrow().contains(*key)).collect();
        assert!(unused.is_empty(), "{name}: unknown keys {unused:?}");
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(crate) fn lines(&self, key: &str) -> &[String] {
        self.used.borrow_mut().insert(key.to_owned());
        self.values.get(key).unwrap_or_else(|| panic!("{}, expect {}: no {key}", self.name, self.expect))
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        match self.lines(key) {
            [text] => text,
            _ => panic!("{}: {key} stands more than once", self.name),
        }
    }

    pub(crate) fn parse<T: FromStr>(&self, key: &str) -> T {
        let text = self.text(key);
        text.parse().unwrap_or_else(|_| panic!("{}: {key} is {text:?}", self.name))
    }

    /// A number, or `none`.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        (self.text(key) != "none").then(|| self.parse(key))
    }

    pub(crate) fn numbers(&self, key: &str) -> Vec<u64> {
        self.text(key).split(' ').map(|number| number.parse().unwrap()).collect()
    }

    pub(crate) fn bytes(&self, key: &str) -> Vec<u8> {
        HEX.decode(self.text(key).as_bytes()).unwrap_or_else(|_| panic!("{}: {key} is no hex", self.name))
    }

    pub(crate) fn array<const N: usize>(&self, key: &str) -> [u8; N] {
        self.bytes(key).try_into().unwrap_or_else(|_| panic!("{}: {key} is not {N} bytes", self.name))
    }

    pub(crate) fn secret<const N: usize>(&self, key: &str) -> Secret<N> {
        Secret::new(self.array(key))
    }

    pub(crate) fn side(&self, key: &str) -> Side {
        match self.text(key) {
            "client" | "c" => Side::Client,
            "hub" | "h" => Side::Hub,
            other => panic!("{}: {key} is {other:?}", self.name),
        }
    }

    /// Whether a sender would write the bytes like this, so that they can be built again.
    pub(crate) fn is_buildable(&self) -> bool {
        if self.has("only") {
            assert_eq!(self.text("only"), "decode", "{}", self.name);
        }
        !self.has("only")
    }

    /// The output `key` is `actual`.
    pub(crate) fn gives(&self, key: &str, actual: impl Display) {
        assert_eq!(actual.to_string(), self.text(key), "{}: {key}", self.name);
    }

    /// The output `key` is these bytes.
    pub(crate) fn gives_bytes(&self, key: &str, actual: &[u8]) {
        self.gives(key, HEX.encode(actual));
    }

    /// The output `key` has these lines.
    pub(crate) fn gives_lines(&self, key: &str, actual: &[String]) {
        assert_eq!(actual, self.lines(key), "{}: {key}", self.name);
    }

    /// What was built is what was read.
    pub(crate) fn rebuilds(&self, key: &str, built: &[u8]) {
        assert_eq!(HEX.encode(built), self.text(key), "{}: {key}, built again", self.name);
    }
}
