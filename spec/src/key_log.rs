//! The key log: one line a secret, written by `node`, read by `dissect`.

use crate::handshake::{Established, SessionSecrets};
use crate::key_schedule::Root;
use crate::secret::Secret;
use crate::wire::long::AttemptId;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use data_encoding::HEXLOWER_PERMISSIVE as HEX;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// Noise chaining key after `e` of message 1.
    Chain,
    /// Noise handshake hash after `e` of message 1.
    Hash,
    /// X25519 result `es`.
    Es,
    /// X25519 result `ee`.
    Ee,
    /// X25519 result `se`.
    Se,
    /// ML-KEM shared secret.
    Ss,
    /// root0.
    Root,
    /// The root of a later generation: as many lines as there were ratchets.
    Ratchet,
}

impl Label {
    /// All labels, in the order they are written.
    pub const ALL: [Self; 8] =
        [Self::Chain, Self::Hash, Self::Es, Self::Ee, Self::Ss, Self::Se, Self::Root, Self::Ratchet];

    /// The label as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chain => "SGM1_CHAIN",
            Self::Hash => "SGM1_HASH",
            Self::Es => "SGM1_ES",
            Self::Ee => "SGM1_EE",
            Self::Se => "SGM1_SE",
            Self::Ss => "SGM1_SS",
            Self::Root => "SGM1_ROOT",
            Self::Ratchet => "SGM1_RATCHET",
        }
    }
}

/// The lines of a handshake, each with its line end.
#[must_use]
pub fn lines(established: &Established) -> String {
    //= spec/PROTOCOL.md#key-log
    //# A key log MUST NOT contain a static key, an access secret, psk0, a gate or a token.
    let SessionSecrets { chain, hash, es, ee, ss, se } = &established.secrets;
    let secrets = [chain, hash, es, ee, ss, se, established.root.secret()];
    let line = |(label, secret): (Label, &Secret<32>)| line(label, established.attempt, secret);
    Label::ALL.into_iter().zip(secrets).map(line).collect()
}

/// The line of a ratchet: the `root` of the generation it led to.
#[must_use]
pub fn ratchet_line(attempt: AttemptId, root: &Root) -> String {
    line(Label::Ratchet, attempt, root.secret())
}

fn line(label: Label, attempt: AttemptId, secret: &Secret<32>) -> String {
    format!("{} {} {}\n", label.as_str(), HEX.encode(&attempt.0), HEX.encode(secret.expose()))
}

/// A line that is not one of a key log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not LABEL attempt-id secret")]
pub struct KeyLogError {
    /// Counted from 1.
    pub line: usize,
}

/// The secrets of one session in a key log, as far as its lines go.
#[derive(Clone, Debug, Default)]
pub struct LoggedSession {
    secrets: BTreeMap<Label, Secret<32>>,
    ratchets: Vec<Secret<32>>,
}

impl LoggedSession {
    /// One secret of the handshake.
    #[must_use]
    pub fn secret(&self, label: Label) -> Option<&Secret<32>> {
        self.secrets.get(&label)
    }

    /// Every secret of the session.
    pub fn all(&self) -> impl Iterator<Item = (Label, &Secret<32>)> {
        let ratchets = self.ratchets.iter().map(|secret| (Label::Ratchet, secret));
        self.secrets.iter().map(|(label, secret)| (*label, secret)).chain(ratchets)
    }

    fn insert(&mut self, label: Label, secret: Secret<32>) {
        // Both ends log the same roots, and either log may be read after the other.
        if label != Label::Ratchet {
            self.secrets.insert(label, secret);
        } else if !self.ratchets.contains(&secret) {
            self.ratchets.push(secret);
        }
    }

    /// What the handshake is followed with; `None` when a line is missing.
    #[must_use]
    pub fn handshake(&self) -> Option<SessionSecrets> {
        let get = |label| self.secrets.get(&label).cloned();
        Some(SessionSecrets {
            chain: get(Label::Chain)?,
            hash: get(Label::Hash)?,
            es: get(Label::Es)?,
            ee: get(Label::Ee)?,
            ss: get(Label::Ss)?,
            se: get(Label::Se)?,
        })
    }

    /// The root as it was logged, not derived.
    #[must_use]
    pub fn root(&self) -> Option<Root> {
        self.secrets.get(&Label::Root).cloned().map(Root::from_key_log)
    }

    /// The roots of the generations after `root`, the first, as they were logged.
    pub fn later_roots(&self, root: &Root) -> impl Iterator<Item = Root> {
        let later = |root: &mut Root, secret: &Secret<32>| {
            *root = root.next_from_key_log(secret.clone());
            Some(root.clone())
        };
        self.ratchets.iter().scan(root.clone(), later)
    }
}

/// Reads a key log. Empty lines and lines that begin with `#` are comments; labels that do not begin with
/// `SGM1_` belong to others and are passed over.
///
/// # Errors
/// [`KeyLogError`] with the first line that is broken.
pub fn parse(text: &str) -> Result<BTreeMap<AttemptId, LoggedSession>, KeyLogError> {
    let mut sessions: BTreeMap<AttemptId, LoggedSession> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if !line.starts_with("SGM1_") {
            continue;
        }
        let (label, attempt, secret) = parse_line(line).ok_or(KeyLogError { line: index + 1 })?;
        sessions.entry(attempt).or_default().insert(label, secret);
    }
    Ok(sessions)
}

fn parse_line(line: &str) -> Option<(Label, AttemptId, Secret<32>)> {
    let mut words = line.split_ascii_whitespace();
    let label = words.next()?;
    let label = Label::ALL.into_iter().find(|known| known.as_str() == label)?;
    let attempt = HEX.decode(words.next()?.as_bytes()).ok()?.try_into().ok()?;
    let secret = HEX.decode(words.next()?.as_bytes()).ok()?.try_into().ok()?;
    words.next().is_none().then(|| (label, AttemptId(attempt), Secret::new(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn established() -> Established {
        let secret = |byte| Secret::new([byte; 32]);
        Established {
            root: Root::from_key_log(secret(7)),
            attempt: AttemptId([0xab; 8]),
            secrets: SessionSecrets {
                chain: secret(1),
                hash: secret(2),
                es: secret(3),
                ee: secret(4),
                ss: secret(5),
                se: secret(6),
            },
        }
    }

    #[test]
    fn there_and_back() {
        let text = format!("# comment\n\nCLIENT_RANDOM a b\n{}", lines(&established()));
        let sessions = parse(&text).unwrap();
        let session = &sessions[&AttemptId([0xab; 8])];
        assert_eq!(session.handshake().unwrap().ss, Secret::new([5; 32]));
        assert_eq!(*session.root().unwrap().secret(), Secret::new([7; 32]));
        //= spec/PROTOCOL.md#key-log
        //= type=test
        //# A key log MUST NOT contain a static key, an access secret, psk0, a gate or a token.
        assert_eq!(session.all().count(), Label::ALL.len() - 1);
    }

    #[test]
    fn ratchets_keep_their_order_and_repeat_none() {
        let root = |byte| Root::from_key_log(Secret::new([byte; 32]));
        let attempt = AttemptId([0xab; 8]);
        let ratchets: String = [8, 9, 8].map(|byte| ratchet_line(attempt, &root(byte))).concat();
        let sessions = parse(&format!("{}{ratchets}", lines(&established()))).unwrap();
        let session = &sessions[&attempt];
        let later: Vec<_> = session.later_roots(&session.root().unwrap()).collect();
        assert_eq!(later.iter().map(Root::generation).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(later.iter().map(|root| root.secret().expose()[0]).collect::<Vec<_>>(), [8, 9]);
    }

    #[test]
    fn broken_lines_are_named() {
        for line in ["SGM1_ROOT", "SGM1_ROOT ab cd", "SGM1_NEW 0000000000000000 00", "SGM1_"] {
            assert_eq!(parse(&format!("\n{line}\n")).unwrap_err(), KeyLogError { line: 2 });
        }
    }
}
