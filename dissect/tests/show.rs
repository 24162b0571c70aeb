//! Packets as tshark's users read them: every output for one small session, as it is printed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "these tests use a part of it")]
mod run;

use std::fs;
use std::process::Command;

use run::{Leak, RELAY, Run, Talk};
use spec::close::CloseReason;
use spec::wire::ack::Ack;
use spec::wire::frame::Frame;
use tempfile::TempDir;

/// A client that comes, says two lines, updates its key, goes through a ratchet, moves and leaves. Both sides
/// acknowledge what they have; one datagram comes twice, and one was not captured.
fn session() -> Run {
    let mut talk = Talk::new(1, Leak::None);
    talk.say(1);
    let ack = |largest| Frame::Ack(Ack::new(250_000, 64, [(0, largest)].into_iter()).unwrap());
    talk.down(&[ack(0)]);
    talk.up(&[ack(2)]);
    let repeated = talk.run.datagrams.last().cloned();
    talk.run.datagrams.extend(repeated);
    talk.down(&[Frame::Ping]);
    talk.run.datagrams.pop();
    talk.client.update();
    talk.say(1);
    talk.ratchet();
    talk.move_to(RELAY);
    talk.up(&[Frame::Close { reason: CloseReason::Quit, text: "bye" }]);
    talk.run
}

/// A capture and its key log as files.
struct Files(TempDir);

impl Files {
    fn new(run: &Run) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("chat.pcap"), run.pcap()).unwrap();
        fs::write(folder.path().join("keys.txt"), &run.key_log).unwrap();
        Self(folder)
    }

    /// What the program prints, and its exit code.
    fn dissect(&self, arguments: &str) -> (String, i32) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dissect"));
        command.current_dir(self.0.path()).arg("chat.pcap");
        // Words in single quotes hold spaces.
        for (index, part) in arguments.split('\'').enumerate() {
            if index % 2 == 1 {
                command.arg(part);
            } else {
                command.args(part.split_whitespace());
            }
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        let is_quiet = complaint.starts_with("VERDICT") || complaint.is_empty();
        (if is_quiet { text } else { format!("{text}{complaint}") }, output.status.code().unwrap())
    }

    fn keyed(&self, arguments: &str) -> String {
        self.dissect(&format!("--keylog keys.txt {arguments}")).0
    }
}

#[test]
fn lists() {
    let files = Files::new(&session());
    insta::assert_snapshot!("table", files.keyed("-Y frame.number<=12"));
    insta::assert_snapshot!("times", files.keyed("-c 3 -t ad"));
    insta::assert_snapshot!("tree", files.keyed("-Y frame.number==6 -V"));
    insta::assert_snapshot!("only", files.dissect("-Y 'sealgram.message == RESP' -O sealgram").0);
    insta::assert_snapshot!("bytes", files.keyed("-Y frame.number==6 -x --color never"));
    let coloured = files.keyed("-Y frame.number==6 -x --color always");
    assert!(coloured.contains("\x1b[32m") && coloured.starts_with("colours: "));
}

#[test]
fn formats() {
    let files = Files::new(&session());
    let columns = "-e frame.number -e ip.src -e udp.port -e sealgram.message -e sealgram.packet_number -e sealgram.frame.type";
    insta::assert_snapshot!("fields", files.keyed(&format!("-T fields -E header=y {columns}")));
    insta::assert_snapshot!(
        "fields_quoted",
        files.keyed(&format!("-T fields -c 2 -E separator=; -E quote=d -E occurrence=f {columns}"))
    );
    insta::assert_snapshot!("csv", files.keyed("-T csv -Y sealgram.opened==1"));
    insta::assert_snapshot!("ndjson", files.keyed("-T ndjson -Y frame.number==6"));
    insta::assert_snapshot!("json", files.keyed("-T json -c 3 -e frame.number -e sealgram.attempt_id"));
    let lines = files.keyed("-T ndjson");
    assert!(lines.is_ascii());
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["schema"], 1);
    }
    let document: serde_json::Value = serde_json::from_str(&files.keyed("-T json -c 3")).unwrap();
    assert_eq!(document["packets"].as_array().unwrap().len(), 3);
}

#[test]
fn statistics() {
    let files = Files::new(&session());
    for name in ["io,phs", "conv,udp", "endpoints,ip", "io,stat,5,,sealgram.direction==hub", "plen,tree"] {
        insta::assert_snapshot!(format!("stat_{name}"), files.keyed(&format!("-z {name}")));
    }
    for name in ["sessions", "handshake", "rtt", "loss"] {
        insta::assert_snapshot!(format!("stat_sealgram_{name}"), files.keyed(&format!("-z sealgram,{name}")));
    }
    insta::assert_snapshot!("stat_expert", files.dissect("-z expert").0);
}

#[test]
fn conversations() {
    let files = Files::new(&session());
    insta::assert_snapshot!("ladder", files.keyed("--ladder"));
    insta::assert_snapshot!("timeline", files.keyed("--timeline"));
    insta::assert_snapshot!("timeline_without_keys", files.dissect("--timeline").0);
    insta::assert_snapshot!("follow_sealgram", files.keyed("--follow sealgram,0"));
    insta::assert_snapshot!("find", files.keyed("--find 'text:OLD MILL'"));
    assert!(files.dissect("--find 'text:old mill'").0.ends_with("0 places in 0 packets\n"), "it is sealed");
    assert!(files.dissect("--follow udp,0,raw").0.contains("Follow: udp,0"));
}

#[test]
fn what_is_not_understood_is_said_with_the_way_out() {
    let files = Files::new(&session());
    for (arguments, sentence) in [
        ("-Y ip.scr", "did you mean \"ip.src\"?"),
        ("-e sealgram.typ -T fields", "did you mean \"sealgram.type\"?"),
        ("-T fields", "at least one -e FIELD"),
        ("-e ip.src", "wants -T fields"),
        ("-z nonsense", "`-z help` lists them"),
        ("-z io,stat,x", "an interval in seconds"),
        ("-z conv,ipx", "none of eth, ip"),
        ("--follow sctp,0", "udp, tcp or sealgram"),
        ("--find nothing", "text:TEXT"),
        ("-E colour=y -T fields -e ip.src", "is not understood"),
    ] {
        let (text, code) = files.dissect(arguments);
        assert_eq!(code, 2, "{arguments}: {text}");
        assert!(text.contains(sentence), "{arguments}: {text}");
    }
}

#[test]
fn listing_packets_changes_nothing_about_the_verdict() {
    let files = Files::new(&session());
    let (_, judged) = files.dissect("--keylog keys.txt");
    let (_, listed) = files.dissect("--keylog keys.txt -Y udp -T fields -e frame.number");
    assert_eq!((judged, listed), (0, 0));
    assert_eq!(files.dissect("-q --require E4").1, 3);
    assert_eq!(files.dissect("-q --require E4 -z io,phs").1, 3);
}
