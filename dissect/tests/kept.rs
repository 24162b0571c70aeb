//! What a judgement leaves behind: the page and the manifest, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "these tests use a part of it")]
mod run;

use run::{Leak, Run};
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A folder with a capture and its key log, and what was said in it.
fn folder(leak: Leak) -> (TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(4, 20, leak);
    fs::write(folder.path().join("run.pcap"), run.pcap()).unwrap();
    fs::write(folder.path().join("keys"), &run.key_log).unwrap();
    (folder, run)
}

/// Runs the program in `folder`: its exit code, and what it says on standard output and standard error.
fn dissect(folder: &Path, arguments: &str) -> (i32, String) {
    let mut dissect = Command::new(env!("CARGO_BIN_EXE_dissect"));
    let output = dissect.current_dir(folder).args(arguments.split(' ')).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code().unwrap(), said.concat())
}

#[test]
fn nothing_that_is_read_is_written_over() {
    let (folder, run) = folder(Leak::None);
    let path = folder.path();
    #[cfg(unix)]
    std::os::unix::fs::symlink("run.pcap", path.join("link")).unwrap();
    for arguments in [
        "run.pcap --html run.pcap",
        "run.pcap --report ./run.pcap",
        "run.pcap --keylog keys --report keys",
        "run.pcap --canaries keys --html keys",
        "run.pcap --html both --report both",
        #[cfg(unix)]
        "run.pcap --html link",
    ] {
        let (code, said) = dissect(path, arguments);
        assert_eq!(code, 2, "{arguments}: {said}");
        assert!(said.contains("is read or written already: give another file"), "{arguments}: {said}");
    }
    assert_eq!(fs::read(path.join("run.pcap")).unwrap(), run.pcap());
    assert_eq!(fs::read_to_string(path.join("keys")).unwrap(), run.key_log);
}

#[test]
fn a_place_where_nothing_can_be_written_is_said_first_and_nothing_half_is_left() {
    let (folder, _) = folder(Leak::None);
    let path = folder.path();
    for (arguments, cause) in [
        ("run.pcap --html nowhere/page.html", "cannot write nowhere/page.html"),
        ("run.pcap --report ..", "it is no file"),
        ("none.pcap --html page.html", "cannot open none.pcap"),
    ] {
        let (code, said) = dissect(path, arguments);
        assert_eq!((code, said.contains(cause)), (2, true), "{arguments}: {said}");
    }
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(names, ["keys", "run.pcap"]);
}

#[test]
fn a_manifest_tells_the_judgement_and_not_what_was_said() {
    let (folder, run) = folder(Leak::None);
    let path = folder.path();
    let keyed = "run.pcap --keylog keys --require E2 --scope all --decompressed-max 7";
    assert_eq!(dissect(path, &format!("{keyed} -q --report one.json")).0, 0);
    assert_eq!(dissect(path, &format!("{keyed} -q --expect refuted --report two.json")).0, 1);
    let [one, two] = ["one.json", "two.json"].map(|name| fs::read_to_string(path.join(name)).unwrap());
    assert_eq!(one, two);
    for text in &run.texts {
        assert!(!one.contains(text), "{text}");
    }
    let (code, said) = dissect(path, "verify one.json run.pcap --keylog keys");
    assert_eq!((code, said.contains("SAME")), (0, true), "{said}");
    let (code, said) = dissect(path, "verify one.json run.pcap");
    assert_eq!((code, said.contains("made with 1 key logs")), (2, true), "{said}");
    fs::write(path.join("one.json"), one.replace("\"require\": \"E2\"", "\"require\": \"E3\"")).unwrap();
    let (code, said) = dissect(path, "verify one.json run.pcap --keylog keys");
    assert_eq!((code, said.contains("/report/verdict/required")), (1, true), "{said}");
}

#[test]
fn secrets_are_on_the_page_when_they_are_asked_for() {
    let (folder, _) = folder(Leak::Unsealed);
    let path = folder.path();
    for (option, is_withheld) in [("", true), (" --show-secrets", false)] {
        let (code, said) = dissect(path, &format!("run.pcap -q --html page.html{option}"));
        assert_eq!(code, 1, "{said}");
        let page = fs::read_to_string(path.join("page.html")).unwrap();
        assert!(page.contains("<details>"));
        assert_eq!(page.contains(".. .. .. .. "), is_withheld, "{option}");
        assert_eq!(page.contains("Two dots stand for"), is_withheld, "{option}");
    }
}
