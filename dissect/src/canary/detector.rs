//! The search engine: all needles of all canaries, in one index for each difference, and the short ones as
//! literals.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::difference::Difference;
use super::form::{self, approximate};
use super::index::{Found, Index};
use super::literal::Literals;
use super::needle::Needle;
use super::view::{Size, View};
use super::{ALPHA_BITS, Canary, Strength};

/// Haystacks shorter than this are searched on one thread.
const PARALLEL_BYTES_MIN: usize = 256 * 1024;
/// More threads than this only wait for the memory.
const THREADS_MAX: usize = 8;

/// All needles of a run.
#[derive(Debug)]
pub(super) struct Detector {
    needles: Vec<Needle>,
    indices: Vec<Index>,
    short: Option<Literals>,
    /// The needle of each literal.
    short_needles: Vec<usize>,
    /// For each canary.
    strengths: Vec<Strength>,
}

impl Detector {
    /// Builds the indices. A form that chance could show is searched without deciding anything, and left out
    /// where it would be everywhere.
    pub(super) fn new(canaries: &[Canary], size: Size) -> Self {
        let of = |(index, canary): (usize, &Canary)| -> Vec<Needle> {
            let forms = form::forms(canary);
            forms.iter().flat_map(|form| Needle::of(index, canary.secret.len(), form)).collect()
        };
        let candidates: Vec<Vec<Needle>> = canaries.iter().enumerate().map(of).collect();
        // A chance hit may begin at any byte of any needle.
        let volume: usize = candidates.iter().flatten().map(|needle| needle.bytes.len()).sum();
        let chances = size.bits() + approximate(volume).max(1.0).log2();
        let mut needles = Vec::new();
        let mut strengths = Vec::new();
        for mut own in candidates {
            own.iter_mut().for_each(|needle| needle.settle(chances + ALPHA_BITS));
            strengths.push(Strength::of(&own, chances));
            own.retain(Needle::is_searched);
            needles.extend(own);
        }
        let short_needles: Vec<usize> =
            (0..needles.len()).filter(|&index| !has_seeds(&needles, index)).collect();
        let texts = short_needles.iter().filter_map(|&index| needles.get(index));
        let short = Literals::new(texts.map(|needle| needle.bytes.as_slice()));
        let indices = indices(&needles);
        Self { needles, indices, short, short_needles, strengths }
    }

    pub(super) fn needles(&self) -> &[Needle] {
        &self.needles
    }

    /// How much each canary's forms decide, in the order of the canaries.
    pub(super) fn strengths(&self) -> &[Strength] {
        &self.strengths
    }

    /// Most bytes that a sighting needs: how much of a haystack must be kept to see what goes on in the next.
    pub(super) fn reach(&self) -> usize {
        self.needles.iter().map(Needle::reach).max().unwrap_or(0)
    }

    /// Everything in a haystack that is looked for in this view; a long one is searched on several threads.
    pub(super) fn search(&self, bytes: &[u8], view: View) -> Vec<Found> {
        if bytes.is_empty() {
            return Vec::new();
        }
        let lower = bytes.to_ascii_lowercase();
        let used = |index: &&Index| index.difference().is_used_in(view);
        let indices: Vec<&Index> = self.indices.iter().filter(used).collect();
        // The short needles are the job behind all others.
        let jobs = indices.len() + 1;
        let job = |number: usize| match indices.get(number) {
            Some(index) => self.long(index, bytes, &lower, view),
            None => self.short(bytes, &lower, view),
        };
        let mut found: Vec<Found> = if bytes.len() < PARALLEL_BYTES_MIN {
            (0..jobs).flat_map(job).collect()
        } else {
            in_parallel(jobs, job)
        };
        found.sort_unstable();
        found
    }

    fn long(&self, index: &Index, bytes: &[u8], lower: &[u8], view: View) -> Vec<Found> {
        let mut all = Vec::new();
        index.find(&self.needles, bytes, lower, |found| all.push(found));
        all.retain(|found| self.needles.get(found.needle).is_some_and(|needle| needle.is_used_in(view)));
        all
    }

    fn short(&self, bytes: &[u8], lower: &[u8], view: View) -> Vec<Found> {
        let mut all = Vec::new();
        let Some(literals) = &self.short else { return all };
        literals.find(lower, |text, at| {
            let Some(&index) = self.short_needles.get(text) else { return };
            let Some(needle) = self.needles.get(index).filter(|needle| needle.is_used_in(view)) else {
                return;
            };
            let end = at + needle.bytes.len();
            if needle.fold || bytes.get(at..end) == Some(&needle.bytes) {
                all.push(Found { at, needle: index, skipped: 0, end });
            }
        });
        all
    }
}

fn has_seeds(needles: &[Needle], index: usize) -> bool {
    needles.get(index).is_some_and(Needle::has_seeds)
}

fn indices(needles: &[Needle]) -> Vec<Index> {
    let mut groups: BTreeMap<Difference, Vec<usize>> = BTreeMap::new();
    for (index, needle) in needles.iter().enumerate().filter(|(_, needle)| needle.has_seeds()) {
        groups.entry(needle.difference).or_default().push(index);
    }
    groups.into_iter().map(|(difference, members)| Index::new(difference, &members, needles)).collect()
}

/// Does numbered jobs on as many threads as there are cores.
fn in_parallel(jobs: usize, job: impl Fn(usize) -> Vec<Found> + Sync) -> Vec<Found> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut all = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= jobs {
                return all;
            }
            all.extend(job(number));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for helper in helpers {
            match helper.join() {
                Ok(found) => all.extend(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}
