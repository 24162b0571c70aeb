//! The cheap path: texts as they are, letters of either case alike, over the raw bytes of a file of any size.
//!
//! A text that is found is a leak; that none is found proves nothing, for other forms of the texts, other ways
//! of reading and the positive control belong to the full analysis ([`crate::canary`]). Memory is bounded by
//! the number of threads, whatever the file.

mod feed;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::bytes::count;
use crate::canary::{Canary, Literals};
use crate::pcap::Reader;
use crate::source::{ReadError, Source};
use feed::Feed;

/// Bytes a thread searches at a time: what fits into the cache next to a core.
const CHUNK_BYTES: usize = 256 * 1024;
/// More threads than this only wait for the memory.
const THREADS_MAX: usize = 8;
/// Places of each canary that are kept; the rest is counted.
pub const PLACES_KEPT: usize = 100;

/// Why a scan did not take place or come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// There is no canary.
    #[error("there is nothing to look for: give --canary TEXT or --canaries FILE")]
    NoCanaries,
    /// The canaries are too many or too long together.
    #[error("the canaries are too many or too long to be searched together")]
    TooMuch,
    /// The texts would not show in a compressed file; the argument names the program that opens it.
    #[error("the capture is compressed: decompress it first, for example `{0} -dc FILE | dissect scan -`")]
    Compressed(&'static str),
    /// The operating system could not read the source.
    #[error("cannot read the capture")]
    Io(#[from] io::Error),
}

/// Where one canary stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sightings {
    /// How often it was found.
    pub count: u64,
    /// Offsets of the first places in the file, in bytes, rising; at most [`PLACES_KEPT`].
    pub offsets: Vec<u64>,
}

/// What a scan saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Bytes that were searched.
    pub bytes: u64,
    /// For each canary, in the order given.
    pub sightings: Vec<Sightings>,
}

impl Scanned {
    /// Whether any canary was found.
    #[must_use]
    pub fn found(&self) -> bool {
        self.sightings.iter().any(|sightings| sightings.count > 0)
    }

    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        for (all, more) in self.sightings.iter_mut().zip(other.sightings) {
            all.count += more.count;
            all.offsets.extend(more.offsets);
            all.offsets.sort_unstable();
            all.offsets.truncate(PLACES_KEPT);
        }
    }
}

/// Searches a source to its end, on as many threads as the machine has cores.
///
/// # Errors
/// [`ScanError`].
pub fn scan(mut source: impl Read + Send, canaries: &[Canary]) -> Result<Scanned, ScanError> {
    if canaries.is_empty() {
        return Err(ScanError::NoCanaries);
    }
    let secrets = canaries.iter().map(|canary| canary.secret.as_slice());
    let literals = Literals::new(secrets).ok_or(ScanError::TooMuch)?;
    let mut start = [0; 4];
    let (len, result) = feed::fill(&mut source, &mut start);
    result?;
    match start {
        [0x1f, 0x8b, ..] => return Err(ScanError::Compressed("gzip")),
        [0x28, 0xb5, 0x2f, 0xfd] => return Err(ScanError::Compressed("zstd")),
        [0x04, 0x22, 0x4d, 0x18] => return Err(ScanError::Compressed("lz4")),
        _ => {}
    }
    let source = start.get(..len).unwrap_or_default().chain(source);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    Ok(scan_on(source, &literals, threads, CHUNK_BYTES)?)
}

fn scan_on(
    source: impl Read + Send,
    literals: &Literals,
    threads: usize,
    chunk: usize,
) -> io::Result<Scanned> {
    let feed = Mutex::new(Feed::new(source, chunk, literals.longest().saturating_sub(1)));
    let parts = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&feed, literals))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(died()))).collect::<Vec<_>>()
    });
    let mut whole = nothing(literals);
    for part in parts {
        whole.add(part?);
    }
    Ok(whole)
}

fn died() -> io::Error {
    io::Error::other("a thread of the search died")
}

fn nothing(literals: &Literals) -> Scanned {
    Scanned { bytes: 0, sightings: vec![Sightings::default(); literals.count()] }
}

/// Takes chunks until there are no more.
fn work(feed: &Mutex<Feed<impl Read>>, literals: &Literals) -> io::Result<Scanned> {
    let mut seen = nothing(literals);
    let mut buffer = Vec::new();
    loop {
        let next = feed.lock().unwrap_or_else(PoisonError::into_inner).next(&mut buffer)?;
        let Some(chunk) = next else { return Ok(seen) };
        let bytes = buffer.get_mut(..chunk.len).unwrap_or_default();
        seen.bytes += count(chunk.len - chunk.repeated);
        bytes.make_ascii_lowercase();
        literals.find(bytes, |text, at| {
            // What ends in the bytes repeated from the chunk before was found there.
            if at + literals.len_of(text) > chunk.repeated
                && let Some(sightings) = seen.sightings.get_mut(text)
            {
                sightings.count += 1;
                // A thread takes chunks by rising offset, so these are its first.
                if sightings.offsets.len() < PLACES_KEPT {
                    sightings.offsets.push(chunk.offset + count(at));
                }
            }
        });
    }
}

/// The numbers of the packets that hold these bytes of a capture, from 1; `None` for a byte that is in none.
///
/// # Errors
/// [`ReadError`] when the capture cannot be read, or is none.
pub fn packets_of(
    source: &Source,
    offsets: &BTreeSet<u64>,
) -> Result<BTreeMap<u64, Option<usize>>, ReadError> {
    let mut numbers: BTreeMap<u64, Option<usize>> = offsets.iter().map(|offset| (*offset, None)).collect();
    let mut reader = Reader::new(source)?;
    while let Some(record) = reader.next_record()?
        && offsets.last().is_some_and(|last| record.offset <= *last)
    {
        let end = record.offset.saturating_add(count(record.data.len()));
        for (_, number) in numbers.range_mut(record.offset..end) {
            *number = Some(record.number);
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(source: &[u8], texts: &[&str], threads: usize, chunk: usize) -> Vec<Sightings> {
        let literals = Literals::new(texts.iter().map(|text| text.as_bytes())).unwrap();
        scan_on(source, &literals, threads, chunk).unwrap().sightings
    }

    #[test]
    fn either_case_and_every_place() {
        let seen = places(b"--SeCrEt--secret---SECRE", &["secret", "absent"], 2, 7);
        assert_eq!(seen[0], Sightings { count: 2, offsets: vec![2, 10] });
        assert_eq!(seen[1], Sightings::default());
    }

    #[test]
    fn many_places_are_counted_and_the_first_kept() {
        let seen = places(&b"ab".repeat(5_000), &["ab"], 3, 64);
        let first: Vec<u64> = (0..100).map(|place| place * 2).collect();
        assert_eq!(seen, [Sightings { count: 5_000, offsets: first }]);
    }

    #[test]
    fn a_source_that_fails_fails_the_scan() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let canaries = [Canary::from_text("x").unwrap()];
        assert!(matches!(scan(Broken, &canaries), Err(ScanError::Io(_))));
        assert!(matches!(scan(Broken, &[]), Err(ScanError::NoCanaries)));
    }

    proptest! {
        #[test]
        fn chunks_and_threads_change_nothing(
            source in prop::collection::vec(prop::sample::select(b"abAB".to_vec()), 0..400),
            threads in 1_usize..4,
            chunk in 1_usize..50,
        ) {
            let texts = ["ab", "abba", "bbbbabab", "a"];
            let whole = places(&source, &texts, 1, 1_000);
            prop_assert_eq!(places(&source, &texts, threads, chunk), whole);
        }
    }
}
