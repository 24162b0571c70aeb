//! Literal search at the speed of memory.
//!
//! Letters of either case are made alike once, and then all texts are looked for together with the vector
//! instructions of the machine (Teddy, of `aho-corasick`). Where the machine has none, or there are too many
//! texts, an automaton does the same, more slowly.

use aho_corasick::packed::{self, Searcher};
use aho_corasick::{AhoCorasick, Span};

/// Texts to look for, letters of either case being the same.
#[derive(Debug)]
pub(crate) struct Literals {
    engine: Engine,
    /// In lower case.
    texts: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum Engine {
    Vector(Searcher),
    Automaton(AhoCorasick),
    /// There is nothing to look for.
    Idle,
}

impl Literals {
    /// Prepares the search; `None` when the texts are too many or too long for any engine. An empty text
    /// is never found.
    pub(crate) fn new<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let texts: Vec<Vec<u8>> = texts.into_iter().map(<[u8]>::to_ascii_lowercase).collect();
        let wanted = || texts.iter().filter(|text| !text.is_empty());
        let engine = if wanted().next().is_none() {
            Engine::Idle
        } else if let Some(searcher) = packed::Config::new().builder().extend(wanted()).build() {
            Engine::Vector(searcher)
        } else {
            Engine::Automaton(AhoCorasick::new(wanted()).ok()?)
        };
        Some(Self { engine, texts })
    }

    /// How many texts.
    pub(crate) const fn count(&self) -> usize {
        self.texts.len()
    }

    /// Bytes of the longest text.
    pub(crate) fn longest(&self) -> usize {
        self.texts.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Bytes of one text.
    pub(crate) fn len_of(&self, text: usize) -> usize {
        self.texts.get(text).map_or(0, Vec::len)
    }

    /// Reports (text, offset) for every occurrence in a haystack in lower case, by rising offset.
    pub(crate) fn find(&self, lower: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut report = |at: usize| {
            let here = lower.get(at..).unwrap_or_default();
            for (index, text) in self.texts.iter().enumerate() {
                if !text.is_empty() && here.starts_with(text) {
                    found(index, at);
                }
            }
        };
        match &self.engine {
            // A vector search tells the leftmost place where any text begins; all that begin there are looked
            // up, and the search goes on behind this one byte, so that texts which overlap are all found.
            Engine::Vector(searcher) => {
                let mut start = 0;
                while let Some(hit) = searcher.find_in(lower, Span { start, end: lower.len() }) {
                    report(hit.start());
                    start = hit.start() + 1;
                }
            }
            Engine::Automaton(automaton) => {
                let mut hits: Vec<usize> =
                    automaton.find_overlapping_iter(lower).map(|hit| hit.start()).collect();
                hits.sort_unstable();
                hits.dedup();
                hits.into_iter().for_each(report);
            }
            Engine::Idle => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(texts: &[Vec<u8>], haystack: &[u8]) -> Vec<(usize, usize)> {
        let begins = |at: usize, text: &Vec<u8>| !text.is_empty() && haystack[at..].starts_with(text);
        (0..haystack.len())
            .flat_map(|at| (0..texts.len()).map(move |text| (text, at)))
            .filter(|(text, at)| begins(*at, &texts[*text]))
            .collect()
    }

    #[test]
    fn texts_that_overlap_are_all_found() {
        let literals = Literals::new([&b"ABC"[..], b"bcd", b"b", b"abcdef", b"abc"]).unwrap();
        let mut hits = Vec::new();
        literals.find(b"xabcdx", |text, at| hits.push((text, at)));
        assert_eq!(hits, [(0, 1), (4, 1), (1, 2), (2, 2)]);
    }

    #[test]
    fn nothing_to_look_for() {
        for texts in [&[][..], &[&b""[..]]] {
            Literals::new(texts.iter().copied()).unwrap().find(b"anything", |_, _| panic!("found"));
        }
    }

    proptest! {
        #[test]
        fn both_engines_find_what_a_plain_search_finds(
            texts in prop::collection::vec(prop::collection::vec(b'a'..=b'c', 0..5), 1..200),
            haystack in prop::collection::vec(b'a'..=b'd', 0..300),
        ) {
            let literals = Literals::new(texts.iter().map(Vec::as_slice)).unwrap();
            let mut hits = Vec::new();
            literals.find(&haystack, |text, at| hits.push((text, at)));
            prop_assert_eq!(hits, naive(&texts, &haystack));
        }
    }
}
