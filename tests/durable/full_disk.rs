//! A disk that is full: a small file system in a mount name space of the hub's own.

use crate::harness::{Hub, Place, Process};
use crate::kept::Kept;
use crate::speaker::{Speaker, talk};
use node::clock::Clock;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long the disk stays full.
const FULL_TIME: Duration = Duration::from_secs(3);
/// Whatever the hub frees meanwhile is taken from it so often.
const GLANCE: Duration = Duration::from_millis(5);
const SENTENCE: &str = "the hub's disk is full: it stores nothing until there is space";

/// A hub on a file system of 16 MiB: the write-ahead log alone may take 4.
struct SmallDisk {
    hub: Hub,
    /// The folder as this process reaches it.
    folder: PathBuf,
}

impl SmallDisk {
    fn start(place: &Place) -> Option<Self> {
        let data = place.path("hub");
        std::fs::create_dir(&data).unwrap();
        let mount = format!("mount -t tmpfs -o size=16m,mode=700 none '{}'", data.display());
        let may = Command::new("unshare").args(["-rm", "sh", "-c", &mount]).stderr(Stdio::null()).status();
        if !may.is_ok_and(|status| status.success()) {
            println!("skipped: unshare");
            return None;
        }
        let inner = place.hub_command("127.0.0.1:0", "hub");
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &format!("{mount} && exec \"$@\""), "sh"]);
        let hub = Hub::start(command.arg(inner.get_program()).args(inner.get_args()).arg("--json"));
        let root = PathBuf::from(format!("/proc/{}/root", hub.process.id()));
        Some(Self { hub, folder: root.join(data.strip_prefix("/").unwrap()) })
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

/// Takes all the space there is.
fn fill(ballast: &Path) {
    let mut file = OpenOptions::new().create(true).append(true).open(ballast).unwrap();
    let error = std::iter::repeat_with(|| file.write(&[7; 4096])).find_map(Result::err).unwrap();
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
}

/// While the disk is full, hub and authors are told so and nothing is said to be stored that is not; who comes back
/// reads what was said before; and when there is space again everything that was said meanwhile is stored.
#[test]
fn a_full_disk_is_waited_for() {
    let place = Place::new();
    let Some(mut disk) = SmallDisk::start(&place) else { return };
    let mut cy = place.stay(&disk.hub, "cy").connected();
    let mut speakers = [Speaker::join(&place, &disk.hub, "ann"), Speaker::join(&place, &disk.hub, "bob")];
    cy.kill();
    place.stay(&disk.hub, "dee").connected().kill();
    talk(&mut speakers, Duration::from_millis(200));
    speakers.iter_mut().for_each(Speaker::wait_until_stored);

    fill(&disk.ballast());
    talk(&mut speakers, Duration::from_millis(200));
    let clock = Clock::start();
    let full_until = clock.now() + FULL_TIME;
    while clock.now() < full_until {
        fill(&disk.ballast());
        disk.hub.process.listen_until(&clock, clock.now() + GLANCE);
    }
    disk.hub.process.wait_for("the operator is told", |line| line.is("error") && line["text"] == SENTENCE);
    disk.hub.process.wait_for("SQLite said it", |line| line.holds("database or disk is full"));
    for speaker in &mut speakers {
        let told = |line: &crate::harness::Line| line.is("closed") && line["text"] == SENTENCE;
        speaker.process.wait_for("the author is told", told);
        assert!(speaker.unstored() > 0, "lines wait");
    }
    let stored: usize = speakers.iter().map(|speaker| speaker.told.len()).sum();
    let mut cy: Process = place.stay(&disk.hub, "cy").connected();
    cy.wait_until("what is stored is read", |lines| {
        lines.iter().filter(|line| line.is("message")).count() >= stored
    });
    // A pipe waits as long as it was told to.
    let mut pipe = place.join(&disk.hub.invite(), "dee", &["--timeout", "3"]);
    pipe.say("now or never");
    pipe.end_input();
    let ended = pipe.ended();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains(SENTENCE) && ended.stderr.contains("1 line"), "{}", ended.stderr);

    let waiting: usize = speakers.iter_mut().map(Speaker::unstored).sum();
    assert_eq!(
        disk.hub.process.count(|line| line.is_notice_of("log-works")),
        0,
        "the disk was full until now"
    );
    std::fs::remove_file(disk.ballast()).unwrap();
    disk.hub.process.wait_for("it stores again", |line| line.is_notice_of("log-works"));
    speakers.iter_mut().for_each(Speaker::wait_until_stored);
    // SQLite would follow the path of its own accord, and out of the name space.
    let copy = place.path("copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["log.sqlite", "log.sqlite-wal"] {
        std::fs::copy(disk.folder.join(name), copy.join(name)).unwrap();
    }
    let kept = Kept::read(&copy);
    speakers.iter().for_each(|speaker| kept.assert_holds(speaker));
    println!("{stored} lines were stored before, {waiting} waited while the disk was full, none lost");
}
