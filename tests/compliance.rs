//! Holds `spec/PROTOCOL.md` and the code together: what the code quotes stands in the document, and what the
//! document requires is quoted where the code obeys it and where a test shows it.
//!
//! The comments are those of the duvet tool: `//=` names a section, or a type, and `//#` quotes a sentence.

#![expect(clippy::unwrap_used, reason = "a tree that cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Requirements that no test can show, and why.
const NOT_TESTABLE: [(&str, &str); 1] = [(
    "MACs MUST be compared in constant time.",
    "a comparison through `subtle` is constant in time by its construction; a timing is no test",
)];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Code,
    Test,
}

#[derive(Debug)]
struct Citation {
    place: String,
    section: String,
    kind: Kind,
    quote: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sentences of each section, by the anchor of its heading.
fn document() -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(root().join("spec/PROTOCOL.md")).unwrap();
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut anchor = String::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if let Some(heading) = line.strip_prefix('#').filter(|_| !is_code) {
            anchor = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            assert!(!sections.contains_key(&anchor), "two headings are called {anchor}");
            sections.insert(anchor.clone(), Vec::new());
        } else if !is_code && !line.starts_with('|') {
            sections.entry(anchor.clone()).or_default().extend(sentences(line));
        }
    }
    sections
}

/// The sentences of a line: each requirement is one sentence, and a line may hold several.
fn sentences(line: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut rest = line.trim();
    while let Some(at) = rest.find(". ") {
        let (sentence, tail) = rest.split_at(at + 1);
        sentences.push(sentence.to_owned());
        rest = tail.trim_start();
    }
    sentences.push(rest.to_owned());
    sentences
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            rust_files(&path, files);
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
}

fn citations() -> Vec<Citation> {
    let mut files = Vec::new();
    for folder in ["spec", "node", "dissect", "tests"] {
        rust_files(&root().join(folder), &mut files);
    }
    files.iter().flat_map(|file| citations_of(file)).collect()
}

fn citations_of(file: &Path) -> Vec<Citation> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut found: Vec<Citation> = Vec::new();
    let mut is_open = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix("//= spec/PROTOCOL.md#") {
            let place = format!("{}:{}", file.display(), index + 1);
            let (section, quote) = (section.to_owned(), String::new());
            found.push(Citation { place, section, kind: Kind::Code, quote });
            is_open = true;
        } else if let Some(citation) = found.last_mut().filter(|_| is_open) {
            if line == "//= type=test" {
                citation.kind = Kind::Test;
            } else if let Some(quote) = line.strip_prefix("//#") {
                citation.quote = format!("{} {}", citation.quote, quote.trim()).trim().to_owned();
            } else {
                is_open = false;
            }
        }
    }
    found
}

fn is_requirement(sentence: &str) -> bool {
    let words = sentence.split(|c: char| !c.is_alphanumeric());
    words.clone().any(|word| word == "MUST" || word == "SHOULD")
}

#[test]
fn what_is_quoted_stands_in_the_document() {
    let document = document();
    let citations = citations();
    assert!(citations.len() > 50, "only {} citations were found", citations.len());
    for Citation { place, section, quote, .. } in citations {
        let sentences = document.get(&section).unwrap_or_else(|| panic!("{place}: no section {section}"));
        assert!(sentences.contains(&quote), "{place}: section {section} does not say: {quote}");
    }
}

#[test]
fn what_is_required_is_obeyed_and_shown_somewhere() {
    let mut cited: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for citation in citations() {
        cited.entry(citation.kind).or_default().insert(citation.quote);
    }
    let excused: BTreeSet<&str> = NOT_TESTABLE.iter().map(|(sentence, _)| *sentence).collect();
    let mut missing = Vec::new();
    for (section, sentences) in document() {
        for sentence in sentences.iter().filter(|sentence| is_requirement(sentence)) {
            // The first paragraph says how the words are to be read.
            if section.starts_with("the-sealgram-protocol") {
                continue;
            }
            if !cited[&Kind::Code].contains(sentence) {
                missing.push(format!("no code cites   #{section}: {sentence}"));
            }
            if !cited[&Kind::Test].contains(sentence) && !excused.contains(sentence.as_str()) {
                missing.push(format!("no test cites   #{section}: {sentence}"));
            }
        }
    }
    assert!(missing.is_empty(), "{} gaps:\n{}", missing.len(), missing.join("\n"));
}
