//! The key log: one line a secret, written by `node`, read by `dissect`.

use crate::handshake::{Established, SessionSecrets};
use crate::key_schedule::Root;
use crate::secret::Secret;
use crate::wire::long::AttemptId;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
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
}

impl Label {
    /// All labels, in the order they are written.
    pub const ALL: [Self; 7] = [Self::Chain, Self::Hash, Self::Es, Self::Ee, Self::Ss, Self::Se, Self::Root];

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
        }
    }
}

/// The lines of one session, each with its line end.
#[must_use]
pub fn lines(established: &Established) -> String {
    //= spec/PROTOCOL.md#key-log
    //# A key log MUST NOT contain a static key, an access secret, psk0, a gate or a token.
    let SessionSecrets { chain, hash, es, ee, ss, se } = &established.secrets;
    let secrets = [chain, hash, es, ee, ss, se, established.root.secret()];
    let attempt = HEX.encode(&established.attempt.0);
    let line = |(label, secret): (Label, &Secret<32>)| {
        format!("{} {attempt} {}\n", label.as_str(), HEX.encode(secret.expose()))
    };
    Label::ALL.into_iter().zip(secrets).map(line).collect()
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
}

impl LoggedSession {
    /// One secret.
    #[must_use]
    pub fn secret(&self, label: Label) -> Option<&Secret<32>> {
        self.secrets.get(&label)
    }

    /// Every secret of the session.
    pub fn all(&self) -> impl Iterator<Item = (Label, &Secret<32>)> {
        self.secrets.iter().map(|(label, secret)| (*label, secret))
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
        sessions.entry(attempt).or_default().secrets.insert(label, secret);
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
        assert_eq!(session.all().count(), Label::ALL.len());
    }

    #[test]
    fn broken_lines_are_named() {
        for line in ["SGM1_ROOT", "SGM1_ROOT ab cd", "SGM1_NEW 0000000000000000 00", "SGM1_"] {
            assert_eq!(parse(&format!("\n{line}\n")).unwrap_err(), KeyLogError { line: 2 });
        }
    }
}
