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
    // What is wrong with a packet may be that it tells a secret: its bytes are withheld behind the headers.
    assert!(page.contains("show-secrets") && page.contains("0020  ") && page.contains(".. .. .. .. "));
    for part in ["<script", "http:", "https:", "<link", "@import", "url(", "<img", "javascript:"] {
        assert!(!page.contains(part), "{part}");
    }
}

/// A real browser shows it without a word on its console, where it tells of every script and every request that
/// the page's policy stops; a page that tries both shows that it would.
#[test]
fn a_browser_shows_it_and_is_asked_for_nothing() {
    let Some(chromium) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    }) else {
        println!("skipped: chromium");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let honest = page(folder.path(), Leak::None);
    let (dom, log) = show(chromium, folder.path(), "page.html");
    assert!(dom.contains("PROVED") && dom.matches("<svg").count() == 4, "{dom}{log}");
    assert_eq!(log.matches("CONSOLE").count(), 0, "{log}");

    let asks = "<img src='http://127.0.0.1:9/x'><script>document.title = 'ran'</script></body>";
    std::fs::write(folder.path().join("asks.html"), honest.replace("</body>", asks)).unwrap();
    let (dom, log) = show(chromium, folder.path(), "asks.html");
    assert!(!dom.contains("<title>ran"), "{dom}");
    assert!(log.matches("CONSOLE").count() >= 2, "{log}");
}

/// What a browser makes of a page in `folder`, and what it says. Whatever it wants of the network for itself, it
/// finds nobody.
fn show(chromium: &str, folder: &Path, page: &str) -> (String, String) {
    let mut browser = Command::new(chromium);
    browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"])
        .args(["--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", folder.join(page).display()));
    let output = browser.output().unwrap();
    let [dom, log] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (dom, log)
}
