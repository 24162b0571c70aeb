//! `--follow`: what is said in one conversation, in order.

use std::io::{self, Write};

use super::listing::Listing;
use super::seen::Seen;
use crate::dissection::{Endpoint, Protocol};
use crate::reassembly::stream::{Event, Streams};
use crate::render::sanitise;

const BYTES_A_LINE: usize = 16;
const LINE: &str = "===================================================================";

/// What is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Udp,
    Tcp,
    Sealgram,
}

/// How bytes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Ascii,
    Hex,
    Raw,
}

/// Prints one conversation as it goes on.
#[derive(Debug)]
pub(crate) struct Follow {
    subject: Subject,
    index: u64,
    style: Style,
    /// TCP's bytes in their order.
    streams: Streams,
    /// Who sent the first packet.
    initiator: Option<Endpoint>,
    /// Bytes printed of both directions.
    printed: [usize; 2],
    begun: bool,
}

impl Follow {
    /// Reads `udp|tcp|sealgram,INDEX[,ascii|hex|raw]`.
    ///
    /// # Errors
    /// A sentence about what is not understood.
    pub(crate) fn parse(argument: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "--follow {} is not understood: it wants udp, tcp or sealgram, the number of the stream or session, and perhaps ascii, hex or raw, such as tcp,0,hex",
                sanitise(argument)
            )
        };
        let mut parts = argument.split(',');
        let subject = match parts.next() {
            Some("udp") => Subject::Udp,
            Some("tcp") => Subject::Tcp,
            Some("sealgram") => Subject::Sealgram,
            _ => return Err(wrong()),
        };
        let index = parts.next().and_then(|index| index.parse().ok()).ok_or_else(wrong)?;
        let style = match (parts.next(), parts.next()) {
            (None | Some("ascii"), None) => Style::Ascii,
            (Some("hex"), None) => Style::Hex,
            (Some("raw"), None) => Style::Raw,
            _ => return Err(wrong()),
        };
        let streams = Streams::default();
        Ok(Self { subject, index, style, streams, initiator: None, printed: [0; 2], begun: false })
    }

    fn name(&self) -> &'static str {
        match self.subject {
            Subject::Udp => "udp",
            Subject::Tcp => "tcp",
            Subject::Sealgram => "sealgram",
        }
    }

    /// Whether the initiator, or client, sent a packet of what is followed; `None` for other packets.
    fn direction(&self, seen: &Seen<'_>) -> Option<bool> {
        let protocol = seen.packet.dissection.protocol;
        match self.subject {
            Subject::Sealgram => {
                let membership = seen.context.membership?;
                let number = crate::bytes::count(membership.member.session);
                (number == self.index).then_some(membership.member.from_client)
            }
            Subject::Udp | Subject::Tcp => {
                let wanted = if self.subject == Subject::Udp { Protocol::Udp } else { Protocol::Tcp };
                let place = seen.stream.filter(|_| protocol == wanted)?;
                (place.index == self.index).then_some(place.is_forward)
            }
        }
    }

    fn begin_with(&mut self, seen: &Seen<'_>, is_forward: bool, out: &mut dyn Write) -> io::Result<()> {
        self.begun = true;
        let ends = seen.packet.dissection.ends.map(|(source, destination)| {
            if is_forward { (source, destination) } else { (destination, source) }
        });
        writeln!(out, "{LINE}\nFollow: {},{}", self.name(), self.index)?;
        self.initiator = ends.map(|(first, _)| first);
        if let Some((first, second)) = ends {
            writeln!(out, "Node 0: {first}\nNode 1: {second}")?;
        }
        Ok(())
    }

    /// Bytes of one direction; those of the responder are indented.
    fn bytes(&mut self, bytes: &[u8], is_forward: bool, out: &mut dyn Write) -> io::Result<()> {
        let indent = if is_forward { "" } else { "\t" };
        match self.style {
            Style::Ascii => {
                writeln!(out, "{indent}{}", bytes.len())?;
                for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                    let text = line.strip_suffix(b"\n").unwrap_or(line);
                    let text = text.strip_suffix(b"\r").unwrap_or(text);
                    writeln!(out, "{indent}{}", ascii(text))?;
                }
            }
            Style::Raw => writeln!(out, "{indent}{}", crate::session::hex(bytes))?,
            Style::Hex => {
                let start = self.printed.get(usize::from(!is_forward)).copied().unwrap_or(0);
                for (line, chunk) in (0..).zip(bytes.chunks(BYTES_A_LINE)) {
                    let pairs: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
                    let at = start + line * BYTES_A_LINE;
                    writeln!(out, "{indent}{at:08x}  {:<47}  {}", pairs.join(" "), ascii(chunk))?;
                }
            }
        }
        if let Some(printed) = self.printed.get_mut(usize::from(!is_forward)) {
            *printed = printed.saturating_add(bytes.len());
        }
        Ok(())
    }

    /// What a segment makes known of its connection, in order.
    fn segment(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        let dissection = &seen.packet.dissection;
        let (Some(ends), Some(segment)) = (dissection.ends, dissection.segment) else { return Ok(()) };
        let mut told = Vec::new();
        let mut tell = |ends: &(Endpoint, Endpoint), event: Event<'_>| told.extend(Told::of(ends.0, &event));
        self.streams.take(ends, segment, seen.payload(), seen.packet.number, &mut tell);
        self.tell(told, out)
    }

    fn tell(&mut self, told: Vec<Told>, out: &mut dyn Write) -> io::Result<()> {
        for Told { sender, what } in told {
            let is_forward = self.initiator == Some(sender);
            match what {
                Ok(bytes) => self.bytes(&bytes, is_forward, out)?,
                Err(sentence) => writeln!(out, "[{sentence}]")?,
            }
        }
        Ok(())
    }

    /// What a datagram of a session says; sealed bytes where it was not opened.
    fn sealgram(&mut self, seen: &Seen<'_>, from_client: bool, out: &mut dyn Write) -> io::Result<()> {
        let who = if from_client { "client" } else { "hub" };
        let kind = seen.packet.message.unwrap_or("datagram");
        match seen.context.opened {
            Some(opened) => {
                writeln!(out, "{who}, packet {}, {kind}", seen.packet.number)?;
                if self.style != Style::Ascii {
                    return self.bytes(&opened.plaintext, from_client, out);
                }
                for frame in opened.frames.iter().filter(|frame| !frame.starts_with("PADDING")) {
                    writeln!(out, "  {}", sanitise(frame))?;
                }
                Ok(())
            }
            None => {
                writeln!(out, "{who}, packet {}, {kind}, sealed", seen.packet.number)?;
                if self.style == Style::Ascii { Ok(()) } else { self.bytes(seen.payload(), from_client, out) }
            }
        }
    }
}

impl Listing for Follow {
    fn packet(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        let Some(is_forward) = self.direction(seen) else { return Ok(()) };
        if !self.begun {
            self.begin_with(seen, is_forward, out)?;
        }
        match self.subject {
            Subject::Sealgram => self.sealgram(seen, is_forward, out),
            Subject::Udp => self.bytes(seen.payload(), is_forward, out),
            Subject::Tcp => self.segment(seen, out),
        }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.begun {
            return writeln!(out, "there is no {} conversation with the number {}", self.name(), self.index);
        }
        let mut told = Vec::new();
        let streams = std::mem::take(&mut self.streams);
        let mut tell = |ends: &(Endpoint, Endpoint), event: Event<'_>| told.extend(Told::of(ends.0, &event));
        let _tally = streams.finish(&mut tell);
        self.tell(told, out)?;
        writeln!(out, "{LINE}")
    }
}

/// Bytes of one side of a connection, or a sentence about them.
struct Told {
    sender: Endpoint,
    what: Result<Vec<u8>, String>,
}

impl Told {
    /// What is worth printing of an event.
    fn of(sender: Endpoint, event: &Event<'_>) -> Option<Self> {
        let what = match event {
            Event::Bytes { bytes, .. } => Ok(bytes.to_vec()),
            Event::Gap { bytes } => Err(format!("{bytes} bytes missing in the capture")),
            Event::Conflict { bytes, packet } => {
                Err(format!("{bytes} bytes were sent again and are others, packet {packet}"))
            }
            Event::End { reset: true } => Err("the connection is reset".to_owned()),
            Event::Start { .. } | Event::End { .. } => return None,
        };
        Some(Self { sender, what })
    }
}

/// Printable characters, with a point for all others: nothing here drives a terminal.
fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect()
}
