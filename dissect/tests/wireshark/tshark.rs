//! tshark with our dissector, and nothing of whoever runs the test.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/wireshark/sealgram.lua");

/// A folder for captures and key logs, and a tshark that knows the dissector.
pub(crate) struct Tshark {
    folder: TempDir,
}

impl Tshark {
    /// `None` and a word about it where there is no tshark with Lua.
    pub(crate) fn find() -> Option<Self> {
        let tshark = Self { folder: tempfile::tempdir().unwrap() };
        let version = tshark.command().arg("--version").output();
        let has_lua =
            version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("with Lua"));
        if !has_lua {
            println!("skipped: tshark");
        }
        has_lua.then_some(tshark)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tshark");
        // Whose preferences and plugins these are is nobody's.
        command.env("HOME", self.folder.path()).env("WIRESHARK_CONFIG_DIR", self.folder.path());
        command.arg("-n");
        command
    }

    /// A file in the folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// tshark with the dissector and a key log.
    fn with_script(&self, key_log: Option<&Path>) -> Command {
        let mut command = self.command();
        command.arg("-X").arg(format!("lua_script:{SCRIPT}"));
        // A port may belong to another protocol.
        command.args(["-o", "udp.try_heuristic_first:TRUE"]);
        if let Some(key_log) = key_log {
            command.arg("-o").arg(format!("sealgram.keylog_file:{}", key_log.display()));
        }
        command
    }

    /// What tshark says of a capture. The dissector must not complain.
    pub(crate) fn read(&self, capture: &[u8], key_log: Option<&str>, more: &[&str]) -> String {
        let key_log = key_log.map(|key_log| self.file("keys", key_log));
        let mut command = self.with_script(key_log.as_deref());
        command.arg("-r").arg(self.file("capture.pcap", capture));
        let output = command.args(more).output().unwrap();
        let (said, complaints) = (text(output.stdout), text(output.stderr));
        assert!(output.status.success(), "{complaints}");
        for line in complaints.lines().chain(said.lines()) {
            assert!(!line.contains("Lua") && !line.contains("lua:"), "{line}");
        }
        said
    }

    /// The columns of every packet.
    pub(crate) fn fields(&self, capture: &[u8], key_log: Option<&str>, columns: &[&str]) -> Vec<Vec<String>> {
        self.fields_with(&[], capture, key_log, columns)
    }

    /// The same with more options.
    pub(crate) fn fields_with(
        &self,
        options: &[&str],
        capture: &[u8],
        key_log: Option<&str>,
        columns: &[&str],
    ) -> Vec<Vec<String>> {
        let more: Vec<&str> = options.iter().copied().chain(columns_of(columns)).collect();
        table(&self.read(capture, key_log, &more))
    }

    /// The same of `dissect`.
    pub(crate) fn fields_of_dissect(
        &self,
        capture: &[u8],
        key_log: Option<&str>,
        columns: &[&str],
    ) -> Vec<Vec<String>> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dissect"));
        command.arg(self.file("capture.pcap", capture)).args(columns_of(columns));
        if let Some(key_log) = key_log {
            command.arg("--keylog").arg(self.file("keys", key_log));
        }
        table(&text(command.output().unwrap().stdout))
    }

    /// The first column of a capture that arrives in two parts, the second when the key log has grown.
    pub(crate) fn live(
        &self,
        parts: [&[u8]; 2],
        first_rows: usize,
        key_log: &str,
        column: &str,
    ) -> Vec<String> {
        let path = self.file("growing", "# nothing yet\n");
        let mut command = self.with_script(Some(&path));
        command.args(["-l", "-r", "-", "-T", "fields", "-e", column]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut rows = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        stdin.write_all(parts[0]).unwrap();
        let mut seen: Vec<String> = rows.by_ref().take(first_rows).collect();
        self.file("growing", format!("# nothing yet\n{key_log}"));
        stdin.write_all(parts[1]).unwrap();
        drop(stdin);
        seen.extend(rows);
        assert!(child.wait().unwrap().success());
        seen
    }

    /// How often each rule was broken.
    pub(crate) fn rules(&self, capture: &[u8], key_log: Option<&str>) -> BTreeMap<String, usize> {
        let said = self.read(capture, key_log, &["-q", "-z", "expert"]);
        let mut rules = BTreeMap::new();
        for line in said.lines() {
            let mut words = line.split_whitespace();
            if let (Some(Ok(count)), Some("Protocol"), Some("SEALGRAM"), Some(rule)) =
                (words.next().map(str::parse::<usize>), words.next(), words.next(), words.next())
            {
                *rules.entry(rule.trim_end_matches(':').to_owned()).or_default() += count;
            }
        }
        rules
    }
}

fn columns_of<'a>(columns: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    ["-T", "fields"].into_iter().chain(columns.iter().flat_map(|column| ["-e", column]))
}

fn table(lines: &str) -> Vec<Vec<String>> {
    lines.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
