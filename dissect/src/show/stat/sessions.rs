//! `-z sealgram,sessions`.

use std::io::{self, Write};

use super::rule;
use super::track::{self, BySession};
use crate::show::fold::Fold;
use crate::show::seen::Seen;
use crate::show::time::seconds;
use crate::verdict::Finding;

/// Every session with what it sent.
#[derive(Debug, Default)]
pub(super) struct Sessions(BySession<Session>);

#[derive(Debug, Default)]
struct Session {
    title: String,
    stage: &'static str,
    /// Datagrams and bytes of the client, then of the hub.
    client: (u64, u64),
    hub: (u64, u64),
    opened: u64,
    first_ns: Option<i128>,
    last_ns: Option<i128>,
}

impl Fold for Sessions {
    fn take(&mut self, seen: &Seen<'_>) {
        let Some((kept, membership)) = track::of(&mut self.0, seen) else { return };
        kept.title = track::title(&membership);
        kept.stage = membership.session.stage.described();
        let (datagrams, bytes) = if membership.member.from_client { &mut kept.client } else { &mut kept.hub };
        *datagrams += 1;
        *bytes += crate::bytes::count(seen.payload().len());
        kept.opened += u64::from(seen.context.opened.is_some_and(|opened| opened.repeats.is_none()));
        let now = seen.clock.relative_ns();
        kept.first_ns = kept.first_ns.or(now);
        kept.last_ns = now.or(kept.last_ns);
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        let line = rule(79);
        writeln!(out, "{line}\nSealgram sessions")?;
        for (number, kept) in self.0.iter() {
            writeln!(out, "session {number}: {}, {}", kept.title, kept.stage)?;
            let first = kept.first_ns.unwrap_or(0);
            writeln!(
                out,
                "  client {} datagrams, {} bytes; hub {} datagrams, {} bytes; {} opened",
                kept.client.0, kept.client.1, kept.hub.0, kept.hub.1, kept.opened
            )?;
            let duration = kept.last_ns.unwrap_or(first).saturating_sub(first);
            writeln!(out, "  from {} for {} secs", seconds(first), seconds(duration))?;
        }
        self.0.write_left_out(out)?;
        writeln!(out, "{line}")
    }
}
