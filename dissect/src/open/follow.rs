//! Follows a handshake from the logged secrets to the root of the session's keys.

use spec::handshake::audit::Audit;
use spec::handshake::{self, SessionSecrets};
use spec::key_log::LoggedSession;
use spec::key_schedule::Root;
use spec::secret::Secret;
use spec::wire::frame::{Frame, Frames, Side};
use spec::wire::long::{AttemptId, field};

use super::Opening;
use crate::bytes::count;
use crate::session::{Body, Digest, Kind, Session, digest};
use crate::verdict::{Finding, Level};

/// The bodies of one kind.
type Bodies<'a> = Vec<&'a Body>;

/// Verifies the handshake of a session; the root derived from it, or the logged one where datagrams or
/// secrets are missing.
pub(super) fn follow(
    index: usize,
    sessions: &[Session],
    logged: &LoggedSession,
    opening: &mut Opening,
) -> Option<Root> {
    let session = sessions.get(index)?;
    // A client whose address changed in the middle of the handshake repeats some of it from the next one.
    let is_same = |other: &&Session| other.attempt_id == session.attempt_id && other.hub == session.hub;
    let bodies = |kind| -> Bodies<'_> {
        let own = session.bodies.of(kind);
        if !own.is_empty() {
            return own.iter().collect();
        }
        sessions.iter().filter(is_same).flat_map(|other| other.bodies.of(kind)).collect()
    };
    let mut path = Path::default();
    if let Some(secrets) = logged.handshake() {
        path = Path::find(session, &secrets, &bodies);
        controls(&path, session.attempt_id, &secrets, opening);
    }
    opening.handshakes.insert(index, path.verified());
    let is_own =
        |(packet, _): &(usize, _)| session.bodies.of(Kind::Fin).iter().any(|body| body.packet == *packet);
    if let Some((packet, frames)) = path.fin.take().filter(is_own) {
        check_fin(&frames, packet, opening);
        let opened = opening.opened(packet, session, Side::Client, None, &frames);
        opening.fins.insert(packet, opened);
    }
    let attempt = session.attempt();
    match (path.root, logged.root()) {
        (Some(derived), Some(root)) if derived.secret() != root.secret() => {
            let text =
                format!("the root of attempt {attempt} in the key log is not the one of its handshake");
            opening.findings.push(Finding::violation(Level::E4, "sealed.root", text));
            Some(derived)
        }
        (Some(derived), _) => {
            opening.report.derived += 1;
            Some(derived)
        }
        (None, root) => {
            let text = format!("the keys of attempt {attempt} could not be derived from its handshake");
            opening.findings.push(Finding::gap(Level::E4, "sealed.not-derived", text));
            root
        }
    }
}

/// What was found out about the datagrams of a handshake.
#[derive(Debug, Default)]
pub(super) struct Verified {
    digests: Vec<(Kind, Digest)>,
    has_answer: bool,
    has_root: bool,
}

impl Verified {
    /// Counts a handshake datagram and names it if it does not verify.
    pub(super) fn judge(
        &self,
        session: &Session,
        kind: Kind,
        datagram: &[u8],
        packet: usize,
        opening: &mut Opening,
    ) {
        opening.report.sealed += 1;
        let body = datagram.get(field::BODY).unwrap_or_default();
        if self.digests.contains(&(kind, digest(body))) {
            opening.report.verified += 1;
        } else if kind == Kind::Resp && self.has_answer {
            // A hub that was restarted answers the same INIT with other keys; only one answer is used.
            opening.report.abandoned += 1;
            // Nobody can tell that answer from something else that was sent in its place.
            let text = format!("an answer to attempt {} that the client did not use", session.attempt());
            opening.findings.push(Finding::gap(Level::E4, "sealed.unused", text).in_packet(packet));
        } else if self.has_root {
            let text = format!("a {} of attempt {} does not open", kind.name(), session.attempt());
            opening.violation("sealed.tag", packet, text);
        }
    }
}

/// The datagrams of a handshake that fit each other and the secrets.
#[derive(Default)]
struct Path<'a> {
    one: Option<[&'a Body; 2]>,
    two: Option<&'a Body>,
    three: Option<&'a Body>,
    /// Number of the first FIN packet, and its frames.
    fin: Option<(usize, Vec<u8>)>,
    root: Option<Root>,
}

impl<'a> Path<'a> {
    /// Tries every combination; what an attacker threw in between does not verify.
    fn find(session: &Session, secrets: &SessionSecrets, bodies: &impl Fn(Kind) -> Bodies<'a>) -> Self {
        let mut path = Self::default();
        let mut audit = Audit::new(secrets.clone());
        for first in bodies(Kind::Init(0)) {
            for second in bodies(Kind::Init(1)) {
                let message = [first.bytes.as_slice(), &second.bytes].concat();
                let mut attempt = Audit::new(secrets.clone());
                if handshake::attempt_id(&message) == session.attempt_id
                    && attempt.message_one(&message).is_ok()
                {
                    path.one = Some([first, second]);
                    audit = attempt;
                }
            }
        }
        if path.one.is_none() {
            return path;
        }
        for resp in bodies(Kind::Resp) {
            let mut attempt = audit.clone();
            if attempt.message_two(&resp.bytes).is_ok() {
                path.two = Some(resp);
                audit = attempt;
                break;
            }
        }
        if path.two.is_none() {
            return path;
        }
        for fin in bodies(Kind::Fin) {
            if let Ok((_, frames, root)) = audit.clone().message_three(&fin.bytes) {
                path.three = Some(fin);
                path.fin = Some((fin.packet, frames));
                path.root = Some(root);
                break;
            }
        }
        path
    }

    fn verified(&self) -> Verified {
        let (first, second) = self.one.map(|[first, second]| (first, second)).unzip();
        let parts = [
            (Kind::Init(0), first),
            (Kind::Init(1), second),
            (Kind::Resp, self.two),
            (Kind::Fin, self.three),
        ];
        let digests = parts.into_iter().filter_map(|(kind, body)| Some((kind, body?.digest))).collect();
        Verified { digests, has_answer: self.two.is_some(), has_root: self.root.is_some() }
    }
}

/// Each message with one bit flipped, and with one secret replaced, must fail.
fn controls(path: &Path<'_>, attempt: AttemptId, secrets: &SessionSecrets, opening: &mut Opening) {
    let (Some([first, second]), Some(two), Some(three)) = (path.one, path.two, path.three) else { return };
    let messages = [[first.bytes.as_slice(), &second.bytes].concat(), two.bytes.clone(), three.bytes.clone()];
    let follow = |secrets: SessionSecrets, [one, two, three]: &[Vec<u8>; 3]| {
        let mut audit = Audit::new(secrets);
        // The log begins behind the client's ephemeral key: the attempt id is what binds that key.
        let bound = handshake::attempt_id(one) == attempt;
        bound
            && audit.message_one(one).is_ok()
            && audit.message_two(two).is_ok()
            && audit.message_three(three).is_ok()
    };
    let mut outcomes = Vec::new();
    for (message, at) in
        [(0, 0), (0, 100), (0, 2309), (1, 0), (1, 1100), (1, 1154), (2, 0), (2, 40), (2, 1154)]
    {
        let mut changed = messages.clone();
        if let Some(byte) = changed.get_mut(message).and_then(|message: &mut Vec<u8>| message.get_mut(at)) {
            *byte ^= 1;
        }
        outcomes.push(!follow(secrets.clone(), &changed));
    }
    let wrong = |change: fn(&mut SessionSecrets)| {
        let mut secrets = secrets.clone();
        change(&mut secrets);
        secrets
    };
    for secrets in [
        wrong(|secrets| secrets.es = Secret::new([1; 32])),
        wrong(|secrets| secrets.ee = Secret::new([1; 32])),
        wrong(|secrets| secrets.ss = Secret::new([1; 32])),
        wrong(|secrets| secrets.se = Secret::new([1; 32])),
    ] {
        outcomes.push(!follow(secrets, &messages));
    }
    opening.report.controls += count(outcomes.len());
    opening.report.controls_rejected += count(outcomes.iter().filter(|rejected| **rejected).count());
}

/// PROTOCOL.md#payload-of-message-three: FIN may carry STREAM, PADDING and extension frames.
fn check_fin(frames: &[u8], packet: usize, opening: &mut Opening) {
    let Ok(frames) = Frames::parse(frames, Side::Client) else { return };
    let legal =
        |frame| matches!(frame, Frame::Stream { .. } | Frame::Padding { .. } | Frame::Extension { .. });
    if !frames.iter().all(legal) {
        opening.violation("sealed.fin-frames", packet, "FIN carries a frame that it may not carry");
    }
}
