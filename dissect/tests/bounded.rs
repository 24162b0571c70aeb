//! Whatever is thrown at it: no panic, a ledger that adds up, and memory that does not grow with the file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "these tests use a part of it")]
mod run;

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use dissect::source::Source;
use dissect::verdict::Outcome;
use dissect::{Options, examine};
use proptest::prelude::*;
use run::{Leak, Run};

/// Bytes of the capture that comes through a pipe.
const PIPED_BYTES: usize = 200 << 20;
/// Resident memory that the program may need for it, with all its code: 2 MiB of windows, and what is remembered of
/// the flows.
const RESIDENT_KB_MAX: u64 = 64 * 1024;

/// The beginnings of files that are believed to be captures.
fn beginnings() -> Vec<Vec<u8>> {
    let classic = Run::new(1, 2, Leak::None).pcap();
    let section =
        [&[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0][..], &[0xff; 8]];
    let interface = [1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
    let blocks = [section.concat(), vec![28, 0, 0, 0], interface.to_vec()].concat();
    vec![Vec::new(), classic[..24].to_vec(), classic[..3_000].to_vec(), classic, blocks]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_judged_without_panic_and_add_up(
        beginning in prop::sample::select(beginnings()),
        rest in prop::collection::vec(any::<u8>(), 0..600),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut bytes = [beginning, rest].concat();
        for (at, byte) in flips {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= byte;
            }
        }
        let source = Source::memory(bytes);
        let (mut packets, mut captured) = (0, 0);
        let report = examine(&source, &Options::default(), &(), &mut |row| {
            packets += 1;
            captured += row.data.len() as u64;
            assert_eq!(row.packet.number, packets);
            assert_eq!(row.packet.dissection.tree.len(), row.data.len());
        });
        if let Ok(report) = report {
            prop_assert!(report.ledger.balanced);
            prop_assert_eq!((report.ledger.captured, report.capture.file.packets), (captured, packets));
            prop_assert!(report.verdict.outcome != Outcome::Proved || packets > 5);
        }
    }
}

/// Peak resident memory of a process, in KiB.
fn peak_kb(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// A sound session, and then datagrams of others from a thousand ports.
fn piped() -> impl Iterator<Item = Vec<u8>> {
    let first = Run::new(2, 20, Leak::None).pcap();
    let mut written = first.len();
    let mut port = 0_u16;
    let next = move || {
        port = (port + 1) % 1_000;
        let mut other = Run::default();
        let byte = u8::try_from(port % 251).unwrap();
        other.send(([10, 0, 9, 9], 1_000 + port), ([10, 0, 9, 8], 443), vec![byte; 1_400]);
        let record = other.pcap().split_off(24);
        written += record.len();
        (written <= PIPED_BYTES).then_some(record)
    };
    std::iter::once(first).chain(std::iter::from_fn(next))
}

#[test]
#[cfg(target_os = "linux")]
fn a_long_capture_through_a_pipe_needs_little_memory() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dissect"))
        .args(["-", "-T", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut peak, mut tail) = (0, Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(move || piped().for_each(|piece| stdin.write_all(&piece).unwrap()));
        let mut buffer = vec![0; 1 << 20];
        loop {
            let read = stdout.read(&mut buffer).unwrap();
            peak = peak_kb(child.id()).unwrap_or(0).max(peak);
            tail.extend_from_slice(&buffer[..read]);
            tail.drain(..tail.len().saturating_sub(1 << 20));
            if read == 0 {
                break;
            }
        }
    });
    assert_eq!(child.wait().unwrap().code(), Some(0), "the session is proved, whatever others do");
    let end = String::from_utf8_lossy(&tail);
    assert!(end.contains("\"outcome\": \"PROVED\""));
    println!("{peak} KiB at most");
    assert!(peak > 0 && peak <= RESIDENT_KB_MAX, "{peak} KiB");
}
