//! The legal order of a handshake, as a table.

use super::datagram::Kind;

/// How far a handshake has come, as an observer sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Nothing of it was seen.
    #[default]
    Unseen,
    /// One INIT fragment was seen.
    Opening,
    /// Both INIT fragments were seen.
    Offered,
    /// The hub answered with RESP.
    Answered,
    /// The client sent FIN.
    Finished,
    /// The hub sent a SHORT datagram: it opened FIN.
    Established,
}

impl Stage {
    /// The stage in words.
    #[must_use]
    pub const fn described(self) -> &'static str {
        match self {
            Self::Unseen => "beginning not in the capture",
            Self::Opening => "half an INIT",
            Self::Offered => "unanswered",
            Self::Answered => "answered, not finished",
            Self::Finished => "finished by the client, not confirmed by the hub",
            Self::Established => "established",
        }
    }
}

/// What an observer can tell two datagrams apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) from_client: bool,
    /// Whether the other INIT fragment was seen before.
    pub(super) other_fragment_seen: bool,
}

/// The stage after an event, or the reason why the event is not legal in this stage.
///
/// Repeated and late datagrams leave the stage as it is: the network repeats and reorders.
pub(super) fn next(stage: Stage, event: Event) -> Result<Stage, &'static str> {
    use Stage::{Answered, Established, Finished, Offered, Opening};
    if event.kind != Kind::Short && event.kind.is_clients() != event.from_client {
        return Err("it comes from the wrong side");
    }
    let (earliest, reached, reason) = match event.kind {
        Kind::Init(_) if event.other_fragment_seen => (Stage::Unseen, Offered, ""),
        Kind::Init(_) => (Stage::Unseen, Opening, ""),
        Kind::Resp => (Offered, Answered, "RESP before both INIT fragments"),
        Kind::Retry | Kind::Version => (Opening, Opening, "an answer before INIT"),
        Kind::Fin => (Answered, Finished, "FIN before RESP"),
        Kind::Short if event.from_client => {
            (Established, Established, "a SHORT datagram of the client before one of the hub")
        }
        Kind::Short => (Finished, Established, "a SHORT datagram of the hub before FIN"),
        // Strangers' questions and answers belong to no handshake.
        Kind::KeyReq | Kind::Key => (Stage::Unseen, stage, ""),
    };
    if stage < earliest { Err(reason) } else { Ok(stage.max(reached)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_legal_run_and_every_omission() {
        let event = |kind, from_client, other_fragment_seen| Event { kind, from_client, other_fragment_seen };
        let run = [
            event(Kind::Init(0), true, false),
            event(Kind::Init(1), true, true),
            event(Kind::Resp, false, true),
            event(Kind::Fin, true, true),
            event(Kind::Short, false, true),
            event(Kind::Short, true, true),
        ];
        let walk =
            |events: &[Event]| events.iter().try_fold(Stage::Unseen, |stage, event| next(stage, *event));
        assert_eq!(walk(&run), Ok(Stage::Established));
        for omitted in 2..5 {
            let mut events = run.to_vec();
            events.remove(omitted);
            assert!(walk(&events).is_err(), "without {:?}", run[omitted].kind);
        }
        let mut repeated = run.to_vec();
        repeated.extend(run);
        assert_eq!(walk(&repeated), Ok(Stage::Established), "repetitions change nothing");
        assert!(walk(&[event(Kind::Resp, true, true)]).is_err(), "a RESP of the client");
    }
}
