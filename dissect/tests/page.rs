//! The page: one file that shows the verdict and the plots, and asks nobody for anything.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "these tests use a part of it")]
mod run;

use run::{Leak, Run};
use std::path::Path;
use std::process::Command;

/// The page of a run in a folder, made by the program.
fn page(folder: &Path, leak: Leak) -> String {
    let (capture, page) = (folder.join("run.pcap"), folder.join("page.html"));
    std::fs::write(&capture, Run::new(4, 60, leak).pcap()).unwrap();
    let mut dissect = Command::new(env!("CARGO_BIN_EXE_dissect"));
    let output = dissect.args(["-q", "--html"]).arg(&page).arg(&capture).output().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(leak != Leak::None)), "{output:?}");
    std::fs::read_to_string(page).unwrap()
}

#[test]
fn it_needs_nothing_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path(), Leak::Unsealed);
    for part in ["REFUTED", "opacity.structure", "What was found", "<svg", "default-src 'none'", "<details>"]
    {
        assert!(page.contains(part), "{part}");
    }
    for part in ["<script", "http:", "https:", "<link", "@import", "url(", "<img", "javascript:"] {
        assert!(!page.contains(part), "{part}");
    }
}

/// A real browser shows it, without a word on its console and without a request to anybody.
#[test]
fn a_browser_shows_it_and_asks_nobody() {
    let Some(chromium) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    }) else {
        println!("skipped: chromium");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    page(folder.path(), Leak::None);
    let net_log = folder.path().join("net.json");
    let mut browser = Command::new(chromium);
    browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--log-net-log={}", net_log.display()))
        .arg(format!("file://{}", folder.path().join("page.html").display()));
    let output = browser.output().unwrap();
    let [dom, log] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(dom.contains("PROVED") && dom.matches("<svg").count() == 4, "{dom}{log}");
    assert!(!log.contains("CONSOLE"), "{log}");
    let requests = std::fs::read_to_string(net_log).unwrap();
    let page = requests.matches("page.html").count();
    let asked: Vec<&str> = requests.split('"').filter(|text| text.starts_with("http")).collect();
    assert!(page > 0 || asked.is_empty(), "the page asks for {asked:?}");
    assert!(!asked.iter().any(|url| url.contains("page")), "{asked:?}");
}
