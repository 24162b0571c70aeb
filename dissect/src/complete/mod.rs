//! Compares what the key log opened with what the programs themselves said and heard: level E5.
//!
//! Every message that a client reported has to be in a sealed datagram, word for word; every message in a
//! sealed datagram has to be one that a client reported, in every session that carries it; and every canary has to
//! have been sent, or "not found" means nothing. Joins and leaves have no id that a client shows, and control
//! messages are none of a person's words: both are listed with the session and not compared. What was opened and is
//! of no whole message is counted, and keeps the level from being reached.

mod transcript;

use std::collections::BTreeMap;

use serde::Serialize;

pub use transcript::{ClientTranscript, TranscriptError};

use crate::bytes::count;
use crate::canary::CanaryReport;
use crate::open::{LogEntry, Submitted, Transcript};
use crate::verdict::{Finding, Level};
use transcript::Heard;

/// Findings of one rule that are listed one by one.
const LISTED: usize = 20;

/// How the transcript of the clients and the opened datagrams agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CompleteReport {
    /// Messages that the clients say they sent.
    pub sent: u64,
    /// Those that a sealed datagram carries to the hub, word for word.
    pub sent_found: u64,
    /// Messages that the clients say they heard.
    pub heard: u64,
    /// Those that a sealed datagram carries from the hub, word for word.
    pub heard_found: u64,
    /// Messages in sealed datagrams that no client reported.
    pub extra: u64,
    /// Bytes that were opened and are of no whole message.
    pub left_over_bytes: u64,
}

/// What keeps the level from being reached when there is no transcript.
pub(crate) fn absent() -> Finding {
    Finding::gap(Level::E5, "complete.no-transcript", "no transcript of the clients was given")
}

/// Compares the messages that the clients reported with those that were opened.
pub(crate) fn compare<'a>(
    reported: &ClientTranscript,
    opened: impl IntoIterator<Item = &'a Transcript>,
) -> (CompleteReport, Vec<Finding>) {
    let opened = Opened::of(opened);
    let mut comparison = Comparison::default();
    comparison.report.left_over_bytes = opened.left_over_bytes;
    for (id, text) in &reported.sent {
        comparison.report.sent += 1;
        let found = opened.submitted.get(id.as_str());
        let found = found.map(|all| all.iter().all(|submitted| submitted.text == *text));
        comparison.report.sent_found += comparison.judge(found, "sent", id);
    }
    for (id, heard) in &reported.heard {
        comparison.report.heard += 1;
        let found = opened.entries.get(id.as_str());
        let found = found.map(|all| all.iter().all(|entry| is_same(entry, heard)));
        comparison.report.heard_found += comparison.judge(found, "heard", id);
    }
    let unsaid = opened.submitted.keys().filter(|id| !reported.sent.contains_key(**id));
    let unheard = opened.entries.keys().filter(|id| !reported.heard.contains_key(**id));
    for (id, what) in unsaid.map(|id| (id, "sent")).chain(unheard.map(|id| (id, "heard"))) {
        comparison.report.extra += 1;
        let text = format!("message {id} was opened, and no client reported that it {what} it");
        comparison.extra.push(Finding::gap(Level::E5, "complete.extra", text));
    }
    comparison.finish()
}

/// Every canary has to be in a sealed datagram: else nothing that was not found was ever sent.
pub(crate) fn canaries(report: &CanaryReport) -> impl Iterator<Item = Finding> + '_ {
    let unsent =
        report.canaries.iter().filter(|canary| !canary.is_key && canary.in_sealed.is_none_or(|n| n == 0));
    unsent.map(|canary| {
        let text = format!("{} is in no sealed datagram: that it was not found means little", canary.label);
        Finding::gap(Level::E5, "canary.not-sent", text)
    })
}

/// What was opened, by message id. Only what a client reports with an id: lines, alerts, and
/// what is about other lines.
#[derive(Default)]
struct Opened<'a> {
    submitted: BTreeMap<&'a str, Vec<&'a Submitted>>,
    entries: BTreeMap<&'a str, Vec<&'a LogEntry>>,
    left_over_bytes: u64,
}

impl<'a> Opened<'a> {
    fn of(transcripts: impl IntoIterator<Item = &'a Transcript>) -> Self {
        let mut opened = Self::default();
        let is_said =
            |kind: &str| matches!(kind, "Text" | "Action" | "Alert" | "Reply" | "Edit" | "Delete" | "React");
        for transcript in transcripts {
            opened.left_over_bytes += transcript.left_over_bytes;
            for submitted in transcript.submitted.iter().filter(|submitted| is_said(&submitted.kind)) {
                opened.submitted.entry(&submitted.id).or_default().push(submitted);
            }
            for entry in transcript.entries.iter().filter(|entry| is_said(&entry.kind)) {
                opened.entries.entry(&entry.id).or_default().push(entry);
            }
        }
        opened
    }
}

fn is_same(entry: &LogEntry, heard: &Heard) -> bool {
    (&entry.name, entry.sequence, &entry.text) == (&heard.name, heard.sequence, &heard.text)
}

/// The findings of a comparison by what is wrong.
#[derive(Default)]
struct Comparison {
    report: CompleteReport,
    different: Vec<Finding>,
    missing: Vec<Finding>,
    extra: Vec<Finding>,
}

impl Comparison {
    /// One message: `found` says whether what was opened is the same. Returns 1 if so.
    fn judge(&mut self, found: Option<bool>, what: &str, id: &str) -> u64 {
        match found {
            Some(true) => return 1,
            Some(false) => {
                let text = format!("message {id} was {what} with other words than were sealed");
                self.different.push(Finding::violation(Level::E5, "complete.different", text));
            }
            None => {
                let text = format!("message {id} was {what}, and is in no sealed datagram of the capture");
                self.missing.push(Finding::gap(Level::E5, "complete.missing", text));
            }
        }
        0
    }

    fn finish(self) -> (CompleteReport, Vec<Finding>) {
        let mut findings = Vec::new();
        for mut of_rule in [self.different, self.missing, self.extra] {
            let more = count(of_rule.len().saturating_sub(LISTED));
            of_rule.truncate(LISTED);
            if let Some(last) = of_rule.last_mut().filter(|_| more > 0) {
                last.text.push_str(&format!(" (and {more} more)"));
            }
            findings.extend(of_rule);
        }
        if self.report.left_over_bytes > 0 {
            let text =
                format!("{} bytes that were opened are of no whole message", self.report.left_over_bytes);
            findings.push(Finding::gap(Level::E5, "complete.left-over", text));
        }
        (self.report, findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(sent: &[(&str, &str)], heard: &[(&str, &str)]) -> Transcript {
        let submitted = |(id, text): &(&str, &str)| Submitted {
            room: 1,
            id: (*id).into(),
            kind: "Text".into(),
            text: (*text).into(),
        };
        let entry = |(id, text): &(&str, &str)| LogEntry {
            room: 1,
            sequence: 1,
            id: (*id).into(),
            time_ms: 0,
            name: "ann".into(),
            kind: "Text".into(),
            text: (*text).into(),
        };
        let joined = LogEntry { kind: "Joined".into(), ..entry(&("99", "")) };
        Transcript {
            control: Vec::new(),
            submitted: sent.iter().map(submitted).collect(),
            entries: heard.iter().map(entry).chain([joined]).collect(),
            left_over_bytes: 0,
        }
    }

    fn reported() -> ClientTranscript {
        ClientTranscript::parse(concat!(
            r#"{"event":"sent","id":"01","text":"to the hub"}"#,
            "\n",
            r#"{"event":"message","id":"02","from":"ann","seq":1,"text":"from the hub"}"#,
        ))
        .unwrap()
    }

    #[test]
    fn both_ways_word_for_word_and_nothing_else() {
        const SENT: (&str, &str) = ("01", "to the hub");
        const HEARD: (&str, &str) = ("02", "from the hub");
        let rules = |sent: &[_], heard: &[_]| -> Vec<&'static str> {
            let (_, findings) = compare(&reported(), &[opened(sent, heard)]);
            findings.iter().map(|finding| finding.rule).collect()
        };
        for (sent, heard, expected) in [
            (vec![SENT], vec![HEARD], vec![]),
            (vec![], vec![HEARD], vec!["complete.missing"]),
            (vec![SENT], vec![], vec!["complete.missing"]),
            (vec![("01", "to the cub")], vec![HEARD], vec!["complete.different"]),
            (vec![SENT], vec![HEARD, ("03", "and more")], vec!["complete.extra"]),
            (vec![SENT, ("03", "and more")], vec![HEARD], vec!["complete.extra"]),
        ] {
            assert_eq!(rules(&sent, &heard), expected, "{sent:?} {heard:?}");
        }
    }

    #[test]
    fn every_session_is_compared() {
        let [same, other] =
            ["from the hub", "from the tub"].map(|text| opened(&[("01", "to the hub")], &[("02", text)]));
        for (sessions, expected) in [
            ([same.clone(), same.clone()], vec![]),
            ([same.clone(), other.clone()], vec!["complete.different"]),
            ([other, same.clone()], vec!["complete.different"]),
            ([same.clone(), Transcript { left_over_bytes: 3, ..same }], vec!["complete.left-over"]),
        ] {
            let (_, findings) = compare(&reported(), &sessions);
            assert_eq!(findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn what_is_listed_is_bounded_and_the_rest_is_counted() {
        let ids: Vec<String> = (10..60).map(|id| id.to_string()).collect();
        let heard: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "x")).collect();
        let (report, findings) = compare(&reported(), &[opened(&[], &heard)]);
        assert_eq!((report.extra, report.heard_found), (50, 0));
        assert_eq!(findings.len(), 2 + LISTED);
        assert!(findings.last().unwrap().text.ends_with("(and 30 more)"));
    }
}
