//! What the programs themselves reported: the lines that `node join --json` printed.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A line that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// It is no JSON object, or an event lacks a part of it.
    #[error("line {0} is no event of `node join --json`: {1}")]
    Line(usize, serde_json::Error),
    /// Two lines tell one message differently.
    #[error("line {0} contradicts an earlier one about message {1}")]
    Contradiction(usize, String),
    /// No line tells of a message.
    #[error("no line tells of a message that was sent or heard")]
    Empty,
}

/// A message as a client showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// Who wrote it.
    pub(super) name: String,
    /// Its place in the room.
    pub(super) sequence: u64,
    /// What it says.
    pub(super) text: String,
}

/// What was said and heard, by message id in hexadecimal.
#[derive(Clone, Debug, Default)]
pub struct ClientTranscript {
    pub(super) sent: BTreeMap<String, String>,
    pub(super) heard: BTreeMap<String, Heard>,
}

/// The events that tell of messages; all others are of no matter here.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Sent {
        id: String,
        text: String,
    },
    Message {
        id: String,
        from: String,
        text: String,
        seq: u64,
    },
    #[serde(other)]
    Other,
}

impl ClientTranscript {
    /// Reads what a client printed, one event a line; empty lines are passed over.
    ///
    /// # Errors
    /// [`TranscriptError`] with the first line that cannot be used.
    pub fn parse(text: &str) -> Result<Self, TranscriptError> {
        let mut transcript = Self::default();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let event = serde_json::from_str(line).map_err(|error| TranscriptError::Line(number, error))?;
            let id = transcript.take(event);
            id.map_or(Ok(()), |id| Err(TranscriptError::Contradiction(number, id)))?;
        }
        if transcript.sent.is_empty() && transcript.heard.is_empty() {
            return Err(TranscriptError::Empty);
        }
        Ok(transcript)
    }

    /// Adds what another client printed.
    ///
    /// # Errors
    /// [`TranscriptError::Contradiction`] when the two tell a message differently; the line is 0.
    pub fn merge(&mut self, other: Self) -> Result<(), TranscriptError> {
        let sent = other.sent.into_iter().map(|(id, text)| Event::Sent { id, text });
        let heard = other.heard.into_iter().map(|(id, Heard { name, sequence, text })| Event::Message {
            id,
            from: name,
            text,
            seq: sequence,
        });
        match sent.chain(heard).find_map(|event| self.take(event)) {
            Some(id) => Err(TranscriptError::Contradiction(0, id)),
            None => Ok(()),
        }
    }

    /// Takes in an event; the id of its message if that is told differently already.
    fn take(&mut self, event: Event) -> Option<String> {
        match event {
            Event::Sent { id, text } => {
                let known = self.sent.entry(id.clone()).or_insert_with(|| text.clone());
                (*known != text).then_some(id)
            }
            Event::Message { id, from: name, text, seq: sequence } => {
                let heard = Heard { name, sequence, text };
                let known = self.heard.entry(id.clone()).or_insert_with(|| heard.clone());
                (*known != heard).then_some(id)
            }
            Event::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = r#"{"event":"sent","id":"07","kind":"message","to":"lobby","text":"hello"}"#;
    const HEARD: &str = r#"{"event":"message","room":"lobby","private":false,"from":"ann","text":"hello","kind":"text","id":"07","seq":3,"time":1}"#;

    #[test]
    fn messages_are_read_and_everything_else_is_passed_over() {
        let text = format!("{{\"event\":\"connected\",\"name\":\"ann\"}}\n\n{SENT}\n{HEARD}\n");
        let transcript = ClientTranscript::parse(&text).unwrap();
        assert_eq!(transcript.sent["07"], "hello");
        assert_eq!(transcript.heard["07"].sequence, 3);
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_line() {
        let other = HEARD.replace("hello", "hallo");
        for (text, error) in [
            (format!("{SENT}\nhello"), "line 2 is no event of `node join --json`"),
            (format!("{HEARD}\n{other}"), "line 2 contradicts an earlier one about message 07"),
            (r#"{"event":"connected"}"#.into(), "no line tells of a message"),
        ] {
            let found = ClientTranscript::parse(&text).unwrap_err().to_string();
            assert!(found.contains(error), "{found}");
        }
        let mut one = ClientTranscript::parse(HEARD).unwrap();
        assert!(one.merge(ClientTranscript::parse(SENT).unwrap()).is_ok());
        assert!(one.merge(ClientTranscript::parse(&other).unwrap()).is_err());
    }
}
