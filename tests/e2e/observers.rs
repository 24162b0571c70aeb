//! Other people's tools on our traffic: tcpdump captures it, tshark counts it.

use crate::bad_link::{Stage, assert_opaque};
use crate::harness::{dissect, judge};
use node::clock::Clock;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// Length of the header of a classic capture.
const HEADER_BYTES: usize = 24;
/// Length of the header of a record.
const RECORD_BYTES: usize = 16;

/// A running tcpdump that writes its capture to us.
struct Tcpdump {
    child: Child,
    bytes: Receiver<Vec<u8>>,
}

impl Tcpdump {
    /// Starts one on the loopback interface; nothing when there is none, or it may not.
    fn start(port: u16) -> Option<Self> {
        let filter = format!("udp port {port}");
        let mut child = Command::new("tcpdump")
            .args(["-i", "lo", "-n", "-s", "0", "-B", "16384", "--immediate-mode", "-U", "-w", "-", &filter])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut stderr = BufReader::new(child.stderr.take()?).lines();
        // It says so when it listens, and ends when it may not.
        let listens = stderr.any(|line| line.is_ok_and(|line| line.contains("listening on")));
        let mut stdout = child.stdout.take()?;
        let (sender, bytes) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(len) = stdout.read(&mut buffer)
                && len > 0
                && sender.send(buffer[..len].to_vec()).is_ok()
            {}
        });
        let tcpdump = Self { child, bytes };
        listens.then_some(tcpdump)
    }

    /// The capture, once it has `count` packets.
    fn packets(&self, count: usize) -> Vec<u8> {
        let clock = Clock::start();
        let deadline = clock.now() + Duration::from_secs(10);
        let mut file = Vec::new();
        while records(&file) < count {
            file.extend(
                self.bytes.recv_timeout(clock.until(deadline)).expect("tcpdump sees what the hub sees"),
            );
        }
        file
    }
}

impl Drop for Tcpdump {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Records of a classic little-endian capture.
fn records(file: &[u8]) -> usize {
    let (mut at, mut count) = (HEADER_BYTES, 0);
    while let Some(len) = file.get(at + 8..at + 12) {
        at += RECORD_BYTES + u32::from_le_bytes(len.try_into().unwrap()) as usize;
        count += usize::from(at <= file.len());
    }
    count
}

/// Acceptance 3 by tcpdump, and 4: what the kernel saw is as opaque as what the hub wrote down, and opens with
/// the same keys; and tshark counts the same packets, times and ports in both files.
#[test]
fn tcpdump_sees_the_same_and_tshark_counts_the_same() {
    let mut stage = Stage::set(11);
    let tcpdump = Tcpdump::start(stage.hub.address.port());
    stage.talk(11, false);
    let own = stage.place.path("hub.pcapng");
    let seen_by_hub = assert_tshark_agrees(&own);
    let Some(tcpdump) = tcpdump else {
        println!("skipped: tcpdump");
        return;
    };
    let capture = stage.place.path("lo.pcap");
    std::fs::write(&capture, tcpdump.packets(seen_by_hub)).unwrap();
    assert_opaque(&judge(&capture, &[], 0), "E2");
    let keys = stage.place.text("hub.keys");
    assert_eq!(judge(&capture, &["--keylog", &keys], 0)["verdict"]["reached"], "E4");
    assert_tshark_agrees(&capture);
}

/// Compares number, time and ports of every packet; how many there are.
fn assert_tshark_agrees(capture: &Path) -> usize {
    let (_, report) = dissect(capture, &[]);
    let packets = report["packets"].as_array().unwrap();
    let fields = ["frame.number", "frame.time_epoch", "ip.src", "udp.srcport", "ip.dst", "udp.dstport"];
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture).args(["-T", "fields", "-E", "separator=,"]);
    let Ok(output) = command.args(fields.iter().flat_map(|field| ["-e", field])).output() else {
        println!("skipped: tshark");
        return packets.len();
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs = String::from_utf8(output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().replace(':', ",");
    let ours = packets.iter().map(|packet| {
        let (time, from, to) = (text(&packet["time"]), text(&packet["source"]), text(&packet["destination"]));
        format!("{},{time},{from},{to}", packet["number"])
    });
    assert!(theirs.lines().eq(ours), "{}: tshark and dissect differ", capture.display());
    packets.len()
}
