//! Cuts one direction of a stream into the tokens that its reader asks for, in bounded memory.

use super::speaker::{EXACTLY_MAX_BYTES, Token};

/// A longer line is cut: what is behind is dropped up to the line's end.
pub(super) const LINE_MAX_BYTES: usize = 4096;

/// The token that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Partial {
    bytes: Vec<u8>,
    /// The packet it begins in.
    packet: usize,
    /// What it was gathered for.
    wanted: Option<Token>,
    /// Whether anything of it, kept or dropped, has come.
    begun: bool,
    /// After a hole: drops everything up to the end of the line or tag.
    resync: bool,
}

/// What the front of the input gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut<'a> {
    /// The token is the input's own first bytes.
    Direct(&'a [u8]),
    /// The token was gathered in several steps: fetch it with [`Partial::finish`].
    Gathered,
    /// All input was used and the token is not complete.
    Incomplete,
}

impl Partial {
    /// What was begun for another kind of token must be read again as the one wanted now.
    pub(super) fn outdated(&mut self, wanted: Token) -> Option<(usize, Vec<u8>)> {
        let outdated = self.begun && self.wanted != Some(wanted);
        outdated.then(|| self.finish())
    }

    /// Takes the front of `input` for the token wanted.
    pub(super) fn cut<'a>(&mut self, wanted: Token, packet: usize, input: &mut &'a [u8]) -> Cut<'a> {
        if !self.begun {
            self.packet = packet;
            self.wanted = Some(wanted);
        }
        match wanted {
            Token::Some(most) => {
                let most = usize::try_from(most.max(1)).unwrap_or(usize::MAX);
                Cut::Direct(split(input, most))
            }
            Token::Exactly(length) => {
                let length = length.clamp(1, EXACTLY_MAX_BYTES);
                let missing = length.saturating_sub(self.bytes.len());
                let taken = split(input, missing);
                if taken.len() == length {
                    return Cut::Direct(taken);
                }
                self.begun = true;
                self.bytes.extend_from_slice(taken);
                if self.bytes.len() == length { Cut::Gathered } else { Cut::Incomplete }
            }
            Token::Line => self.cut_at(b'\n', input),
            Token::Tag => self.cut_at(b'>', input),
        }
    }

    fn cut_at<'a>(&mut self, delimiter: u8, input: &mut &'a [u8]) -> Cut<'a> {
        if self.resync {
            let end = memchr::memchr(delimiter, input);
            split(input, end.map_or(usize::MAX, |at| at + 1));
            self.resync = end.is_none();
            if input.is_empty() {
                return Cut::Incomplete;
            }
        }
        let end = memchr::memchr(delimiter, input);
        let taken = split(input, end.unwrap_or(usize::MAX));
        split(input, usize::from(end.is_some()));
        if !self.begun && end.is_some() && taken.len() <= LINE_MAX_BYTES {
            return Cut::Direct(without_return(delimiter, taken));
        }
        self.begun = true;
        let room = LINE_MAX_BYTES.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(taken.get(..room).unwrap_or(taken));
        if end.is_none() {
            return Cut::Incomplete;
        }
        let kept = without_return(delimiter, &self.bytes).len();
        self.bytes.truncate(kept);
        Cut::Gathered
    }

    /// The packet and bytes gathered; the next token begins.
    pub(super) fn finish(&mut self) -> (usize, Vec<u8>) {
        self.begun = false;
        (self.packet, std::mem::take(&mut self.bytes))
    }

    /// A hole: what was gathered is lost, and a line is read on only after its end.
    pub(super) fn lose(&mut self) {
        self.begun = false;
        self.bytes.clear();
        self.resync = true;
    }

    /// The unfinished line at the end of the stream.
    pub(super) fn last_line(&mut self) -> Option<(usize, Vec<u8>)> {
        let line = self.begun && self.wanted == Some(Token::Line);
        line.then(|| self.finish())
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Splits at most `length` bytes off the front.
fn split<'a>(input: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(length.min(input.len()));
    *input = rest;
    taken
}

/// A line without the CR of its CR LF.
fn without_return(delimiter: u8, line: &[u8]) -> &[u8] {
    if delimiter == b'\n' { line.strip_suffix(b"\r").unwrap_or(line) } else { line }
}
